/**
 * The trigger process of an AWS site. Its parent (`bridge-supervisor.ts`) sends the plan over IPC and restarts
 * it when it dies; it can be killed alone, which is what drills do.
 *
 * Invariant: it never outlives its parent. The IPC channel closes when the parent ends in any way, SIGKILL
 * included, and the process then stops.
 */
import { flushCompileCache } from 'node:module';
import { openInspector } from '../code/open-inspector.ts';
import { announce } from '../run-registry.ts';
import { type Bridge, startBridge } from './bridge.ts';
import type { FromBridge, ToBridge } from './plan.ts';

/** How long batches in flight may take to end; what is cut off comes again when its visibility times out. */
const STOP_WITHIN_MS = 1_000;

let bridge: Promise<Bridge> | undefined;

process.setSourceMapsEnabled(true);

const report = (message: string): void => {
  process.stderr.write(`[aws bridge] ${message}\n`);
};

const notify = (message: FromBridge): void => {
  if (process.connected) process.send?.(message);
};

async function start({ plan }: Extract<ToBridge, { type: 'start' }>): Promise<void> {
  bridge = startBridge(plan, report);
  await bridge;
  announce(`${plan.site}.bridge`);
  notify({ type: 'ready' });
  flushCompileCache();
}

function reload(running: Bridge): void {
  try {
    running.reload();
    notify({ type: 'reloaded' });
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    report(`the functions stay as they were: ${problem}`);
    notify({ type: 'reloaded', problem });
  }
}

function stop(): void {
  setTimeout(() => process.exit(0), STOP_WITHIN_MS);
  void Promise.resolve(bridge)
    .then((running) => running?.stop())
    .catch(() => undefined)
    .then(() => process.exit(0));
}

process.on('message', (message: ToBridge) => {
  switch (message.type) {
    case 'start':
      start(message).catch((error: unknown) => {
        report(error instanceof Error ? (error.stack ?? error.message) : String(error));
        process.exit(1);
      });
      break;
    case 'reload':
      void bridge?.then(reload);
      break;
    case 'inspect':
      openInspector(message.address);
      break;
    case 'stop':
      stop();
      break;
  }
});
process.once('disconnect', stop);
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
