/** A few dozen schedules inside the test run; `npm run simulate` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { NO_FAULTS, type Faults } from '../../scripts/simulate/faults.ts';
import { failureText } from '../../scripts/simulate/failure-text.ts';
import { runSchedule, type ScheduleOptions } from '../../scripts/simulate/schedule.ts';
import { runSeeds } from '../../scripts/simulate/seeds.ts';

/** What went wrong, with the seed that shows it again. */
const complaints = (options: ScheduleOptions): string[] =>
  runSchedule(options).findings.map(
    ({ invariant, key, detail }) => `seed ${options.seed}: ${invariant}: ${key ?? ''} ${detail}`,
  );

describe('replication under faults', () => {
  test.each([2, 3, 4])('%i sites keep every invariant', (sites) => {
    for (let seed = 1; seed <= 15; seed += 1) expect(complaints({ seed, sites })).toEqual([]);
  });

  const storms: [string, Partial<Faults>][] = [
    ['nothing goes wrong', {}],
    [
      'functions die and answers are lost while sites write against each other',
      { crash: 0.06, ambiguous: 0.1 },
    ],
    ['effects land late and functions stand still', { late: 0.05, pause: 0.02, staleIndex: 60_000 }],
    ['sites are apart while keys are deleted and created again', { partition: 4, outage: 2, reorder: 0.4 }],
    ['the own queues lose what they hold', { outboxLoss: 0.3, outboxWipe: 4, crash: 0.05 }],
    ['clocks jump, tick coarsely and disagree', { jump: 2, skew: 2_000, coarse: 1_000 }],
    [
      'queues refuse, repeat and hold back messages',
      { oversized: 700, duplicate: 0.4, reorder: 0.4, redrive: 5 },
    ],
    ['messages come from newer releases, or are none', { newerMinor: 1, poison: 6, throttle: 0.1 }],
  ];
  test.each(storms)('holds when %s', (_, faults) => {
    for (let seed = 101; seed <= 106; seed += 1)
      expect(complaints({ seed, faults: { ...NO_FAULTS, ...faults } })).toEqual([]);
  });
});

describe('a schedule', () => {
  test('repeats itself effect by effect, and another seed is another run', () => {
    const { hash } = runSchedule({ seed: 7 });
    expect(runSchedule({ seed: 7 }).hash).toBe(hash);
    expect(runSchedule({ seed: 8 }).hash).not.toBe(hash);
  });

  test('is not changed by being watched', () => {
    const plain = runSchedule({ seed: 9 });
    const watched = runSchedule({ seed: 9, watchedKey: 'user:a' });
    expect(watched.hash).toBe(plain.hash);
    expect(plain.timeline.split('\n')).toHaveLength(1);
    expect(watched.timeline).toMatch(/put written/);
  });

  test('that fails says how to see it again and what happened to the key, a column per site', () => {
    const result = runSchedule({ seed: 9, sites: 2 });
    const finding = { invariant: '2 values', key: 'user:a', detail: 'name is wrong' };
    const text = failureText({ ...result, findings: [finding] }, { sites: 2 });
    expect(text).toContain('2 values: user:a name is wrong');
    expect(text).toContain('node scripts/simulate.ts --schedules 1 --seed 9 --sites 2');
    expect(text).toMatch(/^ +aws-1 +azure-1$/m);
    expect(text).toMatch(/^ +[\d.]+ s .*put written/m);
  });

  test('is run twice for every hundredth seed', () => {
    expect(runSeeds({ first: 99, count: 2 })).toMatchObject({
      schedules: 2,
      reruns: 1,
      differing: [],
      failed: [],
    });
  });
});
