import { describe, expect, test } from '@jest/globals';
import { type EntityFacts, factsOf } from '@tandem-clouds/console/server/entities';
import { curlOf } from '@tandem-clouds/console/ui/curl';
import { listQuery } from '@tandem-clouds/console/ui/entities';
import { fieldAt, formFields, readChange, readForm, textsOf } from '@tandem-clouds/console/ui/json-form';
import { taken, type Version } from '@tandem-clouds/console/ui/record-versions';
import { BOX, stateGraph } from '@tandem-clouds/console/ui/state-graph';
import { articlesOf } from '@tandem-clouds/console/ui/stock';
import { changedFields, fieldRows } from '@tandem-clouds/console/ui/versions';
import { entities } from '../../../src/shared/registry/entities.ts';

const all = entities.map(factsOf);
function named(name: string): EntityFacts {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

describe('what the page knows of entities', () => {
  test('is their declarations, as JSON', () => {
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
    expect(named('order').actions.map(({ name }) => name)).toEqual([
      'pay',
      'cancel',
      'check',
      'fulfil',
      'refund',
    ]);
    expect(named('order')).toMatchObject({ owner: 'customerId', isRemovable: false });
    expect(named('stock').creation).toBeUndefined();
  });

  test.each(all.map((facts) => [facts.name, facts] as const))(
    'makes a form of every field of %s',
    (_, { creation, change, actions }) => {
      const schemas = [creation?.schema, change, ...actions.map(({ schema }) => schema)];
      for (const schema of schemas)
        if (schema !== undefined)
          expect(formFields(schema).map(({ name }) => name)).toEqual(Object.keys(schema.properties));
    },
  );

  test('lists by what an entity declares, and by nothing else', () => {
    const product = named('product');
    const page = { limit: 25 };
    expect(listQuery(product, {}, page)).toBe('?limit=25');
    expect(listQuery(product, { by: 'category', is: 'tea', from: '500' }, page)).toBe(
      '?category=tea&priceMinor%5Bgte%5D=500&limit=25',
    );
    const byName = { by: 'listed', is: 'true', prefix: 'ear', direction: 'desc' };
    expect(listQuery(product, byName, { ...page, cursor: 'c' })).toBe(
      '?listed=true&name%5Bprefix%5D=ear&order=desc&limit=25&cursor=c',
    );
    expect(listQuery(product, { by: 'description', is: 'x' }, page)).toBe('?limit=25');
  });
});

describe('a form', () => {
  const user = named('user');
  const creation = formFields(user.creation?.schema ?? { properties: {} });
  const change = formFields(user.change ?? { properties: {} });
  const ada = { name: 'Ada', email: 'ada@example.com', labels: ['a'], metadata: { plan: 'pro' }, signIns: 3 };

  test('sends what was typed, and leaves out what is empty', () => {
    expect(readForm(creation, { name: 'Ada', email: '', labels: '["beta"]' })).toEqual({
      body: { name: 'Ada', labels: ['beta'] },
      problems: {},
    });
  });

  test('says which text is no value', () => {
    const { body, problems } = readForm(creation, { name: 'Ada', labels: '[beta' });
    expect({ body, problems }).toEqual({ body: { name: 'Ada' }, problems: { labels: 'is no JSON' } });
    const [amount] = formFields({ properties: { amountMinor: { type: 'integer' } } });
    for (const text of ['1e5', '0x10', '12,5', '99999999999999999', ' '])
      expect(readForm(amount === undefined ? [] : [amount], { amountMinor: text }).problems).toEqual({
        amountMinor: 'is no number',
      });
  });

  test('of a change sends only what is another value, null for what is taken away, and increments', () => {
    const texts = textsOf(change, ada);
    expect(texts['signIns']).toBe('');
    expect(readChange(change, texts, ada).body).toEqual({});
    expect(readChange(change, { ...texts, name: 'Ada L.', metadata: '', signIns: '2' }, ada).body).toEqual({
      name: 'Ada L.',
      metadata: null,
      signIns: { increment: 2 },
    });
  });

  test('finds the field that a pointer is about', () => {
    expect(['/lines/0/sku', '/name', '/a~1b', ''].map(fieldAt)).toEqual(['lines', 'name', 'a/b', '']);
  });
});

describe('a request for a shell', () => {
  test('is quoted so that nothing in it is read by the shell, and names the key by its variable', () => {
    const text = curlOf({
      url: "http://127.0.0.1:1/users/o'neil",
      method: 'PATCH',
      headers: { 'if-match': '"1"' },
      body: { name: "$(rm -rf ~) `id` 'x'" },
      bearer: 'TANDEM_OPERATOR_KEY',
    });
    expect(text.split(' \\\n  ')).toEqual([
      `curl -i 'http://127.0.0.1:1/users/o'\\''neil'`,
      '-X PATCH',
      '-H "authorization: Bearer $TANDEM_OPERATOR_KEY"',
      `-H 'if-match: "1"'`,
      `-H 'content-type: application/json'`,
      `-d '{"name":"$(rm -rf ~) \`id\` '\\''x'\\''"}'`,
    ]);
  });
});

describe('versions beside each other', () => {
  test('mark the fields and members that differ, and not the order of members', () => {
    const rows = fieldRows(
      [
        { id: 'a', data: { x: 1, y: { p: 1, q: 2 } }, name: 'A' },
        { name: 'B', id: 'a', data: { y: { q: 2, p: 1 }, x: 2 } },
      ],
      ['id'],
    );
    expect(rows.map(({ name, differs }) => [name, differs])).toEqual([
      ['id', false],
      ['data.x', true],
      ['data.y', false],
      ['name', true],
    ]);
  });

  test('differ in nothing from a site that does not answer', () => {
    expect(fieldRows([{ id: 'a' }, undefined], [])).toEqual([
      { name: 'id', values: ['a', undefined], differs: false },
    ]);
  });

  test('of an object with many members are one row', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`m${at}`, at]));
    expect(fieldRows([{ data: many }, { data: { ...many, m5: 'x' } }], [])).toHaveLength(1);
  });

  test('say what is another value than before', () => {
    expect(changedFields({ a: 1, b: 2 }, { a: 1, b: 3, c: 4 })).toEqual([
      { name: 'b', before: 2, after: 3 },
      { name: 'c', before: undefined, after: 4 },
    ]);
  });
});

