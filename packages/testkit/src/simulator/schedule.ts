/**
 * One schedule, made from one seed: traffic under faults, then heal, come to rest, replay everything, check.
 *
 * Invariant: the same options give the same run, effect by effect, on any machine.
 */
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { unusableKeys } from '@tandem-clouds/replication/unusable-keys';
import { checkComparison, checkRefilled } from '../checkers/comparisons.ts';
import { checkConflicts } from '../checkers/conflicts.ts';
import { checkConvergence } from '../checkers/convergence.ts';
import { checkDeletes } from '../checkers/deletes.ts';
import {
  checkComparisonEnded,
  checkCounted,
  checkIsolation,
  checkNamedByComparison,
  countHeld,
  type Isolated,
} from '../checkers/isolation.ts';
import { checkMessages } from '../checkers/messages.ts';
import { checkReplay } from '../checkers/replay.ts';
import { checkStates } from '../checkers/states.ts';
import { checkValues } from '../checkers/values.ts';
import {
  type Finding,
  isOwnReport,
  type MessageFact,
  remembered,
  withoutForgotten,
} from '../history/facts.ts';
import { Random } from '../random.ts';
import { compare } from './comparisons.ts';
import type { Course } from './course.ts';
import { driftApart } from './drift.ts';
import { chooseFaults, type Faults } from './faults.ts';
import { STATES } from './intents.ts';
import { drawNemesis, redrive, scheduleNemesis } from './nemesis.ts';
import { paceOf } from './pace.ts';
import type { SimSite } from './sim-site.ts';
import type { SiteQueue } from './site-queue.ts';
import { heartbeat, startSweeper } from './sweeper.ts';
import { poll } from './trigger.ts';
import { drawOperations, scheduleTraffic } from './workload.ts';
import { World, type WorldOptions } from './world.ts';

export interface ScheduleOptions {
  readonly seed: number;
  /** 2 to 4; drawn from the seed when absent. */
  readonly sites?: number | undefined;
  /** Faults that are set instead of drawn. */
  readonly faults?: Partial<Faults> | undefined;
  /** Client operations; 100 when absent. */
  readonly operations?: number | undefined;
  /** The key to keep a timeline of. */
  readonly watchedKey?: string | undefined;
  /** How the run goes, step by step. */
  readonly course?: Course | undefined;
  /** Leaves out all of what the seed draws that is not named here. */
  readonly only?: Only | undefined;
  /** What happens in place of what the seed draws, and for how long. */
  readonly script?: Script | undefined;
}

/** A part of a schedule, by names: of client operations, of events of the nemesis, and of faults that struck. */
export interface Only {
  readonly operations: ReadonlySet<string>;
  readonly events: ReadonlySet<string>;
  readonly strikes: ReadonlySet<string>;
}

export interface Script {
  readonly lastsMs: number;
  /** How many times slower than in production sites sweep until then; 1 when absent. */
  readonly slowness?: number;
  readonly enter: (world: World) => void;
}

/** What there is to leave out of a schedule. */
export interface Parts {
  readonly operations: readonly string[];
  readonly events: readonly string[];
  readonly strikes: readonly string[];
}

export interface ScheduleResult {
  readonly seed: number;
  readonly sites: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly operations: number;
  readonly effects: number;
  readonly messages: number;
  /** Names the whole run. */
  readonly hash: string;
  readonly findings: readonly Finding[];
  /** What happened, for `only`. */
  readonly parts: Parts;
}

const OPERATIONS = 100;
/** More than the grace of a comparison, and time for what it sends to arrive. */
const COMPARED_MS = 3 * 60_000;
/** Before the end of the rest: what drifts, and two rounds of comparisons, because one leaves out what it repairs. */
const DRIFT_MS = 15 * 60_000;
const ROUNDS_MS = [13 * 60_000, 7 * 60_000] as const;
/** Before the end of the rest, and before what drifts: when all but the bad keys has come to rest, and when they are mended. */
const ISOLATED_MS = 23 * 60_000;
const MENDED_MS = 17 * 60_000;
/** How long nothing may happen once all has come to rest. */
export const QUIET_MS = 5 * 60_000;

/** Of a world: who looks on, and at what. */
export function lookedAtBy({
  watchedKey,
  course,
}: Pick<ScheduleOptions, 'course' | 'watchedKey'>): Pick<WorldOptions, 'course' | 'watchedKey'> {
  return { watchedKey, course };
}

export function runSchedule(options: ScheduleOptions): ScheduleResult {
  const { world, parts } = playSchedule(options);
  return resultOf(world, { seed: options.seed, faults: world.drawnFaults, parts });
}

