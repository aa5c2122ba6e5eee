/** A few schedules of one writer inside the test run; `npm run tandem -- simulate --workload writer` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { writerMutants } from '../../src/simulator/writer/mutants.ts';
import { runWriterSchedule } from '../../src/simulator/writer/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

test.each([2, 3])(
  'no two sites take writes, and nothing that is acknowledged is lost, with %i sites',
  (sites) => {
    for (let seed = 1; seed <= 8; seed += 1)
      expect([seed, runWriterSchedule({ seed, sites }).findings]).toEqual([seed, []]);
  },
);

test('a site is not opened while a write of the one before is among its dead letters', () => {
  expect(runWriterSchedule({ seed: 124 }).findings).toEqual([]);
});

describe('mutants of one writer', () => {
  describeMutants({
    workload: 'writer',
    mutants: writerMutants,
    killed: [
      ['nobody asks who writes', '20 one writer'],
      ['the declaration counts for ever', '20 one writer'],
    ],
    count: 50,
  });
});
