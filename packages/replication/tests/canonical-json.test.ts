import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../src/canonical-json.ts';
import type { Json } from '../src/json.ts';

const reversed = (value: Json): Json => {
  if (Array.isArray(value)) return value.map((each: Json) => reversed(each));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as Readonly<Record<string, Json>>).reverse();
  return Object.fromEntries(entries.map(([name, member]) => [name, reversed(member)]));
};

test('is JSON of the same value, whatever the order of the names', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const json = JSON.parse(JSON.stringify(value)) as Json;
      expect(JSON.parse(canonicalJson(json))).toEqual(json);
      expect(canonicalJson(reversed(json))).toBe(canonicalJson(json));
    }),
  );
});

test('tells different values apart', () => {
  const texts = [{ a: 1 }, { a: '1' }, { b: 1 }, [1], ['a', 1], { a: null }, {}, [], null].map((value) =>
    canonicalJson(value),
  );
  expect(new Set(texts).size).toBe(texts.length);
});
