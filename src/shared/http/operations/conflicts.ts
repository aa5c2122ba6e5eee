/** The conflict log: which writes lost, and an operator's word against it. */
import type { Json } from '@tandem-clouds/replication/json';
import { conflictOverride } from '../../generated/validators.js';
import type { ConflictService } from '../../operations/conflict-service.ts';
import { checkedId } from '../entity-routes.ts';
import { idCursor, readPaging } from '../paging.ts';
import type { HttpRequest, Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

/** List, newest first; show one; make the loser, or another value, win. */
export function conflictRoutes(service: ConflictService): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/conflicts',
      handle: async ({ query }) => ({
        status: 200,
        body: await service.list(readPaging(query, idCursor)),
        headers,
      }),
    },
    {
      method: 'GET',
      path: '/replication/conflicts/{id}',
      handle: async (request) => ({ status: 200, body: await service.show(idOf(request)), headers }),
    },
    {
      method: 'POST',
      path: '/replication/conflicts/{id}/override',
      body: conflictOverride,
      handle: async (request) => {
        const { value, note } = request.body as { value?: Json; note?: string };
        const body = await service.override(idOf(request), { value, note });
        return { status: 200, body, headers };
      },
    },
  ];
}

function idOf({ params }: HttpRequest): string {
  return checkedId(params['id'], 'conflict');
}
