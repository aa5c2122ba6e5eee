/**
 * Apply: merge what the peers sent into the local store.
 *
 * Invariant: applying never publishes and never touches markers, so there are no loops. The vector in the record
 * is the memory of what has been applied: it becomes durable in the same conditional write as the effect, never
 * before it, and an event that it covers changes nothing. So a write that loses is in the conflict log before that write:
 * when the answer is lost, or this function dies, the event comes back and finds nothing to merge and nothing to log.
 */
import {
  applyAttemptsMax,
  inboundAttemptsMax,
  applyThrottlesMax,
  clockAheadMaxMs,
  horizonMs,
  writeBackoffMs,
} from './bounds.ts';
import {
  BeyondHorizonError,
  ClockSkewError,
  ThrottledError,
  UnavailableError,
  isRetryable,
} from './errors.ts';
import type { Disposition, InboundMessage } from './ports/queue.ts';
import type { Versioned, WriteRequest } from './ports/store.ts';
import { beyondItsKnowledge, beyondItsSource } from './belief.ts';
import { logConflicts, type LostWrite } from './conflict-log.ts';
import { parseEvent, stateOf, type EventCheck, type ReplicationEvent } from './event.ts';
import { dead, foreign, unreadable } from './dispositions.ts';
import { goneSinceOf, oldestMs } from './lives.ts';
import { mergeStates } from './merge.ts';
import { entityOf, idOf, newestStamp, type RecordState, type StoredRecord } from './record.ts';
import { readKeys, type FailedKeys } from './isolate.ts';
import { putMany, sleep, type Protocol, type Site } from './protocol.ts';
import { HEARTBEAT, isOwnBusiness } from './reserved.ts';
import { stampMs, type SiteId } from './stamp.ts';

/** What one batch did, for logs and metrics. */
export interface ApplyReport {
  readonly dispositions: readonly Disposition[];
  /** Keys that were written. */
  readonly applied: number;
  /** Events that the local state already included. */
  readonly superseded: number;
  /** Writes that lost against one that had not seen them; each is in the conflict log. */
  readonly lost: readonly LostWrite[];
  /**
   * Peer whose heartbeat was written → milliseconds since it was made there, by both clocks. Negative when the peer's
   * clock is ahead of this one by more than the way took: that is how a skew is seen.
   */
  readonly lagMs: Readonly<Record<SiteId, number>>;
}

interface Arrival {
  readonly index: number;
  readonly event: ReplicationEvent;
}

/** Applies a batch of the inbound queue. */
export function* applyBatch(
  site: Site,
  messages: readonly InboundMessage[],
  check: EventCheck,
): Protocol<ApplyReport> {
  const dispositions: Disposition[] = messages.map(() => ({ kind: 'done' }));
  const byKey = new Map<string, Arrival[]>();
  messages.forEach((message, index) => {
    const read = readArrival(site, message, check);
    if ('kind' in read) {
      dispositions[index] = read;
      return;
    }
    const arrivals = byKey.get(read.key) ?? [];
    arrivals.push({ index, event: read });
    byKey.set(read.key, arrivals);
  });
  const merged = yield* mergeAll(site, byKey);
  for (const [key, result] of merged.results) {
    for (const { index } of byKey.get(key) ?? []) {
      dispositions[index] = settled(result ?? merged.refused.get(index), messages[index]);
    }
  }
  return {
    dispositions,
    applied: merged.applied,
    superseded: merged.superseded,
    lost: merged.lost,
    lagMs: merged.lagMs,
  };
}

