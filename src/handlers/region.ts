/** `GET /region`: which cloud, region and site answered. */
import { openRuntime, serve } from '../shared/runtime.ts';

const runtime = openRuntime();
const { site, region } = runtime.config;

export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/region',
    handle: () => ({
      status: 200,
      body: { cloud: runtime.cloudName, region, site, status: 'ok' },
      headers: { 'cache-control': 'no-store' },
    }),
  },
]);
