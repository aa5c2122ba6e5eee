/** The judge of a chaos run passes what is sound, and finds what is planted. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '@tandem-clouds/replication/json';
import type { Register } from '@tandem-clouds/replication/policies/field';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import type { Vector } from '@tandem-clouds/replication/vector';
import { checkResponse, judge, withEvidence } from '../../src/checkers/judge.ts';
import { type Attempt, itemFields, parseToken, tokenText, userFields } from '../../src/history/client-log.ts';
import type { Snapshot } from '../../src/history/facts.ts';

const START_MS = 1_800_000_000_000;
const KEY = 'user:u';
type Fields = Readonly<Record<string, Json>>;

const at = (ms: number, site = 'a'): string => encodeStamp(START_MS + ms, 0, site);

function record(fields: Record<string, Register>, vector: Vector, key = KEY): StoredRecord {
  return { key, state: { fields, vector }, pending: {}, operations: [] };
}

function registers(stamp: string, fields: Fields): Record<string, Register> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, [stamp, value]]));
}

/** What a delete leaves of the values of a user. */
const emptied = (stamp: string): Record<string, Register> =>
  registers(stamp, { name: null, email: null, metadata: null });

function both(...records: StoredRecord[]): Snapshot {
  const held = new Map(records.map((each) => [each.key, each]));
  return new Map([
    ['a', held],
    ['b', held],
  ]);
}

/** Acknowledged at site a after 10 ms, unless something else is said. */
function attempt(extra: Partial<Attempt> & Pick<Attempt, 'id'>): Attempt {
  const { startMs = START_MS, fields = userFields(extra.id), kind = 'create' } = extra;
  return {
    kind,
    key: KEY,
    via: 'a',
    site: 'a',
    startMs,
    endMs: startMs + 10,
    result: 'acknowledged',
    status: 201,
    fields,
    shown: fields,
    replayed: false,
    ...extra,
  };
}

const token = (vector: Vector, key = KEY): { key: string; vector: Vector } => ({ key, vector });
const created = attempt({ id: 'c1', token: token({ a: at(1) }) });
const sound = record(
  { ...registers(at(1), userFields('c1')), createdAt: [at(1), 'then'], $deleted: [at(1), false] },
  { a: at(1) },
);
const changed = attempt({
  id: 'c2',
  kind: 'change',
  startMs: START_MS + 100,
  fields: { name: 'c2', metadata: { op: 'c2' } },
  shown: { ...userFields('c1'), name: 'c2', metadata: { op: 'c2' } },
  token: token({ a: at(1), b: at(105, 'b') }),
  via: 'b',
  site: 'b',
});
const afterChange = record(
  { ...sound.state.fields, ...registers(at(105, 'b'), changed.fields) },
  { a: at(1), b: at(105, 'b') },
);

const found = (log: readonly Attempt[], snapshot: Snapshot): string[] =>
  judge(log, snapshot).map(({ invariant, detail }) => `${invariant}: ${detail}`);

describe('a sound history', () => {
  test.each<[string, Attempt[], Snapshot]>([
    ['a creation', [created], both(sound)],
    ['a later write over it', [created, changed], both(afterChange)],
    [
      'a write that nobody acknowledged and that took effect',
      [created, { ...changed, result: 'unknown', status: 503, token: undefined } as unknown as Attempt],
      both(afterChange),
    ],
    [
      'a write that nobody acknowledged and that did not',
      [created, { ...changed, result: 'unknown', status: 0, token: undefined } as unknown as Attempt],
      both(sound),
    ],
    [
      'a delete, and a record of which only the token tells the key',
      [
        created,
        attempt({
          id: 'c3',
          kind: 'delete',
          startMs: START_MS + 200,
          fields: {},
          status: 204,
          token: token({ a: at(201) }),
        }),
      ],
      both(
        record(
          { ...emptied(at(201)), createdAt: [at(1), 'then'], $deleted: [at(201), true] },
          { a: at(201) },
        ),
      ),
    ],
    [
      'a creation of which nobody knows whether it was, before a delete that somebody else may have overtaken',
      [
        created,
        attempt({ id: 'c6', result: 'unknown', status: 0, startMs: START_MS + 190 }),
        attempt({
          id: 'c3',
          kind: 'delete',
          fields: {},
          startMs: START_MS + 200,
          token: token({ a: at(201) }),
        }),
      ],
      both(
        record(
          { ...emptied(at(201)), createdAt: [at(201), null], $deleted: [at(201), true] },
          { a: at(201) },
        ),
      ),
    ],
    [
      'a creation after a delete whose answer was lost',
      [
        created,
        attempt({
          id: 'd',
          kind: 'delete',
          fields: {},
          result: 'unknown',
          status: 0,
          startMs: START_MS + 50,
        }),
        attempt({ id: 'c4', startMs: START_MS + 300, token: token({ a: at(301) }) }),
      ],
      both(
        record(
          { ...registers(at(301), userFields('c4')), createdAt: [at(301), 'x'], $deleted: [at(301), false] },
          { a: at(301) },
        ),
      ),
    ],
    [
      'an answer that shows the later write of somebody else: its own stamp is not known',
      [
        created,
        attempt({ id: 'c5', kind: 'change', shown: changed.shown ?? {}, token: token({ a: at(400) }) }),
      ],
      both(record({ ...afterChange.state.fields }, { a: at(400), b: at(105, 'b') })),
    ],
  ])('passes %s', (_, log, snapshot) => {
    const known = log.some(({ id }) => id === 'c5') ? [...log, changed] : log;
    expect(found(known, snapshot)).toEqual([]);
  });
});

