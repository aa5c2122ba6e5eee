import { describe, expect, test } from '@jest/globals';
import { countsOf, filesToRunAgain, type Results } from '../../scripts/test-results.ts';

const resultsOf = (failed: readonly string[], passed: number, more: Partial<Results> = {}): Results => ({
  numPassedTests: passed,
  numFailedTests: failed.length,
  numPendingTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [
    ...failed.map((name) => ({ name, status: 'failed' as const })),
    ...Array.from({ length: passed }, (_, index) => ({ name: `p${index}`, status: 'passed' as const })),
  ],
  ...more,
});

describe('what is run once more', () => {
  test('are the files that failed beside others, each once', () => {
    expect(filesToRunAgain(resultsOf(['a', 'b', 'a'], 5))).toEqual(['a', 'b']);
    expect(filesToRunAgain(resultsOf([], 5))).toEqual([]);
  });

  test('is nothing that had failed alone, and not half of the tests', () => {
    expect(filesToRunAgain(resultsOf(['a'], 0))).toEqual([]);
    const many = Array.from({ length: 31 }, (_, index) => `f${index}`);
    expect(filesToRunAgain(resultsOf(many, 5))).toEqual([]);
  });
});

describe('the line that counts', () => {
  test('is that of the run, when nothing was run again', () => {
    expect(countsOf(resultsOf([], 5, { numPendingTests: 2 }))).toEqual({
      failed: 0,
      line: '5 passed, 0 failed, 2 skipped',
    });
    expect(countsOf(resultsOf(['a'], 5, { numRuntimeErrorTestSuites: 1 })).failed).toBe(2);
  });

  test('says what passed alone, and counts what failed again', () => {
    expect(countsOf(resultsOf(['a', 'b'], 5), resultsOf(['b'], 9))).toEqual({
      failed: 1,
      line: '6 passed, 1 failed (1 of the passed failed beside others, and passed alone)',
    });
  });
});
