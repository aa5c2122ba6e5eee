/** Each checker passes a sound history and finds the one thing that it is for. */
import { describe, expect, test } from '@jest/globals';
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import type { Vector } from '@tandem-clouds/replication/vector';
import { checkConflicts } from '../../src/checkers/conflicts.ts';
import { checkConvergence } from '../../src/checkers/convergence.ts';
import { checkDeletes } from '../../src/checkers/deletes.ts';
import { checkExposure } from '../../src/checkers/exposure.ts';
import {
  checkComparisonEnded,
  checkCounted,
  checkIsolation,
  checkNamedByComparison,
  countHeld,
  type Isolated,
} from '../../src/checkers/isolation.ts';
import { checkMessages, checkNotByThrottles } from '../../src/checkers/messages.ts';
import { checkNews, checkReplay } from '../../src/checkers/replay.ts';
import { checkSession } from '../../src/checkers/sessions.ts';
import { checkAcceptedStamps, checkLocalStamp } from '../../src/checkers/stamps.ts';
import { checkStates } from '../../src/checkers/states.ts';
import { checkValues } from '../../src/checkers/values.ts';
import {
  type Acknowledged,
  type CommittedWrite,
  type MessageFact,
  overrules,
  type Snapshot,
} from '../../src/history/facts.ts';
import { Overlaps } from '../../src/simulator/overlaps.ts';

const KEY = 'user:1';
const MONTHS_MS = 60 * 24 * 3_600_000;
const at = (ms: number, site = 'a'): string => encodeStamp(ms, 0, site);
const state = (fields: RecordState['fields'], vector: Vector): RecordState => ({ fields, vector });
const record = (of: RecordState, extra: Partial<StoredRecord> = {}): StoredRecord => ({
  key: KEY,
  state: of,
  pending: {},
  operations: [],
  ...extra,
});
const sites = (a: StoredRecord, b: StoredRecord = a): Snapshot =>
  new Map([
    ['a', new Map([[KEY, a]])],
    ['b', new Map([[KEY, b]])],
  ]);
const write = (extra: Partial<CommittedWrite> = {}): CommittedWrite => ({
  atMs: 0,
  site: 'a',
  key: KEY,
  operationId: 'op1',
  stamp: at(1),
  fields: { name: 'x' },
  life: 0,
  creates: false,
  basis: undefined,
  replaced: undefined,
  ...extra,
});
const acknowledged = (extra: Partial<Acknowledged> = {}): Acknowledged => ({
  atMs: 0,
  site: 'a',
  key: KEY,
  operationId: 'op1',
  stamp: at(1),
  fields: { name: 'x' },
  state: state({ name: [at(1), 'x'] }, { a: at(1) }),
  ...extra,
});
const sound = record(state({ name: [at(1), 'x'] }, { a: at(1) }));
const details = (findings: readonly { detail: string }[]): string =>
  findings.map(({ detail }) => detail).join('\n');

describe('convergence', () => {
  test('passes equal states, whatever the order of their fields', () => {
    const one = record(state({ x: [at(1), 1], y: [at(1), 2] }, { a: at(1) }));
    const other = record(state({ y: [at(1), 2], x: [at(1), 1] }, { a: at(1) }));
    expect(checkConvergence(sites(one, other))).toEqual([]);
  });
  test.each([
    ['states that differ', record(state({ name: [at(1), 'y'] }, { a: at(1) })), '2 states'],
    ['vectors that differ', record(state(sound.state.fields, { a: at(2) })), '2 states'],
    ['a marker', { ...sound, pending: { a: at(1) }, pendingSince: 1 }, 'b still marks a'],
    ['an index entry without marker', { ...sound, pendingSince: 1 }, 'without one'],
  ])('finds %s', (_, other, detail) => {
    expect(details(checkConvergence(sites(sound, other)))).toContain(detail);
  });
});

