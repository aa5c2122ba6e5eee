/** A monitor over a zone at the emulator of Route 53: what it does about faults of sites, of the provider, and of tools. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type HttpEmulator, startHttpEmulator } from '@tandem-clouds/emulators/core/http-emulator';
import { refusal } from '@tandem-clouds/emulators/route53/server';
import { Monitor } from '../../../dns/monitor/monitor.ts';
import type { MonitorContext } from '../../../dns/monitor/monitor-context.ts';
import { A, B, LOST, monitorWorld, observeOf, type World } from '../../helpers/dns/monitor-world.ts';

let world: World;
let hook: HttpEmulator;
let dir: string;
beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-monitor-'));
  world = await monitorWorld({ dir });
  hook = await startHttpEmulator(() => ({ status: 200, body: 'ok' }));
});
afterEach(async () => {
  await world.server.close();
  await hook.close();
  fs.rmSync(dir, { recursive: true });
});

interface Watching extends Pick<MonitorContext, 'policy'> {
  readonly monitor: Monitor;
  readonly lines: string[];
}

function watching(more: Partial<MonitorContext> = {}, runbook = LOST): Watching {
  const monitorContext = world.monitorContext({ webhooks: new Map([['chat', { url: hook.url }]]), ...more });
  const runbooks = world.runbooks(runbook);
  return {
    ...monitorContext,
    monitor: new Monitor({ monitorContext, runbooks, intervalMs: 10_000, gapMs: 60_000 }),
  };
}

/** A look every ten seconds. */
async function samples({ monitor }: Watching, count: number): Promise<void> {
  for (let sample = 0; sample < count; sample += 1) {
    world.check();
    await monitor.sample();
    await world.clock.sleep(10_000);
  }
}

const reported = (): { event: string; text: string; dedupKey: string; details: string[] }[] =>
  hook.requested.map(({ body }) => JSON.parse(body) as ReturnType<typeof reported>[number]);

