import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashLanes } from '../../../src/shared/replication/hash.ts';
import { Sketch, type Hash } from '../../../src/shared/replication/anti-entropy/sketch.ts';

const hashes = (prefix: string, count: number): Hash[] =>
  Array.from({ length: count }, (_, index) => hashLanes(`${prefix}${index}`));

/** What is left of `mine` and `theirs`, over a text as between two sites. */
function differenceOf(mine: readonly Hash[], theirs: readonly Hash[]) {
  const sketch = new Sketch();
  for (const hash of mine) sketch.add(hash);
  const crossed = Sketch.fromText(sketch.toText());
  for (const hash of theirs) crossed.take(hash);
  return crossed.difference();
}

const sorted = (list: readonly Hash[] | undefined): string[] => (list ?? []).map(String).sort();

describe('a sketch', () => {
  test('of two equal sets names no difference, whatever their size', () => {
    const all = hashes('k', 100_000);
    expect(differenceOf(all, [...all].reverse())).toEqual({ added: [], taken: [] });
  });

  test('names just what either side has alone', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(2_000), (mine, theirs, common) => {
        const [a, b, both] = [hashes('a', mine), hashes('b', theirs), hashes('c', common)];
        const difference = differenceOf([...a, ...both], [...both, ...b]);
        expect(sorted(difference?.added)).toEqual(sorted(a));
        expect(sorted(difference?.taken)).toEqual(sorted(b));
      }),
      { numRuns: 50 },
    );
  });

  test.each([5_000, 6_000])('names %i differences', (count) => {
    expect(differenceOf(hashes('a', count), [])?.added).toHaveLength(count);
  });

  test('says so when there are more than it can name', () => {
    expect(differenceOf(hashes('a', 20_000), hashes('b', 20_000))).toBeUndefined();
  });

  test('is 131 kB as text, however many records it stands for', () => {
    expect(new Sketch().toText().length).toBe(131_040);
  });

  test('refuses a text that is none', () => {
    expect(() => Sketch.fromText('AAAA')).toThrow(RangeError);
  });
});