/** The event of a message, or why it cannot be applied. */
function readArrival(site: Site, message: InboundMessage, check: EventCheck): ReplicationEvent | Disposition {
  let event: ReplicationEvent;
  try {
    event = parseEvent(message.body, check);
  } catch (error) {
    return unreadable(error);
  }
  if (!site.peers.includes(event.source)) {
    return foreign(`${event.source} is not a peer of ${site.site}`);
  }
  const unbelieved = beyondItsSource(site, event);
  if (unbelieved !== undefined) return settled(unbelieved, message);
  const aheadMs = stampMs(newestStamp(stateOf(event)) ?? '') - site.now();
  if (aheadMs > clockAheadMaxMs) {
    const error = new ClockSkewError(`${event.event_id} is stamped ${aheadMs} ms ahead of this site's clock`);
    return isOwnBusiness(event.key) ? dropped(event.key, error, message) : settled(error, message);
  }
  return event;
}

/** What a peer says about itself, by a clock that is ahead: its next word stands for this one, so none is set aside. */
function dropped(key: string, error: Error, message: InboundMessage): Disposition {
  const disposition = entityOf(key) === HEARTBEAT ? undefined : settled(error, message);
  return disposition?.kind === 'retry' ? disposition : { kind: 'done' };
}

/** A passing fault is retried until the attempts are used up; then a person must look. */
function settled(result: Error | undefined, message: InboundMessage | undefined): Disposition {
  if (result === undefined) return { kind: 'done' };
  // A store that has more to do than it grants says nothing about the message, however often.
  if (result instanceof ThrottledError) return { kind: 'retry', error: result, isNoAttempt: true };
  if (isRetryable(result) && (message?.attempts ?? 0) < inboundAttemptsMax)
    return { kind: 'retry', error: result };
  return dead(result);
}

interface Merged {
  /** Key → undefined when it holds everything, or why not. */
  readonly results: ReadonlyMap<string, Error | undefined>;
  /** Index of an arrival that its key was merged without → why. */
  readonly refused: ReadonlyMap<number, Error>;
  readonly applied: number;
  readonly superseded: number;
  readonly lost: readonly LostWrite[];
  readonly lagMs: Readonly<Record<SiteId, number>>;
}

/**
 * Reads in one batch, merges in memory, writes each changed key once; the losers of races go round again.
 * A key whose first version has just been made is taken to be new here: the conditional write proves it, and
 * saves the read.
 */
function* mergeAll(site: Site, byKey: ReadonlyMap<string, readonly Arrival[]>): Protocol<Merged> {
  const results = new Map<string, Error | undefined>();
  const refused = new Map<number, Error>();
  const known = new Map<string, Versioned | undefined>();
  for (const [key, arrivals] of byKey) if (isFirstVersion(site, arrivals)) known.set(key, undefined);
  const lost: LostWrite[] = [];
  const lagMs: Record<SiteId, number> = {};
  let applied = 0;
  let superseded = 0;
  let open = [...byKey.keys()];
  let throttles = 0;
  for (let attempt = 1; open.length > 0; attempt += 1) {
    if (attempt > applyAttemptsMax) {
      for (const key of open) results.set(key, new UnavailableError(`${key} is being written too often`));
      break;
    }
    for (const [key, failure] of yield* readUnknown(open, known)) results.set(key, failure);
    open = open.filter((key) => known.has(key));
    const wanted: Change[] = [];
    for (const key of open) {
      const arrivals = admitted(site, known.get(key), byKey.get(key) ?? [], refused);
      const change = changeOf(site, key, known.get(key), arrivals);
      if (change !== undefined) wanted.push(change);
      else {
        results.set(key, undefined);
        superseded += arrivals.length;
      }
    }
    open = [];
    const unlogged = yield* logConflicts(
      site,
      wanted.flatMap((change) => change.lost),
    );
    for (const [key, error] of unlogged) results.set(key, error);
    const changes = wanted.filter(({ record }) => !unlogged.has(record.key));
    if (changes.length === 0) break;
    const written = yield* putMany(changes);
    let throttledMs = 0;
    changes.forEach(({ record: { key, state }, lost: losers }, position) => {
      const result = written[position];
      if (result?.status === 'written') {
        results.set(key, undefined);
        applied += 1;
        lost.push(...losers);
        if (entityOf(key) === HEARTBEAT) lagMs[idOf(key)] = site.now() - newestFieldMs(state);
      } else if (
        result?.status === 'failed' &&
        result.error instanceof ThrottledError &&
        throttles < applyThrottlesMax
      ) {
        throttledMs = Math.max(throttledMs, result.error.retryAfterMs);
        open.push(key);
      } else if (result?.status === 'failed') {
        results.set(key, result.error);
      } else {
        if (result?.current === undefined) known.delete(key);
        else known.set(key, result.current);
        open.push(key);
      }
    });
    if (throttledMs > 0) {
      throttles += 1;
      yield* sleep(throttledMs);
    } else if (open.length > 0 && attempt > 1) yield* sleep(writeBackoffMs * attempt);
  }
  return { results, refused, applied, superseded, lost, lagMs };
}

