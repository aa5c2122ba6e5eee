/** Surrogate keys: whatever a change alters carries one of those that the change purges. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { cacheKeysMax } from '../../../src/shared/bounds.ts';
import { entityKey, keysOfChange, keysOfList, recordKey } from '../../../src/shared/domain/caching/keys.ts';
import { sortKey } from '../../../src/shared/domain/indexes/sort-key.ts';
import { product } from '../../../src/shared/entities/product.ts';

const stamp = encodeStamp(1_800_000_000_000, 0, 'aws-us-east-1');
function record(sku: string, fields: Readonly<Record<string, unknown>>): StoredRecord {
  return {
    key: `product:${sku}`,
    state: {
      fields: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, [stamp, value]]),
      ) as never,
      vector: { 'aws-us-east-1': stamp },
    },
    pending: {},
    operations: [],
  };
}
const by = (category: string) => ({ field: 'category', sorted: sortKey('string', category) ?? '' });

test('an answer about a record, and every list of everything, is purged by a change of it', () => {
  const changed = keysOfChange(product, 'product:mug', record('mug', { category: 'kitchen' }));
  expect(changed).toContain(recordKey('product:mug'));
  expect(changed).toContain(entityKey(product));
  expect(keysOfList(product, [record('other', {})])).toEqual([entityKey(product)]);
  expect(keysOfList(product, [], { field: 'currency', sorted: '"' })).toEqual([entityKey(product)]);
});

test('a list by a value is purged by who enters it, leaves it or changes in it, and by nobody else', () => {
  const category = fc.constantFrom('tea', 'coffee', 'kitchen');
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ sku: fc.constantFrom('a', 'b', 'c', 'd'), category }), {
        selector: ({ sku }) => sku,
      }),
      fc.record({ sku: fc.constantFrom('a', 'b', 'c', 'd', 'e'), category }),
      category,
      (held, after, asked) => {
        const listed = held.filter((one) => one.category === asked);
        const kept = keysOfList(
          product,
          listed.map(({ sku }) => record(sku, {})),
          by(asked),
        );
        const purged = keysOfChange(product, `product:${after.sku}`, record(after.sku, after));
        const isAltered = after.category === asked || listed.some(({ sku }) => sku === after.sku);
        expect(kept.some((key) => purged.includes(key))).toBe(isAltered);
      },
    ),
  );
});

test('a record that is gone is purged from lists in which it was', () => {
  const kept = keysOfList(product, [record('mug', {})], by('kitchen'));
  expect(keysOfChange(product, 'product:mug')).toEqual(expect.arrayContaining([kept[1]]));
});

describe('a list of many', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => record(`s${n}`, {}));

  test('has no more keys than every cache keeps', () => {
    expect(keysOfList(product, many(cacheKeysMax - 1), by('tea'))).toHaveLength(cacheKeysMax);
  });

  test('is purged by every change where they would not be enough', () => {
    expect(keysOfList(product, many(cacheKeysMax), by('tea'))).toEqual([entityKey(product)]);
  });
});

test('a key holds no value of a record, and is taken by every cache as it is', () => {
  const keys = keysOfChange(product, 'product:mug', record('mug', { category: 'kitchen' }));
  for (const key of keys) {
    expect(key).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(key).not.toMatch(/mug|kitchen|product/);
  }
  expect(new Set(keys).size).toBe(3);
});
