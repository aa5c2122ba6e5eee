/**
 * Waiting until the durable queue of every peer that keeps a record has a write of it.
 *
 * Invariant: true means that it has. A marker is set in the very put of the write and cleared only after the peer's
 * queue accepted that version or a newer one, so a marker that is gone is the acknowledgement; nothing is sent here.
 */
import { durabilityWaitMs } from './bounds.ts';
import { isRetryable } from './errors.ts';
import { own } from './own.ts';
import { pauses } from './pauses.ts';
import { peersOf } from './placement.ts';
import { get, type Protocol, type Site, sleep } from './protocol.ts';
import type { StoredRecord } from './record.ts';
import type { SiteId } from './stamp.ts';

/**
 * Whether every peer's queue has accepted the record within `durabilityWaitMs`. A key that is written again all the
 * time may be accepted and yet not be seen without a marker: then the answer is false. Never throws for a store that
 * does not answer, because the write stands.
 * @param own True when this site has just written the record, false when it only found it.
 */
export function* awaitAcceptance(site: Site, record: StoredRecord, own: boolean): Protocol<boolean> {
  const peers = peersOf(site, record);
  if (!own && !vouchesFor(peers, site.site, record)) return false;
  const waits = pauses(site.now, durabilityWaitMs);
  for (;;) {
    if (yield* isAccepted(peers, record.key)) return true;
    const { value: pauseMs } = waits.next();
    if (pauseMs === undefined) return false;
    yield* sleep(pauseMs);
  }
}

function* isAccepted(peers: readonly SiteId[], key: string): Protocol<boolean> {
  if (peers.length === 0) return true;
  try {
    const held = yield* get(key);
    return held !== undefined && peers.every((peer) => own(held.record.pending, peer) === undefined);
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return false;
  }
}

/**
 * An own write carries the whole state. A record that was only found may hold what one peer wrote and has not yet
 * sent to a third site: this site's markers say nothing about that.
 */
function vouchesFor(peers: readonly SiteId[], site: SiteId, { state }: StoredRecord): boolean {
  const writers = Object.keys(state.vector).filter((writer) => writer !== site);
  return peers.every((peer) => writers.every((writer) => writer === peer));
}
