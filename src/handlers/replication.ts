/**
 * `GET /replication`: what each peer does not hold yet of what was written here, and when each was last heard.
 * It needs the store and nothing else, so it answers during a partition, which is when people ask.
 */
import { openStore } from '#cloud';
import { replicationView } from '../shared/replication-view.ts';
import { openRuntime, serve } from '../shared/runtime.ts';

const runtime = openRuntime();
const store = openStore(runtime.config);

export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/replication',
    handle: async () => ({
      status: 200,
      body: await replicationView(runtime.site, store),
      headers: { 'cache-control': 'no-store' },
    }),
  },
]);
