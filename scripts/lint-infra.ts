/**
 * `lint-infra`: the vendors' and others' linters over what would be deployed. A check that cannot run here (no
 * Python, no package index) is skipped and says so. What a linter is told to overlook is in infra/lint/, with reasons.
 *
 * A new linter is one more entry of `CHECKS`.
 */
import { Unavailable } from '@tandem-clouds/testkit/peers/peer';
import { awsChecks } from './lint-infra/aws-checks.ts';
import { azureChecks } from './lint-infra/azure-checks.ts';
import type { Check } from './lint-infra/check.ts';
import { textChecks } from './lint-infra/text-checks.ts';

const CHECKS: readonly Check[] = [...textChecks, ...awsChecks, ...azureChecks];

/** Returns the exit status: 1 when a check found anything. */
export async function lintInfra(): Promise<number> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, run } of CHECKS) {
    try {
      const findings = await run();
      counts[findings.length === 0 ? 'passed' : 'failed'] += 1;
      console.log(`${findings.length === 0 ? 'ok    ' : 'FAILED'} ${name}`);
      for (const finding of findings) console.log(finding);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      counts.skipped += 1;
      console.log(`SKIPPED ${name}: ${error.message}`);
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 ? 0 : 1;
}