export function resultOf(
  world: World,
  of: {
    readonly seed: number;
    readonly faults: Readonly<Record<string, number>>;
    readonly parts: Omit<Parts, 'strikes'>;
  },
): ScheduleResult {
  return {
    seed: of.seed,
    sites: world.sites.length,
    faults: of.faults,
    operations: world.counts.operations,
    effects: world.counts.effects,
    messages: world.messages.length,
    hash: world.hash.toString(),
    findings: world.findings,
    parts: { ...of.parts, strikes: world.struck },
  };
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playSchedule(options: ScheduleOptions): {
  readonly world: World;
  readonly parts: Omit<Parts, 'strikes'>;
} {
  const random = new Random(options.seed);
  const drawnSites = 2 + random.int(3);
  const sites = options.sites ?? drawnSites;
  const faults = chooseFaults(random, options.faults);
  const { only, script } = options;
  const world = new World({
    ...{ random, faults, sites, trigger: poll, strikes: only?.strikes },
    ...lookedAtBy(options),
  });
  const drawn = {
    operations: drawOperations(random, options.operations ?? OPERATIONS, faults),
    events: drawNemesis(random, faults),
  };
  const operations = drawn.operations.filter(({ id }) => only?.operations.has(id) !== false);
  const events = drawn.events.filter(({ id }) => only?.events.has(id) !== false);
  if (script === undefined) {
    scheduleTraffic(world, operations);
    scheduleNemesis(world, events);
  } else script.enter(world);
  const { restMs, trafficMs, slowness, redriveEveryMs } = paceOf(faults);
  const lastsMs = script?.lastsMs ?? trafficMs;
  const restedMs = lastsMs + restMs;
  for (const site of world.sites) {
    startSweeper(world, site, () => restedMs + QUIET_MS, {
      slowness: () => (world.agenda.nowMs < lastsMs ? (script?.slowness ?? slowness) : slowness),
      beatsUntilMs: lastsMs + restMs / 2,
    });
    if (site.older) scheduleUpgrade(world, site, lastsMs);
  }
  world.agenda.runUntil(lastsMs);
  world.heal();
  recover(world, restMs, redriveEveryMs);
  proveIsolation(world, restedMs);
  proveByComparing(world, restedMs);
  world.agenda.runUntil(restedMs);
  judge(world);
  const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  return { world, parts: { operations: idsOf(operations), events: idsOf(events) } };
}

/** A site that runs an older release is upgraded while clients are at work, and says so at its next sweep. */
function scheduleUpgrade(world: World, site: SimSite, lastsMs: number): void {
  world.agenda.as(`upgrade ${site.name}`, () =>
    world.agenda.after(world.random.between(0, lastsMs), () => {
      site.older = false;
      heartbeat(world, site);
    }),
  );
}

/** What operators do after a bad day: move the dead letters back, again and again until none matters. */
export function recover(world: World, restMs: number, everyMs: number): void {
  for (let delayMs = 0; delayMs < restMs - everyMs / 2; delayMs += everyMs) {
    world.agenda.after(delayMs, () => {
      for (const site of world.sites) redrive(world, site);
    });
  }
}

/**
 * Everything but the bad keys comes to rest, and those are named; a comparison goes on beside them. Then operators mend them.
 */
function proveIsolation(world: World, restedMs: number): void {
  const { agenda, sites, drawnFaults } = world;
  if (drawnFaults.badKey === 0 || drawnFaults.months > 0) return;
  let begunAtMs: number | undefined;
  const heldThen = new Map<string, number>();
  const counted = (site: SimSite) => ({ ...isolated(site), held: heldThen.get(site.name) ?? 0 });
  agenda.as('isolation', () => {
    agenda.at(restedMs - ISOLATED_MS, () => {
      if (drawnFaults.inboxLoss === 0) world.find(checkIsolation(sites.map(isolated)));
      begunAtMs = Math.min(...sites.map((site) => site.now()));
      for (const { name, store } of sites) heldThen.set(name, countHeld(store.records));
      sites.forEach((site, index) => {
        for (const to of sites.slice(index + 1)) compare(world, site, { repair: true, to });
      });
    });
    agenda.at(restedMs - MENDED_MS, () => {
      const badKeys = new Set(sites.flatMap(({ bad }) => [...bad.keys()]));
      for (const site of sites) {
        const { store, peers } = site;
        const heartbeat = store.records.get(heartbeatKey(site.name));
        const named = new Set(unusableKeys(heartbeat, site.now()).map(({ key }) => key));
        world.find(checkNamedByComparison(isolated(site), named));
        for (const peer of peers) {
          if (sites.indexOf(site) > sites.indexOf(world.site(peer))) continue;
          const unended = checkComparisonEnded(isolated(site), peer, begunAtMs ?? 0);
          world.find(unended);
          if (unended.length === 0)
            world.find(checkCounted(counted(site), counted(world.site(peer)), badKeys.size));
        }
      }
      for (const site of sites) site.bad.clear();
      for (const site of sites) redrive(world, site);
    });
  });
}

function isolated({ name, store, bad, refused, inbox, outbox }: SimSite): Isolated {
  const about = ({ dead }: SiteQueue): ReadonlySet<string> =>
    new Set([...dead].flatMap(({ fact }) => ((fact.reasons.at(-1) ?? '') === '' ? [] : (fact.key ?? []))));
  return { name, holds: store.records, bad, refused, deadInbound: about(inbox), deadOwn: about(outbox) };
}

/** What inbound queues have lost and sites hold otherwise under one name is found by comparing, and by nothing else. */
function proveByComparing(world: World, restedMs: number): void {
  const { agenda, sites } = world;
  const { inboxLoss, drift } = world.drawnFaults;
  if (inboxLoss === 0 && drift === 0) return;
  agenda.as('drift', () =>
    agenda.at(restedMs - DRIFT_MS, () => {
      for (let count = 1; count <= drift; count += 1) driftApart(world);
    }),
  );
  for (const beforeMs of ROUNDS_MS) {
    agenda.at(restedMs - beforeMs, () => {
      sites.forEach((site, index) => {
        for (const to of sites.slice(index + 1)) compare(world, site, { repair: true, to });
      });
    });
  }
}

function judge(world: World): void {
  const rested = withoutForgotten(world.snapshot(), world.forgotten);
  const committed = remembered(world.committed, rested, world.forgotten);
  world.find(checkConvergence(rested, world.drawnFaults.jump > 0 || world.drawnFaults.inboxLoss > 0));
  const acknowledged = remembered(world.acknowledged, rested, world.forgotten);
  world.find(checkValues(rested, committed, acknowledged));
  world.find(checkStates(rested, committed, { field: 'status', order: STATES }));
  world.find(checkConflicts(rested, committed, world.committed));
  world.find(checkDeletes(rested, committed, world.creates));
  checkRest(world);
  replay(world);
  proveBySketch(world);
}

/**
 * At rest: nothing is sent any more, and every message has ended as it must.
 * @param messages Those that can be judged; those of a site that is lost cannot.
 */
export function checkRest(world: World, messages: readonly MessageFact[] = world.messages): void {
  const { agenda, committed, counts, drawnFaults, sites } = world;
  const sentBefore = counts.sent;
  agenda.runUntil(agenda.nowMs + QUIET_MS);
  world.find(
    checkMessages(messages, {
      months: drawnFaults.months > 0,
      writes: committed.length + counts.notes,
      published: counts.published,
      sentAtRest: counts.sent - sentBefore,
      sent: counts.sent,
      sentMax: (sites.length - 1) * (counts.forwarded + counts.sweptKeys),
    }),
  );
}

/** Comparisons find nothing at rest, and fill a site that has lost everything. */
function proveBySketch(world: World): void {
  // Over months sites remove what has been gone for long, each in its own time: it would not be refilled.
  if (world.drawnFaults.compare === 0 || world.drawnFaults.months > 0) return;
  const { agenda, sites, random } = world;
  const [first, ...others] = random.shuffled(sites);
  if (first === undefined) return;
  for (const other of others) {
    compare(world, first, { repair: false, to: other });
    agenda.runUntil(agenda.nowMs + COMPARED_MS);
    world.find(checkComparison(first, other, 0));
  }
  const before = world.snapshot();
  const [lost = first] = others;
  const held = [...lost.store.records.keys()].filter((key) => !isOwnReport(key)).length;
  lost.store.wipe();
  compare(world, first, { repair: true, to: lost });
  agenda.runUntil(agenda.nowMs + COMPARED_MS);
  world.find(checkComparison(first, lost, held));
  world.find(checkRefilled(lost.name, before, world.snapshot()));
}

/** Delivers again, in random order, all that was ever sent to each site, and all dead letters. */
export function replay(world: World): void {
  const { watchedKey } = world;
  world.watchedKey = undefined;
  const before = world.snapshot();
  const sentBefore = world.counts.sent + world.counts.published;
  for (const site of world.sites) {
    redrive(world, site);
    for (const body of world.random.shuffled(world.captured.get(site.name) ?? []))
      world.enqueue(site, site.inbox, body, { poison: false, delayMs: 0 });
    world.wake(site, site.inbox, 0);
  }
  world.agenda.runUntil(world.agenda.nowMs + QUIET_MS);
  world.watchedKey = watchedKey;
  world.find(checkReplay(before, world.snapshot(), world.counts.sent + world.counts.published - sentBefore));
}
