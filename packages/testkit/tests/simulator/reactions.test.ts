/** A few schedules of reactions inside the test run; `npm run tandem -- simulate --workload reactions` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { NO_FAULTS } from '../../src/simulator/faults.ts';
import { NO_REACTION_FAULTS, type ReactionFaults } from '../../src/simulator/reactions/faults.ts';
import { reactionMutants } from '../../src/simulator/reactions/mutants.ts';
import {
  playReactions,
  type ReactionScheduleOptions,
  runReactionSchedule,
} from '../../src/simulator/reactions/schedule.ts';
import { describeMutants } from './describe-mutants.ts';

const complaints = (options: ReactionScheduleOptions): string[] =>
  runReactionSchedule(options).findings.map(
    ({ invariant, key, detail }) => `seed ${options.seed}: ${invariant}: ${key ?? ''} ${detail}`,
  );

describe('reactions under faults', () => {
  test.each([2, 3, 4])('keep every invariant with %i sites', (sites) => {
    for (let seed = 1; seed <= 6; seed += 1) expect(complaints({ seed, sites })).toEqual([]);
  });

  const disasters: [string, Partial<ReactionFaults>][] = [
    ['nothing goes wrong', {}],
    ['all messages that wake are lost', { purge: 1 }],
    ['the provider is down again and again', { providerDown: 6 }],
    ['a site stands still until the provider has forgotten its keys', { stallHours: 27 }],
    ['a site is lost and another takes over', { loss: 1 }],
  ];
  test.each(disasters)('hold when %s', (_, faults) => {
    for (let seed = 101; seed <= 103; seed += 1)
      expect(
        complaints({
          seed,
          sites: 3,
          faults: NO_FAULTS,
          reactionFaults: { ...NO_REACTION_FAULTS, ...faults },
        }),
      ).toEqual([]);
  });

  test('without faults each effect is asked for once', () => {
    const { reacting } = playReactions({
      seed: 7,
      faults: NO_FAULTS,
      reactionFaults: NO_REACTION_FAULTS,
    });
    const { calls, performed } = reacting.provider;
    expect(performed.length).toBeGreaterThan(40);
    expect(calls.filter(({ reaction }) => reaction !== 'fix')).toHaveLength(performed.length);
  });

  test('repeat themselves effect by effect', () => {
    const { hash } = runReactionSchedule({ seed: 7 });
    expect(runReactionSchedule({ seed: 7, watchedKey: 'task:a' }).hash).toBe(hash);
    expect(runReactionSchedule({ seed: 8 }).hash).not.toBe(hash);
  });
});

describe('mutants of reactions', () => {
  test('have names of their own', () => {
    expect(new Set(reactionMutants.map(({ name }) => name)).size).toBe(reactionMutants.length);
  });

  describeMutants({
    workload: 'reactions',
    mutants: reactionMutants,
    killed: [
      ['a merge sets no entry', '17 reactions'],
      ['a take-over goes by messages only', '17 reactions'],
      ['the entry goes before the run', '17 reactions'],
      ['what fails is tried again at once', '17 reactions'],
      ['a result is written whatever holds now', '17 reactions'],
    ],
    count: 100,
  });
});
