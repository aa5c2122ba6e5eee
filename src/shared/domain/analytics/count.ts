/**
 * Notes what a record has brought about, and marks the minutes that it is in.
 *
 * Invariant: whatever changes what is to be counted of a minute marks that minute afterwards, and the mark outlives every
 * reader that may have counted before. So a count is never a sum of increments: a run that is repeated, doubled or late marks a
 * minute once more, and the minute is counted anew from the index.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { countAttemptsMax, countMarkFreshMs } from '../../bounds.ts';
import type { StepsContext } from '../entity.ts';
import { putLocal } from '../local-record.ts';
import {
  happenedKey,
  type HappeningKind,
  happeningOf,
  keptAfter,
  keptIn,
  keptJson,
  type Named,
  refundsIn,
  type Which,
} from './happened.ts';
import { dayOf, HOUR_MS, hourOf, marksKey, MINUTE_MS, startOf } from './units.ts';

/** Minute of an hour, or hour of a day → when it was marked last, epoch milliseconds. */
export type Marks = Readonly<Record<string, number>>;

export function marksIn(record: StoredRecord | undefined): Marks {
  return record === undefined ? {} : ((plainValues(record.state)['marks'] ?? {}) as Marks);
}

/** @throws UnavailableError when what it writes is being changed too often */
export function* countHappened({ site, key }: StepsContext, kind: HappeningKind): Protocol<undefined> {
  for (const which of yield* whichOf(kind, key)) {
    const minutes = yield* note(site, { key, kind, which });
    for (const startMs of minutes) {
      const [hour, day] = [hourOf(startMs), dayOf(startMs)];
      // The hour first: a day is counted from its hours.
      yield* mark(site, hour, (startMs - startOf(hour)) / MINUTE_MS);
      yield* mark(site, day, Math.floor((startMs - startOf(day)) / HOUR_MS));
    }
  }
  return undefined;
}

/** Which of them a record may have brought about. */
function* whichOf(kind: HappeningKind, key: string): Protocol<readonly Which[]> {
  return kind === 'refunded' ? refundsIn((yield* get(key))?.record) : [''];
}

/** @returns Starts of the minutes that it is in, or has been in. */
function* note(site: Site, { key, kind, which }: Named): Protocol<readonly number[]> {
  const at = happenedKey(site.site, { key, kind, which });
  for (let attempt = 0; attempt < countAttemptsMax; attempt += 1) {
    const held = yield* get(at);
    // After what is kept, never before it: whoever wrote that had read no later version.
    const record = (yield* get(key))?.record;
    const before = keptIn(held);
    const after = keptAfter(before, happeningOf(kind, which, record));
    if (after === undefined) return before.minutes;
    if (yield* putLocal(site, { key: at, values: keptJson(after), held })) return after.minutes;
  }
  throw new UnavailableError(`what ${key} has brought about is being changed too often`);
}

/** One that is hardly older than now stands for this one, too: readers wait much longer before they take one away. */
function* mark(site: Site, unit: string, part: number): Protocol<void> {
  const key = marksKey(site.site, unit);
  for (let attempt = 0; attempt < countAttemptsMax; attempt += 1) {
    const held = yield* get(key);
    const marks = marksIn(held?.record);
    const nowMs = site.now();
    if ((marks[part] ?? -Infinity) > nowMs - countMarkFreshMs) return;
    if (yield* putLocal(site, { key, values: { marks: { ...marks, [part]: nowMs } }, held })) return;
  }
  throw new UnavailableError(`the marks of ${unit} are being changed too often`);
}
