import { describe, expect, test } from '@jest/globals';
import { Container } from '../../src/cosmos/container.ts';
import type { IndexingPolicy, StoredItem } from '../../src/cosmos/model.ts';
import { PropertyIndex } from '../../src/cosmos/property-index.ts';
import { prepareQuery, type QueryPage, runQuery } from '../../src/cosmos/query.ts';
import { containerSource } from '../../src/cosmos/query-source.ts';
import { Transaction } from '../../src/cosmos/transaction.ts';

const COUNT = 400;

function containerWith(indexingPolicy: IndexingPolicy): Container {
  const definition = { id: 'c', partitionKey: { paths: ['/id'] }, indexingPolicy };
  const options = { databaseId: 'db', databaseNumber: 1, number: 2, definition, createdAt: 0, now: () => 0 };
  const container = new Container(options);
  const transaction = new Transaction(container);
  for (let i = 0; i < COUNT; i += 1) {
    const id = `k${String((i * 151) % COUNT).padStart(4, '0')}`;
    const body = { id, l: `type${i % 4}`, ...(i % 50 === 0 ? { p_at: i } : {}) };
    transaction.put(JSON.stringify([id]), body, undefined);
  }
  return container;
}

const policy: IndexingPolicy = {
  includedPaths: [{ path: '/*' }, { path: '/l/?' }, { path: '/p_at/?' }],
  compositeIndexes: [
    [{ path: '/l' }, { path: '/id' }],
    [{ path: '/p_at' }, { path: '/id' }],
  ],
};

function page(container: Container, query: string, useIndexes: boolean, pageSize = 10): QueryPage {
  const parameters = [
    { name: '@type', value: 'type1' },
    { name: '@after', value: 'k0200' },
    { name: '@before', value: 120 },
  ];
  const source = containerSource(container, { useIndexes });
  return runQuery(prepareQuery({ query, parameters }), source, { pageSize });
}

describe('a query over an indexed container', () => {
  test.each<[string, string, number]>([
    ['SELECT c.id FROM c WHERE c.l = @type AND c.id > @after ORDER BY c.id', 'index(l,id)', 11],
    [
      'SELECT c.id FROM c WHERE c.l = @type AND c.id > @after ORDER BY c.id OFFSET 0 LIMIT 3',
      'index(l,id)',
      4,
    ],
    ['SELECT c.id, c.p_at FROM c WHERE c.p_at < @before ORDER BY c.p_at', 'index(p_at)', 3],
    // As the sweeper asks: a page costs a page, however many items have the property.
    ['SELECT c.id FROM c WHERE c.p_at < @before ORDER BY c.p_at, c.id OFFSET 0 LIMIT 1', 'index(p_at,id)', 2],
    ['SELECT c.id FROM c WHERE c.id = @after', 'index(id)', 1],
    ['SELECT VALUE COUNT(1) FROM c WHERE c.l = @type', 'index(l)', 100],
    ['SELECT c.id FROM c ORDER BY c.id DESC', 'index(id)', 11],
    ['SELECT c.id FROM c ORDER BY c.p_at', 'scan', COUNT],
    ['SELECT c.id FROM c WHERE c.l = @type OR c.id = @after ORDER BY c.l', 'index(l)', 310],
  ])('answers %s from %s as a scan does', (query, access, loadedMax) => {
    const container = containerWith(policy);
    const indexed = page(container, query, true);
    const scanned = page(container, query, false);
    expect(indexed.rows).toEqual(scanned.rows);
    expect(indexed.continuation).toEqual(scanned.continuation);
    expect({ access: indexed.access, scanned: scanned.access }).toEqual({ access, scanned: 'scan' });
    expect(indexed.loaded).toBeLessThanOrEqual(loadedMax);
  });

  test('names no property in /*, so only the id has an index', () => {
    const container = containerWith({ includedPaths: [{ path: '/*' }] });
    expect(page(container, 'SELECT c.id FROM c WHERE c.l = @type', true).access).toBe('scan');
    expect(page(container, 'SELECT c.id FROM c WHERE c.id > @after ORDER BY c.id', true).access).toBe(
      'index(id)',
    );
  });
});

describe('PropertyIndex', () => {
  const item = (number: number, v: unknown): StoredItem => ({
    doc: { id: `${number}`, _rid: '', _self: '', _etag: '', _ts: 0, ...(v === undefined ? {} : { v }) },
    partition: '',
    lsn: number,
    number,
    bytes: 0,
  });
  const items = [3, undefined, 'a', null, true, 1, [1], 3, { x: 1 }, 'b', false].map((v, i) => item(i, v));
  const valuesIn = (index: PropertyIndex, start: number, end: number): unknown[] =>
    Array.from({ length: end - start }, (_, i) => index.at(start + i).doc['v']);

  test('orders by type, then value, then creation, and leaves out what has no simple value', () => {
    const index = new PropertyIndex(['v'], []);
    for (const one of items.toReversed()) index.insert(one);
    expect(valuesIn(index, 0, index.size)).toEqual([null, false, true, 1, 3, 3, 'a', 'b']);
    expect([index.at(4).number, index.at(5).number]).toEqual([0, 7]);
  });

  test('finds the items of a range within the type of its bound', () => {
    const index = new PropertyIndex(['v'], items);
    const range = (bounds: object): unknown[] => {
      const { start, end } = index.span({ equal: [], ...bounds });
      return valuesIn(index, start, end);
    };
    expect(range({ lower: { value: 1, inclusive: false } })).toEqual([3, 3]);
    expect(range({ upper: { value: 3, inclusive: false } })).toEqual([1]);
    expect(range({ lower: { value: 'a', inclusive: true }, upper: { value: 'a', inclusive: true } })).toEqual(
      ['a'],
    );
    expect(range({ lower: { value: 5, inclusive: true }, upper: { value: 2, inclusive: true } })).toEqual([]);
    expect(range({ equal: [3] })).toEqual([3, 3]);
  });

  test('forgets exactly the item that is removed', () => {
    const index = new PropertyIndex(['v'], items);
    const [first] = items;
    if (first !== undefined) index.remove(first);
    const { start, end } = index.span({ equal: [3] });
    expect([end - start, index.at(start).number]).toEqual([1, 7]);
  });
});
