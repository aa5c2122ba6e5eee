/** The conflict log: which writes lost, and an operator's word against it. */
import { pageSizeDefault, pageSizeMax } from '../../bounds.ts';
import type { ConflictService } from '../../conflict-service.ts';
import { InvalidError } from '../../errors.ts';
import { conflictOverride } from '../../generated/validators.js';
import type { Json } from '../../replication/json.ts';
import type { HttpRequest, Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };
const LIMIT = /^[0-9]{1,3}$/;

/** List, newest first; show one; make the loser, or another value, win. */
export function conflictRoutes(service: ConflictService): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/conflicts',
      handle: async ({ query }) => ({ status: 200, body: await service.list(readPaging(query)), headers }),
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
  return params['id'] ?? '';
}

/** @throws InvalidError */
function readPaging({ limit = String(pageSizeDefault), cursor }: HttpRequest['query']): {
  limit: number;
  after: string | undefined;
} {
  const size = LIMIT.test(limit) ? Number(limit) : 0;
  if (size >= 1 && size <= pageSizeMax) return { limit: size, after: cursor };
  const detail = `must be a whole number from 1 to ${pageSizeMax}`;
  throw new InvalidError('the query is invalid', [{ pointer: '/query/limit', rule: 'range', detail }]);
}
