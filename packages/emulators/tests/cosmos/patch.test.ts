import { describe, expect, test } from '@jest/globals';
import { CosmosError } from '../../src/cosmos/errors.ts';
import { applyPatch, parsePatch, type PatchOperation } from '../../src/cosmos/patch.ts';
import { matchesCondition } from '../../src/cosmos/sql-engine.ts';

const item = { id: '1', pk: 'a', n: 1, text: 't', list: [1, 2, 3], deep: { list: [{ v: 1 }] }, 'a/b~c': 0 };

describe('applyPatch', () => {
  test.each<[string, PatchOperation, Record<string, unknown>]>([
    ['add creates a property', { op: 'add', path: '/new', value: 1 }, { new: 1 }],
    ['add overwrites a property', { op: 'add', path: '/text', value: 1 }, { text: 1 }],
    ['add inserts before an element', { op: 'add', path: '/list/1', value: 9 }, { list: [1, 9, 2, 3] }],
    ['add appends at the length', { op: 'add', path: '/list/3', value: 9 }, { list: [1, 2, 3, 9] }],
    ['add appends at the dash', { op: 'add', path: '/list/-', value: 9 }, { list: [1, 2, 3, 9] }],
    [
      'set creates a property',
      { op: 'set', path: '/deep/new', value: null },
      { deep: { list: [{ v: 1 }], new: null } },
    ],
    ['set overwrites an element', { op: 'set', path: '/list/1', value: 9 }, { list: [1, 9, 3] }],
    [
      'replace overwrites a property',
      { op: 'replace', path: '/deep/list/0/v', value: 2 },
      { deep: { list: [{ v: 2 }] } },
    ],
    ['remove deletes an element', { op: 'remove', path: '/list/0' }, { list: [2, 3] }],
    ['incr adds to a number', { op: 'incr', path: '/n', value: -3 }, { n: -2 }],
    ['incr creates a number', { op: 'incr', path: '/count', value: 5 }, { count: 5 }],
    ['incr adds to an element', { op: 'incr', path: '/list/2', value: 0.5 }, { list: [1, 2, 3.5] }],
    [
      'move takes a value elsewhere',
      { op: 'move', from: '/list/0', path: '/first' },
      { list: [2, 3], first: 1 },
    ],
    ['a path may escape slash and tilde', { op: 'incr', path: '/a~1b~0c', value: 1 }, { 'a/b~c': 1 }],
    ['the operation name may be capitalised', { op: 'Set', path: '/n', value: 2 }, { n: 2 }],
  ])('%s', (_title, operation, changed) => {
    expect(applyPatch(item, [operation], ['/pk'])).toEqual({ ...item, ...changed });
  });

  test('remove deletes a property', () => {
    expect(applyPatch(item, [{ op: 'remove', path: '/text' }])).not.toHaveProperty('text');
  });

  test.each<[string, PatchOperation]>([
    ['replace of an absent property', { op: 'replace', path: '/no', value: 1 }],
    ['replace beyond an array', { op: 'replace', path: '/list/3', value: 1 }],
    ['remove of an absent property', { op: 'remove', path: '/no' }],
    ['remove beyond an array', { op: 'remove', path: '/list/3' }],
    ['add beyond an array', { op: 'add', path: '/list/5', value: 1 }],
    ['an index with a leading zero', { op: 'set', path: '/list/01', value: 1 }],
    ['an absent parent', { op: 'add', path: '/no/such', value: 1 }],
    ['a parent that is text', { op: 'add', path: '/text/x', value: 1 }],
    ['a parent on the prototype', { op: 'set', path: '/__proto__/x', value: 1 }],
    ['incr of text', { op: 'incr', path: '/text', value: 1 }],
    ['incr by text', { op: 'incr', path: '/n', value: '1' }],
    ['a missing value', { op: 'set', path: '/n' }],
    ['a move into itself', { op: 'move', from: '/deep', path: '/deep/list/0' }],
    ['a path without a slash', { op: 'set', path: 'n', value: 1 }],
    ['the whole item', { op: 'set', path: '/', value: {} }],
    ['the id', { op: 'set', path: '/id', value: '2' }],
    ['a system property', { op: 'set', path: '/_etag', value: '2' }],
    ['the partition key', { op: 'set', path: '/pk', value: 'b' }],
    ['an unknown operation', { op: 'copy', path: '/n', value: 1 }],
  ])('refuses %s', (_title, operation) => {
    expect(() => applyPatch(item, [operation], ['/pk'])).toThrow(CosmosError);
  });

  test('leaves the original as it is, whether it succeeds or fails', () => {
    const before = structuredClone(item);
    applyPatch(item, [{ op: 'add', path: '/list/-', value: 4 }]);
    expect(() =>
      applyPatch(item, [
        { op: 'set', path: '/n', value: 2 },
        { op: 'remove', path: '/no' },
      ]),
    ).toThrow();
    expect(item).toEqual(before);
  });
});

describe('parsePatch', () => {
  const operation = { op: 'set', path: '/n', value: 1 };

  test('takes a bare list and a list with a condition', () => {
    expect(parsePatch([operation])).toEqual({ operations: [operation] });
    const condition = 'FROM c WHERE c.n = 1';
    expect(parsePatch({ operations: [operation], condition })).toEqual({
      operations: [operation],
      condition,
    });
  });

  test.each([
    ['no operation', []],
    ['more than ten', Array.from({ length: 11 }, () => operation)],
    ['an operation without a path', [{ op: 'set', value: 1 }]],
    ['something else', 'set'],
  ])('refuses %s', (_title, body) => {
    expect(() => parsePatch(body)).toThrow(CosmosError);
  });
});

test.each<[string, string, boolean]>([
  ['a string', `c.text = "t"`, true],
  ['another string', `c.text = "u"`, false],
  ['a string in single quotes', `c.text = 't'`, true],
  ['a string behind a path with a string', `c["a/b~c"] = 0 AND c.deep["text"] <= "m"`, true],
  ['a string that is one of several', `c.text IN ("s", "t")`, true],
  ['a string in a call', `STARTSWITH(c.text, "t")`, true],
  ['a list of one string', `ARRAY_CONTAINS(["t"], c.text)`, true],
  ['a string with an escaped quote', String.raw`c.quoted = "say \"t\""`, true],
  ['a number', `c.n = 1`, true],
])('a condition compares with %s', (_title, where, matches) => {
  const doc = { ...item, deep: { text: 'l' }, quoted: 'say "t"' };
  expect(matchesCondition(doc, `FROM c WHERE ${where}`)).toBe(matches);
});
