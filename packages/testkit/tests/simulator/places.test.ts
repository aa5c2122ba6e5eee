/** A few schedules of places inside the test run; `npm run tandem -- simulate --workload places` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { checkMutant, mutatedText } from '../../src/simulator/mutated-source.ts';
import { placesMutants } from '../../src/simulator/places/mutants.ts';
import { runPlacesSchedule } from '../../src/simulator/places/schedule.ts';
import { runPool } from '../../src/simulator/pool.ts';

describe('records that only some sites keep, under faults', () => {
  test.each([2, 3, 4])('are nowhere else, and lose nothing, with %i sites', (sites) => {
    for (let seed = 1; seed <= 6; seed += 1)
      expect([seed, runPlacesSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  });

  test('repeat themselves effect by effect, watched or not', () => {
    const { hash } = runPlacesSchedule({ seed: 7 });
    expect(runPlacesSchedule({ seed: 7, watchedKey: 'paired:k1' }).hash).toBe(hash);
  });
});

describe('mutants of places', () => {
  test.each(placesMutants.map((mutant) => [mutant.name, mutant] as const))(
    '"%s" still fits its module, and makes another',
    (_, mutant) => {
      expect(mutatedText(mutant)).toContain(mutant.replacement);
      checkMutant(mutant);
    },
  );

  test.each(['an event is forwarded to every peer', 'an entry of the conflict log goes everywhere'])(
    '"%s" is found out',
    async (mutant) => {
      const options = {
        workload: 'places',
        first: 1,
        count: 100,
        threads: 1,
        mutant,
        stopEarly: true,
      } as const;
      const { failed } = await runPool(options);
      expect(failed.flatMap(({ findings }) => findings.map(({ invariant }) => invariant))).toContain(
        '19 places',
      );
    },
  );
});
