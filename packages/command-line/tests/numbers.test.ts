import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDecimal, readDuration, readPercent, readWhole } from '../src/numbers.ts';
import { UsageError } from '../src/usage-error.ts';

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

describe('a duration that a person types', () => {
  const away = { name: '--duration', unit: 's', min: 40, max: 86_400 } as const;

  it.each([
    ['60', 60_000],
    ['60s', 60_000],
    ['40000ms', 40_000],
    ['1.5min', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(readDuration(text, away)).toBe(ms);
  });

  it('counts in minutes where the command does', () => {
    expect(readDuration('0.5', { name: '--minutes', unit: 'min', min: 0.1 })).toBe(30_000);
  });

  it.each(['', ' ', '60 s', '1m', '1h30min', '-60s', '0x40', '1e3', '060', '60S', '٦٠s', '39.9s', '2d'])(
    'is not %j',
    (text) => {
      expect(() => readDuration(text, away)).toThrow(UsageError);
      expect(() => readDuration(text, away)).toThrow(
        `--duration: a duration from 40 to 86400 s is needed, such as 90s, 1.5min or 2h, not '${text}'`,
      );
    },
  );
});

describe('a percentage that a person types', () => {
  it('may have its sign', () => {
    expect(readPercent('10%', { name: '<percent>', whole: true })).toBe(10);
    expect(readPercent('12.5', { name: '--aws-percent', whole: false })).toBe(12.5);
  });

  it.each(['', '%', '10 %', '10%%', '-1%', '101', '1e1', '0x10'])('is not %j', (text) => {
    expect(() => readPercent(text, { name: '<percent>', whole: false })).toThrow(UsageError);
    expect(() => readPercent(text, { name: '<percent>', whole: false })).toThrow('<percent>: ');
  });

  it('has no fraction where none makes sense', () => {
    expect(() => readPercent('12.5%', { name: '<percent>', whole: true })).toThrow(UsageError);
  });
});
