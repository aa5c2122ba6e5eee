/**
 * Exposure: what would be lost if this site vanished now, per peer. Pure.
 *
 * Invariant: every write of users' data that this site acknowledged before a peer's `safeTimeMs` is in that peer's
 * durable queue or store, but for the keys that its queue refuses for good: those are counted and named, and the safe
 * time does not wait for what will never come. Where the truth is not known exactly (the list was cut, the index may lag, one moment
 * stands for all peers of a key) the safe time is too early, never too late.
 */
import type { ExposurePage } from './ports/store.ts';
import { isOwnBusiness } from './reserved.ts';
import type { SiteId } from './stamp.ts';
import type { RefusedKeys } from './sweep.ts';

/** What one peer does not hold yet. */
export interface PeerExposure {
  readonly site: SiteId;
  /** Keys with a write that the peer's queue has not accepted. */
  readonly keysAtRisk: number;
  /** How many of those keys the peer's queue refuses for good. */
  readonly refused: number;
  /** True when there may be more of them than were counted. */
  readonly atLeast: boolean;
  /** Epoch milliseconds of the oldest of those writes that is not refused; absent when none is known. */
  readonly oldestPendingSince?: number;
  /** Epoch milliseconds: everything acknowledged here before it is safe at the peer, but for what is refused. */
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
  {
    peers,
    nowMs,
    refused = {},
  }: { readonly peers: readonly SiteId[]; readonly nowMs: number; readonly refused?: RefusedKeys },
): readonly PeerExposure[] {
  const entries = page.entries.filter(({ key }) => !isOwnBusiness(key));
  const knownUntilMs = Math.min(nowMs - page.indexLagMs, page.cutAtMs ?? Infinity);
  return peers.map((site) => {
    const own = entries.filter((entry) => entry.peers.includes(site));
    const never = refused[site] ?? {};
    const sinces = own.filter(({ key }) => !Object.hasOwn(never, key)).map(({ sinceMs }) => sinceMs);
    const oldest = sinces.length === 0 ? undefined : Math.min(...sinces);
    const safeTimeMs = Math.min(knownUntilMs, oldest ?? Infinity);
    return {
      site,
      keysAtRisk: own.length,
      refused: own.length - sinces.length,
      atLeast: page.cutAtMs !== undefined,
      ...(oldest !== undefined && { oldestPendingSince: oldest }),
      safeTimeMs,
      ageMs: nowMs - safeTimeMs,
    };
  });
}
