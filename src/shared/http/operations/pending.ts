/** The keys at risk: which records the peers do not hold yet, and what is refused for good. */
import { exposureKeysMax } from '../../bounds.ts';
import { InvalidError } from '../../errors.ts';
import type { PendingView } from '../../pending-view.ts';
import type { HttpRequest, Route } from '../route.ts';

const LIMIT = /^[0-9]{1,4}$/;

/** @param view Names up to so many keys for each peer. */
export function pendingRoutes(view: (limit: number) => Promise<PendingView>): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/pending',
      handle: async ({ query }) => ({
        status: 200,
        body: await view(readLimit(query)),
        headers: { 'cache-control': 'no-store' },
      }),
    },
  ];
}

/** @throws InvalidError */
function readLimit({ limit = String(exposureKeysMax) }: HttpRequest['query']): number {
  const size = LIMIT.test(limit) ? Number(limit) : 0;
  if (size >= 1 && size <= exposureKeysMax) return size;
  const detail = `must be a whole number from 1 to ${exposureKeysMax}`;
  throw new InvalidError('the query is invalid', [{ pointer: '/query/limit', rule: 'range', detail }]);
}
