/**
 * `GET /replication`: what each peer does not hold yet of what was written here, and when each was last heard.
 * It needs the store and nothing else, so it answers during a partition, which is when people ask.
 */
import { openStore } from '#cloud';
import { exposureKeysMax } from '../shared/bounds.ts';
import { exposureOf, type PeerExposure } from '../shared/replication/exposure.ts';
import { heardMsAgo, heartbeatKey, silentPeers } from '../shared/replication/heartbeat.ts';
import { pauseKey, pausedPeers, type PausedPeers } from '../shared/replication/paused-peers.ts';
import { openRuntime, serve } from '../shared/runtime.ts';

const runtime = openRuntime();
const { peers, site } = runtime.site;
const store = openStore(runtime.config);

/** What is answered; every number is in milliseconds. */
export interface ReplicationView {
  readonly site: string;
  /** RFC 3339, by this site's clock. */
  readonly now: string;
  readonly peers: readonly {
    readonly site: string;
    /** RFC 3339: everything acknowledged here before it is held durably at the peer. */
    readonly safeTime: string;
    readonly exposure: { readonly keys: number; readonly atLeast: boolean };
    readonly oldestPendingMs: number;
    /** An operator has stopped what is sent to it. */
    readonly paused: boolean;
    /** Why it did not take what the last sweep sent; absent when it did, or when there was nothing to send. */
    readonly problem?: string;
  }[];
  readonly inbound: readonly { readonly site: string; readonly heardMsAgo: number | null }[];
}

async function report(): Promise<ReplicationView> {
  const nowMs = runtime.site.now();
  const [page, held] = await Promise.all([
    store.exposure(exposureKeysMax),
    store.getMany([pauseKey(site), ...[site, ...peers].map(heartbeatKey)]),
  ]);
  const paused = pausedPeers(held.get(pauseKey(site))?.record);
  const silent = silentPeers(held.get(heartbeatKey(site))?.record);
  return {
    site,
    now: new Date(nowMs).toISOString(),
    peers: exposureOf(page, { peers, nowMs }).map((exposure) => viewOf(exposure, { nowMs, paused, silent })),
    inbound: peers.map((peer) => ({
      site: peer,
      heardMsAgo: heardMsAgo(held.get(heartbeatKey(peer))?.record, nowMs),
    })),
  };
}

function viewOf(
  exposure: PeerExposure,
  { nowMs, paused, silent }: { nowMs: number; paused: PausedPeers; silent: Readonly<Record<string, string>> },
): ReplicationView['peers'][number] {
  const { site: peer, keysAtRisk, atLeast, safeTimeMs, oldestPendingSince = nowMs } = exposure;
  const problem = silent[peer];
  return {
    site: peer,
    safeTime: new Date(safeTimeMs).toISOString(),
    exposure: { keys: keysAtRisk, atLeast },
    oldestPendingMs: Math.max(0, nowMs - oldestPendingSince),
    paused: peer in paused,
    ...(problem !== undefined && { problem }),
  };
}

export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/replication',
    handle: async () => ({ status: 200, body: await report(), headers: { 'cache-control': 'no-store' } }),
  },
]);
