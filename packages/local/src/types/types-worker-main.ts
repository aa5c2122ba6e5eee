/**
 * The thread of types-main.ts that checks. The other one goes on taking messages while this one computes, or stands still
 * because somebody waits for a change.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { TypeChecker } from './type-checker.ts';
import type { FromTypes, WorkerInput } from './types-main.ts';

const { projectDir, folders, held } = workerData as WorkerInput;
const checker = new TypeChecker({ projectDir, folders, giveWay: () => void Atomics.wait(held, 0, 1) });
const send = (message: FromTypes): void => parentPort?.postMessage(message);
let changed: string[] = [];

function check(): void {
  // Those that have come meanwhile are checked with this one.
  const files = changed;
  changed = [];
  if (files.length === 0) return;
  try {
    send({ report: checker.check(files), changed: files });
  } catch (error) {
    send({ problem: error instanceof Error ? error.message : String(error) });
  }
}

parentPort?.on('message', (more: readonly string[]) => {
  changed.push(...more);
  setImmediate(check);
});
