/** The keys at risk: which records the peers do not hold yet, and what is refused for good. */
import { exposureKeysMax } from '../../bounds.ts';
import { InvalidError } from '../../errors.ts';
import type { PendingView } from '../../operations/pending-view.ts';
import { readLimit, unknownParameters } from '../paging.ts';
import type { HttpRequest, Route } from '../route.ts';

/** @param view Names up to so many keys for each peer. */
export function pendingRoutes(view: (limit: number) => Promise<PendingView>): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/pending',
      handle: async ({ query }) => ({
        status: 200,
        body: await view(keysOf(query)),
        headers: { 'cache-control': 'no-store' },
      }),
    },
  ];
}

/** @throws InvalidError that names every wrong parameter. */
function keysOf({ limit, ...unknown }: HttpRequest['query']): number {
  const { size, failures: wrong } = readLimit(limit, { byDefault: exposureKeysMax, max: exposureKeysMax });
  const failures = [...unknownParameters(unknown), ...wrong];
  if (failures.length > 0) throw new InvalidError('the query is invalid', failures);
  return size;
}
