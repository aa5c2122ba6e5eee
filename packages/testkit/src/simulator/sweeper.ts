/** The sweeper's timer at every site. */
import { sweepTickMs } from '@tandem-clouds/replication/bounds';
import { isRetryable } from '@tandem-clouds/replication/errors';
import { beat, refusedWith } from '@tandem-clouds/replication/heartbeat';
import { sweep } from '@tandem-clouds/replication/sweep';
import { invoke } from './invoke.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

const BEAT_TICKS = 20;
const PAGE_SIZE = 3;

export interface SweeperOptions {
  /** So many times slower than in production. */
  readonly slowness?: () => number;
  /** Heartbeats are written until then; 0: never. */
  readonly beatsUntilMs?: number;
}

/** Sweeps from now on until `untilMs`, as in production unless the options say otherwise. */
export function startSweeper(
  world: World,
  site: SimSite,
  untilMs: () => number,
  { slowness = () => 1, beatsUntilMs = 0 }: SweeperOptions = {},
): void {
  let ticks = 0;
  const tick = (): void => {
    if (world.agenda.nowMs > untilMs()) return;
    if (!site.down) {
      // Seldom, because nothing but the release that a site runs depends on it here.
      if (ticks % BEAT_TICKS === 0 && !site.older && world.agenda.nowMs < beatsUntilMs)
        heartbeat(world, site);
      ticks += 1;
      run(world, site);
    }
    world.agenda.after(sweepTickMs * slowness() * world.random.between(0.95, 1.05), tick);
  };
  world.agenda.as(`sweep ${site.name}`, () => world.agenda.after(world.random.between(0, sweepTickMs), tick));
}

/** Reports what the site's release understands, as each run of the sweeper does in production. */
export function heartbeat(world: World, site: SimSite): void {
  invoke(world, site, {
    kind: 'beat',
    protocol: beat,
    ended: (ending) => {
      if (ending.kind === 'threw' && !isRetryable(ending.error))
        world.find([{ invariant: 'no defects', detail: `a heartbeat threw ${String(ending.error)}` }]);
    },
  });
}

function run(world: World, site: SimSite): void {
  invoke(world, site, {
    kind: 'sweep',
    // A page is that short so that a handful of keys is a backlog, and crosses in packs.
    protocol: (own) => sweep(own, { after: site.sweptTo, pageSize: PAGE_SIZE, packs: !site.older }),
    ended: (ending) => {
      if (ending.kind === 'returned') {
        const { resume, refused } = ending.value;
        site.refused = refusedWith(site.refused, { refused, resume });
        site.sweptTo = resume;
      }
      if (ending.kind === 'threw' && !isRetryable(ending.error))
        world.find([{ invariant: 'no defects', detail: `sweep threw ${String(ending.error)}` }]);
    },
  });
}
