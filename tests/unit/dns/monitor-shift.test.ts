/** A monitor that moves a part of the traffic away from a site that answers badly, and takes it back. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Monitor } from '../../../dns/monitor/monitor.ts';
import type { Observe } from '../../../dns/shift/observe.ts';
import { A, B, monitorWorld, type World } from '../../helpers/dns/monitor-world.ts';

const DEGRADED = `
description: A site fails.
trigger: { site: ${A}, when: { errorPercent: 5 }, forSeconds: 300, samples: 5 }
clear: { forSeconds: 60, maxSeconds: 600 }
actions:
  - { do: shift, percent: 10, stepPercent: 10, holdSeconds: 60 }
over:
  - do: restore
`;

let world: World;
/** Errors of each site, of a hundred requests; undefined: the site gives no figures. */
let errorPercent: Record<string, number | undefined>;
/** What the first site had after each change of the zone, in percent. */
let steps: number[];

beforeEach(async () => {
  world = await monitorWorld();
  errorPercent = { [A]: 0, [B]: 0 };
  steps = [];
});
afterEach(() => world.server.close());

const observe: Observe = ({ site, requests }) => {
  const percent = errorPercent[site];
  return Promise.resolve({
    site,
    latenciesMs: Array.from({ length: requests }, () => 20),
    errors: percent === undefined ? requests : Math.ceil((requests * percent) / 100),
    peers: [{ site: 'peer', lagMs: 0, safeTimeBehindMs: 0, exposedKeys: 0 }],
  });
};

function watching({ diesAt, name = 'degraded' }: { readonly diesAt?: number; readonly name?: string } = {}) {
  const dying = new AbortController();
  const lines: string[] = [];
  const monitorContext = world.monitorContext({
    observe,
    signal: dying.signal,
    report(text) {
      lines.push(text);
      const share = /^(?:step|returned).*: aws-us-east-1 (?<share>\d+)/.exec(text)?.groups?.['share'];
      if (share === undefined) return;
      steps.push(Number(share));
      if (Number(share) === diesAt) dying.abort();
    },
  });
  const runbooks = world.runbooks(DEGRADED).map((runbook) => ({ ...runbook, name }));
  return { lines, monitor: new Monitor({ monitorContext, runbooks, intervalMs: 10_000, gapMs: 60_000 }) };
}

async function looks({ monitor }: { readonly monitor: Monitor }, count: number): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    await monitor.sample();
    await world.clock.sleep(10_000);
  }
}

describe('a site whose requests fail', () => {
  it('loses traffic step by step after it has failed for five minutes, and not before', async () => {
    const one = watching();
    errorPercent[A] = 20;
    await looks(one, 30);
    expect(steps).toEqual([]);
    await looks(one, 2);
    expect(steps).toEqual([40, 30, 20, 10]);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'open', did: ['x'] }]);
  });

  it('is given it back step by step when it is well', async () => {
    const one = watching();
    errorPercent[A] = 20;
    await looks(one, 32);
    steps.length = 0;
    errorPercent[A] = 0;
    await looks(one, 12);
    expect(steps).toEqual([20, 30, 40, 50]);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed', undid: ['x'] }]);
  });

  it('keeps what it has when it gives no figures: unknown is neither failing nor well', async () => {
    const one = watching();
    errorPercent[A] = undefined;
    await looks(one, 60);
    expect((await world.zone()).incidents).toEqual([]);
    errorPercent[A] = 20;
    await looks(one, 32);
    errorPercent[A] = undefined;
    await looks(one, 60);
    expect([...(await world.zone()).overrides]).toEqual([[A, 10]]);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'open' }]);
  });

  it('is given it back at once when the other site does worse with it', async () => {
    const one = watching();
    errorPercent[A] = 20;
    await looks(one, 29);
    errorPercent[B] = 50;
    await looks(one, 3);
    expect(steps).toEqual([40, 50]);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'open', did: ['s'] }]);
    expect(one.lines.join('\n')).toContain(`shift: ${A} to 10 %: returned: ${B}: `);
  });
});

describe('a monitor that dies in the middle of it', () => {
  it('leaves to the next one what is left to do, and to take back', async () => {
    errorPercent[A] = 20;
    await looks(watching({ diesAt: 30 }), 32);
    expect([...(await world.zone()).overrides]).toEqual([[A, 30]]);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'open', did: ['p'] }]);
    const next = watching();
    await looks(next, 1);
    expect([...(await world.zone()).overrides]).toEqual([[A, 10]]);
    errorPercent[A] = 0;
    // It has seen nothing of the five minutes before.
    await looks(next, 45);
    expect((await world.zone()).overrides.size).toBe(0);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed', undid: ['x'] }]);
  });

  it('leaves it to be taken back also when the site is well before anybody went on', async () => {
    errorPercent[A] = 20;
    await looks(watching({ diesAt: 40 }), 32);
    await world.clock.sleep(600_000);
    errorPercent[A] = 0;
    const next = watching();
    await looks(next, 20);
    expect((await world.zone()).overrides.size).toBe(0);
  });
});

describe('a site that somebody else has moved', () => {
  it('is left where it is, and nothing is taken back for them', async () => {
    const somebody = watching();
    errorPercent[A] = 20;
    await looks(somebody, 32);
    const another = watching({ name: 'another' });
    await looks(another, 32);
    expect(another.lines.join('\n')).toContain(`shift: somebody has moved ${A} already`);
    errorPercent[A] = 0;
    await looks(another, 9);
    expect([...(await world.zone()).overrides]).toEqual([[A, 10]]);
  });
});
