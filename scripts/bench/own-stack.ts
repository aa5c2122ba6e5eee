/**
 * A stack of the bench's own: `npm start` with data in memory, on free ports, in a temporary folder.
 *
 * Invariant: the stack ends with the bench: it is stopped in a `finally`, and told to stop when the bench is ended by
 * a signal. (A bench that is killed with SIGKILL leaves it running.)
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStack, type Stack } from '../local/stack/stack-file.ts';
import { ROOT } from './service-bundles.ts';

const READY_WITHIN_MS = 120_000;
const POLL_MS = 100;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `use` against a fresh stack and stops it afterwards. @throws Error when the stack does not come up. */
export async function withOwnStack<T>(use: (stack: Stack) => Promise<T>): Promise<T> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-bench-'));
  const log = path.join(dir, 'supervisor.log');
  const output = fs.openSync(log, 'w');
  const supervisor = spawn(
    process.execPath,
    ['scripts/local/start.ts', '--ephemeral', '--port', 'all=0', '--dir', dir],
    { cwd: ROOT, stdio: ['ignore', output, output] },
  );
  const end = (): void => void supervisor.kill('SIGTERM');
  const exit = (): never => process.exit(1);
  process.once('exit', end);
  for (const signal of SIGNALS) process.once(signal, exit);
  try {
    return await use(await untilReady(supervisor, dir, log));
  } finally {
    process.off('exit', end);
    for (const signal of SIGNALS) process.off(signal, exit);
    await stop(supervisor);
    fs.closeSync(output);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** What runs in a folder, or in that of a `stack.json`. @throws Error when nothing does. */
export function runningStack(file: string): Stack {
  const stack = readStack(path.basename(file) === 'stack.json' ? path.dirname(file) : file);
  if (stack === undefined) throw new Error(`${file}: no stack runs there`);
  if (!isReady(stack)) throw new Error(`${file}: the stack is not ready`);
  return stack;
}

function isReady({ sites }: Stack): boolean {
  return sites.every(({ ready }) => ready);
}

async function untilReady(supervisor: ChildProcess, dir: string, log: string): Promise<Stack> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const stack = readStack(dir);
    if (stack !== undefined && isReady(stack)) return stack;
    if (hasEnded(supervisor) || Date.now() > deadline) {
      throw new Error(`the stack did not come up:\n${fs.readFileSync(log, 'utf8')}`);
    }
    await delay(POLL_MS);
  }
}

async function stop(supervisor: ChildProcess): Promise<void> {
  if (hasEnded(supervisor)) return;
  const exited = once(supervisor, 'exit');
  supervisor.kill('SIGTERM');
  await exited;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
