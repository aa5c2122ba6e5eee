/** An incident that nobody acknowledges is escalated: once, by one of all monitors, whatever happens to them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { type HttpEmulator, startHttpEmulator } from '@tandem-clouds/emulators/core/http-emulator';
import type { CommandContext } from '../../../dns/command/command-context.ts';
import { acknowledge } from '../../../dns/command/monitor-command.ts';
import { type Incident, incidentsChange, incidentsIn, withIncident } from '../../../dns/incidents.ts';
import { Monitor } from '../../../dns/monitor/monitor.ts';
import { ZONE } from '../../helpers/dns/fixtures.ts';
import { policyText } from '../../helpers/dns/fixtures.ts';
import { A, B, LOST, monitorWorld, observeOf, type World } from '../../helpers/dns/monitor-world.ts';
import { operatorOf } from '../../helpers/dns/operator.ts';

const ESCALATED = LOST.replace(
  'over:',
  `  - { do: escalate, to: lead, afterSeconds: 300 }
  - { do: escalate, to: head, afterSeconds: 600, format: pagerduty, severity: critical }
over:`,
);
/** From look to look. */
const LOOK_MS = 10_000;

let world: World;
let hook: HttpEmulator;
let dir: string;
beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-escalate-'));
  world = await monitorWorld({ dir });
  hook = await startHttpEmulator(() => ({ status: 200, body: 'ok' }));
});
afterEach(async () => {
  await world.server.close();
  await hook.close();
  fs.rmSync(dir, { recursive: true });
});

interface Watching {
  readonly monitor: Monitor;
  readonly lines: string[];
}

function watching(owner = 'monitor'): Watching {
  const webhooks = new Map(
    ['chat', 'lead', 'head'].map((name) => [name, { url: `${hook.url}/${name}`, routingKey: 'key' }]),
  );
  const monitorContext = world.monitorContext({ webhooks, owner });
  const runbooks = world.runbooks(ESCALATED);
  return {
    lines: monitorContext.lines,
    monitor: new Monitor({ monitorContext, runbooks, intervalMs: LOOK_MS, gapMs: 60_000 }),
  };
}

async function looks(count: number, ...monitors: Watching[]): Promise<void> {
  for (let look = 0; look < count; look += 1) {
    world.check();
    for (const { monitor } of monitors) await monitor.sample();
    await world.clock.sleep(LOOK_MS);
  }
}

/** Until the incident is open. */
async function lose(...monitors: Watching[]): Promise<void> {
  world.up[A] = false;
  await looks(3, ...monitors);
  expect((await world.zone()).incidents).toMatchObject([{ phase: 'open' }]);
}

/** As long as the incident is younger than that; looks and what they do take time. */
async function looksFor(seconds: number, ...monitors: Watching[]): Promise<void> {
  const openedAtMs = (await world.zone()).incidents[0]!.openedAtMs;
  while (world.clock.now() < openedAtMs + seconds * 1_000) await looks(1, ...monitors);
}

const notified = (): string[] => hook.requested.map(({ path: at }) => at.slice(1));

async function acknowledged(...more: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const commandContext: CommandContext = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    colour: false,
    signal: new AbortController().signal,
    clock: world.clock,
    observe: observeOf((site) => world.up[site] === true),
    probe: () => Promise.resolve(true),
    providerFor: () => Promise.resolve(world.fresh()),
  };
  const policy = path.join(dir, 'policy.yml');
  const names = `\n  - { name: api, strategy: weighted, sites: [${A}, ${B}] }`;
  fs.writeFileSync(policy, policyText({ names, records: '[]' }));
  const program = { call: 'tandem', summary: '', sections: [{ title: '', entries: [acknowledge] }] };
  const args = ['acknowledge', 'lost', A, '--policy', policy, '--incidents', dir, ...more];
  const code = await runProgram(program, args, commandContext);
  return { code, out: out.join(''), err: err.join('') };
}

const TAKEN = ['--by', 'Grace Hopper', '--why', 'the region is down; ticket 7, naïve fix'];

