/**
 * What a run of jest says, and which of its files are run once more, alone: some tests hold the product to its own time bounds
 * (a call of a peer has three seconds), which a busy machine does not meet.
 */
export interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  /** Suites that did not even load: their tests are not among the failed ones. */
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    /** The path of the file: of two projects that run it, one each. */
    readonly name: string;
    readonly status: 'passed' | 'failed';
  }[];
}

/** More than that is no matter of a busy machine. */
const AGAIN_MAX = 30;

/** The files to run once more, alone: those that failed beside others. */
export function filesToRunAgain({ testResults }: Results): readonly string[] {
  const failed = new Set(testResults.flatMap(({ name, status }) => (status === 'failed' ? [name] : [])));
  return testResults.length > failed.size && failed.size <= AGAIN_MAX ? [...failed] : [];
}

/** The line that counts, of a run and of what was run again. */
export function countsOf(
  first: Results,
  again?: Results,
): { readonly failed: number; readonly line: string } {
  const failed = failedOf(again ?? first);
  const mended = Math.max(0, failedOf(first) - failed);
  const skipped = first.numPendingTests > 0 ? `, ${first.numPendingTests} skipped` : '';
  const alone = mended > 0 ? ` (${mended} of the passed failed beside others, and passed alone)` : '';
  return { failed, line: `${first.numPassedTests + mended} passed, ${failed} failed${skipped}${alone}` };
}

function failedOf({ numFailedTests, numRuntimeErrorTestSuites }: Results): number {
  return numFailedTests + numRuntimeErrorTestSuites;
}