describe('states', () => {
  const order = ['open', 'paid', 'cancelled'];
  const holding = (value: string): StoredRecord => record(state({ status: [at(9), value] }, { a: at(9) }));
  const walked = (...to: readonly (string | null)[]): readonly CommittedWrite[] =>
    to.map((status, index) => write({ stamp: at(index), fields: { status } }));
  const check = (snapshot: Snapshot, committed: readonly CommittedWrite[]): string =>
    details(checkStates(snapshot, committed, { field: 'status', order }));

  test('pass when the latest of all transitions stands everywhere, or a deletion has emptied the field', () => {
    expect(check(sites(holding('cancelled')), walked('cancelled', 'paid'))).toBe('');
    expect(check(sites(sound), walked('paid', null))).toBe('');
    expect(check(sites(sound), [write()])).toBe('');
  });
  test('find a site where a later write has won against a later state, or where the field is not there', () => {
    const wrong = check(sites(holding('cancelled'), holding('paid')), walked('cancelled', 'paid'));
    expect(wrong).toBe('status at b is "paid" where a transition to cancelled was committed');
    expect(check(sites(sound), walked('paid'))).toContain('status at a is undefined');
  });
});

describe('values', () => {
  test('pass when the newest write shows', () => {
    expect(checkValues(sites(sound), [write()], [acknowledged()])).toEqual([]);
  });
  test.each([
    [
      'an older value',
      [write(), write({ operationId: 'op2', stamp: at(2) })],
      [],
      'where the newest write is',
    ],
    ['a field that nobody wrote', [write({ fields: { other: 1 } })], [], 'name at a was never written'],
    [
      'an acknowledged write that was never committed',
      [write()],
      [acknowledged({ operationId: 'op9' })],
      'was never committed',
    ],
    ['an operation that took effect twice', [write({ stamp: at(0) }), write()], [], 'took effect twice'],
    ['a key that nobody wrote', [], [], 'that nobody wrote'],
  ])('find %s', (_, committed, acks, detail) => {
    expect(details(checkValues(sites(sound), committed, acks))).toContain(detail);
  });
});

describe('values under a merge policy', () => {
  /** Three writes of a field `f`: one at a, one at b that has seen it or not, and what the sites show. */
  const first = (extra: Partial<CommittedWrite>): CommittedWrite => write({ fields: {}, ...extra });
  const second = (extra: Partial<CommittedWrite>, seen = true): CommittedWrite =>
    write({
      operationId: 'op2',
      site: 'b',
      stamp: at(2, 'b'),
      fields: {},
      ...(seen && { replaced: record(state({}, { a: at(1) })) }),
      ...extra,
    });
  const add = first({ meant: { f: { add: ['red'] } } });
  const three = first({ meant: { f: { by: 3 } } });
  const high = first({ fields: { f: 'mine' }, meant: { f: { rank: '2', keepsRest: true } } });
  const remove = { meant: { f: { remove: ['red'] } } };
  const vector = { a: at(1), b: at(2, 'b') };
  const counter = (...slots: [string, number][]): NonNullable<RecordState['counters']> => ({
    f: Object.fromEntries(slots.map(([name, sum]) => [name, [at(1), sum]])),
  });
  const set = { f: { 'a|"red"': [at(1), 'red'] as const } };
  const none: RecordState['fields'] = {};
  const over = { fields: { f: 5 } };
  const five: RecordState['fields'] = { f: [at(2, 'b'), 5] };
  const base: NonNullable<RecordState['counters']> = { f: { a: [at(1), 3], '-a': [at(1), 3] } };

  test.each<[string, CommittedWrite[], Omit<RecordState, 'vector'>]>([
    ['an element that nobody removed', [add], { fields: none, sets: set }],
    ['an element that was removed', [add, second(remove)], { fields: none }],
    ['an element that somebody removed unseen', [add, second(remove, false)], { fields: none, sets: set }],
    ['an element that was written over', [add, second(over)], { fields: five }],
    ['an increment', [three], { fields: none, counters: counter(['a', 3]) }],
    ['an increment that was written over', [three, second(over)], { fields: five, counters: base }],
    [
      'an increment that was written over unseen',
      [three, second(over, false)],
      { fields: five, counters: counter(['a', 3]) },
    ],
    ['the higher rank', [high, second(over, false)], { fields: { f: [at(1), 'mine', '2'] } }],
    ['a write over a rank', [high, second(over)], { fields: { f: [at(2, 'b'), 5, '2'] } }],
  ])('pass %s', (_, committed, held) => {
    expect(checkValues(sites(record({ ...held, vector })), committed, [])).toEqual([]);
  });

  test.each<[string, CommittedWrite[], Omit<RecordState, 'vector'>, string]>([
    ['an element that is lost', [add], { fields: none }, 'shows null'],
    ['a removed element', [add, second(remove)], { fields: none, sets: set }, 'makes null'],
    ['an element that nobody had seen removed', [add, second(remove, false)], { fields: none }, 'shows null'],
    ['a lost increment', [three], { fields: none, counters: counter(['a', 2]) }, 'shows 2'],
    [
      'an increment that was written over',
      [three, second(over)],
      { fields: five, counters: counter(['a', 3]) },
      'shows 8',
    ],
    [
      'an increment that a write has not seen, taken off',
      [three, second(over, false)],
      { fields: five, counters: base },
      'makes 8',
    ],
    ['a lower rank that won', [high, second(over, false)], { fields: five }, 'of rank 2'],
    ['a rank that got lost', [high], { fields: { f: [at(1), 'mine'] } }, 'of rank 2'],
  ])('find %s', (_, committed, held, detail) => {
    expect(details(checkValues(sites(record({ ...held, vector })), committed, []))).toContain(detail);
  });
});

