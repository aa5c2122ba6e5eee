/**
 * Counts of hours and days, counted anew where something has happened since.
 *
 * Invariant: a count that is kept without a mark is what the index lists. A mark is taken away only by whoever has counted after
 * it had stood for `countSettleMs`, in which the index has caught up and whoever marked has ended; and only while neither the
 * count nor the marks were written meanwhile. What was marked since is counted at every read.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { readKeys } from '@tandem-clouds/replication/isolate';
import type { FoundEntry, IndexQuery, Versioned } from '@tandem-clouds/replication/ports/store';
import { entries, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { plainValues } from '@tandem-clouds/replication/record';
import { countPage, countReadsMax, countSettleMs } from '../../bounds.ts';
import { hashOf } from '../indexes/index-entry.ts';
import { bound, FIRST } from '../indexes/list-query.ts';
import { sortKey } from '../indexes/sort-key.ts';
import { putLocal } from '../local-record.ts';
import { type Marks, marksIn } from './count.ts';
import { happenedIndex, type Happening, keptIn, tallied } from './happened.ts';
import { addTallies, type Parts, partsIn, partsJson, type Tally } from './tally.ts';
import { HOUR_MS, hourOf, marksKey, MINUTE_MS, minuteStart, QUARTER_MS, startOf, tallyKey } from './units.ts';

const MINUTES = HOUR_MS / MINUTE_MS;
const QUARTERS = HOUR_MS / QUARTER_MS;
const HOURS = 24;

/** What one answer may still read of what has happened. */
export interface Reading {
  happenings: number;
}

export function reading(): Reading {
  return { happenings: countReadsMax };
}

/** An hour, or a day. */
interface Unit {
  readonly parts: Parts;
  /** Whether nothing of it is marked. */
  readonly isSettled: boolean;
}

interface Held {
  readonly tally: Versioned | undefined;
  readonly marks: Versioned | undefined;
}

/**
 * Hour → what happened in each of its minutes.
 * @throws UnavailableError when so much is to be counted anew that one answer cannot; what it has counted is kept.
 */
export function* countHours(
  site: Site,
  hours: readonly string[],
  left: Reading,
): Protocol<ReadonlyMap<string, Unit>> {
  return yield* countUnits(site, hours, function* (hour, marked) {
    const minutes = marked.filter((minute) => minute < MINUTES);
    return { counted: yield* countMinutes(hour, minutes, left), unsettled: [] };
  });
}

/** Day of UTC → what happened in each quarter of an hour of it. @throws UnavailableError as `countHours` */
export function* countDays(
  site: Site,
  days: readonly string[],
  left: Reading,
): Protocol<ReadonlyMap<string, Unit>> {
  return yield* countUnits(site, days, function* (day, marked) {
    const numbers = marked.filter((number) => number < HOURS);
    const names = new Map(numbers.map((number) => [number, hourOf(startOf(day) + number * HOUR_MS)]));
    const hours = yield* countHours(site, [...names.values()], left);
    const counted = new Map<number, Tally>();
    const unsettled: number[] = [];
    for (const [number, name] of names) {
      const { parts = {}, isSettled = true } = hours.get(name) ?? {};
      for (let quarter = 0; quarter < QUARTERS; quarter += 1)
        counted.set(number * QUARTERS + quarter, quarterOf(parts, quarter));
      if (!isSettled) unsettled.push(number);
    }
    return { counted, unsettled };
  });
}

function quarterOf(minutes: Parts, quarter: number): Tally {
  const each = MINUTES / QUARTERS;
  return Array.from({ length: each }, (_, index) => minutes[quarter * each + index] ?? {}).reduce(
    addTallies,
    {},
  );
}

/** Counts the marked parts of a unit: by number, and the marks that must stay. */
type CountMarked = (
  unit: string,
  marked: readonly number[],
) => Protocol<{ readonly counted: ReadonlyMap<number, Tally>; readonly unsettled: readonly number[] }>;

function* countUnits(
  site: Site,
  units: readonly string[],
  countMarked: CountMarked,
): Protocol<ReadonlyMap<string, Unit>> {
  // Before anything is read: what was marked since is not counted for certain.
  const beganMs = site.now();
  const { held, failed } = yield* readKeys(
    units.flatMap((unit) => [tallyKey(site.site, unit), marksKey(site.site, unit)]),
  );
  for (const error of failed.values()) throw error;
  const counted = new Map<string, Unit>();
  for (const unit of units) {
    const known = { tally: held.get(tallyKey(site.site, unit)), marks: held.get(marksKey(site.site, unit)) };
    counted.set(unit, yield* countUnit(site, { unit, beganMs, known, countMarked }));
  }
  return counted;
}

