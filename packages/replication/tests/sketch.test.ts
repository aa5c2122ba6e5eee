import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Hash, Sketch } from '../src/anti-entropy/sketch.ts';
import { hashLanes } from '../src/hash.ts';

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

  test.each([
    ['that cancels itself out for ever', (cell: Buffer) => cell.fill(0xff)],
    ['in which every cell claims one element', (cell: Buffer) => cell.writeUInt16LE(1, 0)],
    ['of noise', (cell: Buffer, at: number) => cell.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, 4)],
  ])('that nobody made, %s, names no difference and comes to an end', (_, forge) => {
    const bytes = Buffer.from(new Sketch().toText(), 'base64');
    for (let at = 0; at < bytes.length; at += 12) forge(bytes.subarray(at, at + 12), at);
    expect(Sketch.fromText(bytes.toString('base64')).difference()).toBeUndefined();
  });

  test('in which one element is named without end comes to an end', () => {
    // An element in two of its three cells only: taking it out of the third names it there, the other way round.
    const sketch = new Sketch();
    for (const hash of hashes('k', 3)) sketch.add(hash);
    const bytes = Buffer.from(sketch.toText(), 'base64');
    const filled = Array.from({ length: bytes.length / 12 }, (_, i) => i).filter(
      (i) => bytes.readUInt16LE(i * 12) === 1,
    );
    bytes.fill(0, filled[0]! * 12, filled[0]! * 12 + 12);
    expect(Sketch.fromText(bytes.toString('base64')).difference()).toBeUndefined();
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
