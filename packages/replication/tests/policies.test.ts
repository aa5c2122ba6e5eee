import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Happened, histories, policyWrites } from '../../../tests/helpers/arbitraries.ts';
import { mergeStates } from '../src/merge.ts';
import { increment } from '../src/policies/counter.ts';
import { type FieldOperation, fieldValue } from '../src/policies/field.ts';
import { owned } from '../src/policies/owned.ts';
import { write } from '../src/policies/register.ts';
import { change, elementsOf, replace, start } from '../src/policies/set.ts';
import { includes, partsOf, type RecordState, withParts } from '../src/record.ts';
import { encodeStamp } from '../src/stamp.ts';

const RUNS = { numRuns: 10_000 };

/** The state that holds everything that happened. */
function converged(all: readonly Happened[]): RecordState {
  return all.map(({ after }) => after).reduce((a, b) => mergeStates(a, b).state);
}

/** Whether the writer of `later` had seen the write of `earlier`. */
function saw(later: Happened, earlier: Happened): boolean {
  const stamp = earlier.stamp ?? '';
  return later.before !== undefined && includes(later.before, { [stamp.slice(14)]: stamp });
}

test('a counter is the sum of all increments, wherever and in whatever order they met', () => {
  fc.assert(
    fc.property(histories(policyWrites['counter']), (all) => {
      const by = all.map(({ step }) => (step.kind === 'write' ? Number(step.text.split(' ')[1]) : 0));
      expect(fieldValue(partsOf(converged(all), 'f'))).toBe(by.reduce((a, b) => a + b, 0));
    }),
    RUNS,
  );
});

test('a counter that is written as a whole counts on from there, with the increments that its writer had not seen', () => {
  const writes = fc.oneof(
    fc.integer({ min: -5, max: 9 }).map((by) => ['f', `${by}`, increment(by)] as const),
    fc.constant(['f', 'reset', write(100)] as const),
  );
  fc.assert(
    fc.property(histories(writes), (all) => {
      const done = all.flatMap((happened) =>
        happened.step.kind === 'write' ? [{ happened, text: happened.step.text }] : [],
      );
      const resets = done.filter(({ text }) => text === 'reset').map(({ happened }) => happened);
      const counted = done.filter(
        ({ text, happened }) => text !== 'reset' && !resets.some((reset) => saw(reset, happened)),
      );
      const start = resets.length === 0 ? (done.length === 0 ? null : 0) : 100;
      const sum = counted.reduce((total, { text }) => total + Number(text), start ?? 0);
      expect(fieldValue(partsOf(converged(all), 'f'))).toBe(start === null ? null : sum);
    }),
    RUNS,
  );
});

test('a set holds what was added and not removed by anybody who had seen it', () => {
  const changes = fc
    .record({ add: fc.subarray(['red', 'green']), remove: fc.subarray(['red', 'green']) })
    .map((options) => ['f', JSON.stringify(options), change(options)] as const);
  fc.assert(
    fc.property(histories(changes), (all) => {
      const writes = all.flatMap((happened) =>
        happened.step.kind === 'write'
          ? [{ happened, ...(JSON.parse(happened.step.text) as { add: string[]; remove: string[] }) }]
          : [],
      );
      const wanted = ['red', 'green'].filter((element) =>
        writes.some(
          ({ add, happened }) =>
            add.includes(element) &&
            !writes.some(
              (other) =>
                other.remove.includes(element) &&
                !other.add.includes(element) &&
                saw(other.happened, happened),
            ),
        ),
      );
      expect([...elementsOf(partsOf(converged(all), 'f'))].sort()).toEqual(wanted.sort());
    }),
    RUNS,
  );
});

test('owned state is that of the highest rank, whatever the clocks said', () => {
  fc.assert(
    fc.property(histories(policyWrites['owned']), (all) => {
      const ranks = all.flatMap(({ after }) => after.fields['f']?.[2] ?? []);
      expect(converged(all).fields['f']?.[2]).toBe(ranks.sort().at(-1));
    }),
    RUNS,
  );
});

describe('a field whose policy changes', () => {
  const at = (ms: number) => ({ stamp: encodeStamp(ms, 0, 'a'), site: 'a' });
  const after = (...operations: readonly FieldOperation[]) =>
    operations.reduce((parts, operation, index) => operation(parts, at(index + 1)), {});

  test.each([
    ['a number that becomes a counter', [write(5), increment(2)], 7],
    ['a counter that becomes a register', [increment(2), write(5)], 5],
    ['a counter that a text replaces', [increment(2), write('plain')], 'plain'],
    ['and a counter again', [increment(2), write(5), increment(1)], 6],
    [
      'a list that becomes a set',
      [write(['red', 'blue']), change({ add: ['green'] })],
      ['red', 'blue', 'green'],
    ],
    [
      'an element of that list that is removed',
      [write(['red', 'blue']), change({ remove: ['red'] })],
      ['blue'],
    ],
    ['a set that becomes a register', [change({ add: ['red'] }), write('plain')], 'plain'],
    ['a text that becomes a set', [write('plain'), change({ add: ['red'] })], ['red']],
    ['a set that starts anew', [change({ add: ['red'] }), start(['blue'])], ['blue']],
    [
      'a set that is replaced',
      [change({ add: ['red', 'green'] }), replace(['green', 'blue'])],
      ['green', 'blue'],
    ],
    ['a set that is emptied', [start(['red']), replace([])], []],
    ['a register over owned state keeps its rank', [owned('2', 'mine'), write('yours')], 'yours'],
  ])('%s', (_, operations, wanted) => {
    expect(fieldValue(after(...operations))).toEqual(wanted);
  });

  test('loses a concurrent write of a lower rank, however late', () => {
    const state = (operation: FieldOperation, site: string, ms: number): RecordState => {
      const stamp = encodeStamp(ms, 0, site);
      return withParts(undefined, { f: operation({}, { stamp, site }) }, { [site]: stamp });
    };
    const merged = mergeStates(
      state(owned('2', 'new owner'), 'a', 1),
      state(owned('1', 'old owner'), 'b', 9),
    );
    expect(fieldValue(partsOf(merged.state, 'f'))).toBe('new owner');
    expect(merged.conflicts).toHaveLength(1);
  });

  test('refuses to own under a rank lower than the one it replaces', () => {
    expect(() => after(owned('2', 'new'), owned('1', 'old'))).toThrow('rank 1 is lower than 2');
  });

  test('refuses to count beyond what is exact', () => {
    expect(() => after(increment(Number.MAX_SAFE_INTEGER), increment(1))).toThrow(RangeError);
  });
});
