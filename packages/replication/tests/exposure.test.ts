import { describe, expect, test } from '@jest/globals';
import { exposureOf } from '../src/exposure.ts';
import type { ExposedEntry, ExposurePage } from '../src/ports/store.ts';

const NOW = 1_000_000;
const B = 'azure-eastus';
const C = 'aws-eu-west-1';

/** A key that has been pending for so long, for these peers. */
const pendingFor = (agoMs: number, peers = [B], key = `user:${agoMs}`): ExposedEntry => ({
  key,
  sinceMs: NOW - agoMs,
  peers,
});
const page = (entries: readonly ExposedEntry[], rest: Partial<ExposurePage> = {}): ExposurePage => ({
  entries,
  indexLagMs: 0,
  ...rest,
});
const exposureTo = (peers: readonly string[], given: ExposurePage) =>
  exposureOf(given, { peers, nowMs: NOW });

interface Case {
  readonly title: string;
  readonly given: ExposurePage;
  readonly keys?: number;
  readonly atLeast?: boolean;
  /** How far the safe time is behind now. */
  readonly ageMs?: number;
  readonly oldestAgoMs?: number;
}

const CASES: readonly Case[] = [
  { title: 'nothing pending: safe up to now', given: page([]) },
  {
    title: 'one key pending: safe up to its oldest write',
    given: page([pendingFor(5_000)]),
    keys: 1,
    ageMs: 5_000,
    oldestAgoMs: 5_000,
  },
  {
    title: 'several keys: safe up to the oldest, whatever the order',
    given: page([pendingFor(10), pendingFor(9_000), pendingFor(300)]),
    keys: 3,
    ageMs: 9_000,
    oldestAgoMs: 9_000,
  },
  { title: 'pending for another peer only: no risk here', given: page([pendingFor(5_000, [C])]) },
  {
    title: 'an index that lags: the time of its lag is not promised',
    given: page([], { indexLagMs: 1_000 }),
    ageMs: 1_000,
  },
  {
    title: 'an oldest write within the lag of the index: the lag counts',
    given: page([pendingFor(200)], { indexLagMs: 1_000 }),
    keys: 1,
    ageMs: 1_000,
    oldestAgoMs: 200,
  },
  {
    title: 'a list that was cut: the count is a lower bound',
    given: page([pendingFor(5_000)], { cutAtMs: NOW - 4_000 }),
    keys: 1,
    atLeast: true,
    ageMs: 5_000,
    oldestAgoMs: 5_000,
  },
  {
    title: 'a list that was cut before anything for this peer: safe only up to the cut',
    given: page([pendingFor(5_000, [C])], { cutAtMs: NOW - 4_000 }),
    atLeast: true,
    ageMs: 4_000,
  },
  {
    title: 'a write from an instance whose clock is ahead: never safe later than now',
    given: page([pendingFor(-50)]),
    keys: 1,
    oldestAgoMs: -50,
  },
  {
    title: 'a heartbeat holds no data of users',
    given: page([pendingFor(60_000, [B], 'heartbeat:aws-us-east-1')]),
  },
  {
    title: 'a record of pauses holds no data of users',
    given: page([pendingFor(60_000, [B], 'pause:aws-us-east-1')]),
  },
];

describe('exposure to one peer', () => {
  test.each(CASES)('$title', ({ given, keys = 0, atLeast = false, ageMs = 0, oldestAgoMs }) => {
    expect(exposureTo([B], given)).toEqual([
      {
        site: B,
        keysAtRisk: keys,
        refused: 0,
        atLeast,
        ...(oldestAgoMs !== undefined && { oldestPendingSince: NOW - oldestAgoMs }),
        safeTimeMs: NOW - ageMs,
        ageMs,
      },
    ]);
  });
});

describe('exposure to several peers', () => {
  test('is told for each, in their order', () => {
    const given = page([pendingFor(9_000, [C]), pendingFor(5_000, [B, C]), pendingFor(100, [B])]);
    expect(exposureTo([C, B], given)).toMatchObject([
      { site: C, keysAtRisk: 2, ageMs: 9_000 },
      { site: B, keysAtRisk: 2, ageMs: 5_000 },
    ]);
  });

  test('a site that is no longer a peer is not told of', () => {
    expect(exposureTo([B], page([pendingFor(9_000, ['gone'])]))).toMatchObject([{ site: B, keysAtRisk: 0 }]);
  });

  test('a site without peers is exposed to nobody', () => {
    expect(exposureTo([], page([]))).toEqual([]);
  });
});

test('a record that the peer refuses for good is counted, and the safe time does not wait for it', () => {
  const given = page([pendingFor(9_000, [B, C], 'user:never'), pendingFor(2_000)]);
  const refused = { [B]: { 'user:never': 'SQS: no' } };
  expect(exposureOf(given, { peers: [B, C], nowMs: NOW, refused })).toMatchObject([
    { site: B, keysAtRisk: 2, refused: 1, oldestPendingSince: NOW - 2_000, ageMs: 2_000 },
    { site: C, keysAtRisk: 1, refused: 0, oldestPendingSince: NOW - 9_000, ageMs: 9_000 },
  ]);
  const only = exposureOf(page([pendingFor(9_000, [B], 'user:never')]), { peers: [B], nowMs: NOW, refused });
  expect(only).toMatchObject([{ keysAtRisk: 1, refused: 1, ageMs: 0 }]);
});

test('a record that is no longer pending is not refused any more', () => {
  const refused = { [B]: { 'user:once': 'SQS: no' } };
  expect(exposureOf(page([]), { peers: [B], nowMs: NOW, refused })).toMatchObject([
    { keysAtRisk: 0, refused: 0 },
  ]);
});
