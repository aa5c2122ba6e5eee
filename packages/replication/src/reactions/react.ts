/**
 * React: do what the entries of one record say, at this site.
 *
 * Invariant: an attempt is written down before it is made, with the moment of the next one, so a function that dies is
 * followed by another, a provider that forgets is asked first, and what fails leaves its place in the index to others.
 * What an effect returns is written only while the condition holds for that very effect: written later it could make
 * another condition false whose effect nobody has done. Then the site remembers that it was done, and nothing else.
 */
import {
  effectsPerHourMax,
  holdPauseMaxMs,
  progressCharactersMax,
  providerMemoryMs,
  reactionAttemptsMax,
  reactionDetailMax,
  reactionPausedMs,
  reactionPauseMaxMs,
  reactionPauseMs,
  reactionStepsMax,
} from '../bounds.ts';
import { canonicalJson } from '../canonical-json.ts';
import { ElsewhereError, isPermanent, isRetryable, UnavailableError } from '../errors.ts';
import type { Json } from '../json.ts';
import { type Changes, writeVersioned, type Written } from '../local-write.ts';
import type { ObjectEffect, Together } from '../objects/effects.ts';
import type { Versioned } from '../ports/store.ts';
import { type Effect, get, type Protocol, putMany, type Site, wake } from '../protocol.ts';
import type { StoredRecord } from '../record.ts';
import { writerOf } from '../writer-record.ts';
import type { Condition } from './condition.ts';
import {
  conditionsAt,
  effectsWithinHour,
  entriesAfter,
  isDue,
  nextDue,
  park,
  withEntries,
} from './entries.ts';
import type { ParkReason, ReactionEntries, ReactionEntry } from './entry.ts';

/** What an effect has returned, as changes of the record that it is written to; undefined: it changes nothing. */
export type Result = ((current: StoredRecord) => Changes) | undefined;

/** How a run within the site ends that has more to do. */
export interface Unfinished {
  /** What the next run goes on with: plain data of at most `progressCharactersMax`. */
  readonly progress?: Json;
  /** Why this run has failed: it was an attempt, and the next one is made after a pause. Absent: it is made at once. */
  readonly failure?: Error;
  /** The least pause, where the usual one is too short. */
  readonly pauseMs?: number;
}

/** What is asked of whoever can do it. A `lookUp` answers `absent` when it was not done. */
export interface ReactionEffect {
  readonly op: 'react';
  readonly call: 'run' | 'lookUp';
  readonly record: StoredRecord;
  readonly reaction: string;
  readonly effectId: string;
  /** 1 at the first. */
  readonly attempt: number;
  /** Greater than that of every attempt before it, at this site and about this record and reaction. */
  readonly fence: number;
}

/**
 * What is asked of a service outside both clouds, as plain data: whoever runs the protocol knows whom to ask. It throws
 * AmbiguousError where the service may have done it all the same.
 */
export interface OutsideEffect {
  readonly op: 'outside';
  readonly service: string;
  readonly call: unknown;
}

/** A protocol that may also have effects done, and storages and services outside asked. */
export type ReactProtocol<Returned> = Generator<
  Effect | ReactionEffect | ObjectEffect | OutsideEffect | Together,
  Returned,
  unknown
>;

/** What is done about a record within the site, step by step. */
export type StepsProtocol<Returned> = Generator<
  Effect | ObjectEffect | OutsideEffect | Together,
  Returned,
  unknown
>;

export type StepKind =
  'done' | 'unfinished' | 'failed' | 'parked' | 'overtaken' | 'postponed' | 'dropped' | 'raced';

/** One thing that was done about a record. */
export interface Step {
  readonly kind: StepKind;
  readonly reaction: string;
  readonly effectId?: string;
  readonly reason?: ParkReason;
  readonly detail?: string;
  /** How long after it was due, at the first attempt. */
  readonly lagMs?: number;
  /** Fields that a result would have set, had the condition still held for it. */
  readonly unwritten?: readonly string[];
}