describe('a site that is lost', () => {
  it('is taken out once, in the same change in which the zone is told of the incident', async () => {
    const one = watching();
    await samples(one, 3);
    world.up[A] = false;
    await samples(one, 4);
    const { overrides, incidents } = await world.zone();
    expect([...overrides]).toEqual([[A, 0]]);
    expect(incidents).toMatchObject([{ runbook: 'lost', site: A, phase: 'open', did: ['x', 'x', 's', 'x'] }]);
    const changes = world.server.requested.filter(({ body }) => body.includes('_tandem-traffic'));
    expect(changes).toHaveLength(1);
    expect(changes[0]!.body).toContain('_tandem-monitor');
    expect(one.lines.filter((line) => line.includes('failover'))).toEqual([`  failover: ${A}: done`]);
  });

  it('is let back in when it has been well for long enough, and people are told of both', async () => {
    const one = watching();
    world.up[A] = false;
    await samples(one, 4);
    world.up[A] = true;
    await samples(one, 6);
    expect((await world.zone()).overrides.size).toBe(1);
    await samples(one, 4);
    const { overrides, incidents } = await world.zone();
    expect(overrides.size).toBe(0);
    expect(incidents).toMatchObject([{ phase: 'closed', undid: ['x', 'x'] }]);
    expect(reported().map(({ event, dedupKey }) => [event, dedupKey])).toEqual([
      ['opened', `example.com/lost/${A}`],
      ['over', `example.com/lost/${A}`],
    ]);
    expect(reported()[0]!.text).toContain(`failover: ${A}: done`);
    expect(reported()[0]!.details).toContain(`capacity: ${B} is within its limits`);
  });

  it('stays out for longer each time that it flaps', async () => {
    const one = watching();
    const outFor: number[] = [];
    for (let flap = 0; flap < 4; flap += 1) {
      world.up[A] = false;
      await samples(one, 4);
      world.up[A] = true;
      let count = 0;
      for (; (await world.zone()).overrides.size > 0 && count < 100; count += 1) await samples(one, 1);
      outFor.push(count);
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = outFor;
    expect(second).toBeGreaterThan(first * 1.5);
    expect(third).toBeGreaterThan(second * 1.5);
    expect(fourth).toBeGreaterThan(third * 1.2);
    expect(fourth).toBeLessThan(70);
  });

  it('is left in while the provider finds it healthy, and that is said once', async () => {
    const one = watching({ observe: observeOf((site) => site !== A) });
    await samples(one, 10);
    expect((await world.zone()).overrides.size).toBe(0);
    expect(one.lines).toEqual([
      `${A}: does not answer here`,
      `${A}, the provider: its checks find it healthy, so nothing is done`,
    ]);
  });

  it('has its file, with what happened when', async () => {
    const one = watching();
    world.up[A] = false;
    await samples(one, 4);
    world.up[A] = true;
    await samples(one, 10);
    const [file = ''] = fs.readdirSync(dir);
    expect(file).toMatch(/^2026-01-01T\d{6}Z-lost-aws-us-east-1\.md$/);
    const text = fs.readFileSync(path.join(dir, file), 'utf8');
    expect(text).toMatch(/^# lost: aws-us-east-1\n\nA site does not answer\. Since 2026-/);
    expect(text).toMatch(/- 2026-\S+ capacity: azure-eastus is within its limits\n/);
    expect(text).toMatch(/- 2026-\S+ restore: aws-us-east-1: done\n/);
  });

  it('is left alone afterwards when an operator had taken it out', async () => {
    const operator = watching();
    world.up[A] = false;
    await samples(operator, 4);
    const manual = LOST.replace('- do: failover', '- do: openIncident');
    const another = watching({}, manual.replace('forSeconds: 60', 'forSeconds: 10'));
    expect(another.lines).toEqual([]);
    world.up[A] = true;
    await samples(another, 9);
    const { overrides } = await world.zone();
    expect([...overrides]).toEqual([[A, 0]]);
    expect(another.lines.join('\n')).toContain(`no monitor has taken ${A} out`);
  });
});

describe('both sites', () => {
  it('are served when both are lost, people are told, and the first that comes back stays alone in', async () => {
    const one = watching();
    world.up[A] = false;
    world.up[B] = false;
    await samples(one, 5);
    expect((await world.zone()).overrides.size).toBe(0);
    expect(reported().map(({ event }) => event)).toEqual(['opened', 'opened']);
    expect(reported()[0]!.text).toContain('nobody would be served');
    world.up[B] = true;
    await samples(one, 4);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
  });

  it('change places at once when the one that is left is lost, and the other is well again', async () => {
    const one = watching();
    world.up[A] = false;
    await samples(one, 4);
    world.up[A] = true;
    world.up[B] = false;
    await samples(one, 5);
    expect([...(await world.zone()).overrides]).toEqual([[B, 0]]);
  });
});

describe('a fault of the provider', () => {
  it('that does not answer is said once, people are told, and it is made good later', async () => {
    const one = watching();
    world.up[A] = false;
    const outage = { matches: () => true, response: 'hang-up' as const, times: Infinity };
    world.server.faults.push(outage);
    await samples(one, 5);
    expect(one.lines.filter((line) => line.includes('example.com: '))).toHaveLength(1);
    expect(reported().map(({ event }) => event)).toEqual(['stuck']);
    expect(reported()[0]!.text).toContain('the monitor cannot act');
    outage.times = 0;
    await samples(one, 2);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
    expect(reported().map(({ event }) => event)).toEqual(['stuck', 'opened']);
  });

  it('that throttles only takes longer', async () => {
    const one = watching();
    world.up[A] = false;
    const isChange = ({ method }: { method: string }): boolean => method === 'POST';
    world.server.faults.push({ matches: isChange, response: refusal(400, 'Throttling'), times: 5 });
    await samples(one, 4);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
  });

  it('that refuses the credentials is said, and people are told', async () => {
    const one = watching();
    const denied = refusal(403, 'AccessDenied', 'not allowed');
    world.server.faults.push({ matches: () => true, response: denied, times: Infinity });
    world.up[A] = false;
    await samples(one, 4);
    expect(one.lines.join('\n')).toMatch(/example\.com: .*credentials/i);
    expect(reported().map(({ event }) => event)).toEqual(['stuck']);
  });
});

describe('the lock', () => {
  it('of a live operator is waited for, people are told, and a stale one is taken over', async () => {
    const one = watching();
    const note = { owner: 'somebody', nonce: '1', expiresAtMs: world.clock.now() + 90_000 };
    await world.fresh().swapLock(undefined, note);
    world.up[A] = false;
    await samples(one, 5);
    expect((await world.zone()).overrides.size).toBe(0);
    expect(reported().map(({ event }) => event)).toEqual(['stuck']);
    await samples(one, 6);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
    expect(one.lines.join('\n')).toContain('took over the stale lock of somebody');
  });
});

describe('a webhook that is down', () => {
  it('keeps nothing else from happening, and is told later', async () => {
    const one = watching();
    const fault = { matches: () => true, response: 'hang-up' as const, times: Infinity };
    hook.faults.push(fault);
    world.up[A] = false;
    await samples(one, 4);
    expect(one.lines.join('\n')).toContain("the webhook 'chat' does not answer");
    expect((await world.zone()).incidents).toMatchObject([{ did: ['x', 'x', 's', '-'] }]);
    fault.times = 0;
    await samples(one, 2);
    expect((await world.zone()).incidents).toMatchObject([{ did: ['x', 'x', 's', 'x'] }]);
    expect(one.lines.join('\n')).not.toContain(hook.url);
  });

  it('that is nowhere said is said, and counts as done', async () => {
    const one = watching({ webhooks: new Map() });
    world.up[A] = false;
    await samples(one, 4);
    expect(one.lines).toContain("  notify: there is no webhook 'chat'");
    expect((await world.zone()).incidents).toMatchObject([{ did: ['x', 'x', 's', 's'] }]);
  });
});

describe('a round', () => {
  it('is one look when all is well, and as many as it takes when something is not', async () => {
    const one = watching();
    expect(await one.monitor.round(50_000)).toBe(true);
    expect(world.clock.sleeps.filter((ms) => ms === 10_000)).toHaveLength(0);
    world.up[A] = false;
    world.check();
    await one.monitor.round(50_000);
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
  });
});
