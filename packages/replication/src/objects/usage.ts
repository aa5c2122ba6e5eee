/**
 * What the contents of some records take together: a record of its own for each account, with two counters that every site
 * adds to, and what puts a count right that has gone wrong.
 *
 * Invariant of a correction: it is made by one site, from a look at every record of the account, and only when neither the
 * account nor any of its records has changed since shortly before that look began. Whoever is counted while the look goes on
 * is put right by a later one.
 */
import { inventoryAccountsMax, inventorySettleMs } from '../bounds.ts';
import { isPermanent } from '../errors.ts';
import { readKeys } from '../isolate.ts';
import { localWrite } from '../local-write.ts';
import { increment } from '../policies/counter.ts';
import type { Protocol, Site } from '../protocol.ts';
import { heirOf } from '../reactions/entries.ts';
import { newestStamp, plainValues, type RecordState, type StoredRecord } from '../record.ts';
import { stampMs } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';

export interface Usage {
  readonly bytes: number;
  readonly objects: number;
}

/** What has been counted. Never less than nothing, whatever is to be put right yet. */
export function usageIn(record: StoredRecord | undefined): Usage {
  const { bytes, objects } = countedIn(record);
  return { bytes: Math.max(0, bytes), objects: Math.max(0, objects) };
}

function countedIn(record: StoredRecord | undefined): Usage {
  const { bytes, objects } = record === undefined ? {} : plainValues(record.state);
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return { bytes: count(bytes), objects: count(objects) };
}

/**
 * Adds to an account, once under one name for as long as the account remembers it (eight changes).
 * @param options.require Throws when that may not be, from what has been counted.
 */
export function* addUsage(
  site: Site,
  key: string,
  {
    change,
    operationId,
    require,
  }: {
    readonly change: Usage;
    readonly operationId: string;
    readonly require?: (usage: Usage) => void;
  },
): Protocol<void> {
  yield* localWrite(site, {
    key,
    operationId,
    decide: (current) => {
      require?.(usageIn(current));
      return { bytes: increment(change.bytes), objects: increment(change.objects) };
    },
  });
}

/**
 * Sums of accounts, as a look at all records goes on: of so many at a time, those with the least keys behind `from`, so that
 * the next look goes on with the others. Plain data.
 */
export interface Sums {
  readonly from: string;
  /** Accounts from this key on are left to the next look. */
  readonly until?: string;
  /** Key → bytes and objects; null: something of it has changed since the look began. */
  readonly of: Readonly<Record<string, readonly [bytes: number, objects: number] | null>>;
}

export const NO_SUMS: Sums = { from: '', of: {} };

/** The sums of a look under way, for one step of it. */
export class Summing {
  readonly #from: string;
  #until: string | undefined;
  readonly #of: Map<string, readonly [number, number] | null>;
  readonly #keysMax: number;

  constructor({ from, until, of }: Sums, keysMax = inventoryAccountsMax) {
    this.#from = from;
    this.#until = until;
    this.#of = new Map(Object.entries(of));
    this.#keysMax = keysMax;
  }

  /** @param content Of a record of the account; undefined: it has none, or this is the account itself. */
  add(
    account: string,
    {
      content,
      isSettled,
    }: { readonly content: { readonly bytes: number } | undefined; readonly isSettled: boolean },
  ): void {
    if (account <= this.#from || (this.#until !== undefined && account >= this.#until)) return;
    const known = this.#of.get(account);
    const [bytes, objects] = known ?? [0, 0];
    const isOpen = known !== null && isSettled;
    const after =
      content === undefined ? ([bytes, objects] as const) : ([bytes + content.bytes, objects + 1] as const);
    this.#of.set(account, isOpen ? after : null);
    if (this.#of.size <= this.#keysMax) return;
    const last = [...this.#of.keys()].reduce((a, b) => (a > b ? a : b));
    this.#of.delete(last);
    this.#until = last;
  }

  get sums(): Sums {
    return {
      from: this.#from,
      ...(this.#until !== undefined && { until: this.#until }),
      of: Object.fromEntries(this.#of),
    };
  }
}

/** Whether nothing of a state was written since shortly before a look began. */
export function isSettledAt(state: RecordState, atMs: number): boolean {
  return stampMs(newestStamp(state) ?? '') < atMs - inventorySettleMs;
}

/**
 * Puts right what a look at all records has found to be counted wrong; by one site. Returns how many accounts were.
 * @param id Names the look.
 * @param atMs When it began.
 */
export function* correctUsage(
  site: Site,
  { id, atMs, of }: { readonly id: string; readonly atMs: number } & Pick<Sums, 'of'>,
): Protocol<number> {
  const summed = Object.entries(of).flatMap(([key, sum]) => (sum === null ? [] : [[key, sum] as const]));
  const own = summed.filter(([key]) => heirOf(site, key) === site.site);
  const { held, failed } = yield* readKeys(own.map(([key]) => key));
  const unusable = new Map(failed);
  let corrected = 0;
  for (const [key, [bytes, objects]] of own) {
    const record = held.get(key)?.record;
    if (failed.has(key) || (record !== undefined && !isSettledAt(record.state, atMs))) continue;
    const counted = countedIn(record);
    const change = { bytes: bytes - counted.bytes, objects: objects - counted.objects };
    if (change.bytes === 0 && change.objects === 0) continue;
    try {
      yield* addUsage(site, key, { change, operationId: `sum-${id}` });
      corrected += 1;
    } catch (error) {
      if (!isPermanent(error)) throw error;
      unusable.set(key, error);
    }
  }
  yield* noteUnusable(site, 'write', unusable);
  return corrected;
}
