/** The sweeper's timer at every site. */
import { sweepTickMs } from '../../src/shared/bounds.ts';
import { isRetryable } from '../../src/shared/errors.ts';
import { sweep } from '../../src/shared/replication/sweep.ts';
import { invoke } from './invocation.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

/** Sweeps from now on until `untilMs`, so many times slower than in production. */
export function startSweeper(
  world: World,
  site: SimSite,
  untilMs: () => number,
  slowness: () => number = () => 1,
): void {
  const tick = (): void => {
    if (world.agenda.nowMs > untilMs()) return;
    if (!site.down) run(world, site);
    world.agenda.after(sweepTickMs * slowness() * world.random.between(0.95, 1.05), tick);
  };
  world.agenda.as(`sweep ${site.name}`, () => world.agenda.after(world.random.between(0, sweepTickMs), tick));
}

function run(world: World, site: SimSite): void {
  invoke(world, site, {
    kind: 'sweep',
    protocol: (own) => sweep(own, { after: site.sweptTo }),
    ended: (ending) => {
      if (ending.kind === 'returned') site.sweptTo = ending.value.resume;
      if (ending.kind === 'threw' && !isRetryable(ending.error))
        world.find([{ invariant: 'no defects', detail: `sweep threw ${String(ending.error)}` }]);
    },
  });
}
