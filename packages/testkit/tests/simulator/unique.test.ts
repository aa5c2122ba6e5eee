/** A few schedules of unique values inside the test run; `npm run tandem -- simulate --workload unique` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { uniqueMutants } from '../../src/simulator/unique/mutants.ts';
import { runUniqueSchedule } from '../../src/simulator/unique/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

describe('unique values under faults', () => {
  test.each([2, 3, 4])('keep their invariant with %i sites', (sites) => {
    for (let seed = 1; seed <= 5; seed += 1)
      expect([seed, runUniqueSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  });

  test('tell who lost a value also where its first winner had given it up, and another was found later', () => {
    expect(runUniqueSchedule({ seed: 2818 }).findings).toEqual([]);
  });

  test('repeat themselves effect by effect, watched or not', () => {
    const { hash } = runUniqueSchedule({ seed: 7 });
    expect(runUniqueSchedule({ seed: 7, watchedKey: 'unique:person-email-ada' }).hash).toBe(hash);
    expect(runUniqueSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of unique values', () => {
  describeMutants({
    workload: 'unique',
    mutants: uniqueMutants,
    killed: [
      ['values are written without a claim', '18 unique'],
      ['nobody asks who else claims', '18 unique'],
    ],
    count: 100,
  });
});
