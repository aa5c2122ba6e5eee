/** A few schedules of erasures inside the test run; `npm run tandem -- simulate --workload erasure` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { erasureMutants } from '../../src/simulator/erasure/mutants.ts';
import { runErasureSchedule } from '../../src/simulator/erasure/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

describe('erasures under faults', () => {
  test.each([2, 3, 4])('keep their invariant with %i sites', (sites) => {
    for (let seed = 1; seed <= 5; seed += 1)
      expect([seed, runErasureSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  });

  test('repeat themselves effect by effect, watched or not', () => {
    const { hash } = runErasureSchedule({ seed: 7 });
    expect(runErasureSchedule({ seed: 7, watchedKey: 'user:ada-0' }).hash).toBe(hash);
    expect(runErasureSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of erasures', () => {
  describeMutants({
    workload: 'erasure',
    mutants: erasureMutants,
    killed: [
      ['an erasure is a life like any other', '20 erasure'],
      ['a site is clean as soon as it has searched', '20 erasure'],
    ],
    count: 100,
  });
});
