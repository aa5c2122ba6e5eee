import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { holdsLookMs, holdsMax } from '../../../src/shared/bounds.ts';
import {
  available,
  emptyRow,
  type EscrowRow,
  rowChange,
  rowOf,
} from '../../../src/shared/domain/escrow/row.ts';
import {
  commit,
  count,
  fence,
  give,
  isRefusal,
  looked,
  move,
  query,
  rebalance,
  receive,
  recover,
  type Refusal,
  release,
  reserve as reserveAt,
  take,
} from '../../../src/shared/domain/escrow/transitions.ts';

const SITES = ['aws-1', 'azure-1', 'aws-2'] as const;
const stocked = (units: number, site = 'aws-1'): EscrowRow =>
  receive(emptyRow('tea', site), { book: 'dock', total: units });
const NOW_MS = 1_800_000_000_000;
const reserve = (row: EscrowRow, hold: { orderId: string; units: number }): EscrowRow | Refusal =>
  reserveAt(row, { ...hold, nowMs: NOW_MS });
const done = (result: EscrowRow | Refusal): EscrowRow => {
  if (isRefusal(result)) throw new Error(result.refused);
  return result;
};

describe('an escrow row', () => {
  // A name that changes is absent from every row that is there already.
  test('is stored under the names that every release knows, each field when it changes', () => {
    const first = rowChange(emptyRow('tea', 'aws-1'), stocked(3));
    expect(first).toEqual({
      sku: 'tea',
      site: 'aws-1',
      sequence: 1,
      receipts: { dock: 3 },
      recovered: {},
      writtenOff: 0,
      sold: 0,
      holds: {},
      lookMs: 0,
      given: {},
      taken: {},
      asked: {},
      fenced: {},
    });
    const row = stocked(3);
    expect(rowChange(row, done(reserve(row, { orderId: 'a', units: 2 })))).toEqual({
      sequence: 2,
      holds: { a: 2 },
      lookMs: NOW_MS + holdsLookMs,
    });
  });

  test('that an older release wrote lacks nothing', () => {
    const stamp = '000000001.aws-1';
    const fields = {
      sku: [stamp, 'tea'],
      site: [stamp, 'aws-1'],
      sequence: [stamp, 4],
      later: [stamp, 1],
    } as const;
    const row = rowOf({ state: { fields, vector: { 'aws-1': stamp } } });
    expect(row).toEqual({ ...emptyRow('tea', 'aws-1'), sequence: 4 });
    expect(rowOf({ state: { fields: {}, vector: {} } })).toBeUndefined();
  });

  test('holds no more than is available', () => {
    const row = done(reserve(stocked(3), { orderId: 'a', units: 2 }));
    expect(reserve(row, { orderId: 'b', units: 2 })).toEqual({ refused: 'short' });
    expect(available(row)).toBe(1);
  });

  test('is left as it is by whatever was done before', () => {
    const row = done(reserve(stocked(5), { orderId: 'a', units: 2 }));
    expect(reserve(row, { orderId: 'a', units: 2 })).toBe(row);
    expect(receive(row, { book: 'dock', total: 5 })).toBe(row);
    expect(receive(row, { book: 'dock', total: 4 })).toBe(row);
    const sold = commit(row, 'a');
    expect(sold).toMatchObject({ sold: 2, holds: {} });
    expect(commit(sold, 'a')).toBe(sold);
    expect(release(sold, 'a')).toBe(sold);
  });

  test('makes units available again when a hold is released', () => {
    const row = release(done(reserve(stocked(2), { orderId: 'a', units: 2 })), 'a');
    expect(available(row)).toBe(2);
    expect(row.sold).toBe(0);
  });

  test('has its holds looked through half an hour after the first, and again while there are some', () => {
    const row = done(
      reserve(done(reserve(stocked(5), { orderId: 'a', units: 2 })), { orderId: 'b', units: 1 }),
    );
    const lookMs = NOW_MS + holdsLookMs;
    expect(row.lookMs).toBe(lookMs);
    expect(looked(row, lookMs - 1)).toBe(row);
    expect(looked(row, lookMs).lookMs).toBe(lookMs + holdsLookMs);
    expect(release(row, 'a').lookMs).toBe(lookMs);
    expect(commit(release(row, 'a'), 'b').lookMs).toBe(0);
  });

  test('is what was counted, whatever it was by the books', () => {
    const row = done(reserve(stocked(5), { orderId: 'a', units: 2 }));
    expect(count(row, { units: 5 })).toBe(row);
    expect(done(count(row, { units: 3 }))).toMatchObject({ writtenOff: 2, holds: { a: 2 } });
    expect(available(done(count(row, { units: 3 })))).toBe(1);
    const found = done(count(row, { units: 9 }));
    expect(found.receipts).toEqual({ dock: 5, $counted: 4 });
    expect(available(found)).toBe(7);
    expect(count(row, { units: 1 })).toEqual({ refused: 'held' });
  });

  test('gives what people move, and no more than is available', () => {
    expect(done(move(stocked(5), { to: 'azure-1', units: 3 })).given).toEqual({ 'azure-1': 3 });
    expect(move(stocked(5), { to: 'azure-1', units: 6 })).toEqual({ refused: 'short' });
    const fenced = fence(stocked(5), { lost: 'azure-1', heir: 'aws-1' });
    expect(move(fenced, { to: 'azure-1', units: 1 })).toEqual({ refused: 'fenced' });
  });

  test('asks no site for so much that this one is short itself, unless an order waits', () => {
    const limits = { belowUnits: 5, unitsMax: 50 };
    const asked = (there: number, neededUnits = 0): unknown =>
      rebalance(emptyRow('tea', 'azure-1'), [stocked(there)], { ...limits, neededUnits }).asked;
    expect(asked(40)).toEqual({ 'aws-1': 20 });
    expect(asked(7)).toEqual({ 'aws-1': 2 });
    expect(asked(5)).toEqual({});
    expect(asked(4, 3)).toEqual({ 'aws-1': 3 });
    expect(asked(4, 9)).toEqual({ 'aws-1': 4 });
  });

  test('asks no more for what the other one has not got any more', () => {
    const peer = stocked(9);
    const asking = query(emptyRow('tea', 'azure-1'), peer, 3);
    const spent = done(move(peer, { to: 'aws-2', units: 9 }));
    const limits = { belowUnits: 5, unitsMax: 50 };
    expect(rebalance(asking, [peer], limits).asked).toEqual({ 'aws-1': 4 });
    expect(rebalance(asking, [spent], limits).asked).toEqual({ 'aws-1': 0 });
  });

  test('passes on what it has just taken', () => {
    const middle = emptyRow('tea', 'azure-1');
    const asking = query(emptyRow('tea', 'aws-1'), middle, 3);
    const giving = give(stocked(3, 'aws-2'), { to: 'azure-1', target: 3 });
    const row = rebalance(middle, [asking, giving], { belowUnits: 0, unitsMax: 5 });
    expect(row).toMatchObject({ taken: { 'aws-2': 3 }, given: { 'aws-1': 3 } });
  });

  test('refuses holds beyond what a record can carry', () => {
    const holds = Object.fromEntries(Array.from({ length: holdsMax }, (_, index) => [`o${index}`, 0]));
    expect(reserve({ ...stocked(9), holds }, { orderId: 'a', units: 1 })).toEqual({ refused: 'full' });
  });

  test('gives up to the target, once, and no more than is available', () => {
    const row = give(stocked(5), { to: 'azure-1', target: 3 });
    expect(row.given).toEqual({ 'azure-1': 3 });
    expect(give(row, { to: 'azure-1', target: 3 })).toBe(row);
    expect(give(row, { to: 'azure-1', target: 9 }).given).toEqual({ 'azure-1': 5 });
  });

  test('takes what a peer has given, and nothing from an older copy of its row', () => {
    const before = give(stocked(5), { to: 'azure-1', target: 2 });
    const after = give(before, { to: 'azure-1', target: 4 });
    const taken = take(emptyRow('tea', 'azure-1'), after);
    expect(available(taken)).toBe(4);
    expect(take(taken, before)).toBe(taken);
    expect(take(taken, after)).toBe(taken);
  });

  test('asks for more than it was given, and not again while that stands', () => {
    const peer = give(stocked(9), { to: 'azure-1', target: 2 });
    const asking = query(emptyRow('tea', 'azure-1'), peer, 3);
    expect(asking.asked).toEqual({ 'aws-1': 5 });
    expect(query(asking, peer, 3)).toBe(asking);
  });

  test('does not send the last units to and fro', () => {
    const rows = [stocked(1, 'aws-1'), emptyRow('tea', 'azure-1')];
    const limits = { belowUnits: 5, unitsMax: 5 };
    for (let round = 0; round < 10; round += 1)
      rows.forEach((row, index) => {
        rows[index] = rebalance(
          row,
          rows.filter((peer) => peer !== row),
          limits,
        );
      });
    const settled = rows.map(({ sequence }) => sequence);
    rows.forEach((row, index) => {
      rows[index] = rebalance(
        row,
        rows.filter((peer) => peer !== row),
        limits,
      );
    });
    expect(rows.map(({ sequence }) => sequence)).toEqual(settled);
  });
});

