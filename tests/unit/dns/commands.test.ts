/** The commands as an operator meets them, against the emulators. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refusal as cloudflareRefusal } from '@tandem-clouds/emulators/cloudflare/server';
import { refusal, type Route53Server } from '@tandem-clouds/emulators/route53/server';
import type { ZoneRecord } from '@tandem-clouds/zone/model';
import type { Provider } from '../../../dns/provider.ts';
import type { Observe } from '../../../dns/shift/observe.ts';
import {
  type Bench,
  cloudflareBench,
  type PolicyParts,
  policyText,
  route53Bench,
} from '../../helpers/dns/fixtures.ts';
import { type Operator, operatorOf, wellObserved } from '../../helpers/dns/operator.ts';

const WEIGHTED = '\n  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }';
const PLAIN = Array.from(
  { length: 10 },
  (_record, index) =>
    `\n  - { name: host${index}, type: A, ttlSeconds: 300, values: [192.0.2.${index + 1}] }`,
);
const BASE: PolicyParts = { names: WEIGHTED, records: PLAIN.join('') };

let bench: Bench<Route53Server>;
let operator: Operator;
const run = async (...requested: Parameters<Operator['run']>) => operator.run(...requested);
beforeEach(async () => {
  bench = await route53Bench();
  operator = operatorOf(bench);
  write(BASE);
});
afterEach(async () => {
  await bench.server.close();
  operator.leave();
});

function write(parts: PolicyParts): void {
  operator.write(policyText(parts));
}

function weights(): Record<string, number | undefined> {
  const sets = bench.server.sets.filter(({ Name }) => Name === 'api.example.com.');
  return Object.fromEntries(sets.map(({ SetIdentifier = '', Weight }) => [SetIdentifier, Weight]));
}

function timeline(): { result: string; reason?: string; moments: { at: string; step: number }[] } {
  return JSON.parse(fs.readFileSync(path.join(operator.dir, 'timeline.json'), 'utf8')) as ReturnType<
    typeof timeline
  >;
}

describe('plan and apply', () => {
  it('shows a sorted plan without colour, and as JSON', async () => {
    const { code, out } = await run(['plan']);
    expect(code).toBe(0);
    expect(out).not.toContain('\u001B');
    const names = [...out.matchAll(/^\+ (\S+)/gm)].map(([, name]) => name);
    expect(names).toEqual([...names].sort());
    const json = JSON.parse((await run(['plan', '--json'])).out) as {
      hash: string;
      changes: { action: string }[];
    };
    expect(out).toContain(json.hash);
    expect(json.changes.map(({ action }) => action)).toEqual(Array.from({ length: 11 }, () => 'create'));
  });

  it('applies after a yes only, and then plans nothing', async () => {
    expect((await run(['apply'])).code).toBe(2);
    expect((await run(['apply'], { confirm: () => Promise.resolve(false) })).err).toContain(
      'nothing was changed',
    );
    expect(bench.server.sets).toHaveLength(2);
    expect((await run(['apply'], { confirm: () => Promise.resolve(true) })).code).toBe(0);
    expect((await run(['plan'])).out).toContain('nothing to do');
  });

  it('performs the plan that was written, and refuses it when the zone has changed in between', async () => {
    const written = path.join(operator.dir, 'plan.json');
    await run(['plan', '--out', written]);
    const host = {
      Name: 'host3.example.com.',
      Type: 'A',
      TTL: 300,
      ResourceRecords: [{ Value: '203.0.113.9' }],
    };
    const before = [...bench.server.sets];
    bench.server.edit([...before, host]);
    const refused = await run(['apply', '--plan', written]);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining('changed since the plan was made'),
    });
    expect(bench.server.sets).toHaveLength(3);
    bench.server.edit(before);
    expect((await run(['apply', '--plan', written])).code).toBe(0);
  });

  it('wants force when more than the policy allows would change', async () => {
    await run(['apply', '--yes']);
    write({ ...BASE, records: PLAIN.slice(4).join('') });
    const refused = await run(['apply', '--yes']);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('4 of 11 records (36 %)') });
    expect((await run(['apply', '--yes', '--force'])).code).toBe(0);
  });

  it('refuses a change after which nobody is healthy, force or not', async () => {
    await run(['apply', '--yes']);
    for (const check of bench.server.checks.values()) check.healthy = false;
    write({ ...BASE, names: WEIGHTED.replace('name: api', 'name: api, ttlSeconds: 60') });
    const refused = await run(['apply', '--yes', '--force']);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('nobody would be served') });
    expect((await run(['failover', 'azure-eastus', '--force'])).err + (await run(['status'])).out).toContain(
      'unhealthy',
    );
  });

  it('asks a check itself while the provider has no answer yet', async () => {
    const refused = await run(['apply', '--yes'], { probe: () => Promise.resolve(false) });
    expect(refused.err).toContain('none of aws-us-east-1, azure-eastus is healthy');
  });

  it('wants force to delete a routed name', async () => {
    await run(['apply', '--yes']);
    write({ ...BASE, names: '' });
    expect((await run(['apply', '--yes'])).err).toContain('api.example.com would not be answered at all');
  });

  it('names what the provider does not support', async () => {
    write({ names: WEIGHTED, records: '', more: 'healthCheck: { intervalSeconds: 20 }' });
    const { err } = await run(['plan']);
    expect(err).toContain('api.example.com CNAME: Route 53 takes 10 or 30 for the check interval, not 20');
    const { name, zone, capabilities } = bench.provider;
    const less = {
      name,
      zone,
      capabilities: { ...capabilities, strategies: ['failover'] },
      prepare: (records: readonly ZoneRecord[]) => ({ records, refusals: [] }),
      read: () => Promise.resolve({ records: [], foreign: [], leftovers: [] }),
    };
    expect((await run(['plan'], { provider: less as unknown as Provider })).err).toContain(
      "does not support the strategy 'weighted'; it supports failover",
    );
  });
});

describe('a provider in trouble', () => {
  it('waits for a throttled Route 53 and for a prior request, and goes on', async () => {
    const isChange = ({ method, path: at }: { method: string; path: string }) =>
      method === 'POST' && at.includes('rrset');
    bench.server.faults.push(
      { matches: isChange, response: refusal(400, 'Throttling', 'Rate exceeded'), times: 2 },
      { matches: isChange, response: refusal(400, 'PriorRequestNotComplete'), times: 2 },
    );
    expect((await run(['apply', '--yes'])).code).toBe(0);
    expect(bench.clock.sleeps).toEqual(expect.arrayContaining([250, 500, 1000, 2000]));
  });

  it('gives up on one that stays throttled, and changes nothing', async () => {
    bench.server.faults.push({ matches: () => true, response: refusal(400, 'Throttling'), times: Infinity });
    expect((await run(['plan'])).err).toContain('still throttling');
  });

  it('says that it does not answer', async () => {
    bench.server.faults.push({ matches: () => true, response: 'hang-up', times: Infinity });
    expect((await run(['plan'])).err).toContain('Route 53 does not answer');
  });

  it('says that credentials are wrong or missing', async () => {
    const wrong = await route53Bench({ key: 'WRONG' });
    expect((await run(['plan'], { provider: wrong.provider })).err).toContain(
      'credentials are missing, wrong',
    );
    await wrong.server.close();
    const cloudflare = await cloudflareBench({ token: 'wrong' });
    expect((await run(['plan'], { provider: cloudflare.provider })).err).toContain('token is wrong');
    await cloudflare.server.close();
    const none = await cloudflareBench({ token: '' });
    expect((await run(['plan'], { provider: none.provider })).err).toContain(
      'CLOUDFLARE_API_TOKEN is not set',
    );
    await none.server.close();
  });

  it('waits as long as Cloudflare asks', async () => {
    const cloudflare = await cloudflareBench();
    const answer = cloudflareRefusal(429, 10_000 + 13, 'too many requests', { 'retry-after': '7' });
    cloudflare.server.faults.push({ matches: () => true, response: answer, times: 1 });
    expect((await run(['plan'], { provider: cloudflare.provider })).code).toBe(0);
    expect(cloudflare.clock.sleeps).toContain(7000);
    await cloudflare.server.close();
  });

  const many = Array.from(
    { length: 250 },
    (_record, index) =>
      `\n  - { name: n${index}, type: TXT, ttlSeconds: 300, values: ['${'x'.repeat(200)}'] }`,
  ).join('');

  it('takes back what it had applied when a later batch is refused', async () => {
    write({ names: '', records: many });
    let changes = 0;
    bench.server.faults.push({
      matches: ({ method, path: at, body }) =>
        method === 'POST' && at.includes('rrset') && body.includes('x'.repeat(200)) && (changes += 1) === 2,
      response: refusal(400, 'InvalidInput', 'injected'),
      times: 1,
    });
    const { code, err } = await run(['apply', '--yes']);
    expect(code).toBe(1);
    expect(err).toMatch(/rolled back: \d+ of 250 changes/);
    expect(bench.server.sets).toHaveLength(2);
  });

  it('says that it is half applied when it cannot take it back, and the next apply resumes', async () => {
    write({ names: '', records: many });
    let changes = 0;
    bench.server.faults.push({
      matches: ({ method, path: at, body }) =>
        method === 'POST' && at.includes('rrset') && body.includes('x'.repeat(200)) && (changes += 1) > 1,
      response: refusal(400, 'InvalidInput', 'injected'),
      times: 2,
    });
    const { err } = await run(['apply', '--yes']);
    expect(err).toMatch(/half applied: \d+ of 250 changes are made.*run apply again to resume/s);
    expect((await run(['apply', '--yes'])).code).toBe(0);
    expect((await run(['plan'])).out).toContain('nothing to do');
  });
});

describe('moving traffic', () => {
  const only = { ...BASE, more: 'shift: { holdSeconds: 60, sampleSeconds: 10, requestsPerSample: 10 }' };
  beforeEach(async () => {
    write({
      ...only,
      names: WEIGHTED.replace(
        'sites: [aws-us-east-1, azure-eastus]',
        'sites: [{ site: aws-us-east-1, weight: 100 }, { site: azure-eastus, weight: 0 }]',
      ),
    });
    await run(['apply', '--yes']);
  });

  it('shifts from 0 to 100 % in ten steps, each held for its window', async () => {
    const { code, out } = await run(['shift', 'azure-eastus', '100']);
    expect(code).toBe(0);
    expect(
      [...out.matchAll(/step \d+ of 10: .*azure-eastus (\d+)/g)].map(([, share]) => Number(share)),
    ).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(weights()).toEqual({ 'aws-us-east-1': 0, 'azure-eastus': 100 });
    const { moments } = timeline();
    expect(moments).toHaveLength(60);
    expect(Date.parse(moments.at(-1)!.at) - Date.parse(moments[0]!.at)).toBeGreaterThanOrEqual(590_000);
    expect((await run(['plan'])).out).toContain('nothing to do');
    expect((await run(['status'])).out).toContain('azure-eastus at 100 %');
  });

  it.each([
    ['slow answers', { latency: 3000 }, /azure-eastus: p99 latency is 3000 ms/],
    ['errors', { errors: 10 }, /azure-eastus: 10 of 10 requests failed/],
    ['replication that lags', { lagMs: 60_000 }, /replication to peer lags by 60000 ms/],
  ])('returns within one window after %s at step 4', async (_title, fault, reason) => {
    let brokeAtMs = 0;
    const observe: Observe = async (scan) => {
      const sample = await wellObserved(scan);
      if (scan.site !== 'azure-eastus' || weights()['azure-eastus'] !== 40) return sample;
      if (brokeAtMs === 0) brokeAtMs = bench.clock.now();
      const {
        latency = 20,
        errors = 0,
        lagMs = 0,
      } = fault as { latency?: number; errors?: number; lagMs?: number };
      return {
        ...sample,
        latenciesMs: sample.latenciesMs.map(() => latency),
        errors,
        peers: [{ site: 'peer', lagMs, safeTimeBehindMs: 0, exposedKeys: 0 }],
      };
    };
    const { code, out } = await run(['shift', 'azure-eastus', '100'], { observe });
    expect(code).toBe(1);
    expect(out).toMatch(reason);
    expect(weights()).toEqual({ 'aws-us-east-1': 100, 'azure-eastus': 0 });
    expect(timeline()).toMatchObject({ result: 'returned', reason: expect.stringMatching(reason) });
    expect(bench.clock.now() - brokeAtMs).toBeLessThan(60_000);
    expect((await run(['plan'])).out).toContain('nothing to do');
    expect((await run(['status'])).out).not.toContain('beside the policy');
  });

  it('stays at a whole step when it is interrupted, says which, and restore brings it back', async () => {
    const stop = new AbortController();
    const observe: Observe = async (sample) => {
      if (weights()['azure-eastus'] === 30) stop.abort();
      return wellObserved(sample);
    };
    const { out } = await run(['shift', 'azure-eastus', '100'], { observe, signal: stop.signal });
    expect(out).toContain('interrupted: stopped after step 3 of 10');
    expect(weights()).toEqual({ 'aws-us-east-1': 70, 'azure-eastus': 30 });
    expect(await bench.provider.readLock()).toBeUndefined();
    expect((await run(['restore'])).code).toBe(0);
    expect(weights()).toEqual({ 'aws-us-east-1': 100, 'azure-eastus': 0 });
    expect((await run(['status'])).out).not.toContain('beside the policy');
  });

  it('goes back to where it was when it is stopped and that is wanted, from its last step too', async () => {
    await run(['shift', 'azure-eastus', '10']);
    for (const share of [30, 40]) {
      const stop = new AbortController();
      const moments: number[] = [];
      const observe: Observe = async (sample) => {
        if (weights()['azure-eastus'] === share) stop.abort();
        return wellObserved(sample);
      };
      const { out } = await run(['shift', 'azure-eastus', '40'], {
        ...{ observe, signal: stop.signal, whenStopped: 'return' },
        onMoment: ({ step }) => void moments.push(step),
      });
      expect(out).toContain(`returned: stopped after step ${share / 10 - 1} of 3`);
      expect(weights()).toEqual({ 'aws-us-east-1': 90, 'azure-eastus': 10 });
      expect(moments.at(-1)).toBe(0);
    }
    expect(await bench.provider.readLock()).toBeUndefined();
  });

  it('takes a lost site out at once, keeps it out through a plan, and refuses to take out the last', async () => {
    await run(['shift', 'azure-eastus', '50']);
    expect((await run(['failover', 'aws-us-east-1'])).code).toBe(0);
    expect(weights()).toEqual({ 'aws-us-east-1': 0, 'azure-eastus': 100 });
    expect((await run(['plan'])).out).toContain('nothing to do');
    expect((await run(['failover', 'azure-eastus'])).out).toContain('nobody would be served');
    expect((await run(['restore', '--now'])).code).toBe(0);
    expect(weights()).toEqual({ 'aws-us-east-1': 100, 'azure-eastus': 0 });
  });

  it('drains a site in steps', async () => {
    await run(['shift', 'azure-eastus', '50']);
    expect((await run(['drain', 'aws-us-east-1'])).code).toBe(0);
    expect(weights()).toEqual({ 'aws-us-east-1': 0, 'azure-eastus': 100 });
  });

  it('refuses a site that is not in the policy, and a zone that differs from it', async () => {
    expect((await run(['drain', 'gcp'])).err).toContain(
      "there is no site 'gcp'; the sites are: aws-us-east-1, azure-eastus",
    );
    write(BASE);
    expect((await run(['drain', 'azure-eastus'])).err).toContain('plan and apply first');
  });
});
