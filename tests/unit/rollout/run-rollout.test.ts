import { describe, expect, test } from '@jest/globals';
import { type RolloutPlan, stepsOf, stepText } from '../../../infra/rollout/plan.ts';
import {
  cloudsText,
  type Platform,
  type RolloutResult,
  runRollout,
  StepError,
} from '../../../infra/rollout/run-rollout.ts';

const PLAN: RolloutPlan = {
  release: '2.0.0',
  settleSeconds: 20,
  sites: [
    { site: 'aws-a', other: 'azure-b', previous: '1.0.0' },
    { site: 'azure-b', other: 'aws-a', previous: '1.0.0' },
  ],
};

interface Scene {
  readonly done: string[];
  readonly platform: Platform;
  readonly stop: AbortController;
}

/** A platform that does nothing, but fails at what `fails` names and is interrupted after what `interrupts` names. */
function scene({ fails = [], interruptAt }: { fails?: string[]; interruptAt?: string } = {}): Scene {
  const done: string[] = [];
  const stop = new AbortController();
  const act = (what: string): Promise<void> => {
    done.push(what);
    if (what === interruptAt) stop.abort();
    return fails.includes(what) ? Promise.reject(new StepError(`${what} did not work`)) : Promise.resolve();
  };
  const platform: Platform = {
    check: ({ site }) => act(`check ${site}`),
    drain: (site) => act(`drain ${site}`),
    settle: () => act('settle'),
    deploy: (site, release) => act(`deploy ${site} ${release ?? ''}`),
    verify: async ({ site }, release) => {
      await act(`verify ${site} ${release ?? ''}`);
      return ['well'];
    },
    restore: ({ now }) => act(now ? 'restore now' : 'restore'),
  };
  return { done, platform, stop };
}

async function run({ platform, stop }: Scene, recorded: RolloutResult[] = []): Promise<RolloutResult> {
  return runRollout({
    plan: PLAN,
    platform,
    report: () => undefined,
    record: (result) => recorded.push(result),
    signal: stop.signal,
  });
}

const ON_AWS = [
  'check aws-a',
  'drain aws-a',
  'settle',
  'deploy aws-a 2.0.0',
  'verify aws-a 2.0.0',
  'restore',
];

describe('a rollout', () => {
  test('does what the plan says, one cloud after the other', async () => {
    const stage = scene();
    const result = await run(stage);
    expect(stage.done).toEqual([...ON_AWS, ...ON_AWS.map((step) => step.replace('aws-a', 'azure-b'))]);
    expect(result.steps.map(({ action, site }) => ({ action, site }))).toEqual(stepsOf(PLAN));
    expect(result.steps.map(({ what }) => what)).toEqual(stepsOf(PLAN).map((step) => stepText(step, PLAN)));
    expect(result.result).toBe('done');
    expect(cloudsText(result)).toEqual([
      'aws-a runs 2.0.0, and has its traffic',
      'azure-b runs 2.0.0, and has its traffic',
    ]);
  });

  test.each([
    ['deploy aws-a 2.0.0', ['deploy aws-a 1.0.0', 'verify aws-a 1.0.0', 'restore now']],
    ['verify aws-a 2.0.0', ['deploy aws-a 1.0.0', 'verify aws-a 1.0.0', 'restore now']],
    ['restore', ['deploy aws-a 1.0.0', 'verify aws-a 1.0.0', 'restore now']],
    ['drain aws-a', ['restore now']],
    ['check aws-a', []],
  ])('goes back when "%s" fails, and leaves the other cloud alone', async (failing, back) => {
    const stage = scene({ fails: [failing] });
    const result = await run(stage);
    expect(stage.done).toEqual([...ON_AWS.slice(0, ON_AWS.indexOf(failing) + 1), ...back]);
    expect([result.result, result.reason]).toEqual(['rolled back', `${failing} did not work`]);
    expect(cloudsText(result)).toEqual([
      'aws-a runs 1.0.0, and has its traffic',
      'azure-b runs 1.0.0, and has its traffic',
    ]);
  });

  test('gives no traffic to a cloud when the earlier release does not work either, and says so', async () => {
    const stage = scene({ fails: ['verify aws-a 2.0.0', 'verify aws-a 1.0.0'] });
    const result = await run(stage);
    expect(stage.done).not.toContain('restore now');
    expect(result.result).toBe('stuck');
    expect(cloudsText(result)[0]).toBe(
      'aws-a runs 1.0.0, NOT VERIFIED, and has no traffic: npm run tandem -- rollout again, or npm run tandem -- rollback',
    );
  });

  test.each([
    ['drain aws-a', ['restore now'], 'aws-a runs 1.0.0, and has its traffic'],
    ['settle', ['restore now'], 'aws-a runs 1.0.0, and has its traffic'],
    [
      'deploy aws-a 2.0.0',
      [],
      'aws-a runs 2.0.0, NOT VERIFIED, and has no traffic: npm run tandem -- rollout again, or npm run tandem -- rollback',
    ],
    ['verify aws-a 2.0.0', [], 'aws-a runs 2.0.0, and has no traffic: npm run tandem -- dns restore'],
    ['restore', [], 'aws-a runs 2.0.0, and has its traffic'],
  ])('interrupted at "%s" it ends in a state that it names', async (interruptAt, after, state) => {
    const stage = scene({ interruptAt });
    const result = await run(stage);
    expect(stage.done).toEqual([...ON_AWS.slice(0, ON_AWS.indexOf(interruptAt) + 1), ...after]);
    expect(result.result).toBe('interrupted');
    expect(cloudsText(result)[0]).toBe(state);
  });

  test('records every step when it is over, so that one that was killed leaves its last', async () => {
    const recorded: RolloutResult[] = [];
    const result = await run(scene(), recorded);
    expect(recorded).toHaveLength(stepsOf(PLAN).length + 1);
    expect(recorded.at(-1)).toEqual(result);
    expect(recorded[0]?.result).toBe('running');
  });
});
