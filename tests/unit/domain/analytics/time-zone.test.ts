import { expect, test } from '@jest/globals';
import { readAsked } from '../../../../src/shared/domain/analytics/asked.ts';
import { type Step, TimeZone } from '../../../../src/shared/domain/analytics/time-zone.ts';
import { InvalidError } from '../../../../src/shared/errors.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-11-30T12:00:30Z');

function zone(name: string): TimeZone {
  const found = TimeZone.named(name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found;
}

function lengths(name: string, step: Step, from: string, to: string): readonly [string, number][] {
  const { zone: of, starts } = readAsked({ from, to, step, timeZone: name }, NOW_MS);
  return starts
    .slice(0, -1)
    .map((atMs, index) => [of.isoOf(atMs), ((starts[index + 1] ?? 0) - atMs) / HOUR_MS]);
}

test('a day has 23 hours where the clocks go forward, and 25 where they go back', () => {
  expect(lengths('Europe/Berlin', 'day', '2026-03-28', '2026-03-31')).toEqual([
    ['2026-03-28T00:00:00+01:00', 24],
    ['2026-03-29T00:00:00+01:00', 23],
    ['2026-03-30T00:00:00+02:00', 24],
  ]);
  expect(lengths('Europe/Berlin', 'day', '2026-10-25', '2026-10-26')).toEqual([
    ['2026-10-25T00:00:00+02:00', 25],
  ]);
});

test('the hour that comes twice is two hours, and the one that does not come is none', () => {
  expect(lengths('Europe/Berlin', 'hour', '2026-10-25T01:00:00+02:00', '2026-10-25T03:00:00+01:00')).toEqual([
    ['2026-10-25T01:00:00+02:00', 1],
    ['2026-10-25T02:00:00+02:00', 1],
    ['2026-10-25T02:00:00+01:00', 1],
  ]);
  expect(lengths('Europe/Berlin', 'hour', '2026-03-29T01:00:00+01:00', '2026-03-29T04:00:00+02:00')).toEqual([
    ['2026-03-29T01:00:00+01:00', 1],
    ['2026-03-29T03:00:00+02:00', 1],
  ]);
});

test('a day begins at one o’clock where midnight does not come, and clocks may move by half an hour', () => {
  expect(lengths('Africa/Cairo', 'day', '2026-04-24', '2026-04-25')).toEqual([
    ['2026-04-24T01:00:00+03:00', 23],
  ]);
  expect(lengths('Australia/Lord_Howe', 'day', '2026-10-04', '2026-10-05')).toEqual([
    ['2026-10-04T00:00:00+10:30', 23.5],
  ]);
  expect(
    lengths('Australia/Lord_Howe', 'hour', '2026-10-04T01:00:00+10:30', '2026-10-04T04:00:00+11:00'),
  ).toEqual([
    ['2026-10-04T01:00:00+10:30', 1],
    ['2026-10-04T02:30:00+11:00', 0.5],
    ['2026-10-04T03:00:00+11:00', 1],
  ]);
});

test('zones that are quarters of an hour away from UTC have their own midnight', () => {
  expect(lengths('Asia/Kathmandu', 'day', '2026-01-01', '2026-01-02')).toEqual([
    ['2026-01-01T00:00:00+05:45', 24],
  ]);
  expect(zone('Asia/Kathmandu').startOfDate('2026-01-01')).toBe(Date.parse('2025-12-31T18:15:00Z'));
});

test('every zone has been whole quarters of an hour away from UTC since 2000', () => {
  const quarterMs = 15 * 60_000;
  const odd = Intl.supportedValuesOf('timeZone').filter((name) => {
    const of = TimeZone.named(name);
    // Names without an area, such as those of old releases, are not taken.
    if (of === undefined) return false;
    for (let atMs = Date.UTC(2000, 0, 1); atMs < NOW_MS; atMs += 60 * 24 * HOUR_MS)
      if (of.offsetMs(atMs) % quarterMs !== 0) return true;
    return false;
  });
  expect(odd).toEqual([]);
});

test('a time is widened to whole steps, and without one it is what was last', () => {
  const asked = readAsked({ from: '2026-11-30T10:15:42.5Z', to: '2026-11-30T10:16:00.001Z' }, NOW_MS);
  expect(asked.starts.map((atMs) => new Date(atMs).toISOString())).toEqual([
    '2026-11-30T10:15:00.000Z',
    '2026-11-30T10:16:00.000Z',
    '2026-11-30T10:17:00.000Z',
  ]);
  expect(readAsked({}, NOW_MS).starts).toHaveLength(62);
  expect(readAsked({ step: 'day', timeZone: 'Europe/Berlin' }, NOW_MS).starts).toHaveLength(32);
});

test.each([
  [{ from: '2026-13-01T00:00:00Z' }, '/query/from', 'moment'],
  [{ from: '2026-02-30T00:00:00Z' }, '/query/from', 'moment'],
  [{ from: '2026-02-30' }, '/query/from', 'moment'],
  [{ to: 'yesterday' }, '/query/to', 'moment'],
  [{ from: '2026-11-30T10:00:00' }, '/query/from', 'moment'],
  [{ from: '1999-12-31' }, '/query/from', 'range'],
  [{ to: '2999-01-01' }, '/query/to', 'range'],
  [{ from: '2026-11-30', to: '2026-11-30' }, '/query/from', 'order'],
  [{ from: '2026-11-30', to: '2026-11-01' }, '/query/from', 'order'],
  [{ timeZone: 'Europe/Atlantis' }, '/query/timeZone', 'timeZone'],
  [{ timeZone: '+02:00' }, '/query/timeZone', 'timeZone'],
  [{ from: '2026-11-01', to: '2026-11-30' }, '/query/step', 'points'],
  [{ from: '2020-01-01', to: '2026-11-30', step: 'day' }, '/query/step', 'points'],
] as const)('%j is refused at %s by the rule %s', (text, pointer, rule) => {
  const ask = (): unknown => readAsked(text, NOW_MS);
  expect(ask).toThrow(InvalidError);
  try {
    ask();
  } catch (error) {
    expect((error as InvalidError).failures).toMatchObject([{ pointer, rule }]);
  }
});

test('a year of days and a thousand hours are within the bounds', () => {
  expect(readAsked({ from: '2025-11-30', to: '2026-11-30', step: 'day' }, NOW_MS).starts).toHaveLength(366);
  const hours = readAsked(
    { from: '2026-10-01', to: '2026-11-30', step: 'hour', timeZone: 'America/New_York' },
    NOW_MS,
  );
  // 60 days, and the hour that comes twice.
  expect(hours.starts).toHaveLength(60 * 24 + 2);
});
