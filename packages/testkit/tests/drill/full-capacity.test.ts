/** When goodput is back at its level of before. */
import { describe, expect, test } from '@jest/globals';
import { fullCapacityMs, type Second } from '../../src/drill/series.ts';

/** Ten good answers a second for ten seconds before the cut, then these. */
function seconds(after: readonly number[], before: readonly number[] = Array<number>(10).fill(10)): Second[] {
  return [...before, ...after].map((good, index) => ({
    atS: index - before.length,
    good: { lost: index < before.length ? good / 2 : 0, other: index < before.length ? good / 2 : good },
    errors: { 'honours TTL': 0, 'ignores TTL': 0, 'fails over': 0 },
  }));
}

describe('full capacity', () => {
  test('is restored with the first of five seconds at the level of before, whichever site answers', () => {
    expect(fullCapacityMs(seconds([5, 5, 6, 10, 9, 10, 11, 10]))).toBe(3_000);
  });

  test('a second of chance is none', () => {
    expect(fullCapacityMs(seconds([5, 10, 4, 5, 5, 5, 10, 10, 10, 10, 10]))).toBe(6_000);
  });

  test('that does not last, or never comes, is none', () => {
    expect(fullCapacityMs(seconds([5, 10, 10, 10, 10]))).toBeUndefined();
    expect(fullCapacityMs(seconds(Array<number>(30).fill(8)))).toBeUndefined();
  });

  test('without a level of before there is none', () => {
    expect(fullCapacityMs(seconds([10, 10, 10, 10, 10, 10], [10, 10]))).toBeUndefined();
  });
});
