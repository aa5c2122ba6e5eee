import { expect, test } from '@jest/globals';
import { checkMutant, type Mutant, mutatedText } from '../../src/simulator/mutated-source.ts';
import { runPool } from '../../src/simulator/pool.ts';
import type { Workload } from '../../src/simulator/seeds.ts';

export interface MutantsOptions {
  readonly workload: Workload;
  readonly mutants: readonly Mutant[];
  /** Those that a run of the tests kills, each with the invariant that it breaks. */
  readonly killed: readonly (readonly [name: string, invariant: string])[];
  /** Schedules within which they are. */
  readonly count: number;
}

/** That each mutant of a workload fits its module, and that some are found out by their invariants. */
export function describeMutants({ workload, mutants, killed, count }: MutantsOptions): void {
  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module, and makes another',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
      checkMutant(mutant);
    },
  );

  test.each(killed)('"%s" is found out', async (mutant, invariant) => {
    const { failed } = await runPool({ workload, first: 1, count, threads: 1, mutant, stopEarly: true });
    expect(failed.flatMap(({ findings }) => findings.map((finding) => finding.invariant))).toContain(
      invariant,
    );
  });
}
