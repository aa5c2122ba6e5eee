import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSchedule } from '../../src/azure-host/ncrontab.ts';

const next = (expression: string, after: string): string =>
  new Date(parseSchedule(expression).next(Date.parse(after))).toISOString();

describe('a timer schedule comes next', () => {
  test.each([
    ['every ten seconds', '*/10 * * * * *', '2026-01-01T00:00:03.500Z', '2026-01-01T00:00:10.000Z'],
    ['later than an exact occurrence', '*/10 * * * * *', '2026-01-01T00:00:10Z', '2026-01-01T00:00:20.000Z'],
    ['in the next minute', '30 * * * * *', '2026-01-01T00:00:31Z', '2026-01-01T00:01:30.000Z'],
    [
      'at a step from a start to the end',
      '0 5/20 * * * *',
      '2026-01-01T00:46:00Z',
      '2026-01-01T01:05:00.000Z',
    ],
    ['in a range with a step', '0 0 8-18/5 * * *', '2026-01-01T09:00:00Z', '2026-01-01T13:00:00.000Z'],
    ['at one of a list', '0 0 3,21 * * *', '2026-01-01T04:00:00Z', '2026-01-01T21:00:00.000Z'],
    ['on a named weekday', '0 30 9 * * MON-FRI', '2026-01-02T10:00:00Z', '2026-01-05T09:30:00.000Z'],
    ['in a named month', '0 0 0 1 mar *', '2026-03-02T00:00:00Z', '2027-03-01T00:00:00.000Z'],
    ['when both day fields match', '0 0 0 13 * FRI', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00.000Z'],
    ['on a leap day', '0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['after the end of a year', '59 59 23 31 12 *', '2026-12-31T23:59:59Z', '2027-12-31T23:59:59.000Z'],
  ])('%s', (_title, expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  test('when a search second by second says so', () => {
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min, max }).map(String),
        fc.integer({ min: 1, max: 30 }).map((step) => `*/${step}`),
      );
    fc.assert(
      fc.property(
        fc.tuple(field(0, 59), field(0, 59), field(0, 23)),
        fc.integer({ min: 0, max: 86_400_000 }),
        (fields, offsetMs) => {
          const afterMs = Date.UTC(2026, 0, 1) + offsetMs;
          const values = fields.map((text, i) => allowed(text, i === 2 ? 23 : 59));
          let expected = Math.floor(afterMs / 1_000) * 1_000 + 1_000;
          const matches = (at: Date) =>
            [at.getUTCSeconds(), at.getUTCMinutes(), at.getUTCHours()].every((unit, i) => values[i]?.(unit));
          while (!matches(new Date(expected))) expected += 1_000;
          expect(parseSchedule(`${fields.join(' ')} * * *`).next(afterMs)).toBe(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});

function allowed(text: string, max: number): (unit: number) => boolean {
  if (text === '*') return () => true;
  if (text.startsWith('*/')) return (unit) => unit <= max && unit % Number(text.slice(2)) === 0;
  return (unit) => unit === Number(text);
}

describe('a timer schedule is refused', () => {
  test.each([
    ['with five fields', '*/5 * * * *', /six fields/],
    ['with a number out of range', '60 * * * * *', /second '60'.*0 to 59/],
    ['with a step of nothing', '*/0 * * * * *', /step/],
    ['with a range the wrong way round', '0 30-10 * * * *', /minute/],
    ['with what only other dialects know', '0 0 0 L * ?', /day 'L'/],
    ['with a time span', '00:00:10', /six fields/],
  ])('%s', (_title, expression, message) => {
    expect(() => parseSchedule(expression)).toThrow(message);
  });

  test('when it never comes', () => {
    expect(() => parseSchedule('0 0 0 30 2 *').next(0)).toThrow(/never comes/);
  });
});
