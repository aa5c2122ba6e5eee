/** The functions of one site's bridge, fed by its queues and started by its timer as its platform does. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Bundles, loadFunction, type PlatformHandler } from '../bridge/functions.ts';
import { openFeeder, type QueueName } from '../bridge/triggers.ts';
import type { BenchSite } from '../bridge/two-sites.ts';

/** Milliseconds from tick to tick of the sweeper: `serverless.<cloud>.yml`. */
const TICK_MS = { aws: 10_000, azure: 30_000 } as const;

const FED = {
  forward: 'tandem-out',
  apply: 'tandem-in',
  verify: 'tandem-verify',
} as const satisfies Readonly<Record<string, QueueName>>;

export type FedFunction = keyof typeof FED;

export const BRIDGE_FUNCTIONS = [...Object.keys(FED), 'sweep'];

export interface Feeds {
  stop(): Promise<void>;
}

/** Starts functions that queues trigger. @param watched Gets to see each call, and makes it. */
export function startFeeds(
  site: BenchSite,
  bundles: Bundles,
  names: readonly FedFunction[],
  watched: (name: FedFunction, handler: PlatformHandler) => PlatformHandler = (_, handler) => handler,
): Feeds {
  const feeder = openFeeder(site);
  const feeds = names.map((name) =>
    feeder.feed(FED[name], watched(name, loadFunction(bundles[site.cloud][name] ?? '', site))),
  );
  return {
    async stop() {
      await Promise.all(feeds.map((one) => one.stop()));
      await feeder.close();
    },
  };
}

export interface Ticks {
  /** Runs the sweeper now, besides its ticks. */
  sweep(): Promise<void>;
  /** Lets no tick begin until `resume`; returns when none is under way. */
  hold(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts the sweeper's timer. A tick that comes while the run before is not over is left out. */
export function startTicks(site: BenchSite, bundles: Bundles): Ticks {
  const sweepHandler = loadFunction(bundles[site.cloud]['sweep'] ?? '', site);
  const stopping = new AbortController();
  const sweep = async (): Promise<void> => {
    try {
      await (site.cloud === 'aws' ? sweepHandler({ Records: [] }) : sweepHandler({}, {}));
    } catch (error) {
      // The platform logs it, and the next tick comes.
      process.stderr.write(`${site.site}: a sweep failed: ${String(error)}\n`);
    }
  };
  const ticks = { isHeld: false };
  let running = Promise.resolve();
  const ticking = (async () => {
    while (!stopping.signal.aborted) {
      const begun = performance.now();
      if (!ticks.isHeld) await (running = sweep());
      const tick = TICK_MS[site.cloud];
      const leftMs = tick - ((performance.now() - begun) % tick);
      await delay(leftMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    sweep,
    async hold() {
      ticks.isHeld = true;
      await running;
    },
    resume() {
      ticks.isHeld = false;
    },
    async stop() {
      stopping.abort();
      await ticking;
    },
  };
}
