/** The supervisor with small processes of its own (tests/helpers/kept-process.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isAlive } from '../../../../tests/helpers/alive.ts';
import type { KeptBehaviour } from '../../../../tests/helpers/kept-process.ts';
import { spawnLimited } from '../../../../tests/helpers/limited.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { CANNOT_START } from '../../src/exit-codes.ts';
import type { Death } from '../../src/stack/keeper.ts';
import { StartError, Supervisor } from '../../src/stack/supervise.ts';
import type { ProcessPlan } from '../../src/stack/topology.ts';

const HELPERS = path.join(import.meta.dirname, '../../../../tests/helpers');
/** A restart is promised within 2 s, and a stop within 5 s. */
const RESTART_WITHIN_MS = 2_000;
const STOP_WITHIN_MS = 5_000;

let dir: string;
let deaths: Death[];
let supervisor: Supervisor | undefined;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'supervise-'));
  deaths = [];
  supervisor = undefined;
});

afterEach(async () => {
  await supervisor?.stop();
  // A child that was killed may still have a write under way.
  fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

type Behaviour = Omit<KeptBehaviour, 'name' | 'eventsFile'>;

function plan(name: string, role: ProcessPlan['role'], behaviour: Behaviour = {}): ProcessPlan {
  const settings: KeptBehaviour = { name, eventsFile: path.join(dir, 'events'), ...behaviour };
  return {
    name,
    role,
    args: [path.join(HELPERS, 'kept-process.ts'), JSON.stringify(settings)],
    env: { PATH: process.env['PATH'] ?? '', TANDEM_RUN_DIR: path.join(dir, 'run') },
    announces: [name],
  };
}

function supervise(...plans: ProcessPlan[]): Supervisor {
  supervisor = new Supervisor({
    plans,
    cwd: dir,
    runDir: path.join(dir, 'run'),
    logsDir: path.join(dir, 'logs'),
    onLine: () => undefined,
    onChange: () => undefined,
    onDeath: (death) => deaths.push(death),
  });
  supervisor.start();
  return supervisor;
}

function events(): string[] {
  return fs.readFileSync(path.join(dir, 'events'), 'utf8').trim().split('\n');
}

function pidOf(event: RegExp): number {
  return Number(
    events()
      .find((line) => event.test(line))
      ?.split(' ')
      .at(-1),
  );
}

describe('a process that dies', () => {
  test('stays dead while the file is there that holds it, and runs again when that is gone', async () => {
    const heldBy = path.join(dir, 'hold');
    const stack = supervise({ ...plan('host', 'host'), heldBy }, plan('other', 'emulators'));
    await stack.whenReady();
    const [keeper, other] = stack.keepers;
    fs.writeFileSync(heldBy, '');
    for (const { pid = 0 } of stack.keepers) process.kill(pid, 'SIGKILL');
    const before = other?.pid;
    await waitUntil(
      'the other one to be back',
      () => (other?.ready === true && other.pid !== before) || undefined,
    );
    expect(keeper?.pid).toBeUndefined();
    fs.rmSync(heldBy);
    await waitUntil('the held one to be back', () => keeper?.ready === true || undefined);
  });

  test('has what its file of variables says from its next start on', async () => {
    const variablesFile = path.join(dir, 'variables');
    const program = 'console.log(`setting ${process.env.SETTING}`); setInterval(() => {}, 1_000)';
    const { env } = plan('host', 'host');
    const stack = supervise({
      name: 'host',
      role: 'host',
      args: ['--eval', program],
      env: { ...env, SETTING: 'own' },
      announces: [],
      variablesFile,
    });
    const log = path.join(dir, 'logs/host.log');
    const printed = (text: string): Promise<true> =>
      waitUntil(text, () => (fs.existsSync(log) && fs.readFileSync(log, 'utf8').includes(text)) || undefined);
    await printed('setting own');
    fs.writeFileSync(variablesFile, JSON.stringify({ SETTING: 'of the file' }));
    process.kill(stack.keepers[0]?.pid ?? 0, 'SIGKILL');
    await printed('setting of the file');
  });

  test('is started again at once after SIGKILL, and its end is reported with its last lines', async () => {
    const stack = supervise(plan('host', 'host'));
    await stack.whenReady();
    const [keeper] = stack.keepers;
    const first = keeper?.pid ?? 0;
    process.kill(first, 'SIGKILL');
    const second = await waitUntil(
      'another instance is ready',
      () => (keeper?.ready === true && keeper.pid !== first ? keeper.pid : undefined),
      RESTART_WITHIN_MS,
    );
    expect(isAlive(second)).toBe(true);
    expect(isAlive(first)).toBe(false);
    await waitUntil('the death is reported', () => deaths[0]);
    expect(deaths).toEqual([
      { name: 'host', pid: first, why: 'SIGKILL', restartInMs: 0, lastLines: ['last words of host'] },
    ]);
  });

  test('takes what it had started with it', async () => {
    const stack = supervise(plan('host', 'host', { withChild: true }));
    await stack.whenReady();
    const child = pidOf(/child/);
    expect(isAlive(child)).toBe(true);
    process.kill(stack.keepers[0]?.pid ?? 0, 'SIGKILL');
    await waitUntil('the child is gone', () => !isAlive(child) || undefined);
  });

  test('again and again before it is ready: restarts come later and later, then a person is told', async () => {
    const stack = supervise(plan('host', 'host', { exitCode: 3 }));
    await expect(stack.whenReady()).rejects.toThrow(/host ended 5 times in a row.*exit code 3/);
    expect(deaths.map(({ restartInMs }) => restartInMs)).toEqual([0, 250, 500, 1_000, 2_000]);
    expect(deaths.map(({ hopeless }) => hopeless)).toEqual([...Array(4).fill(undefined), 'keeps dying']);
    expect(deaths.every(({ lastLines }) => lastLines.includes('last words of host'))).toBe(true);
  });

  test('because it is alive and does not serve in time is started again, with that as its reason', async () => {
    const stack = supervise({ ...plan('host', 'host', { silent: true }), readyWithinMs: 300 });
    await expect(stack.whenReady()).rejects.toThrow(/host ended 5 times in a row.*not ready after 0.3 s/);
    expect(deaths.map(({ why }) => why)).toEqual(Array(5).fill('not ready after 0.3 s'));
  });

  test('because it cannot start is not started again', async () => {
    const stack = supervise(plan('edge', 'edge'), plan('data', 'emulators', { exitCode: CANNOT_START }));
    await expect(stack.whenReady()).rejects.toThrow(StartError);
    expect(deaths).toMatchObject([{ name: 'data', restartInMs: undefined, hopeless: 'cannot start' }]);
    expect(events().filter((line) => line.startsWith('data start'))).toHaveLength(1);
  });

  test('takes along the one that must begin anew with it', async () => {
    const host = { ...plan('host', 'host'), startsAnewWith: 'data' };
    const stack = supervise(plan('data', 'emulators'), host);
    await stack.whenReady();
    const first = stack.keepers.map(({ pid }) => pid);
    process.kill(first[0] ?? 0, 'SIGKILL');
    await waitUntil(
      'both have new instances',
      () => stack.keepers.every(({ pid, ready }, i) => ready && pid !== first[i]) || undefined,
    );
  });
});

describe('a stop', () => {
  test('ends the edge first, then the hosts, then the emulators', async () => {
    const stack = supervise(plan('data', 'emulators'), plan('host', 'host'), plan('edge', 'edge'));
    await stack.whenReady();
    await stack.stop();
    expect(events().filter((line) => line.endsWith('stop'))).toEqual(['edge stop', 'host stop', 'data stop']);
  });

  test('kills what does not end by itself, with all that it started, within 5 s', async () => {
    const stubborn = { stubborn: true, withChild: true };
    const stack = supervise(plan('host', 'host', stubborn), plan('edge', 'edge', stubborn));
    await stack.whenReady();
    const pids = [...stack.keepers.map(({ pid }) => pid ?? 0), pidOf(/host child/), pidOf(/edge child/)];
    const begun = performance.now();
    await stack.stop();
    expect(performance.now() - begun).toBeLessThan(STOP_WITHIN_MS);
    await waitUntil('all are gone', () => pids.every((pid) => !isAlive(pid)) || undefined, 1_000);
  });

  test('during a restart leaves nothing that starts later', async () => {
    const stack = supervise(plan('host', 'host', { exitCode: 1 }));
    const { restartInMs = 0 } = await waitUntil('it has died twice', () => deaths[1]);
    const dueAt = performance.now() + restartInMs;
    await stack.stop();
    const started = events().length;
    await waitUntil('the next restart would be due', () => performance.now() > dueAt + 200 || undefined);
    expect(stack.keepers[0]?.pid).toBeUndefined();
    expect(events()).toHaveLength(started);
  });
});

test('nothing outlives a supervisor that is killed', async () => {
  const plans = [plan('host', 'host', { withChild: false }), plan('stubborn', 'edge', { stubborn: true })];
  const settings = { plans, cwd: dir, runDir: path.join(dir, 'run'), logsDir: path.join(dir, 'logs') };
  const main = spawn(process.execPath, [path.join(HELPERS, 'supervisor-main.ts'), JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(main.stdout, 'data');
  const pids = [pidOf(/^host start/), pidOf(/^stubborn start/)];
  expect(pids.every(isAlive)).toBe(true);
  main.kill('SIGKILL');
  await waitUntil('all are gone', () => pids.every((pid) => !isAlive(pid)) || undefined, STOP_WITHIN_MS);
  expect(events()).toContain('host stop');
});

test('a log that cannot be written is reported once and ends nothing', async () => {
  const plans = [plan('host', 'host', { outputBytes: 20_000 })];
  const settings = { plans, cwd: dir, runDir: path.join(dir, 'run'), logsDir: path.join(dir, 'logs') };
  const main = spawnLimited(4_096, [path.join(HELPERS, 'supervisor-main.ts'), JSON.stringify(settings)]);
  let output = '';
  main.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await waitUntil('the warning', () => output.includes('host.log cannot be written') || undefined);
  const host = pidOf(/^host start/);
  process.kill(host, 'SIGKILL');
  await waitUntil('it is started again', () => events().filter((line) => line.includes('start'))[1]);
  expect(main.exitCode).toBeNull();
  main.kill('SIGKILL');
  await once(main, 'exit');
  expect(output.match(/warning: .*cannot be written \(EFBIG.*make room/g)).toHaveLength(1);
});

test('what a process writes is in its log, and the log of the run before is kept', async () => {
  const log = path.join(dir, 'logs/host.log');
  const first = supervise(plan('host', 'host'));
  await first.whenReady();
  await first.stop();
  expect(fs.readFileSync(log, 'utf8')).toContain('last words of host');
  const second = supervise(plan('host', 'host', { exitCode: CANNOT_START }));
  await expect(second.whenReady()).rejects.toThrow('host cannot start');
  expect(fs.existsSync(`${log}.1`)).toBe(true);
});