describe('conflicts', () => {
  const loser = write();
  const winner = write({ site: 'b', operationId: 'op2', stamp: at(2, 'b') });
  const causal = { ...winner, replaced: sound };
  const entry: StoredRecord = {
    ...record(
      state(
        {
          record: [winner.stamp, KEY],
          field: [winner.stamp, 'name'],
          loser: [winner.stamp, { stamp: loser.stamp, value: 'x' }],
          winner: [winner.stamp, { stamp: winner.stamp, value: 'x' }],
          reason: [winner.stamp, 'newer'],
        },
        { b: winner.stamp },
      ),
    ),
    key: 'conflict:1',
  };
  const logs = (...entries: readonly StoredRecord[]): Snapshot =>
    new Map(
      ['a', 'b'].map((site, index) => [site, new Map(entries.slice(index).map((each) => [each.key, each]))]),
    );
  const both = (each: StoredRecord): Snapshot => logs(each, each);
  test.each([
    ['a conflict that every site has logged', [loser, winner], both(entry)],
    ['a write that had seen the other', [loser, causal], logs()],
  ])('pass %s', (_, committed, snapshot) => {
    expect(checkConflicts(snapshot, committed)).toEqual([]);
  });
  const otherLoser = [winner.stamp, { stamp: loser.stamp, value: 'y' }] as const;
  const otherValue = record(
    { ...entry.state, fields: { ...entry.state.fields, loser: otherLoser } },
    { key: entry.key },
  );
  const otherReason = record(
    { ...entry.state, fields: { ...entry.state.fields, reason: [winner.stamp, 'higher rank'] } },
    { key: entry.key },
  );
  const ranked = { ...loser, meant: { name: { rank: '2' } } };
  test('find the winner by its rank, not by its stamp', () => {
    expect(details(checkConflicts(logs(), [ranked, winner]))).toContain('op2');
  });
  test.each([
    ['a loser that is logged for another reason', [loser, winner], both(otherReason), 'not "newer"'],
    ['a loser that is in no log', [loser, winner], logs(), 'not in the log of a'],
    ['a loser that is in one log only', [loser, winner], logs(entry), 'not in the log of b'],
    ['a loser that is logged with another value', [loser, winner], both(otherValue), 'not in the log'],
    ['an entry where there was no conflict', [loser, causal], both(entry), 'is no conflict'],
  ])('find %s', (_, committed, snapshot, detail) => {
    expect(details(checkConflicts(snapshot, committed))).toContain(detail);
  });
});

describe('stamps', () => {
  test('pass a write that is stamped after what it replaces', () => {
    expect(checkLocalStamp(write({ stamp: at(2), basis: sound, replaced: sound }))).toEqual([]);
  });
  test.each([
    ['a stamp that is not later', write({ basis: sound, replaced: sound }), 'not after'],
    [
      'a write that replaced what it had not read',
      write({ stamp: at(2), replaced: sound }),
      'not decided on',
    ],
  ])('find %s', (_, committed, detail) => {
    expect(details(checkLocalStamp(committed))).toContain(detail);
  });
  test.each([
    [clockAheadMaxMs, 0],
    [clockAheadMaxMs + 1, 1],
  ])('a remote stamp %i ms ahead gives %i findings', (aheadMs, count) => {
    const after = record(state({}, { b: at(1_000 + aheadMs, 'b') }));
    expect(
      checkAcceptedStamps({ site: 'a', key: KEY, before: undefined, after, wallMs: 1_000 }),
    ).toHaveLength(count);
  });
});

