/**
 * The functions of both sites that see to a backlog, in a process of their own: on both platforms no other function
 * shares an instance with them, so what they compute must not hold up those that live writes go through.
 * Its argument is a `RecoverySettings` as JSON; it does what it is sent and answers with the same words.
 */
import type { Bundles } from '../bridge/functions.ts';
import type { BenchSites } from '../bridge/two-sites.ts';
import { CLOUDS } from '../service-bundles.ts';
import { startFeeds, startTicks } from './site-run.ts';

export interface RecoverySettings {
  readonly sites: BenchSites;
  readonly bundles: Bundles;
}

export type RecoveryCall = 'sweep' | 'hold' | 'resume' | 'stop';

function main(): void {
  const { sites, bundles } = JSON.parse(process.argv[2] ?? '') as RecoverySettings;
  // Both sites' clients read it when they are first used; what the two share by name is the same.
  Object.assign(process.env, sites.aws.env, sites.azure.env);
  const feeds = CLOUDS.map((cloud) => startFeeds(sites[cloud], bundles, ['verify']));
  const ticks = CLOUDS.map((cloud) => startTicks(sites[cloud], bundles));
  const calls: Readonly<Record<RecoveryCall, () => Promise<unknown>>> = {
    // One after the other: the second learns what the first says of itself.
    sweep: async () => {
      for (const one of ticks) await one.sweep();
    },
    hold: () => Promise.all(ticks.map((one) => one.hold())),
    resume: () => {
      for (const one of ticks) one.resume();
      return Promise.resolve();
    },
    stop: () => Promise.all([...ticks, ...feeds].map((one) => one.stop())),
  };
  process.on('message', (call: RecoveryCall) => {
    void calls[call]().then(() => process.send?.(call));
  });
}

main();
