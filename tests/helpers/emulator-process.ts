/** An emulator in a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = path.join(import.meta.dirname, 'emulator-main.ts');

export interface EmulatorProcess {
  readonly endpoint: string;
  readonly pid: number;
  /** Ends the process as a crash does, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts `sqs`, `dynamodb` or `s3` on a free port with its data in `dataDir`. */
export async function spawnEmulator(
  kind: 'sqs' | 'dynamodb' | 's3',
  dataDir: string,
): Promise<EmulatorProcess> {
  const child = spawn(process.execPath, [MAIN, kind, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const endpoint = await firstLine(child);
  return {
    endpoint,
    pid: child.pid ?? 0,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the emulator process has no output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the emulator process ended before it was ready');
}