function* countUnit(
  site: Site,
  {
    unit,
    beganMs,
    known,
    countMarked,
  }: {
    readonly unit: string;
    readonly beganMs: number;
    readonly known: Held;
    readonly countMarked: CountMarked;
  },
): Protocol<Unit> {
  const marks = marksIn(known.marks?.record);
  const before = partsOfTally(known.tally);
  const marked = Object.keys(marks).map(Number);
  if (marked.length === 0) return { parts: before, isSettled: true };
  const { counted, unsettled } = yield* countMarked(unit, marked);
  const changed = new Map([
    ...Object.entries(before),
    ...[...counted].map(([part, tally]) => [String(part), tally] as const),
  ]);
  const parts = Object.fromEntries([...changed].filter(([, tally]) => Object.keys(tally).length > 0));
  const settled = marked.filter(
    (part) => (marks[part] ?? Infinity) + countSettleMs <= beganMs && !unsettled.includes(part),
  );
  if (settled.length === 0) return { parts, isSettled: false };
  const isKept = yield* keep(site, { unit, known, parts, marks: without(marks, settled) });
  return { parts, isSettled: isKept && settled.length === marked.length };
}

function partsOfTally(held: Versioned | undefined): Parts {
  return held === undefined ? {} : partsIn(plainValues(held.record.state)['parts']);
}

function without(marks: Marks, parts: readonly number[]): Marks {
  return Object.fromEntries(Object.entries(marks).filter(([part]) => !parts.includes(Number(part))));
}

/** The count before its marks go. Where somebody was quicker the marks stay, and the next reader counts again. */
function* keep(
  site: Site,
  { unit, known, parts, marks }: { unit: string; known: Held; parts: Parts; marks: Marks },
): Protocol<boolean> {
  const tally = { key: tallyKey(site.site, unit), values: { parts: partsJson(parts) }, held: known.tally };
  if (!(yield* putLocal(site, tally))) return false;
  return yield* putLocal(site, { key: marksKey(site.site, unit), values: { marks }, held: known.marks });
}

/** Minutes of an hour, by the index. */
function* countMinutes(
  hour: string,
  minutes: readonly number[],
  left: Reading,
): Protocol<ReadonlyMap<number, Tally>> {
  if (left.happenings <= 0)
    throw new UnavailableError('so much has happened that it is counted over several requests: ask again');
  const counted = new Map<number, Tally>(minutes.map((minute) => [minute, {}]));
  for (const { fromMs, toMs } of runsOf(hour, minutes))
    for (const happening of yield* happenedIn(hour, { fromMs, toMs }, left)) {
      const minute = (minuteStart(happening.atMs) - startOf(hour)) / MINUTE_MS;
      counted.set(minute, tallied(counted.get(minute) ?? {}, happening));
    }
  return counted;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Minutes that follow one another are asked for together. */
function runsOf(hour: string, minutes: readonly number[]): readonly Span[] {
  const spans: Span[] = [];
  for (const minute of minutes.toSorted((a, b) => a - b)) {
    const fromMs = startOf(hour) + minute * MINUTE_MS;
    const last = spans.at(-1);
    if (last?.toMs === fromMs) spans[spans.length - 1] = { ...last, toMs: fromMs + MINUTE_MS };
    else spans.push({ fromMs, toMs: fromMs + MINUTE_MS });
  }
  return spans;
}

function* happenedIn(hour: string, { fromMs, toMs }: Span, left: Reading): Protocol<readonly Happening[]> {
  const found: Happening[] = [];
  const on = sortKey('string', hour) ?? '';
  const { from = FIRST } = bound('gte', sortKey('number', fromMs) ?? '');
  const { to = FIRST } = bound('lt', sortKey('number', toMs) ?? '');
  for (let bucket = 0; bucket < happenedIndex.buckets; bucket += 1) {
    const hash = hashOf(happenedIndex, { within: '', on }, bucket);
    let after: string | undefined = from;
    while (after !== undefined) {
      const query: IndexQuery = {
        slot: happenedIndex.slot,
        hash,
        from: after,
        to,
        descending: false,
        limit: countPage,
      };
      const page: readonly FoundEntry[] = yield* entries(query);
      const { held, failed } = yield* readKeys(page.map(({ key }) => key));
      for (const error of failed.values()) throw error;
      for (const one of held.values()) {
        const { happening } = keptIn(one);
        // An entry may be older than its record.
        if (happening !== undefined && happening.atMs >= fromMs && happening.atMs < toMs)
          found.push(happening);
      }
      left.happenings -= page.length;
      const last = page.at(-1)?.range;
      after = page.length < countPage || last === undefined ? undefined : last + FIRST;
    }
  }
  return found;
}
