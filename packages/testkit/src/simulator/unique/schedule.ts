/** One schedule of unique values, made from one seed: traffic under faults, then heal, come to rest, replay, check. */
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
import { checkClaims, UniqueWatcher } from './checkers.ts';
import { Losing } from './losing.ts';
import { scheduleClaiming } from './traffic.ts';

const OPERATIONS = 100;
/** What was tried in vain before healing is tried again within a quarter of an hour, and leads to something else to do. */
const RETRIES_MS = 30 * 60_000;

/** Clocks do not jump by an hour here: a reservation counts for `reservationGraceMs` by the site's clock. */
const LEFT_OUT = { ...RECORDS_ONLY, jump: 0 } as const;

export function runUniqueSchedule(options: ScheduleOptions): ScheduleResult {
  const { world, faults } = playUnique(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playUnique(options: ScheduleOptions): {
  readonly world: World;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(3);
  const faults = chooseFaults(random, { ...options.faults, ...LEFT_OUT });
  const sites = options.sites ?? drawn;
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  const watcher = new UniqueWatcher(world);
  world.watchers.push(watcher);
  const losing = new Losing(world, (call) => watcher.called(call));
  scheduleClaiming(world, options.operations ?? OPERATIONS);
  scheduleNemesis(world, drawNemesis(random, faults));
  const { restMs: restsMs, trafficMs, slowness, redriveEveryMs } = paceOf(faults);
  const restMs = restsMs + RETRIES_MS;
  const restedMs = trafficMs + restMs;
  for (const site of world.sites) {
    startSweeper(world, site, () => restedMs + QUIET_MS, { slowness: () => slowness });
    losing.startTimer(site, restedMs);
  }
  world.agenda.runUntil(trafficMs);
  world.heal();
  recover(world, restMs, redriveEveryMs);
  world.agenda.runUntil(restedMs);
  judge(world, watcher);
  return { world, faults };
}

function judge(world: World, watcher: UniqueWatcher): void {
  const snapshot = world.snapshot();
  world.find(checkConvergence(snapshot));
  world.find(checkClaims(snapshot));
  watcher.checkLosers(snapshot);
  checkRest(world);
  replay(world);
}
