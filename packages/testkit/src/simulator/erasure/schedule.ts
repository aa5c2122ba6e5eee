/** One schedule of erasures, made from one seed: traffic under faults, then heal, come to rest, check, replay, check again. */
import { checkConvergence } from '../../checkers/convergence.ts';
import { Random } from '../../random.ts';
import { chooseFaults, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf } from '../pace.ts';
import {
  checkRest,
  lookedAtBy,
  QUIET_MS,
  recover,
  replay,
  resultOf,
  type ScheduleOptions,
  type ScheduleResult,
} from '../schedule.ts';
import { startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import { checkErased, checkOthersStand, CleanWatcher } from './checkers.ts';
import { subjects } from './people.ts';
import { scheduleLives, settleOrders, startSearches } from './traffic.ts';

const OPERATIONS = 80;
/** Searches that find nothing, one after the other at every site, after all else has come to rest. */
const SEARCHES_MS = 20 * 60_000;

/** What a site is clean of it says by its own clock, beside those of its peers: they do not jump by an hour here. */
const LEFT_OUT = { ...RECORDS_ONLY, jump: 0 } as const;

export function runErasureSchedule(options: ScheduleOptions): ScheduleResult {
  const { world, faults } = playErasure(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playErasure(options: ScheduleOptions): {
  readonly world: World;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(3);
  const faults = chooseFaults(random, { ...options.faults, ...LEFT_OUT });
  const sites = options.sites ?? drawn;
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  world.subjects = subjects;
  world.watchers.push(new CleanWatcher(world));
  scheduleLives(world, options.operations ?? OPERATIONS);
  scheduleNemesis(world, drawNemesis(random, faults));
  const { restMs: restsMs, trafficMs, slowness, redriveEveryMs } = paceOf(faults);
  const restMs = restsMs + SEARCHES_MS;
  const restedMs = trafficMs + restMs;
  for (const site of world.sites) {
    startSweeper(world, site, () => restedMs + QUIET_MS, {
      slowness: () => slowness,
      beatsUntilMs: restedMs - QUIET_MS,
    });
    startSearches(world, site, restedMs - QUIET_MS);
  }
  world.agenda.runUntil(trafficMs);
  world.heal();
  world.agenda.after(restsMs / 2, () => settleOrders(world));
  recover(world, restMs, redriveEveryMs);
  world.agenda.runUntil(restedMs);
  judge(world);
  return { world, faults };
}

function judge(world: World): void {
  world.find(checkConvergence(world.snapshot()));
  world.find(checkErased(world));
  world.find(checkOthersStand(world));
  checkRest(world);
  replay(world);
  world.find(checkErased(world));
}
