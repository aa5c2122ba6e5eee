/**
 * A write at one site: read, decide, stamp, set a marker per peer, put conditionally; then tell the queue.
 *
 * Invariant: the state and its markers become durable in one conditional put, before the answer. The message
 * afterwards is only the quick path: if it is lost, the marker is still there and the sweeper resends.
 *
 * Invariant: it takes effect at most once. Where the store has not answered a put, and what the record remembers of
 * operations no longer reaches back to it, nobody knows, and it is not tried again.
 */
import { ARCHIVE, receiversOf } from './archive.ts';
import {
  clockAheadMaxMs,
  eventBytesMax,
  operationsRemembered,
  writeAttemptsMax,
  writeBackoffMs,
  writeFailuresMax,
} from './bounds.ts';
import {
  AmbiguousError,
  ElsewhereError,
  isRetryable,
  TooLargeError,
  UnavailableError,
  WriterMovingError,
} from './errors.ts';
import { eventOf } from './event.ts';
import type { Json } from './json.ts';
import { cleared, erasedLife, goneSinceOf, nextLife } from './lives.ts';
import { messageOf, messageText } from './message.ts';
import { requireKept } from './placement.ts';
import type { FieldOperation, FieldParts } from './policies/field.ts';
import { write as setRegister } from './policies/register.ts';
import type { OutboundMessage } from './ports/queue.ts';
import type { Versioned } from './ports/store.ts';
import { all, get, type Protocol, publish, putMany, type Site, sleep } from './protocol.ts';
import { wakeKeys } from './reactions/due.ts';
import { isDue } from './reactions/due-at.ts';
import { entriesAfter, withEntries } from './reactions/entries.ts';
import { isLive, newestStamp, partsOf, type RecordState, type StoredRecord, withParts } from './record.ts';
import { isOwnBusiness } from './reserved.ts';
import { areUnderstood, ERASURES, INCARNATIONS, requireUnderstood } from './semantics.ts';
import { laterStamp, nextStamp, type Stamp, stampMs } from './stamp.ts';
import { requireWriter } from './writer-record.ts';

/** Field → its new value, or the operation of a merge policy (`policies/`). */
export type Changes = Readonly<Record<string, Json | FieldOperation>>;

export interface LocalWrite {
  readonly key: string;
  /** Names this request: a second attempt with the same id finds its own effect and adds nothing. */
  readonly operationId: string;
  /**
   * The rule of the write: from the record as it is (undefined when the key was never written) and whether readers see it
   * at this moment, to the fields to change; or undefined to leave a record as it is. Throws an `AppError` to refuse. May
   * be called several times.
   */
  readonly decide: (current: StoredRecord | undefined, isLive: boolean) => Changes | undefined;
  /**
   * Present when the write creates what readers do not see: then it begins a life of the key of its own (`lives.ts`).
   * `keepUnseenTombstone`: the id derives from the request, so nothing but this creation can have been deleted under it.
   */
  readonly creates?: { readonly keepUnseenTombstone: boolean };
  /** Present when the write erases what is there: nothing of it is in the record that it leaves, wherever they merge. */
  readonly erases?: true;
  /** True when the key is most likely new: saves the read. */
  readonly expectNew?: boolean;
  /** What the caller has just read or written of it: saves the read. */
  readonly held?: Versioned | undefined;
  /** The caller itself does what becomes due by it. */
  readonly wakesNobody?: boolean;
  /** Of an entity that one site writes at a time: what no rule is decided by, and therefore any site may note. */
  readonly isNote?: boolean;
  readonly traceparent?: string | undefined;
  /** The effect of a reaction whose result this is. */
  readonly done?: { readonly reaction: string; readonly effectId: string };
}

/** A record as a write has left it; `revision` where it is known. */
export interface Written {
  readonly record: StoredRecord;
  readonly revision?: Versioned['revision'] | undefined;
}

/** As `writeVersioned`, and returns the record alone. @throws as it does */
export function* localWrite(site: Site, write: LocalWrite): Protocol<StoredRecord> {
  return (yield* writeVersioned(site, write)).record;
}

/**
 * Performs a local write and returns the record as written, or as it is when the rule leaves it so.
 * @throws UnavailableError when the store fails, or when the key stays contended for `writeAttemptsMax` attempts.
 * @throws AmbiguousError when the write may have taken effect, and the record has forgotten whether it has.
 * @throws TooLargeError when the record would not fit one message.
 * @throws NotKeptHereError when this site keeps no such records. @throws NotWriterHereError when another one writes
 * them. @throws WriterMovingError while nobody does.
 */
