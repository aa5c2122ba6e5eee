/** One schedule of a service that reacts, made from one seed: writes under faults, then heal, come to rest, check. */
import { checkConvergence } from '../../checkers/convergence.ts';
import type { Snapshot } from '../../history/facts.ts';
import { Random } from '../../random.ts';
import { chooseFaults, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf, TRAFFIC_MS } from '../pace.ts';
import { lookedAtBy, recover, resultOf, type ScheduleOptions, type ScheduleResult } from '../schedule.ts';
import { comparable } from '../shop/checkers.ts';
import { START_MS } from '../sim-site.ts';
import { startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import { checkReactions } from './checkers.ts';
import { chooseReactionFaults, type ReactionFaults } from './faults.ts';
import { scheduleReactionNemesis } from './nemesis.ts';
import { Reacting } from './reacting.ts';

export interface ReactionScheduleOptions extends ScheduleOptions {
  /** Faults of this workload that are set instead of drawn. */
  readonly reactionFaults?: Partial<ReactionFaults> | undefined;
}

const OPERATIONS = 80;
/** What has failed often is tried again within an hour at the latest. */
const REST_MS = 4 * 3_600_000;
/** How long after healing the timers tick as in production; from then on there is little left to do. */
const BUSY_MS = 600_000;
const QUIET_SLOWNESS = 12;
const STALLED_SLOWNESS = 60;

/** Comparisons would keep a site from ever coming to rest here. */
const LEFT_OUT = { ...RECORDS_ONLY, compare: 0 } as const;

export function runReactionSchedule(options: ReactionScheduleOptions): ScheduleResult {
  const { world, faults } = playReactions(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playReactions(options: ReactionScheduleOptions): {
  readonly world: World;
  readonly reacting: Reacting;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(3);
  const sites = options.sites ?? drawn;
  const faults = chooseFaults(random, { ...options.faults, ...LEFT_OUT });
  const reactionFaults = chooseReactionFaults(random, options.reactionFaults);
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  const reacting = new Reacting(world);
  for (let i = 0; i < (options.operations ?? OPERATIONS); i += 1)
    world.agenda.at(random.between(100, TRAFFIC_MS), () => reacting.operate());
  scheduleNemesis(world, drawNemesis(random, faults));
  const healMs = scheduleReactionNemesis(reacting, reactionFaults);
  reacting.closesAtMs = healMs + REST_MS;
  for (const site of world.sites) {
    startSweeper(world, site, () => reacting.closesAtMs, { slowness: () => reacting.slowness });
    reacting.startTimer(site);
  }
  const slow = (slowness: number): void => {
    reacting.slowness = slowness;
  };
  world.agenda.at(TRAFFIC_MS + BUSY_MS, () => slow(STALLED_SLOWNESS));
  world.agenda.runUntil(healMs);
  world.heal();
  reacting.provider.down = false;
  reacting.purged = false;
  for (const site of world.sites) site.halted = false;
  slow(1);
  world.agenda.after(BUSY_MS, () => slow(QUIET_SLOWNESS));
  recover(world, REST_MS, paceOf(faults).redriveEveryMs);
  world.agenda.runUntil(healMs + REST_MS);
  judge(reacting);
  return { world, reacting, faults: { ...faults, ...reactionFaults } };
}

function judge(reacting: Reacting): void {
  const { world, lost } = reacting;
  const snapshot: Snapshot = new Map([...world.snapshot()].filter(([site]) => site !== lost?.name));
  world.find(checkConvergence(comparable(snapshot, lost?.name)));
  world.find(checkReactions(reacting, START_MS + world.agenda.nowMs));
}