describe('the feed of a record', () => {
  const site = 'aws-us-east-1';
  const start = { versions: [{ site, state: 'asking' }] as readonly Version[], changes: [] };
  const there = (etag: string, name: string): Version => ({ site, state: 'there', etag, record: { name } });

  test('has no change of what is seen first, and each one after that', () => {
    const first = taken(start, there('1', 'A'));
    expect(first.changes).toEqual([]);
    const second = taken(first, there('2', 'B'));
    expect(second.changes).toMatchObject([
      { site, what: 'changed', etag: '2', fields: [{ name: 'name', before: 'A', after: 'B' }] },
    ]);
    const gone = taken(second, { site, state: 'absent', problem: 'user a does not exist' });
    expect(gone.changes[0]).toMatchObject({ what: 'gone' });
    expect(taken(gone, there('3', 'C')).changes[0]).toMatchObject({ what: 'created', etag: '3' });
  });

  test('keeps what was known of a site that falls silent, and no change of its return', () => {
    const known = taken(start, there('1', 'A'));
    const silent = taken(known, { site, state: 'silent', problem: 'no answer' });
    expect(silent.versions).toEqual([{ ...there('1', 'A'), state: 'silent', problem: 'no answer' }]);
    const back = taken(silent, { site, state: 'there' });
    expect(back.versions).toEqual([there('1', 'A')]);
    expect(back.changes).toEqual([]);
  });
});

describe('the picture of states', () => {
  test('has every state once, right of all that lead to it, and every step', () => {
    const { status: states } = named('order').states;
    if (states === undefined) throw new Error('an order has states');
    const { boxes, lines, width, height } = stateGraph(states);
    expect(boxes.map(({ name }) => name)).toEqual(states.order);
    expect(new Set(boxes.map(({ x, y }) => `${x} ${y}`)).size).toBe(boxes.length);
    const xOf = (name: string): number => boxes.find((box) => box.name === name)?.x ?? NaN;
    for (const { from, to } of lines) expect(xOf(to)).toBeGreaterThan(xOf(from));
    expect(lines).toHaveLength(Object.values(states.allowed).flat().length);
    for (const { x, y } of boxes) {
      expect(x + BOX.width).toBeLessThanOrEqual(width);
      expect(y + BOX.height).toBeLessThanOrEqual(height);
    }
  });
});

describe('stock', () => {
  test('is per article what each site may promise, holds, has sold, and is sent', () => {
    const [article] = articlesOf([
      { sku: 'mug', site: 'b', sequence: 1, receipts: { dock: 5 }, taken: { a: 2 } },
      { sku: 'mug', site: 'a', receipts: { dock: 10 }, sold: 3, holds: { o1: 1 }, given: { b: 4 } },
      { sku: 'no site' },
    ]);
    expect(article).toEqual({
      sku: 'mug',
      available: 9,
      shares: [
        { site: 'a', available: 2, held: 1, sold: 3, underWay: 0, quota: 6 },
        { site: 'b', available: 7, held: 0, sold: 0, underWay: 2, quota: 7 },
      ],
    });
  });
});
