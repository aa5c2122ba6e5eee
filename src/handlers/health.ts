/**
 * `GET /health` needs nothing but this process. `GET /health/deep` asks the store, the queue and the peers; it
 * answers 503 only for what makes this site useless. A silent peer is no such reason: both sites would leave
 * rotation together. While the site is being rebuilt it answers 503 until it has been filled: edge and DNS keep clients
 * away from a copy that is not whole. Anybody may ask, so what was found serves all who ask within a second.
 */
import {
  backfillKeys,
  type BackfillState,
  backfillState,
} from '@tandem-clouds/replication/anti-entropy/backfill';
import { openOutbox } from '#cloud';
import { peerStartMs, probeTimeoutMs, responseKeptMs } from '../shared/bounds.ts';
import { cacheResponse } from '../shared/cache-response.ts';
import { CheckChanges } from '../shared/check-changes.ts';
import { readEach } from '../shared/read-each.ts';
import { openRuntime, openSiteStore, serve } from '../shared/runtime.ts';
import { version } from '../shared/version.ts';

const runtime = openRuntime();
const { config, logger } = runtime;
const store = openSiteStore(runtime);
const outbox = openOutbox(config);

interface Check {
  readonly ok: boolean;
  readonly ms: number;
}

const changes = new CheckChanges(peerStartMs);

async function check(name: string, probe: () => Promise<unknown>, isPeer = false): Promise<Check> {
  const start = performance.now();
  let error: unknown;
  try {
    await Promise.race([probe(), timeout()]);
  } catch (cause) {
    error = cause;
  }
  const ok = error === undefined;
  if (changes.isNew(name, ok, isPeer)) {
    logger.log(ok ? 'info' : 'warn', 'health check', {
      check: name,
      ok,
      ...(!ok && { error: String(error) }),
    });
  }
  return { ok, ms: Math.round(performance.now() - start) };
}

function timeout(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error(`no answer within ${probeTimeoutMs} ms`));
    }, probeTimeoutMs).unref();
  });
}

async function queryPeer(url: string): Promise<void> {
  const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(probeTimeoutMs) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

/** Whether the site has been filled; undefined when it is not being rebuilt. */
async function backfill(): Promise<BackfillState | undefined> {
  if (!config.rebuilding) return undefined;
  let state: BackfillState = { ok: false, detail: 'the store does not say' };
  await check('backfill', async () => {
    const { held } = await readEach(store, backfillKeys(runtime.site));
    state = backfillState(runtime.site, held);
    if (!state.ok) throw new Error(state.detail);
  });
  return state;
}

async function deep(): Promise<{ status: number; body: unknown }> {
  const [filled, storeCheck, queueCheck, ...peerChecks] = await Promise.all([
    backfill(),
    check('store', () => store.ping()),
    check('queue', () => outbox.ping()),
    ...config.peers.map(({ site, url }) => check(site, () => queryPeer(url), true)),
  ]);
  const peers = Object.fromEntries(config.peers.map(({ site }, i) => [site, peerChecks[i]]));
  const usable = storeCheck.ok && filled?.ok !== false;
  const whole = usable && queueCheck.ok && peerChecks.every(({ ok }) => ok);
  return {
    status: usable ? 200 : 503,
    body: {
      status: whole ? 'ok' : usable ? 'degraded' : 'unavailable',
      site: config.site,
      checks: { store: storeCheck, queue: queueCheck, peers, ...(filled && { backfill: filled }) },
    },
  };
}

const keptDeep = cacheResponse(responseKeptMs, deep);
const headers = { 'cache-control': 'no-store' };

export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/health',
    handle: () => ({ status: 200, body: { status: 'ok', site: config.site, version }, headers }),
  },
  { method: 'GET', path: '/health/deep', handle: async () => ({ ...(await keptDeep()), headers }) },
]);
