/** A few schedules of one writer inside the test run; `npm run tandem -- simulate --workload writer` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { checkMutant, mutatedText } from '../../src/simulator/mutated-source.ts';
import { runPool } from '../../src/simulator/pool.ts';
import { writerMutants } from '../../src/simulator/writer/mutants.ts';
import { runWriterSchedule } from '../../src/simulator/writer/schedule.ts';

test.each([2, 3])(
  'no two sites take writes, and nothing that is acknowledged is lost, with %i sites',
  (sites) => {
    for (let seed = 1; seed <= 8; seed += 1)
      expect([seed, runWriterSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  },
);

describe('mutants of one writer', () => {
  test.each(writerMutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module, and makes another',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
      checkMutant(mutant);
    },
  );

  test.each(['nobody asks who writes', 'the declaration counts for ever'])(
    '"%s" is found out',
    async (mutant) => {
      const options = {
        workload: 'writer',
        first: 1,
        count: 50,
        threads: 1,
        mutant,
        stopEarly: true,
      } as const;
      const { failed } = await runPool(options);
      expect(failed.flatMap(({ findings }) => findings.map(({ invariant }) => invariant))).toContain(
        '20 one writer',
      );
    },
  );
});
