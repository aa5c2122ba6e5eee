/**
 * The bare copy in a process of its own, as the functions that it is compared with are: copies what it is sent the keys of,
 * and answers with when each was there.
 */
import { BareCopy, type BareStorages } from './bare.ts';
import { lanes } from './lanes.ts';

export interface BareTask {
  readonly storages: BareStorages;
  readonly keys: readonly string[];
  readonly atOnce: number;
}

process.once('message', (task: BareTask) => void run(task));

async function run({ storages, keys, atOnce }: BareTask): Promise<void> {
  const bare = new BareCopy(storages);
  const copiedMs: number[] = [];
  await lanes(keys.length, atOnce, async (at) => {
    await bare.copy(keys[at] ?? '');
    copiedMs.push(Date.now());
  });
  bare.close();
  process.send?.(copiedMs, () => {
    process.disconnect();
  });
}
