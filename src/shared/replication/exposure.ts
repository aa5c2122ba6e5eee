/**
 * Exposure: what would be lost if this site vanished now, per peer. Pure.
 *
 * Invariant: every write of users' data that this site acknowledged before a peer's `safeTimeMs` is in that peer's
 * durable queue or store. Where the truth is not known exactly (the list was cut, the index may lag, one moment
 * stands for all peers of a key) the safe time is too early, never too late.
 */
import type { ExposurePage } from '../ports/store.ts';
import { isOwnBusiness } from './reserved.ts';
import type { SiteId } from './stamp.ts';

/** What one peer does not hold yet. */
export interface PeerExposure {
  readonly site: SiteId;
  /** Keys with a write that the peer's queue has not accepted. */
  readonly keysAtRisk: number;
  /** True when there may be more of them than were counted. */
  readonly atLeast: boolean;
  /** Epoch milliseconds of the oldest of those writes; absent when none is known. */
  readonly oldestPendingSince?: number;
  /** Epoch milliseconds: everything acknowledged here before it is safe at the peer. */
  readonly safeTimeMs: number;
  /** How far the safe time is behind `nowMs`. */
  readonly ageMs: number;
}

/**
 * The exposure to each peer, in the order of `peers`. Markers of sites that are no longer peers count for nobody.
 * @param nowMs Taken before the store was asked: a write that came in between is not promised.
 */
export function exposureOf(
  page: ExposurePage,
  { peers, nowMs }: { readonly peers: readonly SiteId[]; readonly nowMs: number },
): readonly PeerExposure[] {
  const entries = page.entries.filter(({ key }) => !isOwnBusiness(key));
  const knownUntilMs = Math.min(nowMs - page.indexLagMs, page.cutAtMs ?? Infinity);
  return peers.map((site) => {
    const sinces = entries.filter((entry) => entry.peers.includes(site)).map(({ sinceMs }) => sinceMs);
    const oldest = sinces.length === 0 ? undefined : Math.min(...sinces);
    const safeTimeMs = Math.min(knownUntilMs, oldest ?? Infinity);
    return {
      site,
      keysAtRisk: sinces.length,
      atLeast: page.cutAtMs !== undefined,
      ...(oldest !== undefined && { oldestPendingSince: oldest }),
      safeTimeMs,
      ageMs: nowMs - safeTimeMs,
    };
  });
}
