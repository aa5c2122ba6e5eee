/** One schedule of one writer, made from one seed: traffic and a move under faults, then heal, come to rest, replay, check. */
import { checkConvergence } from '../../checkers/convergence.ts';
import { Random } from '../../random.ts';
import { chooseFaults, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf } from '../pace.ts';
import {
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
import { checkWritten, WriterWatcher } from './checkers.ts';
import { Writing } from './writing.ts';

const OPERATIONS = 100;
/** Long enough for a move: what was under way has to end first. */
const LASTS_MS = 25 * 60_000;

export function runWriterSchedule(options: ScheduleOptions): ScheduleResult {
  const { world, faults } = playWriter(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playWriter(options: ScheduleOptions): {
  readonly world: World;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(2);
  const faults = chooseFaults(random, { ...options.faults, ...RECORDS_ONLY });
  const sites = options.sites ?? drawn;
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  const watcher = new WriterWatcher(world);
  world.watchers.push(watcher);
  const writing = new Writing(world, watcher);
  writing.schedule(options.operations ?? OPERATIONS, LASTS_MS);
  scheduleNemesis(world, drawNemesis(random, faults));
  const { restMs, slowness, redriveEveryMs } = paceOf(faults);
  const restedMs = LASTS_MS + restMs;
  for (const site of world.sites)
    startSweeper(world, site, () => restedMs + QUIET_MS, { slowness: () => slowness });
  world.agenda.runUntil(LASTS_MS);
  world.heal();
  recover(world, restMs, redriveEveryMs);
  world.agenda.runUntil(restedMs);
  const snapshot = world.snapshot();
  world.find(checkConvergence(snapshot, world.drawnFaults.jump > 0));
  world.find(checkWritten(snapshot, writing.confirmed));
  replay(world);
  return { world, faults };
}
