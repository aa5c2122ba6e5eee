/** One schedule of records with content, made from one seed: uploads under faults, then heal, come to rest, check. */
import { checkConvergence } from '../../checkers/convergence.ts';
import type { Snapshot } from '../../history/facts.ts';
import { Random } from '../../random.ts';
import { chooseFaults, NO_FAULTS, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf, TRAFFIC_MS } from '../pace.ts';
import { lookedAtBy, recover, resultOf, type ScheduleOptions, type ScheduleResult } from '../schedule.ts';
import { comparable } from '../shop/checkers.ts';
import { heartbeat, startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import { checkContent, checkCrossed, checkTidy, HeldWatcher } from './checkers.ts';
import { chooseObjectFaults, NO_OBJECT_FAULTS, type ObjectFaults } from './faults.ts';
import { Holding } from './holding.ts';
import { scheduleObjectNemesis } from './nemesis.ts';
import { Clients } from './traffic.ts';

export interface ObjectScheduleOptions extends ScheduleOptions {
  /** Faults of this workload that are set instead of drawn. */
  readonly objectFaults?: Partial<ObjectFaults> | undefined;
}

const OPERATIONS = 40;
/** Logs are fetched an hour later, and what has failed often is tried again within five minutes. */
const REST_MS = 4 * 3_600_000;
/** How long after healing the timers tick as in production; from then on there is little left to do. */
const BUSY_MS = 600_000;
const QUIET_SLOWNESS = 12;
/** After healing: what they find at last, and what becomes of that. */
const INVENTORIES_MS = [60_000, 1_800_000, 5_400_000] as const;
const AWAY_SLOWNESS = 60;
const LATER_SHARE = 0.4;
const HEARD_MS = 60_000;
/** Replaced uploads go after a day, those that were never completed after a week, and what has lost after 90 days. */
const LATER_MS = [30, 9 * 24, 100 * 24].map((hours) => hours * 3_600_000);
/** How many seeds have nothing go wrong: only there is it known how much may cross. */
const CALM_SHARE = 0.15;

/** Comparisons would keep a site from ever coming to rest here. */
const LEFT_OUT = { ...RECORDS_ONLY, compare: 0 } as const;

export function runObjectSchedule(options: ObjectScheduleOptions): ScheduleResult {
  const { world, faults } = playObjects(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playObjects(options: ObjectScheduleOptions): {
  readonly world: World;
  readonly holding: Holding;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(3);
  const isCalm = random.stream('calm').chance(CALM_SHARE);
  const faults = chooseFaults(random, { ...(isCalm && NO_FAULTS), ...options.faults, ...LEFT_OUT });
  const forced = { ...(isCalm && NO_OBJECT_FAULTS), ...options.objectFaults };
  const objectFaults = chooseObjectFaults(random, forced);
  const sites = options.sites ?? drawn;
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  const holding = new Holding(world, objectFaults);
  const watcher = new HeldWatcher(holding);
  world.watchers.push(watcher);
  const clients = new Clients(holding);
  for (let i = 0; i < (options.operations ?? OPERATIONS); i += 1)
    world.agenda.at(random.between(100, TRAFFIC_MS), () => clients.operate());
  scheduleNemesis(world, drawNemesis(random, faults));
  const healMs = scheduleObjectNemesis(holding, objectFaults, { clients, watcher });
  holding.closesAtMs = healMs + REST_MS;
  for (const site of world.sites) {
    startSweeper(world, site, () => holding.closesAtMs, {
      slowness: () => holding.slowness,
      beatsUntilMs: TRAFFIC_MS,
    });
    holding.startTimers(site);
  }
  const slow = (slowness: number): void => {
    holding.slowness = slowness;
  };
  world.agenda.at(TRAFFIC_MS + BUSY_MS, () => slow(AWAY_SLOWNESS));
  world.agenda.runUntil(healMs);
  world.heal();
  holding.storages.heal();
  for (const site of world.sites) site.halted = false;
  slow(1);
  world.agenda.after(BUSY_MS, () => slow(QUIET_SLOWNESS));
  for (const ms of INVENTORIES_MS)
    world.agenda.after(ms, () => {
      for (const site of world.sites) holding.inventory(site);
    });
  recover(world, REST_MS, paceOf(faults).redriveEveryMs);
  world.agenda.runUntil(healMs + REST_MS);
  judge(holding, watcher);
  // Most schedules need not last for months.
  if (random.stream('later').chance(LATER_SHARE)) lookLater(holding, watcher);
  const all = { ...faults, ...objectFaults };
  if (Object.values(all).every((strength) => strength === 0)) world.find(checkCrossed(holding));
  return { world, holding, faults: all };
}

/** Nothing happens any more but inventories, which remove what is not used: never what may be put back. */
function lookLater(holding: Holding, watcher: HeldWatcher): void {
  const { world } = holding;
  for (const ms of LATER_MS) {
    world.agenda.runUntil(world.agenda.nowMs + ms);
    // Whoever removes something has heard of all others lately.
    for (const site of world.sites) if (!site.lost) heartbeat(world, site);
    world.agenda.runUntil(world.agenda.nowMs + HEARD_MS);
    for (const site of world.sites) holding.inventory(site);
    world.agenda.runUntil(world.agenda.nowMs + BUSY_MS);
    world.find(checkContent(holding, watcher));
  }
  world.find(checkTidy(holding));
}

function judge(holding: Holding, watcher: HeldWatcher): void {
  const { world, lost } = holding;
  const snapshot: Snapshot = new Map([...world.snapshot()].filter(([site]) => site !== lost?.name));
  // What a lost site reported last has reached some and no others, and nobody passes on reports of another site.
  const isDropped = world.drawnFaults.jump > 0 || lost !== undefined;
  world.find(checkConvergence(comparable(snapshot, lost?.name), isDropped));
  world.find(checkContent(holding, watcher));
}
