import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { policyWrites, reachableStates } from '../../../tests/helpers/arbitraries.ts';
import { mergeStates } from '../src/merge.ts';
import { outranks } from '../src/policies/field.ts';
import type { RecordState } from '../src/record.ts';
import { includes, stateName } from '../src/record.ts';
import { encodeStamp } from '../src/stamp.ts';

const merge = (a: RecordState, b: RecordState): RecordState => mergeStates(a, b).state;

type Three = readonly [RecordState, RecordState, RecordState];
const three = (all: fc.Arbitrary<RecordState[]>): fc.Arbitrary<Three> =>
  all.chain((states) =>
    fc.tuple(fc.constantFrom(...states), fc.constantFrom(...states), fc.constantFrom(...states)),
  );

const policies = [...Object.entries(policyWrites), ['all policies on one field', undefined] as const];

describe.each(policies)('merging states of a record with %s', (_, writes) => {
  const states = three(reachableStates(writes));
  const runs = { seed: Math.trunc(Math.random() * 2 ** 31), numRuns: 10_000 };
  /** What all laws are tried on: a run of three sites costs more than a law. */
  let drawn: readonly Three[];

  beforeAll(() => {
    drawn = fc.sample(states, runs);
  });

  /** A law that fails is tried by fast-check, which draws the same from the same seed and finds the smallest example. */
  function holds(law: (...three: Three) => void): void {
    try {
      for (const each of drawn) law(...each);
    } catch (error) {
      fc.assert(
        fc.property(states, (each) => law(...each)),
        runs,
      );
      throw error;
    }
  }

  test('is commutative', () => {
    holds((a, b) => same(merge(a, b), merge(b, a)));
  });

  test('is associative', () => {
    holds((a, b, c) => same(merge(merge(a, b), c), merge(a, merge(b, c))));
  });

  test('is idempotent and says that nothing changed', () => {
    holds((a, b) => {
      const once = merge(a, b);
      const twice = mergeStates(once, b);
      if (twice.state !== once || twice.changed) expect(twice).toEqual({ state: once, changed: false });
    });
  });

  test('never goes back: what a state included, the merged state includes', () => {
    holds((a, b) => {
      const merged = merge(a, b);
      same([includes(merged, a.vector), includes(merged, b.vector)], [true, true]);
      for (const [field, register] of Object.entries(a.fields)) {
        const kept = merged.fields[field];
        same([field, kept !== undefined && !outranks(register, kept)], [field, true]);
      }
    });
  });

  test('equal vectors name equal states, so the vector can be the entity tag', () => {
    holds((a, b) => {
      if (stateName(a) === stateName(b)) same(a, b);
    });
  });
});

/** `expect` costs more than what it compares here, three hundred thousand times: it is asked when they differ. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

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