export function* writeVersioned(site: Site, write: LocalWrite): Protocol<Written> {
  requireKept(site, write.key);
  let current = write.held;
  let known = current !== undefined || write.expectNew === true;
  let failures = 0;
  let ambiguous = false;
  let unanswered: Unanswered | undefined;
  let putting: Unanswered | undefined;
  let isForgotten = false;
  for (let attempt = 0; attempt < writeAttemptsMax;) {
    try {
      if (!known) current = yield* get(write.key);
      known = false;
      const held = current?.record;
      if (current?.record.operations.includes(write.operationId) === true) return current;
      if (unanswered !== undefined) {
        isForgotten = isOutOfSight(held, unanswered);
        if (!isForgotten && current?.revision !== unanswered.expected) unanswered = undefined;
      }
      const live = held !== undefined && isLive(held.state, site.now());
      const start = yield* startOf(site, write, held, live);
      if (write.isNote !== true) yield* requireWriter(site, write.key);
      // Nothing is waited for between the decision and the put: what it was made by must still be so.
      const changes = write.decide(held, live);
      if (changes !== undefined && isForgotten) throw unknowable(write.key);
      if (changes === undefined) {
        if (current === undefined) throw new TypeError(`${write.key}: nothing is there to be left as it is`);
        return current;
      }
      const record = apply(site, write, held, {
        state: start.state,
        changes: { ...start.resets, ...changes },
      });
      const message = messageFor(site, record, held, write.traceparent);
      putting = { after: held?.operations.at(-1), expected: current?.revision };
      const [result] = yield* putMany([{ record, expected: current?.revision }]);
      if (result?.status === 'written') {
        yield* announce(site, record, message, write);
        return { record, revision: result.revision };
      }
      if (result?.status === 'failed') throw result.error;
      putting = undefined;
      if (result?.current !== undefined) {
        current = result.current;
        known = true;
      }
      attempt += 1;
      if (!known) yield* sleep(writeBackoffMs * attempt);
    } catch (error) {
      // A refusal of the rule may be about what this very write has done.
      if (isForgotten) throw error instanceof AmbiguousError ? error : unknowable(write.key, error);
      // To be sent elsewhere, or to wait for that, says that nothing has happened here: after such a put nobody knows.
      if (error instanceof ElsewhereError || error instanceof WriterMovingError)
        throw ambiguous ? unavailable(write.key, ambiguous, error) : error;
      if (!isRetryable(error)) throw error;
      if (error instanceof AmbiguousError) [ambiguous, unanswered] = [true, putting ?? unanswered];
      putting = undefined;
      failures += 1;
      if (failures >= writeFailuresMax) throw unavailable(write.key, ambiguous, error);
      known = false;
      yield* sleep(writeBackoffMs * 2 ** failures);
    }
  }
  throw new UnavailableError(`${write.key} is being written too often`);
}

/** A put that may have been done. */
interface Unanswered {
  /** It stands right after this operation, or is the first. */
  readonly after: string | undefined;
  /** What it was conditional on: once something else is there, it can no longer be done. */
  readonly expected: Versioned['revision'] | undefined;
}

/** Whether so many operations have followed that the one which was not answered might be forgotten. */
function isOutOfSight(held: StoredRecord | undefined, { after }: Unanswered): boolean {
  const operations = held?.operations ?? [];
  return operations.length >= operationsRemembered && (after === undefined || !operations.includes(after));
}

function unknowable(key: string, cause?: unknown): AmbiguousError {
  return new AmbiguousError(
    `${key}: the store did not answer, and so many writes have followed that nobody can say whether it did the write`,
    { cause },
  );
}

/** What a write begins with. */
interface Start {
  /** The state that is changed; undefined: none. */
  readonly state: RecordState | undefined;
  /** What is set beside the changes. */
  readonly resets: Changes;
}

/**
 * A write changes what is there, but a creation over a gone record begins the next life; also there another site may have
 * deleted what it created in that life. As long as a peer runs a release that does not know of incarnations, the earlier
 * life is emptied field by field instead.
 */
function* startOf(
  site: Site,
  { creates, erases }: LocalWrite,
  held: StoredRecord | undefined,
  live: boolean,
): Protocol<Start> {
  if (erases === true && held !== undefined) {
    yield* requireUnderstood(site, ERASURES);
    return { state: erasedLife(held.state), resets: {} };
  }
  if (creates === undefined || live) return { state: held?.state, resets: {} };
  if (held !== undefined && (yield* areUnderstood(site, INCARNATIONS)))
    return { state: nextLife(held.state), resets: cleared(undefined) };
  return { state: held?.state, resets: cleared(held?.state, creates) };
}

