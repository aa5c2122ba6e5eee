/** Spreads seeds over threads. The result does not depend on how many there are. */
import { Worker } from 'node:worker_threads';
import { addReports, NO_SEEDS, type SeedsReport, type SeedsRequest } from './seeds.ts';

const SEEDS_PER_TURN = 25;

export interface PoolOptions extends SeedsRequest {
  readonly threads: number;
  readonly mutant?: string | undefined;
  /** Called after each turn with what has been run so far. */
  readonly progress?: (soFar: SeedsReport) => void;
}

/** Runs the seeds from `first` on; with `stopEarly` no new turn begins after a seed has failed. */
export async function runPool({ threads, mutant, progress, ...request }: PoolOptions): Promise<SeedsReport> {
  const end = request.first + request.count;
  let next = request.first;
  let total = NO_SEEDS;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { mutant } });
    try {
      while (next < end && !(request.stopEarly === true && total.failed.length > 0)) {
        const first = next;
        next += SEEDS_PER_TURN;
        const count = Math.min(SEEDS_PER_TURN, end - first);
        const report = await turn(worker, { ...request, first, count });
        total = addReports(total, report);
        progress?.(total);
      }
    } finally {
      await worker.terminate();
    }
  };
  const wanted = Math.min(threads, Math.ceil(request.count / SEEDS_PER_TURN));
  await Promise.all(Array.from({ length: wanted }, work));
  return { ...total, failed: total.failed.toSorted((a, b) => a.seed - b.seed) };
}

function turn(worker: Worker, request: SeedsRequest): Promise<SeedsReport> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (report: SeedsReport) => {
      worker.off('error', reject);
      resolve(report);
    });
    worker.postMessage(request);
  });
}
