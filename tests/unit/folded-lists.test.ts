/** Lists by the beginning of a text, and what declarations of what everybody reads must say. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '@tandem-clouds/replication/json';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { prefixCharsMax } from '../../src/shared/bounds.ts';
import { DeclarationError } from '../../src/shared/domain/declaration-mistakes.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { indexesOf } from '../../src/shared/domain/indexes/declared-index.ts';
import { fold } from '../../src/shared/domain/indexes/fold.ts';
import { isBefore, placeOf } from '../../src/shared/domain/indexes/list-query.ts';
import { product } from '../../src/shared/entities/product.ts';
import { InvalidError } from '../../src/shared/errors.ts';
import { readListQuery } from '../../src/shared/http/list-query.ts';

const indexes = indexesOf(product);

function named(name: string, more: Readonly<Record<string, Json>> = {}): StoredRecord {
  const fields = Object.entries({ name, ...more }).map(([field, value]) => [
    field,
    ['0000000000001.a', value],
  ]);
  const state = { fields: Object.fromEntries(fields) as never, vector: {} };
  return { key: `product:${name.length}`, state, version: '', pending: {}, operations: [] };
}

const asked = (query: Readonly<Record<string, string>>) => readListQuery(query, indexes, 'product:').query;
const beginning = (text: string) => asked({ listed: 'true', 'name[prefix]': text });
const finds = (text: string, name: string): boolean => placeOf(beginning(text), named(name)) !== undefined;

function failuresOf(query: Readonly<Record<string, string>>): unknown {
  try {
    asked(query);
  } catch (error) {
    if (error instanceof InvalidError) return error.failures.map(({ pointer, rule }) => [pointer, rule]);
    throw error;
  }
  return [];
}

describe('a list by the beginning of a text', () => {
  test.each([
    ['earl', 'Earl Grey, 100 g'],
    ['EARL  G', 'Earl Grey, 100 g'],
    ['über', 'Ubermut'],
    ['uber', 'Übermut'],
    ['strasse', 'Straße'],
    ['STRASSE', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'Οδοσα'],
    ['istanbul', 'İstanbul'],
    ['tee', 'Teekanne'],
    ['e\u0301t', 'Été'],
  ])('%s finds %s', (text, name) => {
    expect(finds(text, name)).toBe(true);
  });

  test.each([
    ['grey', 'Earl Grey'],
    ['%', 'Earl Grey'],
    ['*', 'Earl Grey'],
    ['_arl', 'Earl Grey'],
    ['earl.*', 'Earl Grey'],
    ['earl grey, 100 g and more', 'Earl Grey, 100 g'],
    ['\u{10ffff}', 'Earl Grey'],
  ])('%s, whose characters mean themselves, does not find %s', (text, name) => {
    expect(finds(text, name)).toBe(false);
    expect(finds(text, `${text}${name}`)).toBe(true);
  });

  test('finds just those that begin so, whatever is asked for, in the order of the folded names', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        fc.pre(fold(one).trim() !== '');
        expect(finds(one, other)).toBe(fold(other).startsWith(fold(one)));
        expect(finds(one, one + other)).toBe(fold(one + other).startsWith(fold(one)));
        const all = asked({ listed: 'true' });
        const [a, b] = [placeOf(all, named(one))!, placeOf(all, named(other))!];
        const [x, y] = [fold(one), fold(other)];
        if (x !== y && y.startsWith(x)) expect(isBefore(all, a, b)).toBe(true);
      }),
    );
  });

  test('what is not listed is not found, and what says nothing is', () => {
    expect(placeOf(beginning('tea'), named('Tea', { listed: false }))).toBeUndefined();
    expect(placeOf(beginning('tea'), named('Tea', { listed: true }))).toBeDefined();
  });

  test('what cannot be a beginning is refused, by its rule', () => {
    const of = (text: string): unknown => failuresOf({ listed: 'true', 'name[prefix]': text });
    expect(of('')).toEqual([['/query/name[prefix]', 'minLength']]);
    expect(of('\u0301')).toEqual([['/query/name[prefix]', 'minLength']]);
    expect(of('x'.repeat(1_000))).toEqual([['/query/name[prefix]', 'maxLength']]);
    expect(of('\ufdfa'.repeat(50))).toEqual([['/query/name[prefix]', 'maxLength']]);
    expect(of('x'.repeat(prefixCharsMax))).toEqual([]);
    expect(of('\u{10ffff}'.repeat(prefixCharsMax / 2))).toEqual([]);
  });

  test('together with a range it is refused, and so it is of what is no such text', () => {
    expect(failuresOf({ listed: 'true', 'name[prefix]': 'a', 'name[gte]': 'b' })).toEqual([
      ['/query/name[gte]', 'range'],
    ]);
    expect(failuresOf({ category: 'tea', 'priceMinor[prefix]': '1' })).toEqual([
      ['/query/priceMinor[prefix]', 'operator'],
    ]);
    expect(failuresOf({ 'name[prefix]': 'a' })).toEqual([['/query/name[prefix]', 'index']]);
  });

  test('prices are in the order of one currency', () => {
    const euros = asked({ currency: 'EUR', 'priceMinor[lte]': '1000' });
    const of = (currency: string, priceMinor: number) => placeOf(euros, named('x', { currency, priceMinor }));
    expect([of('EUR', 999), of('EUR', 1_001), of('USD', 999)].map((place) => place !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('a declaration of what everybody reads', () => {
  const declare = (more: object): readonly string[] => {
    try {
      defineEntity({
        ...{ name: 'leaf', collection: 'leaves', idField: 'leafId', description: 'A leaf' },
        ...{ required: [], fields: { text: { type: 'string' }, size: { type: 'integer' } }, example: {} },
        ...more,
      });
    } catch (error) {
      if (error instanceof DeclarationError) return error.mistakes.map(({ at }) => at.join('.'));
      throw error;
    }
    return [];
  };

  test.each([
    [{ access: { read: 'everybody', write: 'shop/leaves' } }, []],
    [{ access: { read: 'anybody' } }, ['access.read']],
    [{ access: { write: 'two words' } }, ['access.write']],
    [{ access: { read: 'everybody', owner: 'text' } }, ['access.read']],
    [{ access: { read: 'everybody', tenant: 'org' } }, ['access.read']],
    [
      { access: { read: 'everybody' }, fields: { text: { type: 'string', readableBy: ['a'] } } },
      ['fields.text.readableBy'],
    ],
    [{ indexes: { byText: { on: 'size', order: 'text', folded: true } } }, []],
    [{ indexes: { bySize: { on: 'text', order: 'size', folded: true } } }, ['indexes.bySize.folded']],
  ])('%j', (more, places) => {
    expect(declare(more)).toEqual(places);
  });
});
