/** What is asked of an index: one value, a range of what orders it, and a direction. */
import type { FoundEntry, Store } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { DeclaredIndex } from './declared-index.ts';
import { entryOf, hashOf, type IndexedValue } from './index-entry.ts';
import { END, PAST } from './sort-key.ts';

export interface ListQuery {
  readonly index: DeclaredIndex;
  /** Whose records are asked for, where they belong to tenants (`index-entry.ts`). */
  readonly within: string;
  /** Sort key of the value that is asked for. */
  readonly on: string;
  /** Places in the index, from the first (inclusive) to the last (exclusive). */
  readonly from: string;
  readonly to: string;
  readonly descending: boolean;
}

/** Before and after every place in an index. */
export const FIRST = ' ';
export const LAST = '\u007f';

export const RANGE_OPERATORS = ['gte', 'gt', 'lte', 'lt'] as const;
export type RangeOperator = (typeof RANGE_OPERATORS)[number];

/** Beginnings of texts, of an index that is folded. */
export const PREFIX = 'prefix';

/** All places whose text begins so: keys of characters are of a prefix code, so that of a beginning begins that of the whole. */
export function beginning(key: string): Pick<ListQuery, 'from' | 'to'> {
  return { from: key, to: key + LAST };
}

/** The end of a range that a condition on the sort key of a value sets. */
export function bound(operator: RangeOperator, key: string): Partial<Pick<ListQuery, 'from' | 'to'>> {
  switch (operator) {
    case 'gte':
      return { from: key + END };
    case 'gt':
      return { from: key + PAST };
    case 'lte':
      return { to: key + PAST };
    case 'lt':
      return { to: key + END };
  }
}

/** The place of a record among those that are asked for; undefined: it is none of them. */
export function placeOf(
  { index, within, on, from, to }: ListQuery,
  record: StoredRecord,
): string | undefined {
  const entry = entryOf(index, record);
  if (typeof entry !== 'object') return undefined;
  const isAsked =
    hashesOf(index, { within, on }).includes(entry.hash) && entry.range >= from && entry.range < to;
  return isAsked ? entry.range : undefined;
}

/** Whether one place comes before another in the order that is asked for. */
export function isBefore({ descending }: ListQuery, a: string, b: string): boolean {
  return descending ? a > b : a < b;
}

/** Entries behind the place `after`, merged from all buckets in the order that is asked for; at most `limit`. */
export async function findEntries(
  store: Pick<Store, 'entries'>,
  query: ListQuery,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly FoundEntry[]> {
  const { index, within, on, descending } = query;
  const behind = after === undefined ? {} : descending ? { to: after } : { from: after + FIRST };
  const { from, to } = { from: query.from, to: query.to, ...behind };
  const pages = await Promise.all(
    hashesOf(index, { within, on }).map((hash) =>
      store.entries({ slot: index.slot, hash, from, to, descending, limit }),
    ),
  );
  return pages
    .flat()
    .sort((a, b) => (isBefore(query, a.range, b.range) ? -1 : 1))
    .slice(0, limit);
}

function hashesOf(index: DeclaredIndex, value: IndexedValue): readonly string[] {
  return Array.from({ length: index.buckets }, (_, bucket) => hashOf(index, value, bucket));
}
