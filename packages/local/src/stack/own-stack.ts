/**
 * A stack of one's own, for tests, benchmarks and drills: `npm start` on free ports, in a temporary folder.
 *
 * Invariant: it ends with whoever started it: `stop` is there for the ordinary end, and the supervisor is told to
 * end when the process exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStack, type Stack } from '@tandem-clouds/command-line/running-stack';

const ROOT = path.join(import.meta.dirname, '../../../..');
/** Of every command of the project. */
const COMPILE_CACHE = 'node_modules/.cache/tandem';
const READY_WITHIN_MS = 120_000;
const POLL_MS = 100;

export interface OwnStack {
  /** Where it keeps data (below `data/<site>`), logs and `stack.json`. */
  readonly dir: string;
  /** What runs right now. */
  describe(): Stack;
  /** Stops everything and removes the folder. */
  stop(): Promise<void>;
}

/**
 * Starts a stack and waits until every site serves.
 * @param options Of `npm start`: `--ephemeral`, `--sites …`.
 * @throws Error with the supervisor's output when the stack does not come up.
 */
export function startOwnStack(...options: readonly string[]): Promise<OwnStack> {
  return startStackOf(ROOT, ...options);
}

/** As `startOwnStack`, of a copy of the project whose declarations may be others. What both have is compiled once. */
export async function startStackOf(project: string, ...options: readonly string[]): Promise<OwnStack> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-stack-'));
  const log = path.join(dir, 'supervisor.log');
  const output = fs.openSync(log, 'w');
  const args = ['scripts/start.ts', '--port', 'all=0', '--dir', dir, ...options];
  const supervisor = spawn(process.execPath, args, {
    cwd: project,
    stdio: ['ignore', output, output],
    env: { TANDEM_CACHE_DIR: path.join(ROOT, '.tandem/cache'), ...process.env, ...compileCacheOf(project) },
  });
  fs.closeSync(output);
  const end = (): void => void supervisor.kill('SIGTERM');
  process.once('exit', end);
  const stop = async (): Promise<void> => {
    process.off('exit', end);
    await ended(supervisor);
    fs.rmSync(dir, { recursive: true, force: true });
  };
  try {
    await untilReady(supervisor, dir, log);
  } catch (error) {
    await stop();
    throw error;
  }
  let latest: Stack | undefined;
  return {
    dir,
    describe() {
      latest = readStack(dir) ?? latest;
      if (latest === undefined) throw new Error('the stack has ended');
      return latest;
    },
    stop,
  };
}

/**
 * Node knows a module by its place relative to the cache: so a copy of the project needs the cache in its own place, where
 * it is linked to that of the project.
 */
export function compileCacheOf(project: string): Record<string, string> {
  if (process.env['NODE_COMPILE_CACHE_PORTABLE'] !== '1') return {};
  return { NODE_COMPILE_CACHE: path.join(project, COMPILE_CACHE) };
}

async function untilReady(supervisor: ChildProcess, dir: string, log: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (readStack(dir)?.sites.every(({ ready }) => ready) !== true) {
    if (supervisor.exitCode !== null || Date.now() > deadline) {
      throw new Error(`the stack did not come up:\n${fs.readFileSync(log, 'utf8')}`);
    }
    await delay(POLL_MS);
  }
}

async function ended(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const exited = once(supervisor, 'exit');
  supervisor.kill('SIGTERM');
  await exited;
}
