/** One small history from a real run, for the documentation: a write, the death of its function, and a conflict. */
import { type CommittedWrite, isConflict } from '../history/facts.ts';
import { historySvg } from './history-svg.ts';
import { playSchedule, type ScheduleOptions } from './schedule.ts';
import { shrink } from './shrink.ts';
import type { World } from './world.ts';

const SEEDS_MAX = 200;

/** The picture of the first seed that has all three, shrunk. @throws RangeError when no seed has. */
export function drawExample(): string {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const options = { seed, sites: 2, operations: 25, faults: { crash: 0.06 } };
    const shows = (tried: ScheduleOptions): boolean => unlucky(playSchedule(tried).world) !== undefined;
    if (!shows(options)) continue;
    const smallest = shrink(options, (_, tried) => shows(tried));
    return draw(smallest.options, smallest.result.parts.operations.length);
  }
  throw new RangeError(`none of ${SEEDS_MAX} seeds shows a write, a death and a conflict`);
}

function draw(options: ScheduleOptions, operations: number): string {
  const watchedKey = unlucky(playSchedule(options).world)?.key;
  const { world } = playSchedule({ ...options, watchedKey });
  const title = `seed ${options.seed}: ${operations} operations, one dead function, one conflict`;
  return historySvg(world, { title });
}

/** A client's write that committed, whose function then died, and that is in a conflict of every site's log. */
function unlucky({ struck, committed, acknowledged, sites, findings }: World): CommittedWrite | undefined {
  if (findings.length > 0) return undefined;
  const died = new Set(
    struck.filter((strike) => strike.startsWith('crash op')).map((strike) => strike.split(' ')[1]),
  );
  const reported = new Set(acknowledged.map(({ operationId }) => operationId));
  const inLog = ({ stamp }: CommittedWrite): boolean =>
    sites.every(({ store }) =>
      [...store.records].some(([key, { state }]) => isConflict(key) && JSON.stringify(state).includes(stamp)),
    );
  return committed.find(
    (write) => died.has(write.operationId) && !reported.has(write.operationId) && inLog(write),
  );
}
