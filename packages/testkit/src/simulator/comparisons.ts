/** Begins comparisons, as the hourly timer and operators do. */
import { beginCollection } from '@tandem-clouds/replication/anti-entropy/collect-tombstones';
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { isRetryable } from '@tandem-clouds/replication/errors';
import { invoke } from './invoke.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

/** Has a site compare itself with another, a random one when none is named. */
export function compare(
  world: World,
  site: SimSite,
  { repair, to }: { readonly repair: boolean; readonly to?: SimSite },
): void {
  // The last site that is left has nobody to compare itself with.
  if (site.down || (to === undefined && site.peers.length === 0)) return;
  const peer = to?.name ?? world.random.pick(site.peers);
  const id = `comparison ${Math.round(world.agenda.nowMs)}`;
  invoke(world, site, {
    kind: 'verify',
    protocol: (own) => begin(own, { id, from: site.name, to: peer, atMs: own.now(), repair }),
    ended: (ending) => {
      if (ending.kind === 'threw' && !isRetryable(ending.error))
        world.find([{ invariant: 'no defects', detail: `a comparison threw ${String(ending.error)}` }]);
    },
  });
}

/** Has a site begin to remove its old tombstones, as the hourly timer does. */
export function collectTombstones(world: World, site: SimSite): void {
  if (site.down || site.older) return;
  invoke(world, site, {
    kind: 'verify',
    protocol: beginCollection,
    ended: (ending) => {
      if (ending.kind === 'threw' && !isRetryable(ending.error))
        world.find([
          { invariant: 'no defects', detail: `a collection of tombstones threw ${String(ending.error)}` },
        ]);
    },
  });
}