describe('deletes', () => {
  const removal = write({ operationId: 'op2', stamp: at(2), fields: { $deleted: true } });
  const tombstone = record(state({ $deleted: [at(2), true] }, { a: at(2) }));
  test('pass a tombstone after a delete and a record after a create', () => {
    expect(checkDeletes(sites(tombstone), [write(), removal], new Set(['op1']))).toEqual([]);
    expect(checkDeletes(sites(sound), [write()], new Set(['op1']))).toEqual([]);
  });
  test('find a delete that keeps a value', () => {
    expect(details(checkDeletes(new Map(), [{ ...removal, basis: sound }], new Set()))).toContain(
      'kept name',
    );
    const emptied = { ...removal, basis: sound, fields: { ...removal.fields, name: null } };
    expect(checkDeletes(new Map(), [emptied], new Set())).toEqual([]);
  });
  test('find a zombie', () => {
    expect(details(checkDeletes(sites(tombstone, sound), [write(), removal], new Set(['op1'])))).toContain(
      'zombie at b',
    );
  });
  test('find a tombstone over a later create', () => {
    const later = write({ operationId: 'op3', stamp: at(3) });
    expect(details(checkDeletes(sites(tombstone), [removal, later], new Set(['op3'])))).toContain(
      'created it later',
    );
  });
});

describe('sessions', () => {
  test('pass a site that does not claim to include the write', () => {
    expect(checkSession('b', state({}, {}), [acknowledged()])).toEqual([]);
    expect(checkSession('b', undefined, [acknowledged()])).toEqual([]);
  });
  test('find a state that bears the name of another', () => {
    const other = state({ name: [at(1), 'y'] }, { a: at(1) });
    expect(details(checkSession('b', other, [acknowledged()]))).toContain('shows another');
  });
  test('pass a higher rank in place of a later write', () => {
    const shown = state({ name: [at(0, 'b'), 'y', '2'] }, { a: at(1), b: at(0, 'b') });
    expect(checkSession('b', shown, [acknowledged()])).toEqual([]);
  });
  test('find a site that claims it and does not show it', () => {
    expect(details(checkSession('b', state({}, { a: at(1), b: at(0, 'b') }), [acknowledged()]))).toContain(
      'shows an older name',
    );
  });
  test('find a field that a record has lost, though all its others are much younger', () => {
    const shown = state({ email: [at(MONTHS_MS), 'e'] }, { a: at(MONTHS_MS) });
    expect(details(checkSession('b', shown, [acknowledged()]))).toContain('shows an older name');
    const removed = new Map([[KEY, [{ a: at(2) }]]]);
    expect(checkSession('b', shown, [acknowledged()], removed)).toEqual([]);
    // Some site has removed it; this one still holds what it was.
    const kept = state({ email: [at(0), 'e'], age: [at(MONTHS_MS), 3] }, { a: at(MONTHS_MS) });
    expect(details(checkSession('b', kept, [acknowledged()], removed))).toContain('shows an older name');
  });
});

describe('what is forgotten', () => {
  const gone = state({ $deleted: [at(1), true] }, { a: at(1) });
  test('is what ended more than a month before all of another state', () => {
    expect(overrules(state({ name: [at(MONTHS_MS), 'x'] }, { a: at(MONTHS_MS) }), gone)).toBe(true);
    expect(overrules(state({ name: [at(5), 'x'] }, { a: at(5) }), gone)).toBe(false);
    const live = state({ name: [at(1), 'x'] }, { a: at(1) });
    expect(overrules(state({ name: [at(MONTHS_MS), 'x'] }, { a: at(MONTHS_MS) }), live)).toBe(false);
  });
  test('is not what some element or count of the other state is as old as', () => {
    const later = state({ name: [at(MONTHS_MS), 'x'] }, { a: at(MONTHS_MS) });
    for (const section of ['sets', 'counters'] as const) {
      const slots = { tags: { 'a|1': [at(2), 1] as const } };
      expect(overrules({ ...later, [section]: slots }, gone)).toBe(false);
    }
  });
});

describe('faults that overlap', () => {
  test('last until the last of them has ended', () => {
    const cuts = new Overlaps().add('a>b').add('a>b').add('b>a');
    cuts.delete('a>b');
    expect([cuts.has('a>b'), cuts.has('b>a')]).toEqual([true, true]);
    cuts.delete('a>b');
    cuts.delete('a>b');
    expect(cuts.add('a>b').has('a>b')).toBe(true);
    cuts.clear();
    expect(cuts.has('a>b')).toBe(false);
  });
});

