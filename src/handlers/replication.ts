/**
 * `GET /replication`: what each peer does not hold yet of what was written here, and when each was last heard.
 * It needs the store and nothing else, so it answers during a partition, which is when people ask. Anybody may, and an
 * answer costs up to a thousand reads: it is computed once for all who ask within a second.
 */
import { responseKeptMs } from '../shared/bounds.ts';
import { cacheResponse } from '../shared/cache-response.ts';
import { contentsOf } from '../shared/domain/content.ts';
import { withContent } from '../shared/operations/content-view.ts';
import { replicationView } from '../shared/operations/replication-view.ts';
import { entities } from '../shared/registry/entities.ts';
import { openRuntime, openSiteStore, serve, sleep } from '../shared/runtime.ts';

const runtime = openRuntime();
const store = openSiteStore(runtime);
const contents = contentsOf(entities);
const view = cacheResponse(responseKeptMs, async () => {
  const replication = await replicationView(runtime.site, store);
  return contents === undefined
    ? replication
    : withContent(replication, runtime.site, contents, { store, sleep });
});

export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/replication',
    handle: async () => ({
      status: 200,
      body: await view(),
      headers: { 'cache-control': 'no-store' },
    }),
  },
]);
