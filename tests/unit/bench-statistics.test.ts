import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { median, percentile } from '@tandem-clouds/testkit/report/statistics';

const samples = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
const fraction = fc.double({ min: 0.01, max: 1, noNaN: true });

describe('percentile', () => {
  test('is a sample that at least the fraction of all samples do not exceed, and the smallest such one', () => {
    fc.assert(
      fc.property(samples, fraction, (values, p) => {
        const result = percentile(values, p);
        const upTo = values.filter((value) => value <= result).length;
        const under = values.filter((value) => value < result).length;
        expect(values).toContain(result);
        expect(upTo).toBeGreaterThanOrEqual(p * values.length);
        expect(under).toBeLessThan(p * values.length);
      }),
    );
  });

  test('leaves the samples in their order', () => {
    const values = [3, 1, 2];
    percentile(values, 0.9);
    expect(values).toEqual([3, 1, 2]);
  });

  test('refuses to speak for no samples', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

test('the median of five samples is the third', () => {
  expect(median([50, 10, 30, 20, 40])).toBe(30);
});
