/** The process of `recovery-main.ts`, as the bench that started it uses it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { ROOT } from '../service-bundles.ts';
import type { RecoveryCall, RecoverySettings } from './recovery-main.ts';

const MAIN = path.join(ROOT, 'scripts/bench/catch-up/recovery-main.ts');
const LEASH = path.join(ROOT, 'packages/local/src/stack/leash.ts');

export interface Recovery {
  /** Runs the sweeper of each site now, besides its ticks. */
  sweep(): Promise<void>;
  /** Lets no sweep begin until `resume`; returns when none is under way. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** Rejects when the process ends before it is stopped. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export function startRecovery(settings: RecoverySettings): Recovery {
  const child = fork(MAIN, [JSON.stringify(settings)], {
    execArgv: ['--import', LEASH],
    // The functions write their logs and metrics to the standard output, which is the report's.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const failed = exited.then((): never => {
    throw new Error('the process of the sweepers has ended');
  });
  failed.catch(() => undefined);
  const call = async (name: RecoveryCall): Promise<void> => {
    child.send(name);
    await Promise.race([once(child, 'message'), failed]);
  };
  return {
    sweep: () => call('sweep'),
    hold: () => call('hold'),
    resume: () => call('resume'),
    failed,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await call('stop');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