/** The record after the write: new parts, vector, version, and a marker for every peer. */
function apply(
  site: Site,
  write: LocalWrite,
  held: StoredRecord | undefined,
  { state: begun, changes }: Pick<Start, 'state'> & { readonly changes: Changes },
): StoredRecord {
  const wallMs = site.now();
  const newest = held === undefined ? undefined : laterStamp(newestStamp(held.state), held.version);
  const isAhead =
    isOwnBusiness(write.key) && newest !== undefined && stampMs(newest) - wallMs > clockAheadMaxMs;
  const stamp = nextStamp({ wallMs, site: site.site, after: isAhead ? undefined : newest });
  const start = isAhead && begun !== undefined ? restarted(begun, stamp) : begun;
  const parts: Record<string, FieldParts> = {};
  for (const [field, change] of Object.entries(changes)) {
    const operation = typeof change === 'function' ? change : setRegister(change);
    parts[field] = operation(start === undefined ? {} : partsOf(start, field), {
      stamp,
      site: site.site,
    });
  }
  const state = withParts(start, parts, { ...start?.vector, [site.site]: stamp });
  const peers = receiversOf(site, { key: write.key, state });
  const pending = Object.fromEntries(peers.map((peer) => [peer, stamp]));
  const goneSince = goneSinceOf(state, held, wallMs);
  const entries = entriesAfter(site, write.key, { held, state, done: write.done });
  return {
    key: write.key,
    state,
    version: stamp,
    pending,
    ...(peers.length > 0 && { pendingSince: Math.min(held?.pendingSince ?? wallMs, wallMs) }),
    ...(goneSince !== undefined && { goneSince }),
    ...withEntries(entries),
    operations: [...(held?.operations ?? []), write.operationId].slice(-operationsRemembered),
  };
}

/**
 * What only this site writes, stamped anew: its clock was ahead, and peers would refuse a later stamp for as long as it
 * was. The next incarnation ranks before what a peer may have accepted.
 */
function restarted({ fields, incarnation = 0 }: RecordState, stamp: Stamp): RecordState {
  const again = Object.entries(fields).map(([name, [, value]]) => [name, [stamp, value]] as const);
  return { fields: Object.fromEntries(again), vector: {}, incarnation: incarnation + 1 };
}

/**
 * The event as a message. A record may take its share of a message only, so that what all sites write at the same time
 * still fits one when it is merged; one that is larger nevertheless may only shrink.
 * @throws TooLargeError
 */
function messageFor(
  site: Site,
  record: StoredRecord,
  held: StoredRecord | undefined,
  traceparent: string | undefined,
): OutboundMessage {
  const options = { source: site.site, nowMs: site.now(), traceparent };
  const message = messageOf(eventOf(record, options));
  const bytes = Buffer.byteLength(message.body);
  const writers = Object.keys(record.pending).filter((peer) => peer !== ARCHIVE).length + 1;
  const shareBytes = Math.floor(eventBytesMax / writers);
  if (bytes <= shareBytes) return message;
  if (held !== undefined && stateBytes(record) < stateBytes(held)) return message;
  throw new TooLargeError(
    `${record.key}: ${bytes} bytes with its stamps, at most ${shareBytes} can be kept at ${writers} sites`,
  );
}

function stateBytes({ state }: StoredRecord): number {
  return Buffer.byteLength(messageText(state));
}

/** Hands the event to the local queue, and wakes who reacts; a failure of either is no failure of the write. */
function* announce(
  site: Site,
  record: StoredRecord,
  message: OutboundMessage,
  { wakesNobody = false }: LocalWrite,
): Protocol<void> {
  const steps: Protocol<unknown>[] = [];
  if (Object.keys(record.pending).length > 0) steps.push(publish([message]));
  if (!wakesNobody && site.reactions !== undefined && isDue(record, site.now()))
    steps.push(wakeKeys(site, [record]));
  if (steps.length === 0) return;
  try {
    yield* all(steps);
  } catch (error) {
    if (!isRetryable(error)) throw error;
  }
}

function unavailable(key: string, ambiguous: boolean, cause: unknown): Error {
  const text = ambiguous
    ? 'the store did not answer; the write may have taken effect'
    : 'the store is unavailable';
  return new UnavailableError(`${key}: ${text}`, { cause });
}
