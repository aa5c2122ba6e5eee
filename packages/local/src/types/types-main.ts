/**
 * Checks types for `npm start`, in a process of its own that gives way: the compiler takes seconds of a processor and
 * hundreds of megabytes, and a change must show without it.
 *
 * Invariant: it never outlives its parent, and not for long the last change.
 */
import os from 'node:os';
import type { TypeReport } from './type-checker.ts';

export interface TypesMessage {
  readonly changed: readonly string[];
}

export type FromTypes =
  { readonly report: TypeReport; readonly changed: readonly string[] } | { readonly problem: string };

/** Who has stopped changing the code gets the memory back. */
const IDLE_MS = 10 * 60_000;

/**
 * A quarter of what others get of a busy processor. The lowest priority, 19, would get a seventieth, and a report would
 * take minutes on a machine that is busy with something else (sched(7): each step is a factor of 1.25).
 */
const NICENESS = 6;

os.setPriority(NICENESS);
const [, , projectDir = '', ...folders] = process.argv;
const send = (message: FromTypes): void => {
  if (process.connected) process.send?.(message);
};
const end = (): never => process.exit(0);
let idle = setTimeout(end, IDLE_MS);
let changed: string[] = [];

// Imported late: it takes a while, and the priority holds for all of it.
const checker = import('./type-checker.ts').then(
  ({ TypeChecker }) => new TypeChecker({ projectDir, folders }),
);

async function check(): Promise<void> {
  const ready = await checker;
  // Those that have come meanwhile are checked with this one.
  const files = changed;
  changed = [];
  if (files.length === 0) return;
  clearTimeout(idle);
  idle = setTimeout(end, IDLE_MS);
  send({ report: ready.check(files), changed: files });
}

process.on('message', ({ changed: more }: TypesMessage) => {
  changed.push(...more);
  setImmediate(() => {
    check().catch((error: unknown) => {
      send({ problem: error instanceof Error ? error.message : String(error) });
    });
  });
});
process.once('disconnect', end);
