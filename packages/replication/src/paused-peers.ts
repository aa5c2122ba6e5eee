/**
 * Pauses: an operator stops what one site sends to a peer. One record per site, written by it alone.
 *
 * Invariant: a pause changes what is sent and nothing else. Markers are set as ever and stay, so what a paused peer
 * lacks is counted and shown, and is sent once the pause ends.
 *
 * The record crosses to the peers like any other (decision 0012), so that replicas stay equal, every site can tell
 * who is paused where, and a site that is rebuilt from its peers is still paused. Only its own site obeys it. It
 * holds no data of users: it is in no list of the API and is not counted as exposed.
 */
import { localWrite } from './local-write.ts';
import { get, type Protocol, type Site } from './protocol.ts';
import type { StoredRecord } from './record.ts';
import { PAUSE } from './reserved.ts';
import type { SiteId } from './stamp.ts';

/** The key of what a site has paused; no other site writes it. */
export function pauseKey(site: SiteId): string {
  return `${PAUSE}:${site}`;
}

/** Paused peer → epoch milliseconds since when. */
export type PausedPeers = Readonly<Record<SiteId, number>>;

/** What a record of pauses says. */
export function pausedPeers(record: StoredRecord | undefined): PausedPeers {
  const paused: Record<SiteId, number> = {};
  for (const [peer, [, since]] of Object.entries(record?.state.fields ?? {})) {
    if (typeof since === 'number') paused[peer] = since;
  }
  return paused;
}

/** Pauses or resumes what is sent to a peer; what is so already stays. @throws what `localWrite` throws. */
export function* setPaused(site: Site, peer: SiteId, paused: boolean): Protocol<PausedPeers> {
  const key = pauseKey(site.site);
  const nowMs = site.now();
  const held = (yield* get(key))?.record;
  if (peer in pausedPeers(held) === paused) return pausedPeers(held);
  const record = yield* localWrite(site, {
    key,
    operationId: `${paused ? 'pause' : 'resume'}-${peer}-${nowMs}`,
    decide: () => ({ [peer]: paused ? nowMs : null }),
  });
  return pausedPeers(record);
}

/** The site with the peers that it may send to. */
export function withoutPaused(site: Site, paused: PausedPeers): Site {
  return { ...site, peers: site.peers.filter((peer) => !Object.hasOwn(paused, peer)) };
}
