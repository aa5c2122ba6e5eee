/** `runbook` and `monitor` as an operator meets them. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { monitor, runbook } from '../../../dns/command/monitor-command.ts';
import type { MonitorCommandContext } from '../../../dns/command/monitor-line.ts';
import { parseRunbooks, readRunbookTexts } from '../../../dns/monitor/runbook.ts';
import { readSettings } from '../../../dns/monitor/settings.ts';
import { readPolicy } from '../../../dns/policy/read-policy.ts';
import { policyText } from '../../helpers/dns/fixtures.ts';
import { A, B, LOST, monitorWorld, observeOf, type World } from '../../helpers/dns/monitor-world.ts';

let world: World;
let dir: string;
beforeEach(async () => {
  world = await monitorWorld();
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-runbook-'));
  const names = `\n  - { name: api, strategy: weighted, sites: [${A}, ${B}] }`;
  fs.writeFileSync(path.join(dir, 'policy.yml'), policyText({ names, records: '[]' }));
  fs.writeFileSync(path.join(dir, 'lost.yml'), LOST);
});
afterEach(async () => {
  await world.server.close();
  fs.rmSync(dir, { recursive: true });
});

const PROGRAM = { call: 'tandem', summary: '', sections: [{ title: '', entries: [monitor, runbook] }] };

async function run(command: 'monitor' | 'runbook', ...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const commandContext: MonitorCommandContext = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    colour: false,
    signal: new AbortController().signal,
    clock: world.clock,
    observe: observeOf((site) => world.up[site] === true),
    probe: () => Promise.resolve(true),
    providerFor: () => Promise.resolve(world.fresh()),
    settings: readSettings({}),
  };
  const places = ['--policy', path.join(dir, 'policy.yml'), '--incidents', path.join(dir, 'incidents')];
  // The policy is no runbook; it lies elsewhere for them.
  fs.mkdirSync(path.join(dir, 'books'), { recursive: true });
  fs.copyFileSync(path.join(dir, 'lost.yml'), path.join(dir, 'books', 'lost.yml'));
  const all = [...args, ...places, '--runbooks', path.join(dir, 'books')];
  const code = await runProgram(PROGRAM, [command, ...all], commandContext);
  return { code, out: out.join(''), err: err.join('') };
}

const writes = (): number => world.server.requested.filter(({ method }) => method !== 'GET').length;

describe('runbook', () => {
  it('lists them', async () => {
    expect(await run('runbook')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/lost\n {2}A site does not answer\.\n {2}failover, openIncident/),
    });
  });

  it('shows what it would do, and writes nothing', async () => {
    const before = writes();
    const { code, out } = await run('runbook', 'lost', '--site', A, '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain('+ _tandem-traffic.example.com TXT');
    expect(out).toContain(`3. checkCapacity: capacity: ${B} is within its limits`);
    expect(out).toContain("4. notify: nobody, as TANDEM_WEBHOOKS has no 'chat'");
    expect(writes()).toBe(before);
    expect(fs.existsSync(path.join(dir, 'incidents'))).toBe(false);
  });

  it('shows what a guard would refuse', async () => {
    world.up[B] = false;
    world.check();
    const { out } = await run('runbook', 'lost', '--site', A, '--dry-run');
    expect(out).toContain('1. failover: refused: api.example.com CNAME: none of azure-eastus is healthy');
  });

  it('does it after a yes only, once, and goes back', async () => {
    expect((await run('runbook', 'lost', '--site', A)).code).toBe(2);
    expect(await run('runbook', 'lost', '--site', A, '--yes')).toMatchObject({ code: 0 });
    expect([...(await world.zone()).overrides]).toEqual([[A, 0]]);
    const changes = world.server.requested.filter(({ body }) => body.includes('_tandem-traffic')).length;
    expect((await run('runbook', 'lost', '--site', A, '--yes')).out).toContain('goes on with what is left');
    expect(world.server.requested.filter(({ body }) => body.includes('_tandem-traffic'))).toHaveLength(
      changes,
    );
    expect(await run('runbook', 'lost', '--site', A, '--over', '--yes')).toMatchObject({ code: 0 });
    expect((await world.zone()).overrides.size).toBe(0);
    expect((await run('runbook', 'lost', '--site', A, '--over', '--yes')).err).toContain('no open incident');
  });

  it('leaves a file that tells everything, also what was done before it was opened', async () => {
    await run('runbook', 'lost', '--site', A, '--yes');
    const [file = ''] = fs.readdirSync(path.join(dir, 'incidents'));
    const text = fs.readFileSync(path.join(dir, 'incidents', file), 'utf8');
    const reported = text.split('\n').flatMap((line) => /^- \S+Z (\w+):/.exec(line)?.[1] ?? []);
    expect(reported.slice(0, 3)).toEqual(['failover', 'incident', 'capacity']);
  });

  it.each([
    [['gone'], "there is no runbook 'gone'; the runbooks are: lost"],
    [['lost'], `lost is for ${A}, ${B}; say which with --site`],
    [['lost', '--site', 'mars'], `lost is for ${A}, ${B}; say which with --site`],
    [['lost', 'lost'], "runbook takes no argument 'lost'"],
    [['--force'], 'runbook takes no option --force'],
  ])('refuses %j', async (args, message) => {
    expect(await run('runbook', ...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('monitor', () => {
  it('--once looks until it is decided, as JSON if wanted', async () => {
    world.up[A] = false;
    world.check();
    const { code, out } = await run('monitor', '--once', '--json');
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string });
    expect(lines.map(({ text }) => text)).toContain(`failover: ${A}: done`);
  });

  it('says nothing when there is nothing to say', async () => {
    expect(await run('monitor', '--once')).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('a runbook file', () => {
  const policy = () => readPolicy(path.join(dir, 'policy.yml'));
  const mistakes = (text: string): string => {
    try {
      parseRunbooks([{ file: 'one.yml', text }], policy());
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is told all its mistakes at once, with line, field and rule', () => {
    const text = mistakes(`description: ''
trigger:
  site: mars
  when: { unhealthy: true, p99Ms: -1, wrong: 1 }
  samples: 0
clear: { forSeconds: 300, maxSeconds: 10 }
actions:
  - { do: explode }
  - { do: failover }
  - { do: notify }
  - { do: restore }
over:
  - { do: failover }
more: 1
`);
    for (const part of [
      'one.yml: ',
      'line 1: /description: must NOT have fewer than 1 characters (minLength)',
      "line 3: /trigger/site: there is no site 'mars'; the sites of example.com are: aws-us-east-1, azure-eastus (site)",
      'line 4: /trigger/when/p99Ms: must be >= 0 (minimum)',
      'line 4: /trigger/when/wrong: there is no such setting (additionalProperties)',
      'line 5: /trigger/samples: must be >= 1 (minimum)',
      'line 6: /clear/maxSeconds: is less than forSeconds (minimum)',
      'line 8: /actions/0/do: must be one of failover, shift',
      "line 9: /actions/1: failover needs a trigger of 'unhealthy' alone",
      "line 10: /actions/2: must have required property 'to' (required)",
      'line 11: /actions/3: restore belongs to over (do)',
      'line 13: /over/0: failover is no way back (do)',
      'line 14: /more: there is no such setting (additionalProperties)',
    ]) {
      expect(text).toContain(part);
    }
  });

  it.each(['', '[]', 'null', 'trigger: null', 'trigger: { when: null }', 'actions: 3', 'actions: [null]'])(
    'that holds %j is a mistake and no defect',
    (text) => {
      expect(mistakes(text)).toContain('one.yml: ');
    },
  );

  it('of this project is valid for its policy, and names prose that exists', () => {
    const own = parseRunbooks(readRunbookTexts('dns/runbooks'), readPolicy('dns/policy.yml'));
    expect(own.map(({ name }) => name)).toEqual([
      'aws-lost',
      'azure-lost',
      'partial-degradation',
      'replication-lags',
    ]);
    for (const { prose = '' } of own) expect([prose, fs.existsSync(prose)]).toEqual([prose, true]);
  });
});

describe('settings', () => {
  it('name every mistake at once, and no secret', () => {
    const env = {
      TANDEM_WEBHOOKS: '{"chat":{"url":"secret"},"paging":7}',
      TANDEM_MONITOR_INTERVAL_SECONDS: 'often',
    };
    expect(() => readSettings(env)).toThrow(
      'TANDEM_WEBHOOKS: chat needs a url, and may have a routingKey\n' +
        'TANDEM_WEBHOOKS: paging needs a url, and may have a routingKey\n' +
        "TANDEM_MONITOR_INTERVAL_SECONDS: a number from 0.1 to 3600 is needed, in plain digits, not 'often'",
    );
  });
});