describe('what is planted is found:', () => {
  test.each<[string, Attempt[], Snapshot, string]>([
    ['an acknowledged record that is nowhere', [created], both(), 'does not include c1'],
    [
      'an acknowledged change that is gone at both sites',
      [created, changed],
      both(sound),
      'acknowledged writes: a does not include c2',
    ],
    [
      'a vector that claims a change whose value is not there',
      [created, changed],
      both({ ...afterChange, state: { ...afterChange.state, fields: sound.state.fields } }),
      '2 values: name at a is',
    ],
    [
      'a change that is lost at one site',
      [created, changed],
      new Map([
        ['a', new Map([[KEY, afterChange]])],
        ['b', new Map([[KEY, sound]])],
      ]),
      '1 convergence: the sites hold 2 states',
    ],
    [
      'a marker that stays',
      [created],
      both({ ...sound, pending: { b: at(1) }, pendingSince: START_MS }),
      '1 convergence: a still marks b',
    ],
    [
      'a value that nobody wrote',
      [created],
      both(record({ ...sound.state.fields, name: [at(50), 'who'] }, { a: at(50) })),
      '2 values: name at a',
    ],
    ['a record that nobody wrote', [], both(sound), '2 values: a holds a key that nobody wrote'],
    [
      'a zombie',
      [
        created,
        attempt({
          id: 'c3',
          kind: 'delete',
          fields: {},
          startMs: START_MS + 200,
          token: token({ a: at(201) }),
        }),
      ],
      both(record(sound.state.fields, { a: at(201) })),
      '8 deletes: a zombie',
    ],
    [
      'a value that outlives its delete',
      [
        created,
        attempt({
          id: 'c3',
          kind: 'delete',
          fields: {},
          startMs: START_MS + 200,
          token: token({ a: at(201) }),
        }),
      ],
      both(record({ ...sound.state.fields, $deleted: [at(201), true] }, { a: at(201) })),
      '2 values: name at a',
    ],
    [
      'a lost write whose stamp nobody knows',
      [
        created,
        attempt({
          id: 'i',
          startMs: START_MS + 100_000,
          replayed: true,
          token: token({ a: at(1) }),
        }),
      ],
      both(sound),
      'acknowledged writes: name at a is older than i',
    ],
    [
      'a read that is older than its token',
      [
        created,
        changed,
        attempt({
          id: 'r',
          kind: 'read',
          fields: {},
          shown: userFields('c1'),
          token: token({ a: at(1) }),
          carried: token({ a: at(1), b: at(105, 'b') }),
        }),
      ],
      both(afterChange),
      '9 sessions: r: a answered with less than the token',
    ],
    [
      'a read that claims to include a write and shows what was before it',
      [
        created,
        changed,
        attempt({ id: 'r', kind: 'read', fields: {}, shown: userFields('c1'), token: changed.token! }),
      ],
      both(afterChange),
      '9 sessions: r: a claims to include c2 and shows an older',
    ],
    [
      'a token that is answered with 404 though nobody deleted the record',
      [
        created,
        attempt({ id: 'r', kind: 'read', fields: {}, status: 404, shown: {}, carried: token({ a: at(1) }) }),
      ],
      both(sound),
      '9 sessions: r: a answered 404',
    ],
  ])('%s', (_, log, snapshot, expected) => {
    expect(found(log, snapshot).join('\n')).toContain(expected);
  });
});

test('an answer must be what the store holds', () => {
  const shown = userFields('c1');
  expect(checkResponse('a', sound, { status: 200, shown }, KEY)).toEqual([]);
  expect(checkResponse('a', undefined, { status: 404, shown: {} }, KEY)).toEqual([]);
  expect(checkResponse('a', sound, { status: 404, shown: {} }, KEY)).toHaveLength(1);
  expect(checkResponse('a', undefined, { status: 200, shown }, KEY)).toHaveLength(1);
  expect(checkResponse('a', sound, { status: 200, shown: userFields('c2') }, KEY)).toHaveLength(1);
});

test('the evidence shows what clients did to the key, the latest first, and the state at each site', () => {
  const other = attempt({ id: 'i1', key: 'item:x', fields: itemFields('i1') });
  const [violation] = withEvidence(
    [{ invariant: '2 values', key: KEY, detail: 'lost' }],
    [created, other, changed],
    new Map([['a', new Map([[KEY, sound]])]]),
  );
  expect(violation?.log.map((line) => line.split(' ')[2])).toEqual(['c2', 'c1']);
  expect(violation?.states).toEqual({ a: sound });
});

test('a token is read as it is written', () => {
  const seen = { key: 'user:x', vector: { 'aws-1': at(1, 'aws-1'), 'azure-1': at(2, 'azure-1') } };
  expect(parseToken(tokenText(seen))).toEqual(seen);
});
