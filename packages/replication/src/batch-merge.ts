/**
 * Merges a batch into the store: reads in one call, merges in memory, logs what loses, writes each changed key once; the
 * losers of races go round again.
 *
 * Invariant: each key is open, or it has its result. A round reads the open keys that are not known, and leaves open those
 * alone whose write lost a race or was throttled.
 */
import { type Arrival, type Change, changeOf, isFirstVersion, refusalOf } from './arrivals.ts';
import { applyAttemptsMax, applyThrottlesMax, writeBackoffMs } from './bounds.ts';
import { logConflicts, type LostWrite } from './conflict-log.ts';
import { isRetryable, ThrottledError, UnavailableError } from './errors.ts';
import { type FailedKeys, readKeys } from './isolate.ts';
import type { PutResult, Versioned } from './ports/store.ts';
import { type Protocol, putMany, type Site, sleep } from './protocol.ts';
import { wakeKeys } from './reactions/due.ts';
import { entityOf, idOf, type RecordState } from './record.ts';
import { HEARTBEAT } from './reserved.ts';
import { type SiteId, stampMs } from './stamp.ts';

/** How far a batch has come, key by key. */
export class BatchMerge {
  readonly #site: Site;
  readonly #arrivals: ReadonlyMap<string, readonly Arrival[]>;
  /** Key → what the store holds, as of the last read or race. */
  readonly #known = new Map<string, Versioned | undefined>();
  /** Keys without a result. */
  #open: readonly string[];
  /** Rounds in which the store throttled a write. */
  #throttles = 0;
  /** Key → undefined when it holds everything, or why not. */
  readonly results = new Map<string, Error | undefined>();
  /** Index of an arrival that its key was merged without → why. */
  readonly refused = new Map<number, Error>();
  readonly lost: LostWrite[] = [];
  /** As in the report. */
  readonly lagMs: Record<SiteId, number> = {};
  applied = 0;
  superseded = 0;

  /**
   * A key whose first version has just been made is taken to be new here: the conditional write proves it, and saves the
   * read.
   */
  constructor(site: Site, arrivals: ReadonlyMap<string, readonly Arrival[]>) {
    this.#site = site;
    this.#arrivals = arrivals;
    this.#open = [...arrivals.keys()];
    for (const [key, its] of arrivals) if (isFirstVersion(site, its)) this.#known.set(key, undefined);
  }

  /** Goes round until every key has its result. */
  *run(): Protocol<void> {
    for (let attempt = 1; this.#open.length > 0; attempt += 1) {
      if (attempt > applyAttemptsMax) {
        this.#giveUp();
        return;
      }
      yield* this.#readUnknown();
      const merged = this.#merge();
      const changes = yield* this.#logLost(merged);
      if (changes.length === 0) return;
      const written = yield* putMany(changes);
      const throttledMs = this.#sort(changes, written);
      yield* this.#wake(changes, written);
      yield* this.#rest(attempt, throttledMs);
    }
  }

  #giveUp(): void {
    for (const key of this.#open) {
      this.results.set(key, new UnavailableError(`${key} is being written too often`));
    }
  }

  /** Reads the open keys that are not known; those of which the store does not say what they hold are done. */
  *#readUnknown(): Protocol<void> {
    const keys = this.#open.filter((key) => !this.#known.has(key));
    for (const [key, failure] of yield* this.#read(keys)) this.results.set(key, failure);
    this.#open = this.#open.filter((key) => this.#known.has(key));
  }

  /** Returns the keys of which the store did not say, and why. */
  *#read(keys: readonly string[]): Protocol<FailedKeys> {
    try {
      const { held, failed } = yield* readKeys(keys);
      for (const key of keys) if (!failed.has(key)) this.#known.set(key, held.get(key));
      return failed;
    } catch (error) {
      if (!isRetryable(error)) throw error;
      return new Map(keys.map((key) => [key, error as Error]));
    }
  }

  /** The writes that the open keys need; a key that holds everything already is done. */
  #merge(): readonly Change[] {
    return this.#open.flatMap((key) => {
      const held = this.#known.get(key);
      const arrivals = this.#admitted(held, this.#arrivals.get(key) ?? []);
      const change = changeOf(this.#site, key, held, arrivals);
      if (change !== undefined) return [change];
      this.results.set(key, undefined);
      this.superseded += arrivals.length;
      return [];
    });
  }

  /** The arrivals that may be merged; why the others may not is noted. */
  #admitted(held: Versioned | undefined, arrivals: readonly Arrival[]): readonly Arrival[] {
    return arrivals.filter(({ index, event }) => {
      this.refused.delete(index);
      const error = refusalOf(this.#site, held?.record.state, event);
      if (error !== undefined) this.refused.set(index, error);
      return error === undefined;
    });
  }

  /** Logs what loses by these changes. Returns those that may be made: a key whose losers are not logged is done. */
  *#logLost(merged: readonly Change[]): Protocol<readonly Change[]> {
    const unlogged = yield* logConflicts(
      this.#site,
      merged.flatMap((change) => change.lost),
    );
    for (const [key, error] of unlogged) this.results.set(key, error);
    return merged.filter(({ record }) => !unlogged.has(record.key));
  }

  /** Gives each key its result, or opens it again. Returns for how long the store wants no writes. */
  #sort(changes: readonly Change[], written: readonly PutResult[]): number {
    const open: string[] = [];
    let throttledMs = 0;
    changes.forEach((change, position) => {
      const result = written[position];
      const { key } = change.record;
      if (result?.status === 'written') this.#applied(change);
      else if (result?.status === 'failed') {
        if (result.error instanceof ThrottledError && this.#throttles < applyThrottlesMax) {
          throttledMs = Math.max(throttledMs, result.error.retryAfterMs);
          open.push(key);
        } else this.results.set(key, result.error);
      } else {
        if (result?.current === undefined) this.#known.delete(key);
        else this.#known.set(key, result.current);
        open.push(key);
      }
    });
    this.#open = open;
    return throttledMs;
  }

  /** What has been merged may have made conditions true. Nothing but the delay depends on this. */
  *#wake(changes: readonly Change[], written: readonly PutResult[]): Protocol<void> {
    const records = changes.filter((_, index) => written[index]?.status === 'written');
    try {
      yield* wakeKeys(
        this.#site,
        records.map(({ record }) => record),
      );
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
  }

  #applied({ record: { key, state }, lost }: Change): void {
    this.results.set(key, undefined);
    this.applied += 1;
    this.lost.push(...lost);
    if (entityOf(key) === HEARTBEAT) this.lagMs[idOf(key)] = this.#site.now() - newestFieldMs(state);
  }

  /** As long as the store wants; after the second lost race, longer each time. */
  *#rest(attempt: number, throttledMs: number): Protocol<void> {
    if (throttledMs > 0) {
      this.#throttles += 1;
      yield* sleep(throttledMs);
    } else if (this.#open.length > 0 && attempt > 1) yield* sleep(writeBackoffMs * attempt);
  }
}

/** Of the fields, because the vector may keep a stamp of a clock that was ahead. */
function newestFieldMs({ fields }: RecordState): number {
  return Math.max(...Object.values(fields).map(([stamp]) => stampMs(stamp)));
}
