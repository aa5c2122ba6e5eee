/** A few schedules of places inside the test run; `npm run tandem -- simulate --workload places` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { placesMutants } from '../../src/simulator/places/mutants.ts';
import { runPlacesSchedule } from '../../src/simulator/places/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

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
  describeMutants({
    workload: 'places',
    mutants: placesMutants,
    killed: [
      ['an event is forwarded to every peer', '19 places'],
      ['an entry of the conflict log goes everywhere', '19 places'],
    ],
    count: 100,
  });
});
