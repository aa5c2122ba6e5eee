/** A few dozen schedules inside the test run; `npm run tandem -- simulate` runs thousands. */
import { describe, expect, test } from '@jest/globals';
import { describeFailure } from '../../src/simulator/failure-text.ts';
import { type Faults, NO_FAULTS } from '../../src/simulator/faults.ts';
import { playSchedule, runSchedule, type ScheduleOptions } from '../../src/simulator/schedule.ts';
import { runSeeds } from '../../src/simulator/seeds.ts';
import { shrink } from '../../src/simulator/shrink.ts';

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
    ['some sites run a newer release than others', { newerMinor: 0.5, duplicate: 0.2 }],
    ['stores and queues refuse every third call', { throttle: 0.33 }],
    [
      'stores and queues refuse some keys for good while own queues lose messages',
      { badKey: 4, outboxLoss: 0.3, crash: 0.03 },
    ],
    ['the index of pending markers lags and queues lose messages', { staleIndex: 60_000, outboxLoss: 0.3 }],
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
    const plain = playSchedule({ seed: 9 }).world;
    const watched = playSchedule({ seed: 9, watchedKey: 'user:a' }).world;
    expect(watched.hash.toString()).toBe(plain.hash.toString());
    expect(plain.timeline).toEqual([]);
    expect(watched.timeline.map(({ text }) => text).join()).toMatch(/put written/);
  });

  test('draws the same for what is left when something is left out', () => {
    const { parts } = runSchedule({ seed: 7, sites: 2, faults: NO_FAULTS, operations: 6 });
    const [first = '', ...rest] = parts.operations;
    const only = { operations: new Set(rest), events: new Set<string>(), strikes: new Set<string>() };
    const { world } = playSchedule({ seed: 7, sites: 2, faults: NO_FAULTS, operations: 6, only });
    const whole = playSchedule({ seed: 7, sites: 2, faults: NO_FAULTS, operations: 6 }).world;
    const wanted = whole.committed.filter(({ operationId }) => operationId !== first);
    expect(wanted.length).toBeGreaterThan(0);
    expect(world.committed.map(({ operationId, atMs }) => [operationId, atMs])).toEqual(
      wanted.map(({ operationId, atMs }) => [operationId, atMs]),
    );
  });

  test('that fails says how to see it again and what happened to the key, a column per site', () => {
    const result = runSchedule({ seed: 9, sites: 2 });
    const finding = { invariant: '2 values', key: 'user:a', detail: 'name is wrong' };
    const { text, svg } = describeFailure(
      { ...result, findings: [finding] },
      { options: { seed: 9, sites: 2 }, result, runs: 1 },
    );
    expect(text).toContain('2 values: user:a name is wrong');
    expect(text).toContain('npm run tandem -- simulate --schedules 1 --seed 9');
    expect(text).toMatch(/^ +aws-1 +azure-1$/m);
    expect(text).toMatch(/^ +[\d.]+ s .*put written/m);
    expect(svg).toContain('name is wrong');
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

describe('shrinking', () => {
  /** Not a failure, but as rare: a function died and a write lost against one that had not seen it. */
  const unlucky = (options: ScheduleOptions): boolean => {
    const { world } = playSchedule(options);
    const died = world.struck.some((strike) => strike.startsWith('crash op'));
    return died && world.committed.length > 1 && [...world.snapshot().values()].every(hasConflict);
  };
  const hasConflict = (records: ReadonlyMap<string, unknown>): boolean =>
    [...records.keys()].some((key) => key.startsWith('conflict:'));
  const options = { seed: 2, operations: 25, faults: { crash: 0.06, partition: 2 } };

  test('leaves what is needed and nothing else, and the same whenever it is done', () => {
    const smallest = shrink(options, (_, tried) => unlucky(tried));
    const { operations, events, strikes } = smallest.result.parts;
    expect(smallest.result.sites).toBe(2);
    expect(operations.length).toBeLessThanOrEqual(3);
    expect(events.length).toBeLessThanOrEqual(1);
    expect(strikes).toHaveLength(1);
    expect(unlucky(smallest.options)).toBe(true);
    expect(shrink(options, (_, tried) => unlucky(tried)).result.hash).toBe(smallest.result.hash);
  });
});