describe('an incident that nobody acknowledges', () => {
  it('is escalated when its time has come and not before, along the chain, each once', async () => {
    const one = watching();
    await lose(one);
    await looksFor(300, one);
    expect(notified()).toEqual(['chat']);
    await looks(1, one);
    expect(notified()).toEqual(['chat', 'lead']);
    await looksFor(600, one);
    expect(notified()).toEqual(['chat', 'lead']);
    await looks(40, one);
    expect(notified()).toEqual(['chat', 'lead', 'head']);
    const [, lead, head] = hook.requested.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(lead).toMatchObject({
      event: 'unacknowledged',
      site: A,
      text: expect.stringContaining('nobody has acknowledged for 5 min: A site does not answer.'),
      dedupKey: `${ZONE}/lost/${A}`,
    });
    expect(head).toMatchObject({ event_action: 'trigger', payload: { severity: 'critical' } });
    expect(one.lines.filter((line) => line.startsWith('  escalate'))).toEqual([
      '  escalate: told lead',
      '  escalate: told head',
    ]);
  });

  it('says nothing, and takes no lock, while it waits', async () => {
    const one = watching();
    await lose(one);
    const [lines, writes] = [one.lines.length, world.server.requested.filter(isWrite).length];
    await looks(20, one);
    expect(one.lines).toHaveLength(lines);
    expect(world.server.requested.filter(isWrite)).toHaveLength(writes);
  });

  it('is escalated by a monitor that was not there when it was opened', async () => {
    await lose(watching());
    await world.clock.sleep(200_000);
    const next = watching('another');
    await looks(15, next);
    expect(notified()).toEqual(['chat', 'lead']);
  });

  it('is escalated once by two monitors', async () => {
    const both = [watching('one'), watching('two')];
    await lose(...both);
    await looks(80, ...both);
    expect(notified()).toEqual(['chat', 'lead', 'head']);
  });

  it('is escalated at the next look after a gap of the clock, by all whose time has come', async () => {
    const one = watching();
    await lose(one);
    await world.clock.sleep(86_400_000);
    await looks(1, one);
    expect(notified()).toEqual(['chat', 'lead', 'head']);
  });

  it('is escalated later by a monitor whose clock is behind, and by none twice', async () => {
    const one = watching();
    await lose(one);
    const behind = world.monitorContext();
    const monitorContext = {
      ...behind,
      webhooks: new Map([['lead', { url: `${hook.url}/lead` }]]),
      clock: {
        now: () => world.clock.now() - 3_600_000,
        sleep: (ms: number) => world.clock.sleep(ms),
      },
    };
    const runbooks = world.runbooks(ESCALATED);
    const late = new Monitor({ monitorContext, runbooks, intervalMs: LOOK_MS, gapMs: 60_000 });
    await looks(40, { monitor: late, lines: [] });
    expect(notified()).toEqual(['chat']);
    await looks(1, one);
    await looks(1, { monitor: late, lines: [] });
    expect(notified()).toEqual(['chat', 'lead']);
  });

  it('is not escalated any more when it is over', async () => {
    const one = watching();
    await lose(one);
    await looks(20, one);
    world.up[A] = true;
    await looks(9, one);
    expect((await world.zone()).incidents).toMatchObject([{ phase: 'closed' }]);
    await looks(80, one);
    expect(notified()).toEqual(['chat', 'chat']);
  });

  it('is escalated in time although something else has failed a moment ago, and again when that failed', async () => {
    const fault = { matches: ({ path: at }: { path: string }) => at === '/chat', times: Infinity };
    hook.faults.push({ ...fault, response: 'hang-up' as const });
    const one = watching();
    await lose(one);
    await looksFor(300, one);
    expect(notified()).not.toContain('lead');
    const down = {
      matches: ({ path: at }: { path: string }) => at === '/lead',
      response: { status: 503, body: '' },
      times: 3,
    };
    hook.faults.push(down);
    await looks(3, one);
    expect(notified().filter((name) => name === 'lead')).toHaveLength(3);
    await looks(40, one);
    expect(notified().filter((name) => name === 'lead')).toHaveLength(4);
    expect((await world.zone()).incidents[0]!.did.slice(4)).toEqual(['x', 'x']);
  });
});

