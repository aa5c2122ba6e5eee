/** `npm start` with the real processes: both clouds, the bridge and the edge. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';
import { isAlive } from '../helpers/alive.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** Regions that no other test uses: sites of one name share a build folder. */
const SITES = 'aws-ap-south-1,azure-southindia';

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, ['scripts/start.js', ...args], { cwd: ROOT });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, exited };
}

/** Resolves when the summary is there. @throws Error with the output when the run ends before. */
async function whenUp(run: Run): Promise<void> {
  await waitUntil('the stack is up', () => {
    if (run.child.exitCode !== null) throw new Error(`ended with ${run.child.exitCode}:\n${run.output()}`);
    return run.output().includes('Ctrl-C') || undefined;
  });
}

function pidsOf({ pid, edge, payments, mail, sites }: Stack): number[] {
  const all = [
    pid,
    edge.pid,
    payments.pid,
    mail.pid,
    ...sites.flatMap((site) => [site.pid, site.bridgePid, site.emulatorsPid]),
  ];
  return all.map((one) => {
    if (one === null) throw new Error('a process has no id');
    return one;
  });
}

async function writeItem(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id, data: { from: url } }),
  });
  expect(response.status).toBe(201);
}

async function readItem(url: string, id: string): Promise<unknown> {
  return await waitUntil(`${id} is at ${url}`, async () => {
    const response = await fetch(`${url}/items/${id}`);
    const { data } = (await response.json()) as { data?: unknown };
    return response.ok ? data : undefined;
  });
}

describe('a stack that runs', () => {
  let dir: string;
  let run: Run;
  let stack: Stack;

  const described = (): Stack => {
    const now = readStack(dir);
    if (now === undefined) throw new Error('there is no stack.json');
    return now;
  };

  beforeAll(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-start-'));
    // As a kill in the middle of a write by something else might leave it: it is written anew.
    fs.writeFileSync(path.join(dir, 'stack.json'), '{"version":');
    run = start('--ephemeral', '--seed', '--port', 'all=0', '--sites', SITES, '--dir', dir);
    await whenUp(run);
    stack = described();
  });

  afterAll(async () => {
    run.child.kill('SIGTERM');
    await run.exited;
    fs.rmSync(dir, { recursive: true, force: true });
  });

  test('what is written at either cloud is read at the other', async () => {
    const [aws, azure] = stack.sites;
    await Promise.all([writeItem(aws!.url, 'from-aws'), writeItem(azure!.url, 'from-azure')]);
    expect(await readItem(azure!.url, 'from-aws')).toEqual({ from: aws!.url });
    expect(await readItem(aws!.url, 'from-azure')).toEqual({ from: azure!.url });
  });

  test('the commands that it prints work as they are', async () => {
    const commands = run.output().match(/curl .*/g) ?? [];
    expect(commands).toHaveLength(2);
    const outputs: unknown[] = [];
    for (const command of commands) {
      const response = await waitUntil('an item', async () => {
        const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
        let text = '';
        shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
        await once(shell, 'close');
        const parsed = JSON.parse(text) as { data?: unknown };
        return parsed.data;
      });
      outputs.push(response);
    }
    expect(outputs).toEqual([{ from: stack.sites[0]?.site }, { from: stack.sites[0]?.site }]);
  });

  test('the edge lets both clouds answer', async () => {
    const responses = await Promise.all([1, 2, 3, 4].map(() => fetch(`${stack.edge.url}/region`)));
    const sites = responses.map(({ headers }) => headers.get('x-tandem-site'));
    expect(new Set(sites)).toEqual(new Set(stack.sites.map(({ site }) => site)));
  });

  test('the sandbox takes payments, and its events reach a site by the edge', async () => {
    const { payments } = described();
    const key = { authorization: 'Bearer sk_test_local' };
    const response = await fetch(`${payments.stripe}/v1/payment_intents`, {
      method: 'POST',
      headers: key,
      body: new URLSearchParams({
        ...{ amount: '500', currency: 'eur', confirm: 'true', payment_method: 'pm_card_visa' },
        ...{
          'automatic_payment_methods[enabled]': 'true',
          'automatic_payment_methods[allow_redirects]': 'never',
        },
      }),
    });
    expect(await response.json()).toMatchObject({ status: 'succeeded' });
    const lines = stack.sites.map(({ site }) => path.join(dir, 'logs', `${site}.log`));
    await waitUntil('a site has taken the event', () => {
      const logged = lines.flatMap((file) => fs.readFileSync(file, 'utf8').split('\n'));
      return logged.some((line) => line.includes('"path":"/payments/stripe","status":200')) || undefined;
    });
    const paypal = await fetch(`${payments.paypal}/v1/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('local:local').toString('base64')}` },
      body: 'grant_type=client_credentials',
    });
    expect(paypal.status).toBe(200);
  });

  test('the sample data is there', async () => {
    await waitUntil('the sample data is reported', () => run.output().includes('Sample data: ') || undefined);
    const response = await fetch(`${stack.edge.url}/users/ada`);
    expect(await response.json()).toMatchObject({ name: 'Ada Lovelace' });
  });

  test('a cloud that is killed costs no request and comes back', async () => {
    const [aws] = stack.sites;
    process.kill(aws!.pid ?? 0, 'SIGKILL');
    const statuses = new Set<number>();
    await waitUntil('the cloud is back', async () => {
      statuses.add((await fetch(`${stack.edge.url}/items/from-azure`)).status);
      statuses.add((await fetch(`${stack.edge.url}/users/ada`)).status);
      const now = described().sites[0];
      return (now?.pid !== aws!.pid && now?.ready === true) || undefined;
    });
    expect([...statuses]).toEqual([200]);
    expect(run.output()).toContain(`${aws!.site} (pid ${aws!.pid}) ended: SIGKILL; starting it again`);
  });

  test('the operator key of the stack is only in a file that its owner alone can read', () => {
    const { operatorKey } = described();
    expect(fs.statSync(path.join(dir, 'stack.json')).mode & 0o777).toBe(0o600);
    expect(operatorKey.length).toBeGreaterThanOrEqual(43);
    const logs = fs.readdirSync(path.join(dir, 'logs')).map((name) => path.join(dir, 'logs', name));
    expect(logs.filter((file) => fs.readFileSync(file, 'utf8').includes(operatorKey))).toEqual([]);
    expect(run.output()).not.toContain(operatorKey);
  });

  test('a second start in the same folder is refused and names the first', async () => {
    const second = start('--ephemeral', '--port', 'all=0', '--sites', SITES, '--dir', dir);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`in use by process ${stack.pid}`);
  });

  test('a start with a port that is taken names it, what wants it and the option', async () => {
    const { port } = new URL(stack.edge.url);
    const other = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-start-'));
    const second = start('--port', 'all=0', '--port', `edge=${port}`, '--dir', other);
    expect(await second.exited).toBe(1);
    fs.rmSync(other, { recursive: true, force: true });
    expect(second.output()).toMatch(new RegExp(`port ${port}, wanted by the edge, is taken.*--port edge=`));
    expect(second.output()).toContain('npm start -- --port all=0');
  });

  // Last: the others need it running.
  test('Ctrl-C ends everything, leaves no process and exits with 0', async () => {
    const pids = pidsOf(described());
    expect(pids.every(isAlive)).toBe(true);
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(fs.existsSync(path.join(dir, 'stack.json'))).toBe(false);
  });
});