export interface ReactOptions {
  /** Whether operators have paused a reaction, by key and name. */
  readonly isPaused?: (key: string, reaction: string) => boolean;
  /** Whether there is time to begin another. */
  readonly goesOn?: () => boolean;
  /**
   * What is done within the site and not by declared code; undefined: declared code does it. May be done any number of times,
   * so it is never looked up. `progress` is what an earlier run of the same effect has returned as `Unfinished`.
   */
  readonly within?:
    | ((
        site: Site,
        record: StoredRecord,
        reaction: string,
        progress?: Json,
      ) => StepsProtocol<Result | Unfinished> | undefined)
    | undefined;
  /** How long an effect may take at this function, if longer than `reactionRunMs`: nobody makes the next attempt before. */
  readonly runMs?: number;
}

/**
 * Does what is due on one record, one effect after the other, up to a bound: what a result makes due is done at once
 * too, without a message. @throws what the store throws; what was due then still is.
 */
export function* react(site: Site, key: string, options: ReactOptions = {}): ReactProtocol<readonly Step[]> {
  const { goesOn = () => true } = options;
  const steps: Step[] = [];
  let known: Versioned | undefined;
  // Until it was looked at, or was left undone: then somebody has to look again, and the sweep would be late.
  let isLeft = true;
  while (steps.length < reactionStepsMax && goesOn()) {
    const held = known ?? (yield* get(key));
    const first = held && nextDue(site, held.record);
    if (held === undefined || first === undefined) {
      isLeft = false;
      break;
    }
    const [reaction, entry] = first;
    const attempt = new Attempt(site, held, reaction, entry);
    steps.push(yield* attempt.make(options));
    const { written } = attempt;
    known = versioned(written);
    // What is written by others later wakes for itself.
    isLeft = written === undefined || isDue(written.record, site.now());
    if (!isLeft) break;
  }
  if (isLeft || steps.at(-1)?.kind === 'unfinished') yield* wakeAgain(key);
  return steps;
}

/** What is known to be there; undefined: it has to be read. */
function versioned(written: Written | undefined): Versioned | undefined {
  if (written?.revision === undefined) return undefined;
  return { record: written.record, revision: written.revision };
}

/** What got further goes on soon; what is not woken is woken by the sweep. */
function* wakeAgain(key: string): Protocol<void> {
  try {
    yield* wake([key]);
  } catch (error) {
    if (!isRetryable(error)) throw error;
  }
}

/** One reaction on one record that is due. */
class Attempt {
  readonly #site: Site;
  readonly #held: Versioned;
  readonly #reaction: string;
  readonly #entry: ReactionEntry;
  /** The record as the claim has left it; undefined: it is not known. */
  #claimed: Versioned | undefined;
  /** The record as it was written with the result; undefined: there is none, or it is not known. */
  written: Written | undefined;

  constructor(site: Site, held: Versioned, reaction: string, entry: ReactionEntry) {
    this.#site = site;
    this.#held = held;
    this.#reaction = reaction;
    this.#entry = entry;
  }