describe('acknowledging', () => {
  it('stops the escalation at every monitor, also at one that begins later', async () => {
    const [one, two] = [watching('one'), watching('two')];
    await lose(one, two);
    await looks(10, one, two);
    expect(await acknowledged(...TAKEN)).toMatchObject({
      code: 0,
      out: `lost ${A}: acknowledged by Grace Hopper\n`,
    });
    await looks(40, one, two);
    await looks(40, watching('three'));
    expect(notified()).toEqual(['chat']);
    expect((await world.zone()).incidents).toMatchObject([
      { did: ['x', 'x', 's', 'x', 's', 's'], acknowledged: { by: 'Grace Hopper' } },
    ]);
  });

  it('ends the chain where it has come to', async () => {
    const one = watching();
    await lose(one);
    await looks(35, one);
    await acknowledged(...TAKEN);
    await looks(60, one);
    expect(notified()).toEqual(['chat', 'lead']);
  });

  it('says who and why in the zone, in its file and in dns status', async () => {
    const one = watching();
    await lose(one);
    await acknowledged(...TAKEN);
    const [incident] = (await world.zone()).incidents;
    expect(incident?.acknowledged).toEqual({
      by: 'Grace Hopper',
      why: 'the region is down; ticket 7, naïve fix',
      atMs: expect.any(Number),
    });
    const ageMs = world.clock.now() - (incident?.acknowledged?.atMs ?? 0);
    expect(ageMs >= 0 && ageMs < 60_000).toBe(true);
    const [file = ''] = fs.readdirSync(dir).filter((name) => name.endsWith('.md'));
    expect(fs.readFileSync(path.join(dir, file), 'utf8')).toMatch(
      /- 2026-\S+ acknowledged by Grace Hopper at 2026-\S+: the region is down; ticket 7, naïve fix\n/,
    );
    const operator = operatorOf({ clock: world.clock, provider: world.fresh() });
    try {
      operator.write(
        policyText({
          names: '\n  - { name: api, strategy: weighted, sites: [aws-us-east-1, azure-eastus] }',
          records: '[]',
        }),
      );
      expect((await operator.run(['status'])).out).toMatch(
        /incident lost aws-us-east-1: open since 2026-\S+, acknowledged by Grace Hopper at 2026-\S+: the region/,
      );
      const json = JSON.parse((await operator.run(['status', '--json'])).out) as { incidents: Incident[] };
      expect(json.incidents).toMatchObject([{ site: A, acknowledged: { by: 'Grace Hopper' } }]);
    } finally {
      operator.leave();
    }
  });

  it('holds for one incident: one that comes back is escalated anew', async () => {
    const one = watching();
    await lose(one);
    await acknowledged(...TAKEN);
    world.up[A] = true;
    await looks(9, one);
    expect((await world.zone()).incidents[0]).toMatchObject({ phase: 'closed' });
    await lose(one);
    expect((await world.zone()).incidents[0]).not.toHaveProperty('acknowledged');
    await looks(31, one);
    expect(notified()).toEqual(['chat', 'chat', 'chat', 'lead']);
  });

  it('is refused where there is nothing to acknowledge, twice, and without a reason', async () => {
    expect(await acknowledged(...TAKEN)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`lost/${A} has no open incident to acknowledge`),
    });
    await lose(watching());
    expect(await acknowledged('--by', 'me')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--why'),
    });
    expect((await acknowledged('--by', 'me', '--why', 'é'.repeat(121))).err).toContain(
      'why: at most 240 bytes',
    );
    await acknowledged(...TAKEN);
    expect(await acknowledged('--by', 'me', '--why', 'too late')).toMatchObject({
      code: 1,
      err: expect.stringContaining('acknowledged by Grace Hopper at'),
    });
  });

  it('waits for a monitor that holds the zone, for a minute', async () => {
    await lose(watching());
    const note = { owner: 'somebody', nonce: '1', expiresAtMs: world.clock.now() + 20_000 };
    await world.fresh().swapLock(undefined, note);
    expect((await acknowledged(...TAKEN)).code).toBe(0);
    const long = { owner: 'somebody', nonce: '2', expiresAtMs: world.clock.now() + 100_000 };
    await world.fresh().swapLock(undefined, long);
    expect((await acknowledged(...TAKEN)).err).toContain('is locked by somebody');
  });
});

describe("the zone's record", () => {
  const open: Incident = {
    runbook: 'lost',
    site: A,
    phase: 'open',
    openedAtMs: 1_000,
    changedAtMs: 1_000,
    flaps: 0,
    did: ['x'],
    undid: [],
    acknowledged: { by: 'é'.repeat(30), why: 'w'.repeat(240), atMs: 5_000 },
  };

  it('gives back what was written, for this time of opening only', () => {
    const { after } = incidentsChange([], [open], ZONE)!;
    expect(incidentsIn([after!], ZONE)).toEqual([open]);
    const text = after?.kind === 'plain' ? (after.values[0] ?? '') : '';
    const later = text.replace(`lost,${A},open,1,1`, `lost,${A},open,9,9`);
    const record = { ...after!, kind: 'plain', values: [later] } as typeof after & object;
    expect(incidentsIn([record], ZONE)[0]).not.toHaveProperty('acknowledged');
  });

  it('drops the oldest closed ones when it grows too long, and never an open one', () => {
    let incidents: readonly Incident[] = [];
    for (let count = 0; count < 12; count += 1) {
      incidents = withIncident(incidents, {
        ...open,
        runbook: `closed-${count}-${'x'.repeat(26)}`,
        phase: 'closed',
        changedAtMs: count * 1_000,
      });
    }
    for (let count = 0; count < 7; count += 1)
      incidents = withIncident(incidents, { ...open, runbook: `open-${count}` });
    expect(incidents.filter(({ phase }) => phase === 'open')).toHaveLength(7);
    const { after } = incidentsChange([], incidents, ZONE)!;
    expect(after?.kind === 'plain' && after.values[0]!.length).toBeLessThanOrEqual(3_900);
    expect(incidents.some(({ runbook }) => runbook.startsWith('closed-0-'))).toBe(false);
    expect(incidents.some(({ runbook }) => runbook.startsWith('closed-11-'))).toBe(true);
  });
});

function isWrite({ method }: { method: string }): boolean {
  return method !== 'GET';
}
