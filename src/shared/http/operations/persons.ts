/** One person: what a site holds of them, and their erasure. Their subject is in bodies alone. */
import { personErase, personFind } from '../../generated/validators.js';
import type { PersonService } from '../../operations/person-service.ts';
import type { Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

interface Find {
  readonly subject: string;
  readonly cursor?: string;
}

export function personRoutes(site: string, service: PersonService): Route[] {
  return [
    {
      method: 'POST',
      path: '/replication/persons/records',
      body: personFind,
      handle: async ({ body }) => {
        const { subject, cursor } = body as Find;
        return { status: 200, body: await service.records(subject, cursor), headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/persons/erasures',
      body: personErase,
      handle: async ({ body }) => {
        const { subject, ...asked } = body as Find & { readonly why: string; readonly by: string };
        return { status: 202, body: await service.erase(subject, asked), headers };
      },
    },
    {
      method: 'GET',
      path: '/replication/persons/erasures',
      handle: async () => ({ status: 200, body: { site, erasures: await service.erasures() }, headers }),
    },
    {
      method: 'POST',
      path: '/replication/persons/dead-letters',
      body: personFind,
      handle: async ({ body }) => ({
        status: 200,
        body: await service.letters((body as Find).subject),
        headers,
      }),
    },
  ];
}
