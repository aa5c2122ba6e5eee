/** What the suites of `npm run test:peers` come to. */
export interface SuiteResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly success: boolean;
  /** Why it could not run here. */
  readonly unavailable?: string;
}

/** Of a suite that cannot run here. */
export function skipped(name: string, unavailable: string): SuiteResult {
  return { name, unavailable, passed: 0, failed: 0, skipped: 1, success: true };
}

/** True when nothing failed, something ran, and so did everything that was asked for by name. */
export function hasPassed(
  results: readonly SuiteResult[],
  { areNamed }: { readonly areNamed: boolean },
): boolean {
  if (!results.every(({ success }) => success)) return false;
  const ran = results.filter(({ unavailable }) => unavailable === undefined);
  return areNamed ? ran.length === results.length : ran.length > 0;
}

export function inWords(all: readonly SuiteResult[]): string {
  const sum = (pick: (result: SuiteResult) => number): number =>
    all.reduce((total, one) => total + pick(one), 0);
  return `${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed, ${sum(({ skipped: left }) => left)} skipped`;
}
