/**
 * Checks types for `npm start`, in a process of its own that gives way: the compiler takes seconds of a processor and
 * hundreds of megabytes, and a change must show without it.
 *
 * Invariants: it never outlives its parent, and not for long the last change. While it is held it computes nothing: the
 * thread that checks stands still within milliseconds, and this one goes on hearing its parent.
 */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import type { TypeReport } from './type-checker.ts';

export type ToTypes = { readonly changed: readonly string[] } | { readonly isHeld: boolean };

export type FromTypes =
  { readonly report: TypeReport; readonly changed: readonly string[] } | { readonly problem: string };

export interface WorkerInput {
  readonly projectDir: string;
  readonly folders: readonly string[];
  /** One element: 1 while nothing shall be computed. Shared by both threads. */
  readonly held: Int32Array<SharedArrayBuffer>;
}

/** Who has stopped changing the code gets the memory back. */
const IDLE_MS = 10 * 60_000;

/**
 * A quarter of what others get of a busy processor. The lowest priority, 19, would get a seventieth, and a report would
 * take minutes on a machine that is busy with something else (sched(7): each step is a factor of 1.25).
 */
const NICENESS = 6;

os.setPriority(NICENESS);
const [, , projectDir = '', ...folders] = process.argv;
const held = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const send = (message: FromTypes): void => {
  if (process.connected) process.send?.(message);
};
const end = (): never => process.exit(0);
let idle = setTimeout(end, IDLE_MS);

// It inherits the priority.
const worker = new Worker(new URL('./types-worker-main.ts', import.meta.url), {
  workerData: { projectDir, folders, held } satisfies WorkerInput,
});
worker.on('message', send);
worker.on('error', (error) => {
  send({ problem: error instanceof Error ? error.message : String(error) });
});

process.on('message', (message: ToTypes) => {
  if ('isHeld' in message) {
    Atomics.store(held, 0, message.isHeld ? 1 : 0);
    Atomics.notify(held, 0);
    return;
  }
  clearTimeout(idle);
  idle = setTimeout(end, IDLE_MS);
  worker.postMessage(message.changed);
});
process.once('disconnect', end);
