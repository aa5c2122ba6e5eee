/**
 * Surrogate keys: names by which shared caches keep answers, and by which they are purged when a record changes.
 *
 * Invariant: whatever a change alters carries a key of `keysOfChange`. An answer about one record carries that record's key. A
 * list carries the entity's key, which every change purges; or, where it is asked for by a field of `cache.by`, the key of
 * that value and those of the records in it: who enters it has the value, and who leaves it was in it.
 *
 * A key is a digest: a header that passes through others' caches and logs holds no value of a record.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { cacheKeysMax } from '../../bounds.ts';
import { digest } from '../../digest.ts';
import type { CacheRules, Entity } from '../entity.ts';
import { valuesOf } from '../field-changes.ts';
import { sortTypeOf } from '../indexes/declared-index.ts';
import { sortKey } from '../indexes/sort-key.ts';

/** 96 bits, less where a cache does not tell capital letters from small ones: two that are equal are purged together. */
const KEY_CHARS = 16;

/** Entities whose answers caches that many share may keep: nobody is asked who they are. */
export function sharedCache({ access, cache }: Pick<Entity, 'access' | 'cache'>): CacheRules | undefined {
  return access.read === 'everybody' ? cache : undefined;
}

const named = (...parts: readonly string[]): string => digest(JSON.stringify(parts)).slice(0, KEY_CHARS);

/** Of all lists of an entity, but for those by `cache.by`. */
export function entityKey({ name }: Pick<Entity, 'name'>): string {
  return named('entity', name);
}

/** @param key Of the record: `product:earl-grey`. */
export function recordKey(key: string): string {
  return named('record', key);
}

/** Of the lists by one value. @param sorted The value as its index has it (`sort-key.ts`). */
export function valueKey({ name }: Pick<Entity, 'name'>, field: string, sorted: string): string {
  return named('value', name, field, sorted);
}

/** The value that a list is asked for. */
export interface Listed {
  readonly field: string;
  readonly sorted: string;
}

/** The keys of an answer that lists these records. @param by Absent: of everything. */
export function keysOfList(
  entity: Entity,
  records: readonly Pick<StoredRecord, 'key'>[],
  by?: Listed,
): readonly string[] {
  const isNarrow =
    by !== undefined &&
    entity.cache?.by.includes(by.field) === true &&
    // One more would not be kept by every cache, and what it is about would not be purged.
    records.length < cacheKeysMax;
  return isNarrow
    ? [valueKey(entity, by.field, by.sorted), ...records.map(({ key }) => recordKey(key))]
    : [entityKey(entity)];
}

/** What is purged when a record has changed. @param record Undefined: it is gone. */
export function keysOfChange(entity: Entity, key: string, record?: StoredRecord): readonly string[] {
  const values = record === undefined ? {} : valuesOf(entity, record);
  const byValue = (entity.cache?.by ?? []).flatMap((field) => {
    const sorted = sorting(entity, field, values[field]);
    return sorted === undefined ? [] : [valueKey(entity, field, sorted)];
  });
  return [recordKey(key), entityKey(entity), ...byValue];
}

function sorting(entity: Entity, field: string, value: Json | undefined): string | undefined {
  return value === undefined ? undefined : sortKey(sortTypeOf(entity, field), value);
}
