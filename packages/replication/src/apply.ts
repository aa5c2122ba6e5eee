/**
 * Apply: merge what the peers sent into the local store.
 *
 * Invariant: applying never publishes and never touches markers, so there are no loops. The vector in the record
 * is the memory of what has been applied: it becomes durable in the same conditional write as the effect, never
 * before it, and an event that it covers changes nothing. So a write that loses is in the conflict log before that write:
 * when the answer is lost, or this function dies, the event comes back and finds nothing to merge and nothing to log.
 */
import type { Arrival } from './arrivals.ts';
import { BatchMerge } from './batch-merge.ts';
import { beyondItsSource } from './belief.ts';
import { clockAheadMaxMs, inboundAttemptsMax } from './bounds.ts';
import type { LostWrite } from './conflict-log.ts';
import { dead, foreign, unreadable } from './dispositions.ts';
import { ClockSkewError, isRetryable, ThrottledError } from './errors.ts';
import { type EventCheck, parseEvent, type ReplicationEvent, stateOf } from './event.ts';
import { keeps } from './placement.ts';
import type { Disposition, InboundMessage } from './ports/queue.ts';
import type { Protocol, Site } from './protocol.ts';
import { entityOf, newestStamp } from './record.ts';
import { HEARTBEAT, isOwnBusiness } from './reserved.ts';
import { type SiteId, stampMs } from './stamp.ts';

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
  /**
   * What came and is not kept here, by source and entity: dropped, because whoever sent it has it. Nothing else is said of
   * it, and it is not set aside, where it would be kept after all.
   */
  readonly notKept: readonly NotKept[];
}

interface NotKept {
  readonly source: SiteId;
  readonly entity: string;
}

/** Applies a batch of the inbound queue. */
export function* applyBatch(
  site: Site,
  messages: readonly InboundMessage[],
  check: EventCheck,
): Protocol<ApplyReport> {
  const dispositions: Disposition[] = messages.map(() => ({ kind: 'done' }));
  const byKey = new Map<string, Arrival[]>();
  const notKept: NotKept[] = [];
  messages.forEach((message, index) => {
    const read = readArrival(site, message, check);
    if ('kind' in read) {
      dispositions[index] = read;
      return;
    }
    if ('entity' in read) {
      notKept.push(read);
      return;
    }
    const arrivals = byKey.get(read.key) ?? [];
    arrivals.push({ index, event: read });
    byKey.set(read.key, arrivals);
  });
  const merge = new BatchMerge(site, byKey);
  yield* merge.run();
  for (const [key, result] of merge.results) {
    for (const { index } of byKey.get(key) ?? []) {
      dispositions[index] = settled(result ?? merge.refused.get(index), messages[index]);
    }
  }
  const { applied, superseded, lost, lagMs } = merge;
  return { dispositions, applied, superseded, lost, lagMs, notKept };
}

/** The event of a message, or why it cannot be applied. What is not kept here is never set aside, whatever else is wrong. */
function readArrival(
  site: Site,
  message: InboundMessage,
  check: EventCheck,
): ReplicationEvent | NotKept | Disposition {
  let event: ReplicationEvent;
  try {
    event = parseEvent(message.body, check);
  } catch (error) {
    return unreadable(error);
  }
  const { key, source } = event;
  if (!keeps(site, site.site, { key, ...(site.keptAt && { state: stateOf(event) }) }))
    return { source, entity: entityOf(key) };
  if (!site.peers.includes(source)) {
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
