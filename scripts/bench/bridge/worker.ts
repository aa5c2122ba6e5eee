/**
 * The measured process: one contender, both directions, nothing else. The emulators and the bench itself are in
 * other processes, and the parent runs one worker at a time.
 */
import type { CloudName } from '../service-bundles.ts';
import { bareApply, bareForward } from './bare.ts';
import { type Bundles, loadFunction, type PlatformHandler } from './functions.ts';
import { openFeeder } from './triggers.ts';
import { type BenchSites, OTHER } from './two-sites.ts';

export type ContenderName = 'ours' | 'bare';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly contender: ContenderName;
  readonly sites: BenchSites;
  readonly bundles: Bundles;
}

/** Carry the `events` that wait in the outbound queue of `from` to the other site's store. */
export interface RoundCommand {
  readonly from: CloudName;
  readonly events: number;
}

export interface RoundResult {
  /** From the first batch that a function was called with to the last one that was applied. */
  readonly ms: number;
  /** Processor time of this process meanwhile, all threads. */
  readonly cpuMs: number;
  /** Batches that `forward` and `apply` were called with. */
  readonly forwards: number;
  readonly applies: number;
}

const ROUND_WITHIN_MS = 120_000;

interface Stages {
  readonly forward: PlatformHandler;
  readonly apply: PlatformHandler;
}

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const { sites } = settings;
// What the SDKs look up by themselves, credentials first of all, is the same for both sites.
Object.assign(process.env, sites.aws.env, sites.azure.env);
const feeders = { aws: openFeeder(sites.aws), azure: openFeeder(sites.azure) };
const stages: Readonly<Record<CloudName, Stages>> = { aws: stagesFrom('aws'), azure: stagesFrom('azure') };

function stagesFrom(from: CloudName): Stages {
  const to = OTHER[from];
  if (settings.contender === 'bare') {
    return { forward: bareForward(sites[from], sites[to]), apply: bareApply(sites[to]) };
  }
  const { bundles } = settings;
  return {
    forward: loadFunction(bundles[from]['forward'] ?? '', sites[from]),
    apply: loadFunction(bundles[to]['apply'] ?? '', sites[to]),
  };
}

/** How many messages a batch has: an SQS event, or the bodies and a context. */
function sizeOf([first]: readonly unknown[]): number {
  return Array.isArray(first) ? first.length : (first as { Records: unknown[] }).Records.length;
}

async function round({ from, events }: RoundCommand): Promise<RoundResult> {
  const to = OTHER[from];
  const { forward, apply } = stages[from];
  const counts = { forwarded: 0, applied: 0, forwards: 0, applies: 0 };
  const done = Promise.withResolvers<undefined>();
  let start: { ms: number; cpu: NodeJS.CpuUsage } | undefined;
  let result: RoundResult | undefined;
  const counted =
    (handler: PlatformHandler, add: (size: number) => void): PlatformHandler =>
    async (...args) => {
      start ??= { ms: performance.now(), cpu: process.cpuUsage() };
      const response = await handler(...args).catch((error: unknown) => {
        // It would only come again: a bench in which something fails measures nothing.
        done.reject(error);
        throw error;
      });
      add(sizeOf(args));
      if (counts.applied >= events && counts.forwarded >= events && result === undefined) {
        const { user, system } = process.cpuUsage(start.cpu);
        const { forwards, applies } = counts;
        result = { ms: performance.now() - start.ms, cpuMs: (user + system) / 1_000, forwards, applies };
        done.resolve(undefined);
      }
      return response;
    };
  const feeds = [
    feeders[from].feed(
      'tandem-out',
      counted(forward, (size) => {
        counts.forwarded += size;
        counts.forwards += 1;
      }),
    ),
    feeders[to].feed(
      'tandem-in',
      counted(apply, (size) => {
        counts.applied += size;
        counts.applies += 1;
      }),
    ),
  ];
  const late = setTimeout(() => done.reject(new Error(`late: ${JSON.stringify(counts)}`)), ROUND_WITHIN_MS);
  await done.promise.finally(() => clearTimeout(late));
  await Promise.all(feeds.map((feed) => feed.stop()));
  if (result === undefined) throw new Error('a round without a result');
  return result;
}

process.on('message', (command: RoundCommand) => {
  round(command).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
