/** How full the queues of this site are. */
import type { QueueDepths } from '../../ports/dead-letter-box.ts';
import type { Route } from '../route.ts';

export function queueRoutes(site: string, measure: () => Promise<QueueDepths>): Route[] {
  return [
    {
      method: 'GET',
      path: '/replication/queues',
      handle: async () => ({
        status: 200,
        body: { site, queues: await measure() },
        headers: { 'cache-control': 'no-store' },
      }),
    },
  ];
}
