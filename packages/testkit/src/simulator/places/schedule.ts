/**
 * One schedule of places, made from one seed: traffic under faults, then heal, come to rest, compare, remove what is kept
 * elsewhere, replay, check. In half of the seeds the declaration comes with an upgrade of each site while clients write.
 */
import { beginPurge } from '@tandem-clouds/replication/anti-entropy/purge';
import { checkConvergence } from '../../checkers/convergence.ts';
import { Random } from '../../random.ts';
import { compare } from '../comparisons.ts';
import { chooseFaults, RECORDS_ONLY } from '../faults.ts';
import { handOver, invoke } from '../invoke.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf } from '../pace.ts';
import {
  checkRest,
  QUIET_MS,
  recover,
  replay,
  resultOf,
  type ScheduleOptions,
  type ScheduleResult,
} from '../schedule.ts';
import type { SimSite } from '../sim-site.ts';
import { heartbeat, startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import { byPlace, checkKept, checkPlaces, PlacesWatcher } from './checkers.ts';
import { type Confirmed, declared, schedulePlaced } from './traffic.ts';

const OPERATIONS = 80;
/** Before the end of the rest: two rounds of comparisons, each with time for what they send, and what is removed between. */
const ROUNDS_MS = [15 * 60_000, 6 * 60_000] as const;
const PURGES_MS = [10 * 60_000, 2 * 60_000] as const;
/** And so many while clients write. */
const PURGES = 4;

/** What an inbound queue has lost is found by the comparisons, which each schedule has. */
const { inboxLoss: _, ...LEFT_OUT } = RECORDS_ONLY;

export function runPlacesSchedule(options: ScheduleOptions): ScheduleResult {
  const { world, faults } = playPlaces(options);
  return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playPlaces(options: ScheduleOptions): {
  readonly world: World;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = 3 + random.int(2);
  const faults = chooseFaults(random, { ...options.faults, ...LEFT_OUT, jump: 0 });
  const sites = options.sites ?? drawn;
  const world = new World({ random, faults, sites, trigger: poll, watchedKey: options.watchedKey });
  const isLater = random.chance(0.5);
  const { restMs, trafficMs, slowness, redriveEveryMs } = paceOf(faults);
  const restedMs = trafficMs + restMs;
  declare(world, isLater ? trafficMs : 0);
  const confirmed = schedulePlaced(world, options.operations ?? OPERATIONS);
  scheduleNemesis(world, drawNemesis(random, faults));
  for (const site of world.sites)
    startSweeper(world, site, () => restedMs + QUIET_MS, {
      slowness: () => slowness,
      beatsUntilMs: restedMs - ROUNDS_MS[0],
    });
  world.agenda.runUntil(trafficMs);
  world.heal();
  recover(world, restMs, redriveEveryMs);
  tidyUp(world, restedMs);
  world.agenda.runUntil(restedMs);
  judge(world, confirmed);
  return { world, faults };
}

/** Each site knows the declaration from the beginning, or from a moment of its own before `untilMs`. */
function declare(world: World, untilMs: number): void {
  const keptAt = declared(world);
  const watcher = new PlacesWatcher(world, keptAt);
  if (untilMs === 0) {
    world.watchers.push(watcher);
    world.onQueued = (site, kind, body) => watcher.queued(site, kind, body);
    for (const site of world.sites) site.keptAt = keptAt;
    return;
  }
  for (const site of world.sites)
    world.agenda.at(world.random.between(0, untilMs), () => {
      site.keptAt = keptAt;
      if (!site.down) heartbeat(world, site);
    });
  for (let count = 0; count < PURGES; count += 1)
    world.agenda.at(world.random.between(untilMs / 4, untilMs), () => {
      for (const site of world.sites) purge(world, site);
    });
}

function purge(world: World, site: SimSite): void {
  if (!site.down)
    invoke(world, site, { kind: 'verify', protocol: beginPurge, ended: handOver(world, 'a purge', {}) });
}

function tidyUp(world: World, restedMs: number): void {
  const { agenda, sites } = world;
  for (const beforeMs of ROUNDS_MS)
    agenda.at(restedMs - beforeMs, () => {
      sites.forEach((site, index) => {
        for (const to of sites.slice(index + 1)) compare(world, site, { repair: true, to });
      });
    });
  for (const beforeMs of PURGES_MS)
    agenda.at(restedMs - beforeMs, () => {
      for (const site of sites) purge(world, site);
    });
}

function judge(world: World, confirmed: readonly Confirmed[]): void {
  const keptAt = declared(world);
  const snapshot = world.snapshot();
  for (const group of byPlace(snapshot, keptAt))
    world.find(checkConvergence(group, world.drawnFaults.inboxLoss > 0));
  world.find(checkPlaces(snapshot, keptAt));
  world.find(checkKept(snapshot, confirmed, keptAt));
  checkRest(world);
  replay(world);
  world.find(checkPlaces(world.snapshot(), keptAt));
}
