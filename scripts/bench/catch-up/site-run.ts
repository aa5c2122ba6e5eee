/** The functions of one site's bridge, fed by its queues and started by its timer as its platform does. */
import { setTimeout as delay } from 'node:timers/promises';
import { loadFunction, type Bundles } from '../bridge/functions.ts';
import { openFeeder, type QueueName } from '../bridge/triggers.ts';
import type { BenchSite } from '../bridge/two-sites.ts';

/** Milliseconds from tick to tick of the sweeper: `serverless.<cloud>.yml`. */
const TICK_MS = { aws: 10_000, azure: 30_000 } as const;

const FED: Readonly<Record<string, QueueName>> = {
  forward: 'tandem-out',
  apply: 'tandem-in',
  verify: 'tandem-verify',
};

export const BRIDGE_FUNCTIONS = [...Object.keys(FED), 'sweep'];

export interface SiteRun {
  /** Runs the sweeper now, besides its ticks. */
  sweep(): Promise<void>;
  /** Lets no tick begin until `resume`; returns when none is under way. */
  hold(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts everything. A tick that comes while the run before is not over is left out. */
export function startSite(site: BenchSite, bundles: Bundles): SiteRun {
  const feeder = openFeeder(site);
  const load = (name: string) => loadFunction(bundles[site.cloud][name] ?? '', site);
  const sweepHandler = load('sweep');
  const feeds = Object.entries(FED).map(([name, queue]) => feeder.feed(queue, load(name)));
  const stopping = new AbortController();
  const sweep = async (): Promise<void> => {
    await (site.cloud === 'aws' ? sweepHandler({ Records: [] }) : sweepHandler({}, {}));
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
      await Promise.all(feeds.map((one) => one.stop()));
      await feeder.close();
    },
  };
}
