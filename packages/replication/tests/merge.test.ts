import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { policyWrites, reachableStates } from '../../../tests/helpers/arbitraries.ts';
import { mergeStates } from '../src/merge.ts';
import { outranks } from '../src/policies/field.ts';
import type { RecordState } from '../src/record.ts';
import { includes, stateName } from '../src/record.ts';
import { encodeStamp } from '../src/stamp.ts';

const RUNS = { numRuns: 10_000 };
const merge = (a: RecordState, b: RecordState): RecordState => mergeStates(a, b).state;
const three = (all: fc.Arbitrary<RecordState[]>): fc.Arbitrary<[RecordState, RecordState, RecordState]> =>
  all.chain((states) =>
    fc.tuple(fc.constantFrom(...states), fc.constantFrom(...states), fc.constantFrom(...states)),
  );

const policies = [...Object.entries(policyWrites), ['all policies on one field', undefined] as const];

describe.each(policies)('merging states of a record with %s', (_, writes) => {
  const states = three(reachableStates(writes));

  test('is commutative', () => {
    fc.assert(
      fc.property(states, ([a, b]) => expect(merge(a, b)).toEqual(merge(b, a))),
      RUNS,
    );
  });

  test('is associative', () => {
    fc.assert(
      fc.property(states, ([a, b, c]) => expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)))),
      RUNS,
    );
  });

  test('is idempotent and says that nothing changed', () => {
    fc.assert(
      fc.property(states, ([a, b]) => {
        const once = merge(a, b);
        const twice = mergeStates(once, b);
        expect(twice.state).toBe(once);
        expect(twice.changed).toBe(false);
      }),
      RUNS,
    );
  });

  test('never goes back: what a state included, the merged state includes', () => {
    fc.assert(
      fc.property(states, ([a, b]) => {
        const merged = merge(a, b);
        expect(includes(merged, a.vector) && includes(merged, b.vector)).toBe(true);
        for (const [field, register] of Object.entries(a.fields)) {
          const kept = merged.fields[field];
          expect(kept !== undefined && !outranks(register, kept)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('equal vectors name equal states, so the vector can be the entity tag', () => {
    fc.assert(
      fc.property(states, ([a, b]) => {
        if (stateName(a) === stateName(b)) expect(a).toEqual(b);
      }),
      RUNS,
    );
  });
});

describe('merging two states', () => {
  const at = (ms: number, site: string): string => encodeStamp(ms, 0, site);
  const older: RecordState = { fields: { name: [at(1, 'a'), 'old'] }, vector: { a: at(1, 'a') } };

  test('keeps the newer version when an older event arrives late', () => {
    const newer: RecordState = { fields: { name: [at(2, 'a'), 'new'] }, vector: { a: at(2, 'a') } };
    expect(mergeStates(newer, older)).toMatchObject({ state: newer, changed: false, conflicts: [] });
  });

  test('reports a conflict when neither side had seen the other, naming winner and loser', () => {
    const other: RecordState = { fields: { name: [at(2, 'b'), 'theirs'] }, vector: { b: at(2, 'b') } };
    expect(mergeStates(older, other).conflicts).toEqual([
      { field: 'name', loser: [at(1, 'a'), 'old'], winner: [at(2, 'b'), 'theirs'] },
    ]);
  });

  test('reports none when the writer had seen what it replaced', () => {
    const informed: RecordState = {
      fields: { name: [at(2, 'b'), 'theirs'] },
      vector: { a: at(1, 'a'), b: at(2, 'b') },
    };
    expect(mergeStates(older, informed).conflicts).toEqual([]);
  });

  test('keeps concurrent writes to different fields', () => {
    const other: RecordState = { fields: { email: [at(2, 'b'), 'b@x'] }, vector: { b: at(2, 'b') } };
    expect(Object.keys(merge(older, other).fields).sort()).toEqual(['email', 'name']);
  });
});
