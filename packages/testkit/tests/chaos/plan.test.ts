import { describe, expect, test } from '@jest/globals';
import { longestMs, outagesOf } from '../../src/chaos/outages.ts';
import {
  describe as describeAction,
  type Episode,
  lineOfEpisode,
  makePlan,
  makeReactionPlan,
  quietMs,
} from '../../src/chaos/plan.ts';
import type { Attempt } from '../../src/history/client-log.ts';

const SITES = ['aws-1', 'azure-1'] as const;
const TEN_MINUTES = 600_000;
const plan = (seed: number, trafficMs = TEN_MINUTES): readonly Episode[] =>
  makePlan({ seed, trafficMs, sites: SITES });
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('the plan of a nemesis', () => {
  test('the same seed plans the same, another seed something else', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test.each(SEEDS)('seed %i has the whole menu, at both sites, within the time', (seed) => {
    const episodes = plan(seed);
    const kinds = new Set(
      episodes.map(({ action }) =>
        action.kind === 'kill'
          ? `kill ${action.victim} ${action.site}`
          : 'service' in action
            ? `${action.kind} ${action.service} ${action.site}`
            : 'offsetMs' in action
              ? `${action.kind} ${action.site} ${Math.sign(action.offsetMs)}`
              : `${action.kind} ${'site' in action ? action.site : 'links' in action ? action.links.join() : 'fault' in action ? action.fault : action.what}`,
      ),
    );
    expect(kinds).toContain(`upgrade ${SITES[1]}`);
    for (const site of SITES) {
      for (const victim of ['host', 'bridge', 'stores']) expect(kinds).toContain(`kill ${victim} ${site}`);
      for (const sign of [-1, 1]) expect(kinds).toContain(`skew ${site} ${sign}`);
      expect(kinds).toContain(`reordering queue ${site}`);
      expect(kinds).toContain(`duplicates queue ${site}`);
      expect(kinds).toContain(`throttling store ${site}`);
      expect(kinds).toContain(`lost answers queue ${site}`);
    }
    expect(kinds).toContain('kill edge edge');
    expect(kinds).toContain('partition aws-1/azure-1');
    expect(kinds).toContain('partition azure-1/aws-1');
    expect(episodes.every(({ atMs, forMs }) => atMs >= 0 && atMs + forMs <= TEN_MINUTES)).toBe(true);
  });

  test.each(SEEDS)(
    'seed %i cuts both ways for more than a minute, and moves clocks by at most 30 s',
    (seed) => {
      const episodes = plan(seed);
      const both = episodes.filter(({ action }) => action.kind === 'partition' && action.links.length === 2);
      expect(Math.max(...both.map(({ forMs }) => forMs))).toBeGreaterThan(60_000);
      for (const { action } of episodes)
        if (action.kind === 'skew') expect(Math.abs(action.offsetMs)).toBeLessThanOrEqual(30_000);
    },
  );

  test('a short one kills fewer processes: each needs time to come back', () => {
    expect(plan(1, 25_000).filter(({ action }) => action.kind === 'kill')).toHaveLength(3);
  });

  test('reads as a line for people', () => {
    const action = { kind: 'skew', site: 'aws-1', offsetMs: -30_000 } as const;
    expect(lineOfEpisode({ atMs: 65_000, forMs: 10_000, action })).toBe('1:05 clock of aws-1 by −30 s, 10 s');
    expect(describeAction({ kind: 'kill', victim: 'edge', site: 'edge' })).toBe('SIGKILL the edge');
  });
});

describe('the plan for a service that reacts', () => {
  test.each(SEEDS)(
    'seed %i begins quietly, purges both queues and has a provider that fails in every way',
    (seed) => {
      const episodes = makeReactionPlan({ seed, trafficMs: TEN_MINUTES, sites: SITES });
      expect(
        episodes.every(({ atMs, forMs }) => atMs >= quietMs(TEN_MINUTES) && atMs + forMs <= TEN_MINUTES),
      ).toBe(true);
      const texts = episodes.map(({ action }) => describeAction(action));
      for (const site of SITES) {
        expect(texts).toContain(`the queue of reactions of ${site} is purged`);
        expect(texts).toContain(`SIGKILL all of ${site}`);
        for (const victim of ['host', 'bridge', 'stores'])
          expect(texts).toContain(`SIGKILL ${victim} of ${site}`);
      }
      for (const fault of ['failing', 'silent', 'slow', 'down'])
        expect(texts).toContain(`the provider is ${fault}`);
      expect(texts.join()).not.toMatch(/edge|upgraded/);
    },
  );
});

describe('outages as clients see them', () => {
  const attempt = (endMs: number, status: number): Attempt => ({
    id: 'x',
    kind: 'put',
    via: 'a',
    startMs: endMs - 10,
    endMs,
    result: status === 201 ? 'acknowledged' : 'unknown',
    status,
    fields: {},
    replayed: false,
  });

  test('last from the answer before the first failure to the first answer after it', () => {
    const log = [attempt(100, 201), attempt(150, 0), attempt(200, 503), attempt(900, 409), attempt(950, 201)];
    const outages = outagesOf(log);
    expect(outages).toEqual([{ fromMs: 100, untilMs: 900, failures: 2 }]);
    expect(longestMs(outages)).toBe(800);
  });

  test('none without a failure, however long nobody asked', () => {
    expect(longestMs(outagesOf([attempt(100, 201), attempt(90_000, 200)]))).toBe(0);
  });
});
