import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDecimal, readWhole } from '../../../scripts/command/numbers.ts';
import { UsageError } from '../../../scripts/command/usage-error.ts';

const WRONG = [
  ['nothing', ''],
  ['a blank', ' '],
  ['a line break', '\n'],
  ['a hexadecimal number', '0x32'],
  ['an octal number', '0o7'],
  ['a binary number', '0b1'],
  ['an exponent', '1e2'],
  ['a sign', '-1'],
  ['a plus', '+5'],
  ['blanks around it', ' 5 '],
  ['a line break after it', '5\n'],
  ['a leading zero', '050'],
  ['a group separator', '1_000'],
  ['a comma', '1,5'],
  ['a percent sign', '50%'],
  ['a unit', '10s'],
  ['a word', 'ten'],
  ['infinity', 'Infinity'],
  ['no number', 'NaN'],
  ['digits of another script', '٥'],
  ['a fraction without digits', '5.'],
  ['a fraction without a whole', '.5'],
  ['more than a double holds exactly', '9007199254740993'],
] as const;

describe('a number that a person types', () => {
  it.each(WRONG)('is not %s: %j', (_title, text) => {
    for (const read of [readWhole, readDecimal]) {
      expect(() => read(text, { name: '--clients', min: 0 })).toThrow(UsageError);
      expect(() => read(text, { name: '--clients', min: 0 })).toThrow(
        /^--clients: a (whole )?number of at least 0 /,
      );
    }
  });

  it('is missed by name when it is not there', () => {
    expect(() => readWhole(undefined, { name: 'percent', min: 0, max: 100 })).toThrow(
      "percent: a whole number from 0 to 100 is needed, in plain digits, not ''",
    );
  });

  it('has inclusive bounds', () => {
    const percent = { name: 'percent', min: 1, max: 100 };
    expect([readWhole('1', percent), readWhole('100', percent)]).toEqual([1, 100]);
    for (const text of ['0', '101']) expect(() => readWhole(text, percent)).toThrow(UsageError);
  });

  it('has a fraction only where one makes sense', () => {
    expect(readDecimal('0.25', { name: '--rate', min: 0 })).toBe(0.25);
    expect(() => readWhole('0.25', { name: '--rate', min: 0 })).toThrow(UsageError);
    expect(() => readWhole('5.0', { name: '--rate', min: 0 })).toThrow(UsageError);
  });

  it('is read as what it says, for every whole number that a double holds', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(readWhole(String(value), { name: 'n', min: 0 })).toBe(value);
      }),
    );
  });

  it('is either the decimal digits of its value or refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (text) => {
        let value: number;
        try {
          value = readWhole(text, { name: 'n', min: 0 });
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        expect(String(value)).toBe(text);
      }),
    );
  });
});
