/**
 * Where a record stands in the indexes of its entity.
 *
 * Invariant: an entry is a function of the index and of the record's state alone, so every site has the same ones, and
 * whoever reads an entry can tell from the record whether it still holds. A value that is none of the declared type, or
 * too long for a key of an index, is left out and counted: no write fails for it.
 */
import { hashLanes } from '@tandem-clouds/replication/hash';
import type { Json } from '@tandem-clouds/replication/json';
import { fieldValue } from '@tandem-clouds/replication/policies/field';
import type { IndexEntries, IndexEntry } from '@tandem-clouds/replication/ports/store';
import {
  entityOf,
  isDeleted,
  partsOf,
  type RecordState,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { indexHashBytesMax, indexRangeBytesMax } from '../../bounds.ts';
import type { DeclaredIndex } from './declared-index.ts';
import { fold } from './fold.ts';
import { END, sortKey, type SortType } from './sort-key.ts';

/** Why a live record that has both values is not in an index. */
export type LeftOut = 'type' | 'length';

/** @returns Undefined where the record has no such value, and so no place in the index. */
export function entryOf(index: DeclaredIndex, record: StoredRecord): IndexEntry | LeftOut | undefined {
  if (entityOf(record.key) !== index.entity || isDeleted(record.state)) return undefined;
  const on = keyOf(index.onType, valueIn(record.state, index.on) ?? index.onDefault);
  const order = keyOf(index.orderType, orderOf(index, record.state));
  if (on === undefined || order === undefined) return undefined;
  if (on === null || order === null) return 'type';
  const hash = hashOf(index, { within: withinOf(index, record.key), on }, bucketOf(index, record.key));
  const range = `${order}${END}${record.key}`;
  // Every character is ASCII, and so one byte.
  if (hash.length > indexHashBytesMax || range.length > indexRangeBytesMax) return 'length';
  return { slot: index.slot, hash, range };
}

/** Undefined where the record holds none. */
function valueIn(state: RecordState, field: string): Json | undefined {
  return fieldValue(partsOf(state, field)) ?? undefined;
}

function orderOf({ order, orderDefault, folded }: DeclaredIndex, state: RecordState): Json | undefined {
  const value = valueIn(state, order) ?? orderDefault;
  return folded && typeof value === 'string' ? fold(value) : value;
}

/** Undefined: the record has no such value; null: it is none of the type. */
function keyOf(type: SortType, value: Json | undefined): string | null | undefined {
  return value === undefined ? undefined : (sortKey(type, value) ?? null);
}

/** A value that is asked for. */
export interface IndexedValue {
  /** `acme~` of what belongs to a tenant, else empty (`scope.ts`): no tenant's name holds the `~`. */
  readonly within: string;
  /** The sort key of the value. */
  readonly on: string;
}

/** What all entries of one value in one bucket share. */
export function hashOf({ id }: DeclaredIndex, { within, on }: IndexedValue, bucket: number): string {
  return `${id}#${bucket}#${within}${on}`;
}

/** The tenant's part of a key, or of what begins keys. */
export function withinOf({ tenanted, entity }: DeclaredIndex, key: string): string {
  return tenanted ? key.slice(entity.length + 1, key.indexOf('~') + 1) : '';
}

function bucketOf({ buckets }: DeclaredIndex, key: string): number {
  return buckets === 1 ? 0 : hashLanes(key)[0] % buckets;
}

/**
 * What stores ask of each record that they write. A record of an entity that is not declared here has no entries.
 * @param leftOut Called for each index that a record belongs in and cannot be in, when the record is written.
 */
export function indexEntries(
  indexes: readonly DeclaredIndex[],
  leftOut: (index: DeclaredIndex, record: StoredRecord, why: LeftOut) => void = () => undefined,
): IndexEntries {
  const byEntity = Map.groupBy(indexes, ({ entity }) => entity);
  return (record, use) =>
    (byEntity.get(entityOf(record.key)) ?? []).flatMap((index) => {
      const entry = entryOf(index, record);
      if (typeof entry === 'object') return [entry];
      if (entry !== undefined && use === 'write') leftOut(index, record, entry);
      return [];
    });
}
