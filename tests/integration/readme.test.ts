/**
 * What README.md tells people to type does what it says, on other ports too: its own lines are run, in its order,
 * against a stack on free ports. Only port numbers and process ids are put in.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCommandLine } from '@tandem-clouds/command-line/run-program';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { defaultPorts } from '@tandem-clouds/local/ports';
import { DEFAULT_SITES, parseSites } from '@tandem-clouds/local/stack/sites';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const READY_WITHIN_MS = 240_000;
const DONE_WITHIN_MS = 240_000;
const SITES = parseSites(DEFAULT_SITES);

/** The commands of the code blocks of a section: comments gone, continued lines joined. */
function commandsOf(section: string): string[] {
  const text = README.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks
    .join('')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** A project folder that shares all but what a run writes: `.tandem`. */
let dir: string;
let supervisor: ChildProcess;
let printed = '';

const stack = (): Stack => {
  const found = readStack(path.join(dir, '.tandem'));
  if (found === undefined) throw new Error(`no stack runs:\n${printed}`);
  return found;
};

beforeAll(async () => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'readme-')));
  for (const name of fs.readdirSync(ROOT)) {
    if (!/^\.(?!prettier)/.test(name)) fs.symlinkSync(path.join(ROOT, name), path.join(dir, name));
  }
  supervisor = spawn(process.execPath, ['scripts/start.js', '--port', 'all=0'], { cwd: dir });
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  }
  await waitUntil('the stack is up', () => printed.includes('Ctrl-C') || undefined, READY_WITHIN_MS);
}, READY_WITHIN_MS + 10_000);

afterAll(async () => {
  const ended = once(supervisor, 'exit');
  supervisor.kill('SIGTERM');
  await ended;
  fs.rmSync(dir, { recursive: true, force: true });
});

/** The command as it is typed where other ports were chosen. */
function onThisStack(command: string): string {
  const { edge, dns, sites } = stack();
  const ports = defaultPorts(SITES);
  const here = new Map<string, string>([
    ['edge', new URL(edge.url).port],
    ['dns', String(dns.port)],
    ['dns.control', new URL(dns.controlUrl).port],
    ...sites.flatMap(({ site, url, endpoints }) => [
      [site, new URL(url).port] as [string, string],
      ...['dynamodb', 'sqs', 'cosmos'].flatMap((service): [string, string][] =>
        endpoints[service] === undefined ? [] : [[`${site}.${service}`, new URL(endpoints[service]).port]],
      ),
    ]),
  ]);
  return command
    .replaceAll(/(127\.0\.0\.1:|-p )(\d+)/g, (_all, before: string, port: string) => {
      const [name = ''] = [...ports].find(([, number]) => number === Number(port)) ?? [];
      const chosen = here.get(name);
      if (chosen === undefined) throw new Error(`README.md: nothing of a stack has port ${port}`);
      return before + chosen;
    })
    .replaceAll(/<pid of ([^>]+)>/g, (_all, name: string) => {
      const found = sites.find(({ site }) => name === site || name === `${site}.emulators`);
      return String(name.endsWith('.emulators') ? found?.emulatorsPid : found?.pid);
    });
}

interface Ran {
  readonly status: unknown;
  readonly output: string;
}

/** @param until Ends a command that would run for ever, once it has written this. */
async function type(command: string, until?: RegExp): Promise<Ran> {
  const child = spawn('sh', ['-c', onThisStack(command)], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const closed = once(child, 'close') as Promise<[number | null]>;
  const end = (): void => void process.kill(-(child.pid ?? 0), 'SIGKILL');
  const late = setTimeout(end, DONE_WITHIN_MS);
  if (until !== undefined) {
    await waitUntil(
      `${command} writes ${String(until)}`,
      () => until.test(output) || undefined,
      DONE_WITHIN_MS,
    );
    end();
  }
  const [status] = await closed;
  clearTimeout(late);
  return { status: until === undefined ? status : 0, output };
}

/** `dig` is not on every machine; Node asks the same question. */
async function query(command: string): Promise<Ran> {
  const [, server = '', port = '', name = ''] = /@(\S+) -p (\d+) (\S+)/.exec(onThisStack(command)) ?? [];
  const resolver = new Resolver();
  resolver.setServers([`${server}:${port}`]);
  return { status: 0, output: (await resolver.resolve4(name)).join('\n') };
}

async function run(command: string): Promise<Ran> {
  if (command.startsWith('dig ')) return query(command);
  if (command.includes('--watch')) return type(command, /aws-us-east-1 → azure-eastus/);
  // Replication takes a moment, as the text says.
  if (/^curl -i \S+$/.test(command)) {
    return waitUntil(command, async () => {
      const ran = await type(command);
      return ran.output.includes('404') ? undefined : ran;
    });
  }
  return type(command);
}

describe.each([
  ['Try it', { 'item-20 ': /"id":"item-20"/, 'for i in': /(201 ){19}201/, '/users/hedy': /Hedy Lamarr/ }],
  ['Operate', { 'tandem -- status': /aws-us-east-1 → azure-eastus/, pause: /aws-us-east-1/ }],
  [
    'Traffic',
    {
      dig: /127\.0\.0\.[23]/,
      'dns plan': /[Nn]othing|no change|0 changes/,
      drain: /drain: done/,
      restore: /restore: done/,
      'runbook aws-lost': /1\. failover/,
    },
  ],
])('%s', (section, expected) => {
  const commands = commandsOf(section);

  test('has commands', () => {
    expect(commands.length).toBeGreaterThan(4);
    for (const part of Object.keys(expected)) {
      expect(commands.filter((command) => `${command} `.includes(part))).not.toEqual([]);
    }
  });

  test.each(commands)(
    '%s',
    async (command) => {
      const { status, output } = await run(command);
      if (status !== 0) throw new Error(`it ended with ${String(status)}: ${output}`);
      for (const [part, pattern] of Object.entries(expected)) {
        if (`${command} `.includes(part)) expect(output).toMatch(pattern);
      }
    },
    DONE_WITHIN_MS + 10_000,
  );
});

test('a local run writes nothing into the project', () => {
  // What it shares is there by a link; all else was written by the commands above.
  const written = fs.readdirSync(dir, { withFileTypes: true }).filter((entry) => !entry.isSymbolicLink());
  expect(written.map(({ name }) => name)).toEqual(['.tandem']);
});

test('a name after `npm run` that README.md gives is a script of package.json', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const names = [...README.matchAll(/npm run (?:-s )?(?!…)([\w:-]+)/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});

test('what README.md says can be proved is a command', () => {
  const table = README.split(/^## /m).find((part) => part.startsWith('Prove it yourself\n')) ?? '';
  const lines = [...table.matchAll(/^\| (`[^|]+) \|/gm)]
    .slice(1)
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(readCommandLine(PROGRAM, line.split(' '))).toMatchObject({ kind: 'run' });
});

test.each([
  ['dns status', 'dns', 'status'],
  ['runbook', 'runbook'],
])('%s says in words that the stack file is damaged', async (_name, ...args) => {
  const file = path.join(dir, 'damaged.json');
  fs.writeFileSync(file, '{');
  const all = ['scripts/tandem.ts', ...args, '--policy', 'dns/local.policy.yml', '--stack', file];
  const failed = await new Promise<string>((resolve) => {
    execFile(process.execPath, all, { cwd: dir }, (_error, _out, err) => resolve(err));
  });
  fs.rmSync(file);
  expect(failed).toMatch(/damaged\.json is damaged .*start it again/);
  expect(failed).not.toContain('    at ');
});
