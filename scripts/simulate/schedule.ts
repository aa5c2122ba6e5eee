/**
 * One schedule, made from one seed: traffic under faults, then heal, come to rest, replay everything, check.
 *
 * Invariant: the same options give the same run, effect by effect, on any machine.
 */
import { checkConflicts } from './checkers/conflicts.ts';
import { checkConvergence } from './checkers/convergence.ts';
import { checkDeletes } from './checkers/deletes.ts';
import { checkMessages } from './checkers/messages.ts';
import { checkReplay } from './checkers/replay.ts';
import { checkValues } from './checkers/values.ts';
import { chooseFaults, type Faults } from './faults.ts';
import type { Finding } from './facts.ts';
import { redrive, scheduleNemesis } from './nemesis.ts';
import { Random } from './random.ts';
import { startSweeper } from './sweeper.ts';
import { timelineText } from './timeline.ts';
import { wake } from './trigger.ts';
import { scheduleTraffic, TRAFFIC_MS } from './workload.ts';
import { World } from './world.ts';

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
  /** Empty unless a key was watched. */
  readonly timeline: string;
}

const OPERATIONS = 100;
const REST_MS = 20 * 60_000;
/** A clock that was an hour ahead leaves stamps that the peers accept only an hour later. */
const REST_AFTER_JUMP_MS = 80 * 60_000;
const REDRIVE_EVERY_MS = 10 * 60_000;
/** How long nothing may happen once all has come to rest. */
export const QUIET_MS = 5 * 60_000;

export function runSchedule(options: ScheduleOptions): ScheduleResult {
  const random = new Random(options.seed);
  const drawn = 2 + random.int(3);
  const sites = options.sites ?? drawn;
  const faults = chooseFaults(random, options.faults);
  const world = new World({ random, faults, sites, watchedKey: options.watchedKey });
  scheduleTraffic(world, options.operations ?? OPERATIONS);
  scheduleNemesis(world);
  const restMs = restMsOf(faults);
  const restedMs = TRAFFIC_MS + restMs;
  for (const site of world.sites) startSweeper(world, site, () => restedMs + QUIET_MS);
  world.agenda.runUntil(TRAFFIC_MS);
  world.heal();
  recover(world, restMs);
  world.agenda.runUntil(restedMs);
  judge(world);
  return resultOf(world, options.seed, faults);
}

/** How long a world needs to come to rest after healing. */
export function restMsOf({ jump }: Faults): number {
  return jump > 0 ? REST_AFTER_JUMP_MS : REST_MS;
}

export function resultOf(
  world: World,
  seed: number,
  faults: Readonly<Record<string, number>>,
): ScheduleResult {
  return {
    seed,
    sites: world.sites.length,
    faults,
    operations: world.counts.operations,
    effects: world.counts.effects,
    messages: world.messages.length,
    hash: world.hash.toString(),
    findings: world.findings,
    timeline: timelineText(
      world.sites.map(({ name }) => name),
      world.timeline,
    ),
  };
}

/** What operators do after a bad day: move the dead letters back, again and again until none matters. */
export function recover(world: World, restMs: number): void {
  for (let delayMs = 0; delayMs < restMs - REDRIVE_EVERY_MS / 2; delayMs += REDRIVE_EVERY_MS) {
    world.agenda.after(delayMs, () => {
      for (const site of world.sites) redrive(world, site);
    });
  }
}

function judge(world: World): void {
  const { landed, counts } = world;
  const rested = world.snapshot();
  world.find(checkConvergence(rested));
  world.find(checkValues(rested, landed, world.acknowledged));
  world.find(checkConflicts(rested, landed));
  world.find(checkDeletes(rested, landed, world.creates));
  const sentBefore = counts.sent;
  world.agenda.runUntil(world.agenda.nowMs + QUIET_MS);
  const peers = world.sites.length - 1;
  world.find(
    checkMessages(world.messages, {
      writes: landed.length,
      published: counts.published,
      sentAtRest: counts.sent - sentBefore,
      sent: counts.sent,
      sentMax: peers * (counts.forwarded + counts.sweptKeys),
    }),
  );
  replay(world);
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
    wake(world, site, site.inbox, 0);
  }
  world.agenda.runUntil(world.agenda.nowMs + QUIET_MS);
  world.watchedKey = watchedKey;
  world.find(checkReplay(before, world.snapshot(), world.counts.sent + world.counts.published - sentBefore));
}