describe('the share of a lost site', () => {
  const cut = { lost: 'aws-2', heir: 'aws-1' };
  const heir = fence(stocked(4), cut);
  const survivor = fence(emptyRow('tea', 'azure-1'), cut);

  test('is entered once every survivor has cut it off', () => {
    const row = done(recover(heir, { lost: 'aws-2', units: 7, survivors: [survivor] }));
    expect(available(row)).toBe(11);
    expect(recover(row, { lost: 'aws-2', units: 7, survivors: [survivor] })).toBe(row);
    expect(recover(row, { lost: 'aws-2', units: 8, survivors: [survivor] })).toEqual({
      refused: 'counted before',
    });
  });

  test.each([
    ['a survivor has not cut it off', heir, [emptyRow('tea', 'azure-1')]],
    ['a survivor has no row', heir, [undefined]],
    ['this site has not cut it off', stocked(4), [survivor]],
    ['another site is the heir', survivor, [heir]],
  ])('is not entered when %s', (_, row, survivors) => {
    expect(recover(row, { lost: 'aws-2', units: 7, survivors })).toEqual({
      refused: 'not fenced everywhere',
    });
  });

  test('stays as it was known: nothing is given to it or taken from it any more', () => {
    const giving = give(stocked(5, 'aws-2'), { to: 'aws-1', target: 3 });
    expect(take(heir, giving)).toBe(heir);
    expect(give(heir, { to: 'aws-2', target: 3 })).toBe(heir);
    expect(fence(heir, { lost: 'aws-2', heir: 'azure-1' })).toBe(heir);
  });
});

