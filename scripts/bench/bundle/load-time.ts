/** How long a fresh Node process takes to load a bundle, over what it takes to do nothing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '@tandem-clouds/testkit/report/statistics';

const run = promisify(execFile);

const EMPTY = 'process.exit(0)';
// A bundle may hold timers and sockets open; loading it is all that is asked.
const LOAD = 'require(process.argv[1]); process.exit(0)';
const TIMEOUT_MS = 30_000;

export type Environment = Readonly<Record<string, string>>;

/** Milliseconds from starting the process to its end. @throws when the bundle cannot be loaded. */
async function processMs(script: string, args: readonly string[], env: Environment): Promise<number> {
  const start = performance.now();
  await run(process.execPath, ['-e', script, ...args], { env: { ...env }, timeout: TIMEOUT_MS });
  return performance.now() - start;
}

/**
 * Milliseconds of each load, a list for each bundle in the order given, less the median of the empty process. The runs are
 * interleaved, so that a slow moment of the machine does not fall on one of them alone; no compile cache, as at a cold start.
 */
export async function loadSamples(
  bundles: readonly { readonly file: string; readonly env: Environment }[],
  runs: number,
): Promise<readonly (readonly number[])[]> {
  const empty: number[] = [];
  const loads = bundles.map((bundle) => ({ ...bundle, ms: [] as number[] }));
  for (let n = 0; n < runs; n += 1) {
    for (const { file, env, ms } of loads) {
      empty.push(await processMs(EMPTY, [], env));
      ms.push(await processMs(LOAD, [file], env));
    }
  }
  const nothing = median(empty);
  return loads.map(({ ms }) => ms.map((each) => each - nothing));
}

/** The median of `loadSamples` for each file. */
export async function loadTimes(
  bundles: readonly { readonly file: string; readonly env: Environment }[],
  runs: number,
): Promise<ReadonlyMap<string, number>> {
  const samples = await loadSamples(bundles, runs);
  return new Map(bundles.map(({ file }, i) => [file, median(samples[i] ?? [])]));
}
