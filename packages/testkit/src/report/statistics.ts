/** Order statistics of samples. */

/**
 * The smallest sample that at least `fraction` of all samples do not exceed (nearest rank), so a percentile is
 * always something that was measured. @throws RangeError without samples.
 */
export function percentile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no samples');
  return value;
}

/** Half of the samples are no larger. @throws RangeError without samples. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}