/** Of the fields, because the vector may keep a stamp of a clock that was ahead. */
function newestFieldMs({ fields }: RecordState): number {
  return Math.max(...Object.values(fields).map(([stamp]) => stampMs(stamp)));
}

interface Change extends WriteRequest {
  readonly lost: readonly LostWrite[];
}

/**
 * The key was created in one write by one site and nothing else has happened to it, as far as these events know. Two
 * creations are not taken to be new: if they are old, their conflict has long been settled and would be logged again.
 */
function isFirstVersion(site: Site, arrivals: readonly Arrival[]): boolean {
  return arrivals.every(
    ({ event }) =>
      event.event_id === arrivals[0]?.event.event_id &&
      event.type.endsWith('.created') &&
      Object.keys(event.state.vector).length === 1 &&
      site.now() - event.sent_at <= horizonMs,
  );
}

/** The write that a key needs; undefined when its arrivals add nothing. */
function changeOf(
  site: Site,
  key: string,
  held: Versioned | undefined,
  arrivals: readonly Arrival[],
): Change | undefined {
  const { record, lost } = mergeArrivals(site, key, held?.record, arrivals);
  return record && { record, expected: held?.revision, lost };
}

/** Reads the open keys that are not known yet; returns those of which the store did not say, and why. */
function* readUnknown(
  open: readonly string[],
  known: Map<string, Versioned | undefined>,
): Protocol<FailedKeys> {
  const keys = open.filter((key) => !known.has(key));
  try {
    const { held, failed } = yield* readKeys(keys);
    for (const key of keys) if (!failed.has(key)) known.set(key, held.get(key));
    return failed;
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return new Map(keys.map((key) => [key, error as Error]));
  }
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
  const { goneSince: _, ...kept } = own ?? { key, pending: {}, operations: [] };
  const goneSince = goneSinceOf(state, own, site.now());
  return { record: { ...kept, state, ...(goneSince !== undefined && { goneSince }) }, lost };
}

/** The arrivals that may be merged; the others go to `refused`. */
function admitted(
  site: Site,
  held: Versioned | undefined,
  arrivals: readonly Arrival[],
  refused: Map<number, Error>,
): readonly Arrival[] {
  return arrivals.filter(({ index, event }) => {
    refused.delete(index);
    const error = refusalOf(site, held?.record.state, event);
    if (error !== undefined) refused.set(index, error);
    return error === undefined;
  });
}

/**
 * Why an event must not be merged into what is held. A late message about a key that is gone, or that has begun anew
 * since, might bring back a record whose tombstone has been removed. A fresh one holds the whole state, so it needs no
 * other. What a site says about itself is never deleted.
 */
function refusalOf(site: Site, held: RecordState | undefined, event: ReplicationEvent): Error | undefined {
  const isLate = site.now() - event.sent_at > horizonMs && !isOwnBusiness(event.key);
  if (isLate && (held === undefined || oldestMs(held) > event.sent_at)) {
    const detail = `${event.event_id} was sent more than 30 days ago and what it is about is not here any more`;
    return new BeyondHorizonError(`${detail}: compare the two sites, or rebuild this one`);
  }
  return beyondItsKnowledge(site, event.key, held, stateOf(event));
}
