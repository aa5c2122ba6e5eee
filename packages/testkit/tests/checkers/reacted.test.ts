/** The checker of reactions passes what is sound, and finds what is planted: each verdict fails for a defect of its own. */
import { describe, expect, test } from '@jest/globals';
import type { ReactionEntry } from '@tandem-clouds/replication/reactions/entry';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { BEYOND, checkReacted, MISSING, PARKED, RESTLESS } from '../../src/checkers/reacted.ts';
import type { Attempt } from '../../src/history/client-log.ts';
import {
  changesOf,
  heldOf,
  type HeldRecord,
  type ProviderCall,
  type Reacted,
} from '../../src/history/reacted.ts';

const KEY = 'parcel:p';

function attempt(id: string, extra: Partial<Attempt> = {}): Attempt {
  return {
    id,
    kind: 'change',
    key: KEY,
    via: 'a',
    site: 'a',
    startMs: 0,
    endMs: 1,
    result: 'acknowledged',
    status: 200,
    fields: {},
    replayed: false,
    ...extra,
  };
}

const called = (change: string, extra: Partial<ProviderCall> = {}): ProviderCall => ({
  atMs: 2,
  effectId: `tell-v1-${change}`,
  key: KEY,
  change,
  site: 'a',
  performed: true,
  reply: 'done',
  ...extra,
});

const held = (change: string, extra: Partial<HeldRecord> = {}): HeldRecord => ({
  key: KEY,
  change,
  origin: 'a',
  told: change,
  entries: { tell: { done: `tell-v1-${change}`, fence: 1 } },
  ...extra,
});

const parked = (change: string, reason: string): Partial<HeldRecord> => ({
  told: 'c1',
  entries: {
    tell: { effectId: `tell-v1-${change}`, parked: { reason, atMs: 1 } } as ReactionEntry,
  },
});

/** Two changes that were told, as both sites hold them. */
function history(
  extra: Partial<{ log: Attempt[]; calls: ProviderCall[]; a: HeldRecord; b: HeldRecord }> = {},
): Reacted {
  const { log = [attempt('c1'), attempt('c2')], calls = [called('c1'), called('c2')] } = extra;
  const { a = held('c2'), b = held('c2', { entries: {} }) } = extra;
  return {
    changes: changesOf(log),
    calls,
    held: new Map([
      ['a', [a]],
      ['b', [b]],
    ]),
  };
}

const verdicts = (reacted: Reacted): string[] => [
  ...new Set(checkReacted(reacted).map(({ invariant }) => invariant)),
];

describe('what is sound', () => {
  const sound: readonly [string, Reacted][] = [
    ['every change was told', history()],
    ['one that another replaced was not', history({ calls: [called('c2')] })],
    [
      'repeated calls under one name, of which one did it',
      history({ calls: [called('c1'), called('c2'), called('c2', { performed: false, reply: 'late' })] }),
    ],
    [
      'two effects of a change that was sent to both sites, neither knowing of the other',
      history({
        log: [attempt('c2', { result: 'unknown' }), attempt('c2', { via: 'b', site: 'b' })],
        calls: [called('c2'), called('c2', { effectId: 'tell-v1-other' })],
      }),
    ],
    [
      'parked where the provider refuses it',
      history({
        calls: [called('c1'), called('c2', { performed: false, reply: 'refused' })],
        a: held('c2', parked('c2', 'refused')),
        b: held('c2', { told: 'c1', entries: {} }),
      }),
    ],
  ];
  test.each(sound)('%s', (_, reacted) => {
    expect(checkReacted(reacted)).toEqual([]);
  });
});

describe('what is not', () => {
  const defects: readonly [string, readonly string[], Reacted][] = [
    ['a change that stands is never told', [MISSING], history({ a: held('c2', { told: 'c1' }) })],
    ['it is said to be told, and the provider never was', [MISSING], history({ calls: [called('c1')] })],
    [
      'the provider failed, and it is said to be told',
      [MISSING],
      history({ calls: [called('c1'), called('c2', { performed: false, reply: 'failed' })] }),
    ],
    [
      'a second name for one change',
      [BEYOND],
      history({ calls: [called('c1'), called('c2'), called('c2', { effectId: 'tell-v1-again' })] }),
    ],
    [
      'a second name for a change that was answered again by the site that had taken it',
      [BEYOND],
      history({
        log: [
          attempt('c1'),
          attempt('c2', { result: 'unknown' }),
          attempt('c2', { site: 'b', replayed: true }),
        ],
        calls: [called('c1'), called('c2'), called('c2', { effectId: 'tell-v1-again' })],
      }),
    ],
    [
      'a second name that came to nothing',
      [BEYOND],
      history({
        calls: [
          called('c1'),
          called('c2', { effectId: 'tell-v1-first', performed: false, reply: 'failed' }),
          called('c2'),
        ],
      }),
    ],
    [
      'one name for two changes',
      [BEYOND],
      history({ calls: [called('c1'), called('c2', { effectId: 'tell-v1-c1' })] }),
    ],
    [
      'one name that came about twice',
      [BEYOND],
      history({ calls: [called('c1'), called('c2'), called('c2')] }),
    ],
    [
      'an effect that nobody asked for',
      [BEYOND],
      history({ calls: [called('c1'), called('c2'), called('c3')] }),
    ],
    [
      'an effect of a change that was refused',
      [BEYOND],
      history({
        log: [attempt('c1', { result: 'refused', status: 409 }), attempt('c2')],
      }),
    ],
    [
      'parked as refused by a provider that refuses nothing',
      [PARKED],
      history({ a: held('c2', parked('c2', 'refused')), b: held('c2') }),
    ],
    ['parked for a reason that no run gives', [PARKED], history({ a: held('c2', parked('c2', 'loop')) })],
    [
      'an entry that stands',
      [RESTLESS],
      history({ a: held('c2', { entries: { tell: { effectId: 'tell-v1-c2', dueMs: 5 } } }) }),
    ],
  ];
  test.each(defects)('%s', (_, expected, reacted) => {
    expect(verdicts(reacted)).toEqual(expected);
  });
});

test('a record says by itself whose change it holds, and what was told', () => {
  const stamp = encodeStamp(1_800_000_000_000, 0, 'azure-eastus');
  const state = { fields: { place: [stamp, 'c9'], told: [stamp, 'c8'] }, vector: {} } as const;
  expect(heldOf({ key: KEY, state, pending: {}, operations: [] })).toEqual({
    key: KEY,
    change: 'c9',
    origin: 'azure-eastus',
    told: 'c8',
    entries: {},
  });
});
