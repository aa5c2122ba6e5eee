/**
 * The trigger process of an Azure site: queues and timers. Its parent (`bridge-supervisor.ts`) forks it with the
 * folder of the app as its argument and the settings in its environment, and restarts it when it dies.
 *
 * Invariant: it never outlives its parent. The IPC channel closes when the parent ends in any way, SIGKILL
 * included, and the process then stops.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { openInspector } from '../code/open-inspector.ts';
import { announce } from '../run-registry.ts';
import type { AzureHost } from './host.ts';

/** What the parent asks for. */
export type ToBridge = 'reload' | 'stop' | { readonly inspect: string };

/** How long batches under way may take to end. */
const STOP_WITHIN_MS = 1_500;

const [, , appDir = ''] = process.argv;
const log = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

process.setSourceMapsEnabled(true);
enableCompileCache();
// Imported late, so that the cache is on; a mistake ends the process, with its reason as the last lines.
const host = import('./host.ts')
  .then(({ startAzureHost }) => startAzureHost({ appDir, include: 'triggers', log }))
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });

function stop(): void {
  setTimeout(() => process.exit(0), STOP_WITHIN_MS);
  void host
    .then((running) => running.close())
    .catch(() => undefined)
    .then(() => process.exit(0));
}

function reload(running: AzureHost): void {
  let problem: string | undefined;
  try {
    running.reload();
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log(`the functions could not be loaded anew: ${problem}`);
  }
  if (process.connected) process.send?.({ type: 'reloaded', ...(problem !== undefined && { problem }) });
}

process.on('message', (message: ToBridge) => {
  if (message === 'stop') stop();
  else if (message === 'reload') void host.then(reload);
  else openInspector(message.inspect);
});
process.once('disconnect', stop);
process.once('SIGINT', stop);
process.once('SIGTERM', stop);

await host;
announce(`${process.env['TANDEM_SITE'] ?? 'azure'}.bridge`);
if (process.connected) process.send?.('ready');
flushCompileCache();
