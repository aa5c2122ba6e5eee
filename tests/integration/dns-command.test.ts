/** `npm run tandem -- dns` as a process, against our DNS server: signals, terminals, exit statuses. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { LocalProvider } from '../../dns/providers/local/provider.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { startOrigin } from '../helpers/origin.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const ZONE = 'tandem.test';
const onEnd = closeAfterEach();
let dir: string;
let controlUrl: string;
let provider: LocalProvider;

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-dns-command-'));
  onEnd(() => fs.rmSync(dir, { recursive: true }));
  const server = await startDnsServer({ zone: { zone: ZONE, records: [] } });
  onEnd(() => server.close());
  ({ controlUrl } = server);
  provider = new LocalProvider({ zone: ZONE, controlUrl });
  const sites = ['aws', 'azure'].map(async (site, index) => {
    const origin = await startOrigin(site);
    onEnd(() => origin.kill());
    origin.handle = (_request, response) =>
      void response.end(JSON.stringify({ now: '2026-01-01T00:00:00.000Z', peers: [] }));
    return `  ${site}: { url: '${origin.url.origin}', endpoint: { addresses: [127.0.0.${index + 2}] }, weight: 50 }\n`;
  });
  fs.writeFileSync(
    path.join(dir, 'policy.yml'),
    `zone: ${ZONE}\nprovider: local\nsites:\n${(await Promise.all(sites)).join('')}` +
      'names:\n  - { name: api, strategy: weighted, sites: [aws, azure], healthCheck: { path: /health/deep } }\n' +
      'shift: { stepPercent: 10, holdSeconds: 1, sampleSeconds: 0.2, requestsPerSample: 1 }\n' +
      'safety: { changedPercentMax: 100 }\n',
  );
});

interface Command {
  readonly child: ChildProcess;
  reported(): string;
  /** Resolves with the exit status; null: a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** @param terminal gives it a terminal, as `script` of util-linux does */
function start(args: readonly string[], { terminal = false, env = {} } = {}): Command {
  const own = ['scripts/tandem.ts', 'dns', ...args, '--policy', path.join(dir, 'policy.yml')];
  const [command, given] = terminal
    ? ['script', ['-qefc', [process.execPath, ...own].map((word) => `'${word}'`).join(' '), '/dev/null']]
    : [process.execPath, own];
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  const child = spawn(command, given, {
    cwd: ROOT,
    env: { ...inherited, TANDEM_DNS_CONTROL: controlUrl, ...env },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  onEnd(() => child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, reported: () => text, ended };
}

async function done(args: readonly string[]): Promise<string> {
  const command = start(args);
  expect([await command.ended, command.reported()]).toEqual([0, expect.anything()]);
  return command.reported();
}

async function weights(): Promise<Record<string, number | undefined>> {
  const { records } = await provider.read();
  const record = records.find(({ name }) => name === `api.${ZONE}`);
  const targets = record?.kind === 'routed' ? record.targets : [];
  return Object.fromEntries(targets.map(({ site, weight }) => [site, weight]));
}

describe('npm run tandem -- dns', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends a shift at a whole step on %s, says at which, and gives the lock back',
    async (signal) => {
      await done(['apply', '--yes']);
      const timeline = path.join(dir, 'timeline.json');
      const shift = start(['shift', 'azure', '100', '--timeline', timeline]);
      await waitUntil('the second step', async () => ((await weights())['azure'] === 70 ? true : undefined));
      shift.child.kill(signal);
      expect(await shift.ended).toBe(1);
      const { step } =
        /shift: interrupted: stopped after step (?<step>\d+) of 5; traffic stays as that step left it, and restore brings it back/.exec(
          shift.reported(),
        )!.groups as { step: string };
      const azure = 50 + 10 * Number(step);
      expect(await weights()).toEqual({ aws: 100 - azure, azure });
      expect(await provider.readLock()).toBeUndefined();
      expect(JSON.parse(fs.readFileSync(timeline, 'utf8'))).toMatchObject({ result: 'interrupted' });
      expect(await done(['plan'])).toMatch(new RegExp(`azure at ${azure} %[^]*nothing to do`));
      await done(['restore', '--now', '--timeline', timeline]);
      expect(await weights()).toEqual({ aws: 50, azure: 50 });
    },
  );

  it('writes no colour into a pipe', async () => {
    expect(await done(['plan'])).not.toContain('\u001B');
  });

  it('applies nothing without a terminal to ask at', async () => {
    const apply = start(['apply']);
    expect(await apply.ended).toBe(2);
    expect(apply.reported()).toContain('nobody to ask: apply needs --yes, --plan or --hash here');
    expect(await weights()).toEqual({});
  });
});

const terminals = spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0;
if (!terminals) console.warn('SKIPPED: there is no `script` of util-linux here to make a terminal');

(terminals ? describe : describe.skip)('npm run tandem -- dns at a terminal', () => {
  it.each([
    ['in colour', {}, true],
    ['in colour with an empty NO_COLOR, which counts as none', { NO_COLOR: '' }, true],
    ['without colour when NO_COLOR is set', { NO_COLOR: '1' }, false],
  ])('shows a plan %s', async (_title, env, coloured) => {
    const plan = start(['plan'], { terminal: true, env });
    expect(await plan.ended).toBe(0);
    expect(plan.reported()).toContain('1 to create');
    expect(plan.reported().includes('\u001B[32m')).toBe(coloured);
  });

  it.each([
    ['y', 0, { aws: 50, azure: 50 }],
    ['no', 1, {}],
    ['', 1, {}],
  ])('asks before it applies, and takes %p for an answer', async (response, code, expected) => {
    const apply = start(['apply'], { terminal: true });
    await waitUntil('the question', () =>
      apply.reported().includes('Apply this? [y/N]') ? true : undefined,
    );
    expect(await weights()).toEqual({});
    apply.child.stdin?.write(`${response}\n`);
    expect(await apply.ended).toBe(code);
    expect(await weights()).toEqual(expected);
  });
});
