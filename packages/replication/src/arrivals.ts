/**
 * The messages of one batch that are about one key: whether they may be merged here, and what the key holds once they are.
 *
 * Invariant: all of it follows from the arrivals, from what is held and from the clock alone. What an arrival may not say,
 * or says too late, is refused for that arrival alone.
 */
import { beyondItsKnowledge } from './belief.ts';
import { horizonMs } from './bounds.ts';
import type { LostWrite } from './conflict-log.ts';
import { BeyondHorizonError } from './errors.ts';
import { type ReplicationEvent, stateOf } from './event.ts';
import { goneSinceOf, oldestMs } from './lives.ts';
import { mergeStates } from './merge.ts';
import type { Versioned, WriteRequest } from './ports/store.ts';
import type { Site } from './protocol.ts';
import { entriesAfter, withEntries } from './reactions/entries.ts';
import type { RecordState, StoredRecord } from './record.ts';
import { isOwnBusiness } from './reserved.ts';

/** The event of a message, and where that stands in its batch. */
export interface Arrival {
  readonly index: number;
  readonly event: ReplicationEvent;
}

/** The write that a key needs, and the writes that lose by it. */
export interface Change extends WriteRequest {
  readonly lost: readonly LostWrite[];
}

/**
 * The key was created in one write by one site and nothing else has happened to it, as far as these events know. Two
 * creations are not taken to be new: if they are old, their conflict has long been settled and would be logged again.
 */
export function isFirstVersion(site: Site, arrivals: readonly Arrival[]): boolean {
  return arrivals.every(
    ({ event }) =>
      event.event_id === arrivals[0]?.event.event_id &&
      event.type.endsWith('.created') &&
      // Every report of a site about itself is written as a whole, and so looks like the first.
      !isOwnBusiness(event.key) &&
      Object.keys(event.state.vector).length === 1 &&
      site.now() - event.sent_at <= horizonMs,
  );
}

/**
 * Why an event must not be merged into what is held. A late message about a key that is gone, or that has begun anew
 * since, might bring back a record whose tombstone has been removed. A fresh one holds the whole state, so it needs no
 * other. What a site says about itself is never deleted.
 */
export function refusalOf(
  site: Site,
  held: RecordState | undefined,
  event: ReplicationEvent,
): Error | undefined {
  const isLate = site.now() - event.sent_at > horizonMs && !isOwnBusiness(event.key);
  if (isLate && (held === undefined || oldestMs(held) > event.sent_at)) {
    const detail = `${event.event_id} was sent more than 30 days ago and what it is about is not here any more`;
    return new BeyondHorizonError(`${detail}: compare the two sites, or rebuild this one`);
  }
  return beyondItsKnowledge(site, event.key, held, stateOf(event));
}

/** The write that a key needs; undefined when its arrivals add nothing. */
export function changeOf(
  site: Site,
  key: string,
  held: Versioned | undefined,
  arrivals: readonly Arrival[],
): Change | undefined {
  const { record, lost } = mergeArrivals(site, key, held?.record, arrivals);
  return record && { record, expected: held?.revision, lost };
}

/** All arrivals of one key merged; no record when they add nothing. */
function mergeArrivals(
  site: Site,
  key: string,
  held: StoredRecord | undefined,
  arrivals: readonly Arrival[],
): { record?: StoredRecord; lost: readonly LostWrite[] } {
  let own = held;
  let state = held?.state;
  let changed = false;
  const lost: LostWrite[] = [];
  for (const { event } of arrivals) {
    const merge = mergeStates(state, stateOf(event));
    state = merge.state;
    changed ||= merge.changed;
    // Markers and versions of a life that all sites have forgotten name what no event includes any more.
    if (merge.forgotten) own = undefined;
    for (const conflict of merge.conflicts) lost.push({ key, conflict });
  }
  if (!changed || state === undefined) return { lost };
  const {
    goneSince: _,
    reactions: __,
    ...kept
  }: Omit<StoredRecord, 'state'> = own ?? { key, pending: {}, operations: [] };
  const goneSince = goneSinceOf(state, own, site.now());
  const entries = entriesAfter(site, key, { held: own, state });
  const record = { ...kept, state, ...(goneSince !== undefined && { goneSince }), ...withEntries(entries) };
  return { record, lost };
}
