/**
 * `bench lag`: how long after its acknowledgement a write is readable at the other cloud, both ways at once,
 * at a steady rate, over the whole local stack.
 *
 * Without `--stack` it starts a stack of its own, with data in memory, and stops it afterwards.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack, StackSite } from '@tandem-clouds/command-line/running-stack';
import { runningStack, withOwnStack } from '@tandem-clouds/testkit/cluster/own-stack';
import { openProbe } from '@tandem-clouds/testkit/observe/probe';
import { Watcher } from '@tandem-clouds/testkit/observe/watcher';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { percentile } from '@tandem-clouds/testkit/report/statistics';
import { type Footprint, withFootprint } from './lag/footprint.ts';
import { openLoop } from './lag/open-loop.ts';
import { ROOT } from './service-bundles.ts';

const LAG_P50_BELOW_MS = 60;
const LAG_P99_BELOW_MS = 300;
const SEEN_WITHIN_MS = 30_000;
/** Fine enough for the aims; each request takes about a millisecond of processor time from the system. */
const PROBE_INTERVAL_MS = 8;
const WRITE_TIMEOUT_MS = 30_000;
/** Clients that warm the stack up, each way. */
const WARM_UP_LANES = 4;

const time = { now: () => performance.now(), sleep: (ms: number) => sleep(ms) };

interface Options {
  /** Writes a second, each way. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

interface Direction {
  readonly from: StackSite;
  readonly to: StackSite;
}

interface Sample {
  /** Milliseconds from the time that the write was due to its acknowledgement. */
  readonly writeMs: number;
  readonly acknowledgedAt: number;
  readonly lagMs: number;
  readonly windowMs: number;
}

/** One site of each cloud, both ways. */
function directionsOf({ sites }: Stack): [Direction, Direction] {
  const aws = sites.find(({ cloud }) => cloud === 'aws');
  const azure = sites.find(({ cloud }) => cloud === 'azure');
  if (aws === undefined || azure === undefined) throw new Error('the stack has no site of each cloud');
  return [
    { from: aws, to: azure },
    { from: azure, to: aws },
  ];
}

/** Writes one record and returns when it was acknowledged. @throws Error when it was not. */
async function write({ site, url }: StackSite, id: string): Promise<number> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL('/write', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id, data: { kind: 'lag', filling: 'x'.repeat(200) } }),
      signal: AbortSignal.timeout(WRITE_TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new Error(`${site}: write ${id} was not answered within ${WRITE_TIMEOUT_MS} ms`, { cause });
  }
  const acknowledgedAt = performance.now();
  if (response.status !== 201) throw new Error(`${site}: write ${id}: HTTP ${response.status} ${text}`);
  return acknowledgedAt;
}

/** Writes a record at one site and resolves when it has been seen at the other. */
type Follow = (dueAt: number) => Promise<Sample>;

/** Runs `use` with the probe of a direction open. */
async function following<T>({ from, to }: Direction, use: (follow: Follow) => Promise<T>): Promise<T> {
  const probe = openProbe(to);
  const watcher = new Watcher({
    probe,
    intervalMs: PROBE_INTERVAL_MS,
    timeoutMs: SEEN_WITHIN_MS,
    ...time,
  });
  try {
    return await use(async (dueAt) => {
      const id = `lag-${randomUUID()}`;
      const acknowledgedAt = await write(from, id);
      const sighting = await watcher.watch(`item:${id}`, acknowledgedAt);
      return { writeMs: acknowledgedAt - dueAt, acknowledgedAt, ...sighting };
    });
  } finally {
    probe.close();
  }
}

/**
 * A few clients each way that wait for every write to arrive. Code that has never run is slow: a schedule would
 * pile up a backlog in cold processes, and the measurement would begin with it.
 */
async function warmUp(directions: readonly Direction[], seconds: number): Promise<void> {
  const until = time.now() + seconds * 1_000;
  const lane = async (follow: Follow): Promise<void> => {
    while (time.now() < until) await follow(time.now());
  };
  await Promise.all(
    directions.map((direction) =>
      following(direction, (follow) =>
        Promise.all(Array.from({ length: WARM_UP_LANES }, () => lane(follow))),
      ),
    ),
  );
}

