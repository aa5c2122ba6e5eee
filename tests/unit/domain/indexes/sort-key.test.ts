/** The order of encoded values is that of the values, in both orders that stores know: UTF-8 bytes and UTF-16 code units. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { END, PAST, sortKey, type SortType } from '../../../../src/shared/domain/indexes/sort-key.ts';

const order = (a: number | string | bigint, b: typeof a): number => (a < b ? -1 : Number(a > b));
/** DynamoDB's order of strings. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
/** The order of code units, which is JavaScript's. */
const byUnits = (a: string, b: string): number => order(a, b);

const keyOf = (type: SortType, value: string | number | boolean): string => {
  const key = sortKey(type, value);
  if (key === undefined) throw new Error(`${String(value)} has no key`);
  return key;
};

/** Held as stores hold it: followed by the end and the key of a record. */
function expectSameOrder<Value extends string | number | boolean>(
  type: SortType,
  values: fc.Arbitrary<Value>,
  compare: (a: Value, b: Value) => number,
): void {
  const key = fc.stringMatching(/^[a-z]{1,3}:[A-Za-z0-9][A-Za-z0-9._~-]{0,3}$/);
  fc.assert(
    fc.property(values, values, key, key, (a, b, keyOfA, keyOfB) => {
      const expected = compare(a, b) || order(keyOfA, keyOfB);
      const [one, other] = [keyOf(type, a) + END + keyOfA, keyOf(type, b) + END + keyOfB];
      expect(Math.sign(byBytes(one, other))).toBe(expected);
      expect(Math.sign(byUnits(one, other))).toBe(expected);
      expect(one).toMatch(/^[!-~]+$/);
    }),
    { numRuns: 2_000 },
  );
}

const codePoints = (a: string, b: string): number => {
  const [ofA, ofB] = [a, b].map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
  for (const [i, point] of (ofA ?? []).entries()) {
    const other = ofB?.[i];
    if (other === undefined) return 1;
    if (point !== other) return order(point, other);
  }
  return order(ofA?.length ?? 0, ofB?.length ?? 0);
};

describe('sort keys', () => {
  test('order text by its code points, also where UTF-16 orders otherwise, and a text before those that it begins', () => {
    const near = fc.constantFrom(
      '',
      'a',
      'ab',
      'a!',
      'a"',
      'a~',
      'a\u0000',
      'a ',
      '\uFFFD',
      '\uE000',
      '\u{1F680}',
      '\u007F',
      '\u007E',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      near,
      fc.tuple(near, near).map((two) => two.join('')),
    );
    expectSameOrder('string', text, codePoints);
    expect(byUnits('\u{1F680}', '\uFFFD')).not.toBe(byBytes('\u{1F680}', '\uFFFD'));
  });

  test('order numbers by their value', () => {
    const near = fc.constantFrom(
      0,
      -0,
      1,
      -1,
      0.1,
      -0.1,
      1e-300,
      -1e300,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      9,
      10,
      -9,
      -10,
    );
    const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), near);
    expectSameOrder('number', numbers, order);
    expect(keyOf('number', -0)).toBe(keyOf('number', 0));
  });

  test('order false before true', () => {
    expectSameOrder('boolean', fc.boolean(), (a, b) => order(Number(a), Number(b)));
  });

  test('order date-times as instants, whatever their offsets and their precision', () => {
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 });
    /** A moment in 10^-9 s, written at some offset. */
    const instant = fc
      .tuple(
        fc.integer({ min: -62_135_000_000, max: 253_402_000_000 }),
        fc.integer({ min: 0, max: 999_999_999 }),
        offset,
      )
      .map(([seconds, nanos, minutes]) => {
        const local = new Date((seconds + minutes * 60) * 1_000).toISOString().slice(0, 19);
        const [hour, minute] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const sign = minutes < 0 ? '-' : '+';
        const shown =
          minutes === 0 ? 'Z' : `${sign}${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        const text = `${local}.${String(nanos).padStart(9, '0')}${shown}`;
        return { text, at: BigInt(seconds) * 1_000_000_000n + BigInt(nanos) };
      })
      .filter(({ text }) => /^\d{4}-/.test(text));
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const [one, other] = [keyOf('instant', a.text) + END, keyOf('instant', b.text) + END];
        expect(Math.sign(byBytes(one, other))).toBe(order(a.at, b.at));
        expect(Math.sign(byUnits(one, other))).toBe(order(a.at, b.at));
      }),
      { numRuns: 2_000 },
    );
    expect(keyOf('instant', '2030-01-01T01:00:00.50+01:00')).toBe(keyOf('instant', '2030-01-01T00:00:00.5Z'));
    expect(keyOf('instant', '2016-12-31T23:59:60Z')).toBe(keyOf('instant', '2017-01-01T00:00:00Z'));
  });

  test('of a value that is none of the type there is none', () => {
    const wrong: [SortType, unknown][] = [
      ['string', 1],
      ['number', '1'],
      ['boolean', 'true'],
      ['instant', 'yesterday'],
      ['instant', '2030-13-01T00:00:00Z'],
      ['instant', 1_900_000_000],
      ['string', null],
      ['string', ['a']],
    ];
    for (const [type, value] of wrong) expect(sortKey(type, value as never)).toBeUndefined();
  });

  test('leave room for the ends of ranges: behind all that goes on, and before all that is longer', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
        (text, more) => {
          const key = keyOf('string', text);
          expect(byBytes(`${key}${END}zzz:zzz`, key + PAST)).toBe(-1);
          expect(byBytes(key + PAST, `${keyOf('string', text + more)}${END}a`)).toBe(-1);
        },
      ),
    );
  });
});
