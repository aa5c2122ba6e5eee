import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { Freezer } from '../../src/faults/freezer.ts';

const FREEZER = pathToFileURL(path.join(import.meta.dirname, '../../src/faults/freezer.ts')).href;
const closing = closeAfterEach();
let group: ChildProcess;
let leader: number;

beforeEach(() => {
  group = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1_000)'], {
    detached: true,
    stdio: 'ignore',
  });
  leader = group.pid ?? 0;
  closing(() => group.kill('SIGKILL'));
});

/** As `ps` has it: T is stopped. */
function isStopped(pid: number): boolean {
  return spawnSync('ps', ['-o', 'stat=', '-p', String(pid)])
    .stdout.toString()
    .startsWith('T');
}

const goesOn = (): Promise<true> => waitUntil('the group goes on', () => !isStopped(leader) || undefined);

test('a group stands still until it is thawed', async () => {
  const freezer = new Freezer(leader, () => undefined);
  await freezer.frozen;
  expect(isStopped(leader)).toBe(true);
  await freezer.thaw();
  expect(isStopped(leader)).toBe(false);
});

test('a group that is thawed before it stands still goes on', async () => {
  const freezer = new Freezer(leader, () => undefined);
  await freezer.thaw();
  await freezer.frozen;
  expect(isStopped(leader)).toBe(false);
});

test('a group goes on when what freezes it is killed, which is reported', async () => {
  const lost = Promise.withResolvers<undefined>();
  const freezer = new Freezer(leader, () => lost.resolve(undefined));
  await freezer.frozen;
  const keeper = Number(
    spawnSync('ps', ['-e', '-o', 'pid=,args='])
      .stdout.toString()
      .split('\n')
      .find((line) => line.trimEnd().endsWith(`freezer-main.ts ${leader}`))
      ?.trim()
      .split(' ')[0],
  );
  process.kill(keeper, 'SIGKILL');
  await lost.promise;
  await goesOn();
});

test('a group goes on when the process that wanted it frozen is killed', async () => {
  const program = `const { Freezer } = await import(${JSON.stringify(FREEZER)});
    await new Freezer(${leader}, () => undefined).frozen;
    console.log('frozen');
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  expect(isStopped(leader)).toBe(true);
  child.kill('SIGKILL');
  await goesOn();
});