/** Writes on schedule, both ways at once, half a period apart. */
function measureBoth(directions: readonly Direction[], rate: number, seconds: number): Promise<Sample[][]> {
  return Promise.all(
    directions.map((direction, i) =>
      following(direction, (follow) =>
        openLoop({ rate, seconds, offsetMs: (i * 500) / rate }, time, (_, dueAt) => follow(dueAt)),
      ),
    ),
  );
}

function figuresOf({ from, to }: Direction, samples: readonly Sample[]): Figure[] {
  const name = `${from.site} → ${to.site}`;
  const lags = samples.map(({ lagMs }) => lagMs);
  const writes = samples.map(({ writeMs }) => writeMs);
  const times = samples.map(({ acknowledgedAt }) => acknowledgedAt);
  const seconds = (Math.max(...times) - Math.min(...times)) / 1_000;
  return [
    figure(`${name}: lag p50`, percentile(lags, 0.5), 'ms', { below: LAG_P50_BELOW_MS }),
    figure(`${name}: lag p90`, percentile(lags, 0.9), 'ms'),
    figure(`${name}: lag p99`, percentile(lags, 0.99), 'ms', { below: LAG_P99_BELOW_MS }),
    figure(`${name}: lag max`, Math.max(...lags), 'ms'),
    figure(`${name}: writes seen`, samples.length, ''),
    figure(`${name}: write rate`, (samples.length - 1) / seconds, 'writes/s'),
    figure(`${name}: write p50`, percentile(writes, 0.5), 'ms'),
    figure(`${name}: write p99`, percentile(writes, 0.99), 'ms'),
  ];
}

function notesOf(
  samples: readonly Sample[],
  { ownCores, idleShare, lateP99Ms }: Footprint,
  { warmUpSeconds }: Options,
): string[] {
  const windows = samples.map(({ windowMs }) => windowMs);
  const [half, most] = [percentile(windows, 0.5).toFixed(1), percentile(windows, 0.99).toFixed(1)];
  return [
    'lag: from the answer 201 of POST /write to the first strongly consistent read of the other store that shows it',
    `the probe asks for all outstanding keys in one request, every ${PROBE_INTERVAL_MS} ms at most, and for nothing ` +
      `when none is; a lag may be too large by ${half} ms (p50), ${most} ms (p99), and is never too small`,
    `write latency counts from the time that the write was due; ${warmUpSeconds} s of warm-up are left out`,
    `clients, probes and the whole stack share this machine, which was idle for ${(idleShare * 100).toFixed(0)} % of ` +
      `the time (near 0 %: everything waited for a core); the bench itself took ${ownCores.toFixed(2)} cores, and its ` +
      `event loop was late by ${lateP99Ms.toFixed(1)} ms (p99)`,
  ];
}

async function measure(stack: Stack, options: Options, progress: (line: string) => void): Promise<Findings> {
  const { rate, seconds, warmUpSeconds } = options;
  const directions = directionsOf(stack);
  if (warmUpSeconds > 0) {
    progress(`warming up for ${warmUpSeconds} s`);
    await warmUp(directions, warmUpSeconds);
  }
  progress(`writing ${rate} records a second each way for ${seconds} s`);
  const { result: samples, footprint } = await withFootprint(() => measureBoth(directions, rate, seconds));
  return {
    figures: directions.flatMap((direction, i) => figuresOf(direction, samples[i] ?? [])),
    notes: notesOf(samples.flat(), footprint, options),
  };
}

/** Returns the exit status. */
export async function benchLag({
  rate,
  seconds,
  warmUp: warmUpSeconds,
  stack: running,
  json,
}: {
  readonly rate: number;
  readonly seconds: number;
  /** Seconds. */
  readonly warmUp: number;
  /** A stack that runs, or its folder; undefined: one of its own. */
  readonly stack: string | undefined;
  readonly json: boolean;
}): Promise<number> {
  const options = { rate, seconds, warmUpSeconds };
  return report(
    {
      title: `Replication lag at ${options.rate} writes/s each way`,
      json,
      command: commandLine(process.argv, ROOT),
    },
    async (progress) => {
      if (running !== undefined) return measure(runningStack(running), options, progress);
      progress('starting a stack of its own');
      return withOwnStack((stack) => measure(stack, options, progress));
    },
  );
}
