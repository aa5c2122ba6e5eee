/** A few schedules of unique values inside the test run; `npm run tandem -- simulate --workload unique` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { checkMutant, mutatedText } from '../../src/simulator/mutated-source.ts';
import { runPool } from '../../src/simulator/pool.ts';
import { uniqueMutants } from '../../src/simulator/unique/mutants.ts';
import { runUniqueSchedule } from '../../src/simulator/unique/schedule.ts';

describe('unique values under faults', () => {
  test.each([2, 3, 4])('keep their invariant with %i sites', (sites) => {
    for (let seed = 1; seed <= 5; seed += 1)
      expect([seed, runUniqueSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  });

  test('repeat themselves effect by effect, watched or not', () => {
    const { hash } = runUniqueSchedule({ seed: 7 });
    expect(runUniqueSchedule({ seed: 7, watchedKey: 'unique:person-email-ada' }).hash).toBe(hash);
    expect(runUniqueSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of unique values', () => {
  test.each(uniqueMutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module, and makes another',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
      checkMutant(mutant);
    },
  );

  test.each(['values are written without a claim', 'nobody asks who else claims'])(
    '"%s" is found out',
    async (mutant) => {
      const options = {
        workload: 'unique',
        first: 1,
        count: 100,
        threads: 1,
        mutant,
        stopEarly: true,
      } as const;
      const { failed } = await runPool(options);
      expect(failed.flatMap(({ findings }) => findings.map(({ invariant }) => invariant))).toContain(
        '18 unique',
      );
    },
  );
});
