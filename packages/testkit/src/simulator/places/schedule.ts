/**
 * One schedule of places, made from one seed: traffic under faults, then heal, come to rest, compare, remove what is kept
 * elsewhere, replay, check. In half of the seeds the declaration comes with an upgrade of each site while clients write, and
 * in some of those a site goes back to the release before for a while.
 *
 * What a site keeps no more it removes hours after it has learned so. Faults and clients therefore come twice, while functions
 * of both releases run and while records are removed; and functions stand still for as long as the platform lets them.
 */
import { beginPurge } from '@tandem-clouds/replication/anti-entropy/purge';
import { placesSettleMs } from '@tandem-clouds/replication/bounds';
import type { KeptAt } from '@tandem-clouds/replication/declared-places';
import { checkConvergence } from '../../checkers/convergence.ts';
import { Random } from '../../random.ts';
import { compare } from '../comparisons.ts';
import { chooseFaults, NO_FAULTS, RECORDS_ONLY } from '../faults.ts';
import { handOver, invoke } from '../invoke.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf, TRAFFIC_MS } from '../pace.ts';
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
import type { SimSite } from '../sim-site.ts';
import { heartbeat, startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import { byPlace, checkKept, checkPlaces, PlacesWatcher } from './checkers.ts';
import { type Confirmed, declared, schedulePlaced } from './traffic.ts';

const OPERATIONS = 80;
/** Beside them, while records are removed. */
const LATER_OPERATIONS = 40;
/** Before the end of the rest: two rounds of comparisons, each with time for what they send, and what is removed between. */
const ROUNDS_MS = [15 * 60_000, 6 * 60_000] as const;
const PURGES_MS = [10 * 60_000, 2 * 60_000] as const;
/** And so many while clients write, each time. */
const PURGES = 4;
/** Lambda's bound; that of our functions is lower at both clouds. */
const LIFE_MAX_MS = 15 * 60_000;
/** While nothing but the clock is waited for, sites sweep so many times slower. */
const WAITING_SLOWNESS = 12;
/** A site that runs another release reports so often, for longer than a function of the release before may run. */
const REPORT_EVERY_MS = 2 * 60_000;
const REPORTED_MS = 25 * 60_000;

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
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  Object.assign(world, { pauseMaxMs: LIFE_MAX_MS, lifeMaxMs: LIFE_MAX_MS });
  const declaration = drawDeclaration(random);
  const { slowness, redriveEveryMs } = paceOf(faults);
  const { lastsMs, restMs } = declaration;
  const restedMs = lastsMs + restMs;
  const confirmed: Confirmed[] = [];
  schedulePlaced(world, options.operations ?? OPERATIONS, { fromMs: 0, confirmed });
  declare(world, declaration, confirmed);
  scheduleNemesis(world, drawNemesis(random, faults));
  for (let fromMs = placesSettleMs; fromMs < lastsMs; fromMs += placesSettleMs)
    world.agenda.as(`from ${fromMs}`, () => comeAgain(world, fromMs, confirmed));
  const isWaiting = (): boolean =>
    world.agenda.nowMs < lastsMs && world.agenda.nowMs % placesSettleMs > TRAFFIC_MS + REPORTED_MS;
  for (const site of world.sites)
    startSweeper(world, site, () => restedMs + QUIET_MS, {
      slowness: () => (isWaiting() ? WAITING_SLOWNESS : slowness),
      beatsUntilMs: restedMs - ROUNDS_MS[0],
    });
  world.agenda.runUntil(lastsMs);
  world.heal();
  recover(world, restMs, redriveEveryMs);
  tidyUp(world, restedMs);
  world.agenda.runUntil(restedMs);
  judge(world, confirmed);
  return { world, faults };
}

interface Declaration {
  /** Whether it comes while clients write: sites learn it one after the other. */
  readonly isLater: boolean;
  /** Whether one site goes back to the release before, and learns it again while the others remove records. */
  readonly isTakenBack: boolean;
  /** How long clients and faults come and go, and how long all needs to come to rest after that. */
  readonly lastsMs: number;
  readonly restMs: number;
}

function drawDeclaration(random: Random): Declaration {
  const isLater = random.chance(0.5);
  const isTakenBack = isLater && random.stream('taken back').chance(0.3);
  const waits = Number(isLater) + Number(isTakenBack);
  const restMs = paceOf(NO_FAULTS).restMs + (isLater ? REPORTED_MS : 0);
  return { isLater, isTakenBack, lastsMs: TRAFFIC_MS + waits * placesSettleMs, restMs };
}

/** Each site knows the declaration from the beginning, or from a moment of its own on. */
function declare(world: World, { isLater, isTakenBack }: Declaration, confirmed: Confirmed[]): void {
  const keptAt = declared(world);
  if (!isLater) {
    const watcher = new PlacesWatcher(world, keptAt);
    world.watchers.push(watcher);
    world.onQueued = (site, kind, body) => watcher.queued(site, kind, body);
    for (const site of world.sites) site.keptAt = keptAt;
    return;
  }
  for (const site of world.sites) know(world, site, world.random.between(0, TRAFFIC_MS), keptAt);
  schedulePurges(world, 0);
  if (!isTakenBack) return;
  world.agenda.as('the release before', () => {
    const [, ...others] = world.sites;
    const site = world.random.pick(others);
    know(world, site, world.random.between(TRAFFIC_MS, 2 * TRAFFIC_MS), undefined);
    const againMs = placesSettleMs + world.random.between(TRAFFIC_MS / 4, TRAFFIC_MS);
    know(world, site, againMs, keptAt);
    schedulePlaced(world, LATER_OPERATIONS, { fromMs: againMs - TRAFFIC_MS, confirmed, at: site });
    // While functions of the release before still run, which had been told more than hours ago.
    for (let count = 0; count < PURGES; count += 1)
      world.agenda.at(againMs + world.random.between(REPORT_EVERY_MS / 4, TRAFFIC_MS / 2), () =>
        purge(world, site),
      );
  });
}

/** From a moment on a site runs a release that knows this, and says so until it is heard: in production every half minute. */
function know(world: World, site: SimSite, fromMs: number, keptAt: KeptAt | undefined): void {
  world.agenda.at(fromMs, () => {
    site.keptAt = keptAt;
  });
  for (let afterMs = 0; afterMs < REPORTED_MS; afterMs += REPORT_EVERY_MS)
    world.agenda.at(fromMs + afterMs, () => {
      if (!site.down) heartbeat(world, site);
    });
}

/** Clients and faults of another ten minutes, while records are removed. */
function comeAgain(world: World, fromMs: number, confirmed: Confirmed[]): void {
  const { random, drawnFaults } = world;
  schedulePlaced(world, LATER_OPERATIONS, { fromMs, confirmed });
  const events = drawNemesis(random, drawnFaults).map((event) => ({
    ...event,
    id: `${event.id} from ${fromMs}`,
    fromMs: fromMs + event.fromMs,
    untilMs: fromMs + event.untilMs,
  }));
  scheduleNemesis(world, events);
  schedulePurges(world, fromMs);
}

function schedulePurges(world: World, fromMs: number): void {
  for (let count = 0; count < PURGES; count += 1)
    world.agenda.at(fromMs + world.random.between(TRAFFIC_MS / 4, TRAFFIC_MS), () => {
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
