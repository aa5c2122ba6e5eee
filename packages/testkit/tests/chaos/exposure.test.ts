/** A claim about exposure is checked against what the peer really has. */
import { describe, expect, test } from '@jest/globals';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { checkSample, type Known, type Sample } from '../../src/observe/exposure.ts';

const NOW_MS = 1_800_000_000_000;
const at = (ms: number): string => encodeStamp(NOW_MS + ms, 0, 'a');
const OLD = at(-10_000);

function held(key: string, stamp: string, marked: boolean): [string, StoredRecord] {
  return [
    key,
    {
      key,
      state: { fields: { name: [stamp, 'x'] }, vector: { a: stamp } },
      pending: marked ? { b: stamp } : {},
      ...(marked && { pendingSince: NOW_MS - 10_000 }),
      operations: [],
    },
  ];
}

const written: Known = { key: 'user:1', stamp: OLD, knownAtMs: NOW_MS - 9_990 };

/** One write of 10 s ago that is marked, not at the peer, and said to be so. */
function sample(extra: Partial<Sample> = {}, claim: { keys?: number; safeMs?: number } = {}): Sample {
  const { keys = 1, safeMs = NOW_MS - 10_000 } = claim;
  return {
    origin: 'a',
    peer: 'b',
    writes: [written],
    view: {
      now: new Date(NOW_MS).toISOString(),
      peers: [
        {
          site: 'b',
          safeTime: new Date(safeMs).toISOString(),
          exposure: { keys, atLeast: false },
          oldestPendingMs: NOW_MS - safeMs,
          paused: false,
        },
      ],
    },
    atOrigin: new Map([held('user:1', OLD, true)]),
    queued: [],
    atPeer: new Map(),
    ...extra,
  };
}

const unmarked = new Map([held('user:1', OLD, false)]);
const allSafe = { keys: 0, safeMs: NOW_MS };
const details = (of: Sample): string =>
  checkSample(of)
    .findings.map(({ detail }) => detail)
    .join('\n');

describe('an honest site', () => {
  test.each<[string, Sample, number]>([
    ['a marked write is counted', sample(), 1],
    ['it is in the peer’s store', sample({ atOrigin: unmarked, atPeer: unmarked }, allSafe), 0],
    [
      'it is in the peer’s queue',
      sample({ atOrigin: unmarked, queued: [{ key: 'user:1', vector: { a: OLD } }] }, allSafe),
      0,
    ],
    [
      'a write of the last second may not be counted yet',
      sample({ writes: [{ ...written, knownAtMs: NOW_MS - 500 }] }, { keys: 0, safeMs: NOW_MS - 1_000 }),
      1,
    ],
    [
      'while the clock is moved nothing is said about it',
      sample({ writes: [{ ...written, knownAtMs: undefined }] }, allSafe),
      1,
    ],
  ])('passes: %s', (_, of, missing) => {
    expect(checkSample(of)).toEqual({ findings: [], missing });
  });
});

describe('a dishonest one is found:', () => {
  test.each<[string, Sample, string]>([
    ['no marker', sample({ atOrigin: unmarked }), 'neither at b nor on its way nor marked'],
    ['no record', sample({ atOrigin: new Map() }), 'neither at b nor on its way nor marked'],
    [
      'only an older state is queued',
      sample({ atOrigin: unmarked, queued: [{ key: 'user:1', vector: { a: at(-20_000) } }] }),
      'neither at b nor on its way nor marked',
    ],
    ['a safe time that is too late', sample({}, { safeMs: NOW_MS - 1_000 }), 'said that all before'],
    ['too few keys', sample({}, { keys: 0 }), 'said 0 keys at risk'],
    [
      'no word about the peer',
      sample({ view: { now: new Date(NOW_MS).toISOString(), peers: [] } }),
      'nothing about b',
    ],
  ])('%s', (_, of, expected) => {
    expect(details(of)).toContain(expected);
  });
});