describe('a start that goes wrong', () => {
  let dir: string;

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-start-'));
  });

  afterEach(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });

  test('because of an unknown option: the message names it, and the status is 2', async () => {
    const run = start('--sitess', 'x');
    expect(await run.exited).toBe(2);
    expect(run.output()).toContain('--sitess');
  });

  test('because the shell that npm runs it in was killed: it stops as with Ctrl-C', async () => {
    const command = `${process.execPath} scripts/start.js --ephemeral --port all=0 --sites ${SITES} --dir ${dir} & wait`;
    const env = { ...process.env, npm_lifecycle_event: 'start' };
    const shell = spawn('sh', ['-c', command], { cwd: ROOT, env, stdio: 'ignore' });
    const { pid } = await waitUntil('there is a stack.json', () => readStack(dir));
    shell.kill('SIGKILL');
    await waitUntil('the supervisor has ended', () => !isAlive(pid) || undefined);
    expect(readStack(dir)).toBeUndefined();
  });

  test("because a store is damaged: the emulator's own words, status 1, and nothing is left", async () => {
    const [aws = ''] = SITES.split(',');
    const file = path.join(dir, 'data', aws, 'sqs/sqs.jsonl');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, 'this is not JSON\n{}\n');
    const run = start('--port', 'all=0', '--sites', SITES, '--dir', dir);
    expect(await run.exited).toBe(1);
    expect(run.output()).toContain(`${file}: line 1 is damaged`);
    expect(run.output()).toContain('Tandem could not start');
    expect(fs.existsSync(path.join(dir, 'stack.json'))).toBe(false);
  });
});
