/**
 * What a store holds as a record.
 *
 * Invariant: the core is never given anything but a record. Somebody may have changed an item by hand, or restored half of
 * it; whoever reads it then learns which key it is and why, and reads the others.
 */
import type { IndexEntries, IndexEntry, ScanPage, Versioned } from '@tandem-clouds/replication/ports/store';
import { EXPIRES } from '@tandem-clouds/replication/record';
import { UnreadableError } from '../errors.ts';

const DATE_SECONDS_MAX = 8.64e12;

/** @throws UnreadableError */
export function readable(key: string, read: () => Versioned): Versioned {
  let versioned: Versioned;
  try {
    versioned = read();
  } catch (cause) {
    const { message } = cause as Error;
    throw new UnreadableError(`${key}: what the store holds is no record: ${message}`, { cause });
  }
  const fault = faultOf(versioned.record.state);
  if (fault !== undefined) throw new UnreadableError(`${key}: what the store holds is no record: ${fault}`);
  return versioned;
}

/** How a store reads what it holds. */
export interface Reader<Held> {
  readonly read: (item: Held) => Versioned;
  readonly keyOf: (item: Held) => string;
  /** The entries in the generic indexes that an item has, and those that its record should have. */
  readonly entriesIn: (item: Held) => readonly IndexEntry[];
  readonly entriesOf: IndexEntries;
}

/** A page of a scan: one item that is no record is named, and does not take the others along. */
export function readablePage<Held>(
  items: readonly Held[],
  { read, keyOf, entriesIn, entriesOf }: Reader<Held>,
): Pick<ScanPage, 'records' | 'unreadable' | 'misindexed'> {
  const unreadable = new Map<string, Error>();
  const misindexed: string[] = [];
  const records = items.flatMap((item) => {
    try {
      const { record } = read(item);
      if (entriesText(entriesIn(item)) !== entriesText(entriesOf(record, 'check')))
        misindexed.push(record.key);
      return [record];
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      unreadable.set(keyOf(item), error);
      return [];
    }
  });
  return {
    records,
    ...(unreadable.size > 0 && { unreadable }),
    ...(misindexed.length > 0 && { misindexed }),
  };
}

function entriesText(entries: readonly IndexEntry[]): string {
  return entries
    .map(({ slot, hash, range }) => `${slot} ${hash} ${range}`)
    .sort()
    .join('\n');
}

/** What is wrong with a state that is none, as far as merging would stumble over it. */
function faultOf(state: unknown): string | undefined {
  if (!isObject(state)) return 'there is no state';
  const { fields, vector, sets = {}, counters = {} } = state;
  if (!isObject(fields) || !Object.values(fields).every(isStamped)) return 'its fields are no registers';
  if (!isObject(vector) || !Object.values(vector).every((stamp) => typeof stamp === 'string'))
    return 'its vector holds no stamps';
  // The latest moment that a date can name: whoever shows a later one fails.
  const expires = fields[EXPIRES];
  if (isStamped(expires) && Number(expires[1] ?? 0) > DATE_SECONDS_MAX) return 'its end is no moment';
  const areSlots = (value: unknown): boolean =>
    isObject(value) &&
    Object.values(value).every((slots) => isObject(slots) && Object.values(slots).every(isStamped));
  return areSlots(sets) && areSlots(counters) ? undefined : 'its sets or counters are no slots';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStamped(value: unknown): value is readonly [string, ...unknown[]] {
  return Array.isArray(value) && typeof value[0] === 'string';
}
