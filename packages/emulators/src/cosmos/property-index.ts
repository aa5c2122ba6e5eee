/**
 * A secondary index over top-level properties: entries sorted by (values, creation number).
 *
 * Invariants: an item has exactly one entry when each indexed property is null, a boolean, a number or a string, and
 * none otherwise, so that an index over a property that few items have stays small. An index over no property at all
 * is the scan in creation order.
 */
import type { StoredItem } from './model.ts';
import { compareValues, type IndexValue, isIndexValue, typeRank } from './values.ts';

export interface IndexEntry {
  readonly values: readonly IndexValue[];
  readonly item: StoredItem;
}

export interface Bound {
  readonly value: IndexValue;
  readonly inclusive: boolean;
}

/** What a query demands of the indexed properties: equality on the first ones, then a range on the next. */
export interface IndexRange {
  readonly equal: readonly IndexValue[];
  readonly lower?: Bound | undefined;
  readonly upper?: Bound | undefined;
}

/** Positions `start` (inclusive) to `end` (exclusive) of an index. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export class PropertyIndex {
  readonly properties: readonly string[];
  #entries: IndexEntry[];

  constructor(properties: readonly string[], items: Iterable<StoredItem>) {
    this.properties = properties;
    this.#entries = [];
    for (const item of items) {
      const entry = this.#entryFor(item);
      if (entry !== undefined) this.#entries.push(entry);
    }
    this.#entries.sort(compareEntries);
  }

  get size(): number {
    return this.#entries.length;
  }

  at(position: number): StoredItem {
    const entry = this.#entries[position];
    if (entry === undefined) throw new RangeError(`index position ${position} of ${this.#entries.length}`);
    return entry.item;
  }

  insert(item: StoredItem): void {
    const entry = this.#entryFor(item);
    if (entry === undefined) return;
    const last = this.#entries.at(-1);
    if (last === undefined || compareEntries(last, entry) < 0) this.#entries.push(entry);
    else this.#entries.splice(this.#position(entry), 0, entry);
  }

  remove(item: StoredItem): void {
    const entry = this.#entryFor(item);
    if (entry === undefined) return;
    const position = this.#position(entry);
    if (this.#entries[position]?.item === item) this.#entries.splice(position, 1);
  }

  /** Where the entries that satisfy the range are; every other entry fails it. */
  span({ equal, lower, upper }: IndexRange): Span {
    const next = equal.length;
    const before = (entry: IndexEntry): boolean => {
      const byPrefix = comparePrefix(entry.values, equal);
      if (byPrefix !== 0) return byPrefix < 0;
      return isBelow(entry.values[next], lower, upper);
    };
    const notAfter = (entry: IndexEntry): boolean => {
      const byPrefix = comparePrefix(entry.values, equal);
      if (byPrefix !== 0) return byPrefix < 0;
      return !isAbove(entry.values[next], lower, upper);
    };
    const start = this.#partitionPoint(before);
    return { start, end: Math.max(start, this.#partitionPoint(notAfter)) };
  }

  /** The first position whose entry is not before (values, number). */
  seek(values: readonly IndexValue[], number: number): number {
    return this.#partitionPoint((entry) => {
      const byValues = comparePrefix(entry.values, values);
      return byValues === 0 ? entry.item.number < number : byValues < 0;
    });
  }

  #entryFor(item: StoredItem): IndexEntry | undefined {
    const values: IndexValue[] = [];
    for (const property of this.properties) {
      const value = item.doc[property];
      if (!isIndexValue(value)) return undefined;
      values.push(value);
    }
    return { values, item };
  }

  #position(entry: IndexEntry): number {
    return this.#partitionPoint((other) => compareEntries(other, entry) < 0);
  }

  /** How many entries at the front satisfy a predicate that is true up to some position and false from there. */
  #partitionPoint(predicate: (entry: IndexEntry) => boolean): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && predicate(entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function comparePrefix(values: readonly IndexValue[], prefix: readonly IndexValue[]): number {
  for (const [i, value] of prefix.entries()) {
    const order = compareValues(values[i], value);
    if (order !== 0) return order;
  }
  return 0;
}

function compareEntries(a: IndexEntry, b: IndexEntry): number {
  return comparePrefix(a.values, b.values) || a.item.number - b.item.number;
}

/** A range predicate only ever matches values of its own type, so one bound implies the other end of the type. */
function isBelow(value: unknown, lower: Bound | undefined, upper: Bound | undefined): boolean {
  if (lower === undefined) return upper !== undefined && typeRank(value) < typeRank(upper.value);
  const order = compareValues(value, lower.value);
  return order < 0 || (order === 0 && !lower.inclusive);
}

function isAbove(value: unknown, lower: Bound | undefined, upper: Bound | undefined): boolean {
  if (upper === undefined) return lower !== undefined && typeRank(value) > typeRank(lower.value);
  const order = compareValues(value, upper.value);
  return order > 0 || (order === 0 && !upper.inclusive);
}