  *make({ isPaused = () => false, ...running }: ReactOptions): ReactProtocol<Step> {
    const { record } = this.#held;
    const [site, entry, nowMs] = [this.#site, this.#entry, this.#site.now()];
    if (isPaused(record.key, this.#reaction))
      return yield* this.#settle('postponed', { ...entry, dueMs: nowMs + reactionPausedMs });
    if (site.reactions?.knows(record.key, this.#reaction) !== true) return yield* this.#unknown(nowMs);
    const condition = conditionsAt(site, record.key, record.state).get(this.#reaction);
    if (condition === undefined || condition.broken !== undefined || condition.effectId !== entry.effectId)
      return yield* this.#renew();
    if (condition.fromMs !== undefined && condition.fromMs > nowMs)
      return yield* this.#settle('postponed', { ...entry, dueMs: condition.fromMs });
    // Looked at again: the right to write may have come here by then.
    const { lasting = false } = condition;
    if (condition.site === 'origin' && !lasting && !(yield* this.#isWriter()))
      return yield* this.#settle('postponed', { ...entry, dueMs: nowMs + reactionPausedMs });
    if (lasting) return yield* this.#claimAndRun(condition, { looksUp: false, ...running });
    const attempts = entry.attempts ?? 0;
    const begun = effectsWithinHour(record, nowMs, HOUR_MS);
    if (attempts === 0 && condition.site === 'origin' && begun >= effectsPerHourMax)
      return yield* this.#park('loop', `${begun} effects on this record within an hour`);
    if (attempts >= reactionAttemptsMax) return yield* this.#park('failed');
    const isOld = nowMs - this.#triedMs(condition) >= providerMemoryMs;
    if (isOld && !condition.canLookUp) return yield* this.#park('forgotten');
    return yield* this.#claimAndRun(condition, { looksUp: isOld, ...running });
  }

  /** Whether this site acts on records of the entity, where one site writes them at a time. */
  *#isWriter(): Protocol<boolean> {
    const writer = yield* writerOf(this.#site, this.#held.record.key);
    return writer === undefined || (writer.site === this.#site.site && writer.closedBy === undefined);
  }

  /**
   * Since when somebody may have tried it, epoch milliseconds. What was taken over may have been tried by the site that is
   * lost as soon as it was made; what was never tried here was tried nowhere.
   */
  #triedMs({ site, origin, madeMs, fromMs = madeMs }: Condition): number {
    if (site === 'every') return Infinity;
    if (origin !== this.#site.site) return Math.max(madeMs, fromMs);
    return triedBefore(this.#entry, this.#entry.effectId)?.atMs ?? Infinity;
  }

  *#claimAndRun(
    condition: Condition,
    { looksUp, within, runMs = 0 }: Pick<ReactOptions, 'within' | 'runMs'> & { readonly looksUp: boolean },
  ): ReactProtocol<Step> {
    const { record } = this.#held;
    const { effectId, lasting = false } = condition;
    const nowMs = this.#site.now();
    const attempt = (this.#entry.attempts ?? 0) + 1;
    const fence = Math.max((this.#entry.fence ?? 0) + 1, nowMs);
    const claimed: ReactionEntry = {
      ...this.#entry,
      attempts: attempt,
      fence,
      tried: triedBefore(this.#entry, effectId) ?? { effectId, atMs: nowMs },
      dueMs: nowMs + Math.max(runMs, pauseAfter(attempt, lasting)),
      // What runs at every site writes nothing, and so wakes nobody; and what is about the site itself comes to an end.
      ...(attempt === 1 &&
        condition.site === 'origin' &&
        !lasting && { hour: hourAfter(this.#entry, nowMs) }),
    };
    if (!(yield* this.#put({ ...record.reactions, [this.#reaction]: claimed }))) return this.#step('raced');
    const isFirst = attempt === 1 && this.#entry.progress === undefined;
    const lag = isFirst ? { lagMs: Math.max(0, nowMs - (this.#entry.dueMs ?? nowMs)) } : {};
    try {
      const result = yield* this.#effect(within, { effectId, attempt, fence, looksUp });
      if (typeof result === 'object')
        return { ...(yield* this.#unfinished(claimed, lasting, result)), ...lag };
      if (condition.site === 'every') return { ...(yield* this.#noteDone(record.key, effectId)), ...lag };
      // Unique per claim, also within one tick of the clock: an earlier one's write is another one.
      const operationId = `${fence.toString(36)}-${effectId.slice(-8)}`;
      return {
        ...(yield* this.#write(record.key, { effectId, operationId, result, isNote: lasting })),
        ...lag,
      };
    } catch (error) {
      if (isPermanent(error) || runMs === 0) return yield* this.#failed(record.key, effectId, error);
      const { progress } = claimed;
      const failure = error instanceof Error ? error : new Error(String(error));
      return yield* this.#unfinished(claimed, lasting, {
        ...(progress !== undefined && { progress }),
        failure,
      });
    }
  }

  /** Keeps what the run has got done. One that got nothing further has failed. */
  *#unfinished(
    claimed: ReactionEntry,
    lasting: boolean,
    { progress, failure, pauseMs = 0 }: Unfinished,
  ): Protocol<Step> {
    const text = progress === undefined ? undefined : canonicalJson(progress);
    if ((text?.length ?? 0) > progressCharactersMax)
      throw new TypeError(`what a run of ${this.#reaction} has got done is too long to be kept`);
    const before = claimed.progress === undefined ? undefined : canonicalJson(claimed.progress);
    const why = failure?.message ?? (text === before ? 'it got no further' : undefined);
    const detail = why?.slice(0, reactionDetailMax);
    const nowMs = this.#site.now();
    const { attempts = 1 } = claimed;
    yield* updateEntries(this.#held.record.key, ({ reactions }) => {
      const entry = reactions?.[this.#reaction];
      // Another attempt has been begun since, or it is about something else by now.
      if (entry?.effectId !== claimed.effectId || entry?.fence !== claimed.fence) return reactions;
      if (entry === undefined || entry.parked !== undefined) return reactions;
      const { progress: _, attempts: __, ...rest } = entry;
      const kept = { ...rest, ...(progress !== undefined && { progress }) };
      const next: ReactionEntry =
        detail === undefined
          ? { ...kept, ...(attempts > 1 && { attempts: attempts - 1 }), dueMs: nowMs }
          : { ...kept, attempts, detail, dueMs: nowMs + Math.max(pauseMs, pauseAfter(attempts, lasting)) };
      return { ...reactions, [this.#reaction]: next };
    });
    return detail === undefined ? this.#step('unfinished') : { ...this.#step('failed'), detail };
  }

  *#effect(
    within: ReactOptions['within'],
    { looksUp, ...named }: Pick<ReactionEffect, 'effectId' | 'attempt' | 'fence'> & { looksUp: boolean },
  ): ReactProtocol<Result | Unfinished> {
    const { record } = this.#held;
    const own = within?.(this.#site, record, this.#reaction, this.#entry.progress);
    if (own !== undefined) return yield* own;
    const asked = { op: 'react', record, reaction: this.#reaction, ...named } as const;
    if (looksUp) {
      const found = (yield { ...asked, call: 'lookUp' }) as Result | 'absent';
      if (found !== 'absent') return found;
    }
    return (yield { ...asked, call: 'run' }) as Result;
  }

  /** Writes what the effect returned, on condition that the condition holds for it still. */
  *#write(
    key: string,
    { result, ...write }: { effectId: string; operationId: string; result: Result; isNote: boolean },
  ): ReactProtocol<Step> {
    const { effectId, operationId, isNote } = write;
    if (result === undefined) return yield* this.#noteDone(key, effectId);
    let unwritten: readonly string[] | undefined;
    const written = yield* writeVersioned(this.#site, {
      key,
      operationId,
      held: this.#claimed,
      wakesNobody: true,
      isNote,
      done: { reaction: this.#reaction, effectId },
      decide: (current) => {
        if (current === undefined) return undefined;
        const changes = result(current);
        const holds = conditionsAt(this.#site, key, current.state).get(this.#reaction)?.effectId === effectId;
        unwritten = holds ? undefined : Object.keys(changes);
        return holds ? changes : undefined;
      },
    });
    if (unwritten === undefined) {
      this.written = written;
      return this.#step('done');
    }
    this.#claimed = undefined;
    return { ...(yield* this.#noteDone(key, effectId)), kind: 'overtaken', unwritten };
  }

  /** The effect is done, and changes nothing that replicates. */
  *#noteDone(key: string, effectId: string): Protocol<Step> {
    const done = { reaction: this.#reaction, effectId };
    const change = (held: StoredRecord): ReactionEntries | undefined =>
      entriesAfter(this.#site, key, { held, state: held.state, done });
    const noted = yield* updateEntries(key, change, this.#claimed);
    this.written = noted;
    const entry = noted?.record.reactions?.[this.#reaction];
    return entry?.parked?.reason === 'stands' ? this.#step('parked', 'stands') : this.#step('done');
  }

  /** The attempt has its successor already; a person wants to know why it failed. */
  *#failed(key: string, effectId: string, error: unknown): Protocol<Step> {
    const detail = String(error instanceof Error ? error.message : error).slice(0, reactionDetailMax);
    // The right to write has gone elsewhere meanwhile, and may come back.
    const isLasting = isPermanent(error) && !(error instanceof ElsewhereError);
    const written = yield* updateEntries(key, ({ reactions }) => {
      const entry = reactions?.[this.#reaction];
      if (entry?.effectId !== effectId || entry.parked !== undefined) return reactions;
      const failed = { ...entry, detail };
      const next = isLasting ? park(failed, 'refused', this.#site.now()) : failed;
      return { ...reactions, [this.#reaction]: next };
    });
    // Something else may be due by now, which this failure says nothing about.
    const now = written?.record.reactions?.[this.#reaction];
    const reason = now?.effectId === effectId ? now.parked?.reason : undefined;
    return { ...this.#step(reason === undefined ? 'failed' : 'parked', reason), detail };
  }

  /** The entry is about what holds no more, or by another name. */
  *#renew(): Protocol<Step> {
    const { record } = this.#held;
    const entries = entriesAfter(this.#site, record.key, { held: record, state: record.state, asked: true });
    // Only this reaction was looked at.
    const next = { ...record.reactions, [this.#reaction]: entries?.[this.#reaction] ?? {} };
    return this.#step((yield* this.#put(next)) ? 'dropped' : 'raced');
  }

  /** Another release of this site may know it: it is looked at again, ever later, and then waits for a person. */
  *#unknown(nowMs: number): Protocol<Step> {
    const attempts = (this.#entry.attempts ?? 0) + 1;
    const detail = 'this release declares no such reaction';
    if (attempts > reactionAttemptsMax) return yield* this.#park('failed', detail);
    const dueMs = nowMs + pauseAfter(attempts);
    return yield* this.#settle('postponed', { ...this.#entry, attempts, dueMs, detail });
  }

  *#park(reason: ParkReason, detail?: string): Protocol<Step> {
    const parked = park(this.#entry, reason, this.#site.now(), detail);
    return yield* this.#settle('parked', parked, reason);
  }

  *#settle(kind: StepKind, entry: ReactionEntry, reason?: ParkReason): Protocol<Step> {
    const next = { ...this.#held.record.reactions, [this.#reaction]: entry };
    return (yield* this.#put(next)) ? this.#step(kind, reason) : this.#step('raced');
  }

  /** False when somebody else wrote first. @throws what the store failed with */
  *#put(entries: ReactionEntries): Protocol<boolean> {
    const { record, revision } = this.#held;
    const { reactions: _, ...rest } = record;
    const next = { ...rest, ...withEntries(withoutEmpty(entries)) };
    const [result] = yield* putMany([{ record: next, expected: revision }]);
    if (result?.status === 'failed') throw result.error;
    if (result?.status !== 'written') return false;
    this.#claimed = versioned({ record: next, revision: result.revision });
    return true;
  }

  #step(kind: StepKind, reason?: ParkReason): Step {
    const { effectId } = this.#entry;
    return {
      kind,
      reaction: this.#reaction,
      ...(effectId !== undefined && { effectId }),
      ...(reason !== undefined && { reason }),
    };
  }
}

const HOUR_MS = 3_600_000;
const RACES_MAX = 15;

/** Longer with each attempt. */
export function pauseAfter(attempt: number, lasting = false): number {
  return Math.min(lasting ? holdPauseMaxMs : reactionPauseMaxMs, reactionPauseMs * 2 ** (attempt - 1));
}

/** When this very effect was tried before; undefined: never. */
function triedBefore({ tried }: ReactionEntry, effectId: string | undefined): ReactionEntry['tried'] {
  return tried?.effectId === effectId ? tried : undefined;
}

function hourAfter({ hour }: ReactionEntry, nowMs: number): NonNullable<ReactionEntry['hour']> {
  return hour === undefined || nowMs - hour.fromMs >= HOUR_MS
    ? { fromMs: nowMs, effects: 1 }
    : { ...hour, effects: hour.effects + 1 };
}

function withoutEmpty(entries: ReactionEntries): ReactionEntries {
  return Object.fromEntries(Object.entries(entries).filter(([, entry]) => Object.keys(entry).length > 0));
}

/**
 * Changes what this site knows of its reactions on a record, and nothing that replicates. Returns the record as it then is;
 * undefined: there is none. @param known What the caller has just written of it: saves the read.
 * @throws what the store throws, or that it is written too often
 */
export function* updateEntries(
  key: string,
  change: (record: StoredRecord) => ReactionEntries | undefined,
  known?: Versioned,
): Protocol<Written | undefined> {
  for (let race = 0; race < RACES_MAX; race += 1) {
    const held = race === 0 && known !== undefined ? known : yield* get(key);
    if (held === undefined) return undefined;
    const { reactions, ...rest } = held.record;
    const entries = change(held.record);
    if (entries === reactions) return held;
    const record: StoredRecord = { ...rest, ...withEntries(entries && withoutEmpty(entries)) };
    const [result] = yield* putMany([{ record, expected: held.revision }]);
    if (result?.status === 'failed') throw result.error;
    if (result?.status === 'written') return { record, revision: result.revision };
  }
  throw new UnavailableError(`${key} is being written too often`);
}