describe('replay', () => {
  test('passes when nothing changed', () => {
    expect(checkReplay(sites(sound), sites(sound), 0)).toEqual([]);
  });
  test('finds a change, a lost record and a message', () => {
    const changed = record(state({ name: [at(9), 'y'] }, { a: at(9) }));
    expect(checkReplay(sites(sound), sites(sound, changed), 0)).toHaveLength(1);
    expect(checkReplay(sites(sound), new Map([['a', new Map<string, StoredRecord>()]]), 0)).toHaveLength(1);
    expect(checkReplay(sites(sound), sites(sound), 1)).toHaveLength(1);
  });
  test('finds a write of what was there already', () => {
    const put = { site: 'a', key: KEY, before: sound, after: { ...sound }, wallMs: 0 };
    expect(checkNews(put)).toHaveLength(1);
    expect(checkNews({ ...put, before: undefined })).toEqual([]);
  });
});

describe('exposure', () => {
  const marked = { ...sound, pending: { b: at(1) }, pendingSince: 1 };
  const pair = {
    key: KEY,
    origin: 'a',
    peer: 'b',
    newest: at(1),
    atOrigin: sound,
    atPeer: undefined,
    queued: false,
  };
  test.each([
    ['at the peer', { atPeer: sound }],
    ['in its queue', { queued: true }],
    ['marked', { atOrigin: marked }],
  ])('passes a write that is %s', (_, where) => {
    expect(checkExposure({ ...pair, ...where })).toEqual([]);
  });
  test.each([
    ['is nowhere', {}],
    ['has a marker of an older write', { atOrigin: { ...marked, pending: { b: at(0) } } }],
    ['has a marker that the index lacks', { atOrigin: { ...sound, pending: { b: at(1) } } }],
    ['is at the peer only in an older version', { atPeer: record(state({}, { a: at(0) })) }],
  ])('finds a write that %s', (_, where) => {
    expect(checkExposure({ ...pair, ...where })).toHaveLength(1);
  });
});

describe('messages', () => {
  const message = (extra: Partial<MessageFact>): MessageFact => ({
    site: 'a',
    kind: 'in',
    key: KEY,
    poison: false,
    end: 'done',
    reasons: [],
    ...extra,
  });
  const totals = { writes: 1, published: 1, sentAtRest: 0, sent: 2, sentMax: 2 };
  test('pass what was applied, lost by the own queue, or can never be read', () => {
    const ended = [
      message({}),
      message({ kind: 'out', end: 'lost' }),
      message({ poison: true, end: 'dead', reasons: ['malformed'] }),
      message({ poison: true, kind: 'out', end: 'lost' }),
    ];
    expect(checkMessages(ended, totals)).toEqual([]);
  });
  test.each<[string, Partial<MessageFact>, string]>([
    ['never ended', { end: 'open' }, 'never ended'],
    ['was lost on the way in', { end: 'lost' }, 'was lost'],
    ['was set aside without a reason', { end: 'done', reasons: ['', 'clock_skew'] }, 'without a reason'],
    ['is sound and stays dead', { end: 'dead', reasons: ['clock_skew'] }, 'stays dead'],
    ['is none and was applied', { poison: true }, 'was not set aside'],
    [
      'is none and was set aside as passing',
      { poison: true, end: 'dead', reasons: ['unavailable'] },
      'unavailable',
    ],
  ])('find one that %s', (_, extra, detail) => {
    expect(details(checkMessages([message(extra)], totals))).toContain(detail);
  });
  test.each([
    ['more events than writes', { published: 2 }],
    ['messages that never stop', { sentAtRest: 1 }],
    ['more crossings than there is cause for', { sent: 3 }],
  ])('find %s', (_, extra) => {
    expect(checkMessages([], { ...totals, ...extra })).toHaveLength(1);
  });
});

describe('throttles', () => {
  const fact = (throttled: number, others: number): MessageFact => ({
    ...{ site: 'a', kind: 'in', key: KEY, poison: false, end: 'dead', reasons: [] },
    failures: { throttled, others },
  });
  test('pass what was tried often enough, or is hopeless', () => {
    expect(checkNotByThrottles(fact(3, 10), 'unavailable')).toEqual([]);
    expect(checkNotByThrottles(fact(3, 0), 'malformed')).toEqual([]);
    expect(checkNotByThrottles(fact(0, 1), 'unavailable')).toEqual([]);
  });
  test.each(['unavailable', 'received too often'])('find what nobody has tried: %s', (reason) => {
    expect(details(checkNotByThrottles(fact(10, 2), reason))).toContain('after 10 throttles and 2 tries');
  });
});

