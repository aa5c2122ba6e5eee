/** Values of an earlier moment, written forward. */
import { restore } from '../../generated/validators.js';
import type { RestoreRequest, RestoreService } from '../../operations/restore-service.ts';
import type { Route } from '../route.ts';

export function restoreRoutes(service: RestoreService): Route[] {
  return [
    {
      method: 'POST',
      path: '/replication/restores',
      body: restore,
      handle: async ({ body }) => ({
        status: 200,
        body: await service.restore(body as RestoreRequest),
        headers: { 'cache-control': 'no-store' },
      }),
    },
  ];
}
