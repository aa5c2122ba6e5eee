import { describe, expect, test } from '@jest/globals';
import { Container } from '../../src/cosmos/container.ts';
import { prepareQuery, runQuery } from '../../src/cosmos/query.ts';
import { containerSource } from '../../src/cosmos/query-source.ts';
import { Transaction } from '../../src/cosmos/transaction.ts';

function emptyContainer(): Container {
  const definition = {
    id: 'c',
    partitionKey: { paths: ['/id'] },
    indexingPolicy: {
      includedPaths: [{ path: '/v/?' }],
      compositeIndexes: [[{ path: '/kind' }, { path: '/id' }]],
    },
  };
  return new Container({
    databaseId: 'db',
    databaseNumber: 1,
    number: 2,
    definition,
    createdAt: 0,
    now: () => 0,
  });
}

const partition = (id: string): string => JSON.stringify([id]);

function put(transaction: Transaction, id: string, body: Record<string, unknown>): void {
  const previous = transaction.container.get(partition(id), id);
  transaction.put(partition(id), { id, ...body }, previous);
}

function remove(transaction: Transaction, id: string): void {
  const item = transaction.container.get(partition(id), id);
  if (item !== undefined) transaction.delete(item);
}

const ids = Array.from({ length: 40 }, (_, i) => `i${String(i).padStart(2, '0')}`);

function filled(): Container {
  const container = emptyContainer();
  const transaction = new Transaction(container);
  for (const [i, id] of ids.entries())
    put(transaction, id, { v: i, kind: `k${i % 3}`, tags: ['a', 'b', 'c'] });
  return container;
}

function pages(container: Container, query: string, pageSize: number, useIndexes = true): unknown[] {
  const rows: unknown[] = [];
  let continuation: string | undefined;
  do {
    const page = runQuery(prepareQuery({ query }), containerSource(container, { useIndexes }), {
      pageSize,
      continuation,
    });
    rows.push(...page.rows);
    ({ continuation } = page);
  } while (continuation !== undefined);
  return rows;
}

const queries = [
  'SELECT c.id, c.v FROM c',
  'SELECT c.id, c.v FROM c ORDER BY c.id DESC',
  'SELECT c.id, c.v FROM c WHERE c.v >= 10 ORDER BY c.v',
  'SELECT c.id FROM c WHERE c.kind = "k1" AND c.id > "i05" ORDER BY c.id',
  'SELECT c.id, t FROM c JOIN t IN c.tags ORDER BY c.id',
  'SELECT c.id, t FROM c JOIN t IN c.tags WHERE c.v > 3 ORDER BY c.v DESC',
  'SELECT c.id FROM c ORDER BY c.id OFFSET 3 LIMIT 11',
  'SELECT DISTINCT c.kind FROM c',
];

/** The same items in a container that has never been changed otherwise. */
function copyOf(container: Container): Container {
  const copy = emptyContainer();
  const items = [...container.items()].sort((a, b) => a.lsn - b.lsn);
  for (const { doc, lsn, number } of items) copy.apply({ op: 'put', doc, lsn, number });
  return copy;
}

describe('a container', () => {
  test('keeps its indexes right through replacement, deletion and rollback', () => {
    const container = filled();
    for (const query of queries) pages(container, query, 7);
    const kept = new Transaction(container);
    for (const id of ids.slice(0, 12)) put(kept, id, { v: id === 'i03' ? 'text' : -1, kind: 'k1' });
    for (const id of ids.slice(20, 25)) remove(kept, id);
    put(kept, 'i22', { v: 99, kind: 'k1' });
    const undone = new Transaction(container);
    for (const id of ids.slice(10, 30)) put(undone, id, { v: 1_000, kind: 'k2' });
    for (const id of ids.slice(5, 35)) remove(undone, id);
    undone.rollback();
    for (const query of queries) {
      expect({ query, rows: pages(container, query, 7) }).toEqual({
        query,
        rows: pages(copyOf(container), query, 1_000, false),
      });
    }
  });

  test.each(queries)('returns each row of %s once, whatever the page size', (query) => {
    const container = filled();
    const whole = pages(container, query, 1_000, false);
    for (const size of [1, 2, 7]) expect(pages(container, query, size)).toEqual(whole);
  });

  test('continues the change feed from any position after a rollback', () => {
    const container = filled();
    const undone = new Transaction(container);
    for (const id of ids) put(undone, id, { v: 0 });
    undone.rollback();
    const later = new Transaction(container);
    for (const id of ids.slice(0, 6)) put(later, id, { v: 2 });
    const all = [...container.changes(0)].map((item) => item.lsn);
    expect(all).toEqual(Array.from({ length: 40 }, (_, i) => i + 7));
    for (let lsn = 0; lsn <= container.lsn; lsn += 1) {
      expect([...container.changes(lsn)].map((item) => item.lsn)).toEqual(all.filter((other) => other > lsn));
    }
  });

  test('shows the same change feed after it has dropped superseded versions', () => {
    const container = filled();
    for (let round = 0; round < 60; round += 1) {
      const transaction = new Transaction(container);
      for (const id of ids) put(transaction, id, { round });
      container.trimFeed();
    }
    expect([...container.changes(0)].map((item) => [item.doc.id, item.doc['round']])).toEqual(
      ids.map((id) => [id, 59]),
    );
  });
});
