/** A few schedules of content inside the test run; `npm run tandem -- simulate --workload objects` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { NO_FAULTS } from '../../src/simulator/faults.ts';
import { NO_OBJECT_FAULTS, type ObjectFaults } from '../../src/simulator/objects/faults.ts';
import { objectMutants } from '../../src/simulator/objects/mutants.ts';
import {
  type ObjectScheduleOptions,
  playObjects,
  runObjectSchedule,
} from '../../src/simulator/objects/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

const complaints = (options: ObjectScheduleOptions): string[] =>
  runObjectSchedule(options).findings.map(
    ({ invariant, key, detail }) => `seed ${options.seed}: ${invariant}: ${key ?? ''} ${detail}`,
  );

describe('content under faults', () => {
  test.each([2, 3, 4])(
    'is where its record says, and acknowledged bytes are at hand, with %i sites',
    (sites) => {
      for (let seed = 1; seed <= 5; seed += 1) expect(complaints({ seed, sites })).toEqual([]);
    },
  );

  const disasters: [string, Partial<ObjectFaults>][] = [
    ['storages garble, miswrite and cut what crosses', { garble: 0.3, miswrite: 0.3, cut: 0.3 }],
    [
      'storages lose objects and uploads in parts, and cannot say checksums',
      { rot: 9, expire: 5, mute: 0.6 },
    ],
    ['a site stands still for a day', { awayHours: 30 }],
    ['a site is lost with its storage', { loss: 1 }],
  ];
  test.each(disasters)('holds when %s', (_, faults) => {
    for (let seed = 101; seed <= 102; seed += 1)
      expect(
        complaints({ seed, sites: 3, faults: NO_FAULTS, objectFaults: { ...NO_OBJECT_FAULTS, ...faults } }),
      ).toEqual([]);
  });

  test('crosses once where nothing goes wrong, in parts and as a whole', () => {
    const { holding, world } = playObjects({
      seed: 7,
      sites: 2,
      faults: NO_FAULTS,
      objectFaults: NO_OBJECT_FAULTS,
    });
    expect(world.findings).toEqual([]);
    expect(holding.acknowledged.size).toBeGreaterThan(20);
    // More than objects: the larger ones came in parts.
    expect(holding.storages.counts.fetches).toBeGreaterThan(4 * holding.acknowledged.size);
  });

  test('repeats itself effect by effect, watched or not', () => {
    const { hash } = runObjectSchedule({ seed: 7 });
    expect(runObjectSchedule({ seed: 7, watchedKey: 'object:a' }).hash).toBe(hash);
    expect(runObjectSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of content', () => {
  describeMutants({
    workload: 'objects',
    mutants: objectMutants,
    killed: [
      ['what may be put back is removed with the rest', '21 content'],
      ['what a run has got done is forgotten', '21 content'],
      ['nobody knows what is crossing', '21 content'],
    ],
    count: 30,
  });
});