interface Step {
  readonly kind:
    'receive' | 'reserve' | 'commit' | 'release' | 'give' | 'ask' | 'rebalance' | 'count' | 'move';
  readonly site: number;
  readonly peer: number;
  readonly order: number;
  readonly units: number;
  /** How old a copy of the peer's row is used. */
  readonly age: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'receive',
    'reserve',
    'commit',
    'release',
    'give',
    'ask',
    'rebalance',
    'count',
    'move',
  ),
  site: fc.nat(2),
  peer: fc.nat(2),
  order: fc.nat(9),
  units: fc.integer({ min: 1, max: 6 }),
  age: fc.nat(3),
});

/** Every version of every site's row: what late and reordered messages can show. */
function run(steps: readonly Step[]): readonly EscrowRow[][] {
  const versions = SITES.map((site) => [emptyRow('tea', site)]);
  const ended = new Set<string>();
  const latest = (site: number): EscrowRow => versions[site]!.at(-1)!;
  for (const { kind, site, peer, order, units, age } of steps) {
    const row = latest(site);
    const name = `${site}-${order}`;
    const old = versions[peer]!.at(-1 - age) ?? emptyRow('tea', SITES[peer]!);
    const change = (): EscrowRow | Refusal => {
      switch (kind) {
        case 'receive':
          return receive(row, { book: 'dock', total: (row.receipts['dock'] ?? 0) + units });
        case 'reserve':
          return ended.has(name) ? row : reserve(row, { orderId: name, units });
        case 'commit':
          ended.add(name);
          return commit(row, name);
        case 'release':
          ended.add(name);
          return release(row, name);
        case 'give':
          return site === peer ? row : give(row, { to: SITES[peer]!, target: units * 2 });
        case 'ask':
          return site === peer ? row : query(row, old, units);
        case 'count':
          return count(row, { units: available(row) + sum(row.holds) + units - 3 });
        case 'move':
          return site === peer ? row : move(row, { to: SITES[peer]!, units });
        case 'rebalance':
          return site === peer ? row : rebalance(row, [old], { belowUnits: 3, unitsMax: 4 });
      }
    };
    const next = change();
    if (!isRefusal(next) && next !== row) versions[site]!.push(next);
  }
  return versions;
}

const sum = (units: Readonly<Record<string, number>>): number =>
  Object.values(units).reduce((total, each) => total + each, 0);

describe('rows of all sites, under any run of changes with copies of any age', () => {
  test('never promise more than came in, and lose nothing that is under way', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const rows = run(steps).map((versions) => versions.at(-1)!);
        let [received, promised, there] = [0, 0, 0];
        for (const row of rows) {
          expect(available(row)).toBeGreaterThanOrEqual(0);
          received += sum(row.receipts) - row.writtenOff;
          promised += row.sold + sum(row.holds);
          there += available(row) + row.sold + sum(row.holds);
          for (const peer of rows) {
            const underWay = (row.given[peer.site] ?? 0) - (peer.taken[row.site] ?? 0);
            expect(underWay).toBeGreaterThanOrEqual(0);
            there += underWay;
          }
        }
        expect(promised).toBeLessThanOrEqual(received);
        expect(there).toBe(received);
      }),
    );
  });

  test('only ever go on: every change has the next sequence, and no quantity but a hold goes back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        for (const versions of run(steps)) {
          versions.slice(1).forEach((row, index) => {
            const before = versions[index]!;
            expect(row.sequence).toBeGreaterThan(before.sequence);
            expect(row.sold).toBeGreaterThanOrEqual(before.sold);
            expect(row.writtenOff).toBeGreaterThanOrEqual(before.writtenOff);
            for (const part of ['receipts', 'given', 'taken'] as const)
              for (const [name, units] of Object.entries(before[part]))
                expect(row[part][name]).toBeGreaterThanOrEqual(units);
          });
        }
      }),
    );
  });
});