describe('isolation', () => {
  const OTHER = 'user:2';
  const newer = record(state({ name: [at(2), 'y'] }, { a: at(2) }));
  const site = (name: string, given: Partial<Isolated> = {}): Isolated => ({
    name,
    holds: new Map([
      [KEY, sound],
      [OTHER, { ...sound, key: OTHER }],
    ]),
    bad: new Map(),
    refused: {},
    deadInbound: new Set(),
    deadOwn: new Set(),
    ...given,
  });
  const holdsNewer = new Map([...site('a').holds, [KEY, newer]]);
  const unreadable = new Map([[KEY, 'unreadable']]);
  const lacking = site('b', { bad: unreadable });

  test.each([
    ['among the dead letters of the site that lacks it', {}, { deadInbound: new Set([KEY]) }],
    ['among those of the site that has it', { deadOwn: new Set([KEY]) }, {}],
    ['by the sweeper', { refused: { b: { [KEY]: 'why' } } }, {}],
  ])('passes when what a site lacks of a bad key is named %s', (_, from, to) => {
    const [a, b] = [site('a', { holds: holdsNewer, ...from }), site('b', { bad: unreadable, ...to })];
    expect(checkIsolation([a, b])).toEqual([]);
  });

  test('lets a record wait while its entry in the conflict log cannot be written, when that is named', () => {
    const entry = 'conflict:1';
    const logged = record(state({ record: [at(2), KEY] }, { a: at(2) }));
    const a = site('a', { holds: new Map([...holdsNewer, [entry, { ...logged, key: entry }]]) });
    const b = (named: readonly string[]): Isolated =>
      site('b', { bad: new Map([[entry, 'unwritable']]), deadInbound: new Set(named) });
    expect(checkIsolation([a, b([KEY, entry])])).toEqual([]);
    expect(checkIsolation([a, b([entry])])).toMatchObject([{ key: KEY }]);
  });

  test('finds what nobody names, a marker without a reason, and another key that has stopped', () => {
    const from = site('a', { holds: holdsNewer });
    expect(details(checkIsolation([from, lacking]))).toBe('b lacks what a wrote, and nobody names it');
    const marked = new Map([...holdsNewer, [KEY, { ...newer, pending: { b: at(2) }, pendingSince: 2 }]]);
    expect(details(checkIsolation([site('a', { holds: marked }), lacking]))).toMatch(/does not name it/);
    const stopped = new Map([...site('a').holds, [OTHER, { ...newer, key: OTHER }]]);
    expect(checkIsolation([site('a', { holds: stopped }), lacking])).toMatchObject([
      { invariant: '14 isolation', key: OTHER },
    ]);
  });

  test('finds what a comparison has not named, and one that has not ended', () => {
    expect(checkNamedByComparison(lacking, new Set([KEY]))).toEqual([]);
    expect(checkNamedByComparison(lacking, new Set())).toMatchObject([{ key: KEY }]);
    const result = (ended: number | null): Isolated['holds'] =>
      new Map([
        [
          'verification:a.b',
          record(state({ job: [at(9), { atMs: 5 }], endedAtMs: [at(9), ended] }, { a: at(9) })),
        ],
      ]);
    expect(checkComparisonEnded(site('a', { holds: result(9) }), 'b', 5)).toEqual([]);
    expect(checkComparisonEnded(site('a', { holds: result(9) }), 'b', 6)).toHaveLength(1);
    expect(checkComparisonEnded(site('a', { holds: result(null) }), 'b', 5)).toHaveLength(1);
  });

  test('finds a comparison that ended at what it could not read', () => {
    const counting = (from: number, to: number): Isolated['holds'] =>
      new Map([
        ...site('a').holds,
        [
          'verification:a.b',
          record(state({ from: [at(9), { counted: from }], to: [at(9), { counted: to }] }, {})),
        ],
      ]);
    const to = { ...lacking, held: countHeld(lacking.holds) };
    const from = (first: number, second: number) => ({
      ...site('a', { holds: counting(first, second) }),
      held: 2,
    });
    expect(checkCounted(from(2, 1), to, 1)).toEqual([]);
    expect(details(checkCounted(from(2, 0), to, 1))).toContain('0 of the 2 records of b');
    expect(details(checkCounted(from(0, 2), to, 1))).toContain('records of a');
  });
});
