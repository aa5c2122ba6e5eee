/**
 * Faults that are events of their own: partitions, outages, clock jumps, lost queues, redrives, poison. All are drawn
 * before the schedule starts, so that a schedule can leave some of them out.
 */
import type { Random } from '../random.ts';
import { makeBad } from './bad-keys.ts';
import { collectTombstones, compare } from './comparisons.ts';
import type { Faults } from './faults.ts';
import { forge } from './forger.ts';
import { type Pace, paceOf } from './pace.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

const JUMPS_MS = [-60_000, 30_000, 3_600_000] as const;

/** One fault of a schedule, as drawn. What lasts ends with the traffic at the latest. */
export interface NemesisEvent {
  /** `partition 2`; names its stream of chances too. */
  readonly id: string;
  readonly kind:
    | 'partition'
    | 'outage'
    | 'jump'
    | 'outboxWipe'
    | 'redrive'
    | 'poison'
    | 'forge'
    | 'compare'
    | 'collectTombstones'
    | 'badKey'
    | 'busy';
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Kind → the shortest and the usual longest time that it lasts; absent: a moment. */
const LASTING: Partial<Record<NemesisEvent['kind'], readonly [shortMs: number, longMs: number]>> = {
  partition: [1_000, 90_000],
  outage: [5_000, 120_000],
  jump: [1_000, 120_000],
  badKey: [60_000, 600_000],
  busy: [60_000, 600_000],
};
/** Two of these are as long as the receive counts at AWS last: sixteen hours. */
const BUSY_MAX_MS = 8 * 3_600_000;
const KINDS = [
  'partition',
  'outage',
  'jump',
  'outboxWipe',
  'redrive',
  'poison',
  'forge',
  'compare',
  'collectTombstones',
  'badKey',
  'busy',
] as const;

/** Draws what befalls the world. */
export function drawNemesis(random: Random, faults: Faults): readonly NemesisEvent[] {
  const pace = paceOf(faults);
  const times = (kind: NemesisEvent['kind']): number => {
    if (kind === 'collectTombstones') return pace.tombstoneCollections;
    return kind === 'redrive' ? Math.max(pace.redrives, Math.floor(faults[kind])) : Math.floor(faults[kind]);
  };
  return KINDS.flatMap((kind) =>
    Array.from({ length: times(kind) }, (_, index): NemesisEvent => {
      const [fromMs, forMs] = drawTime(random, kind, pace);
      return { id: `${kind} ${index}`, kind, fromMs, untilMs: Math.min(fromMs + forMs, pace.trafficMs - 1) };
    }),
  );
}

/** When an event begins, and how long it lasts. */
function drawTime(
  random: Random,
  kind: NemesisEvent['kind'],
  { trafficMs, lastsMaxMs, longCuts, heldBackMs, slowness }: Pace,
): readonly [fromMs: number, forMs: number] {
  if (kind === 'partition' && random.chance(longCuts.share)) {
    // It ends while clients still write and messages are still held back: what the sites exchange then is what matters.
    const forMs = random.between(longCuts.leastMs, longCuts.mostMs);
    return [random.between(0, trafficMs - heldBackMs - forMs), forMs];
  }
  const lasting = LASTING[kind];
  const fromMs = random.between(0, lasting === undefined ? trafficMs : trafficMs * 0.9);
  const [shortMs, longMs] = lasting ?? [0, 0];
  const forMs = random.between(
    shortMs,
    lasting !== undefined && random.chance(0.3) ? lastsMaxMs : Math.min(longMs * slowness, lastsMaxMs),
  );
  return [fromMs, kind === 'busy' ? Math.min(forMs, BUSY_MAX_MS) : forMs];
}

/** Enters events into the agenda. */
export function scheduleNemesis(world: World, events = drawNemesis(world.random, world.faults)): void {
  const { agenda } = world;
  for (const { id, kind, fromMs, untilMs } of events) {
    agenda.as(id, () => {
      const begin = BEGIN[kind](world);
      agenda.at(fromMs, () => {
        const end = begin();
        if (end !== undefined) agenda.at(untilMs, end);
      });
    });
  }
}

type Begin = () => (() => void) | undefined;

/** Kind → from a world to what begins; that returns what ends it. */
const BEGIN: Record<NemesisEvent['kind'], (world: World) => Begin> = {
  partition,
  outage,
  jump,
  outboxWipe: atOnce(wipe),
  redrive: atOnce(redrive),
  poison: atOnce(poison),
  forge: atOnce(forge),
  compare: atOnce((world, site) => compare(world, site, { repair: true })),
  collectTombstones: atOnce(collectTombstones),
  badKey,
  busy,
};

/** In months it is mended after a while; else when everything else has come to rest (`schedule.ts`). */
function badKey(world: World): Begin {
  return () => {
    const mend = makeBad(world, world.random.pick(world.sites));
    return world.drawnFaults.months > 0 ? mend : undefined;
  };
}

function atOnce(act: (world: World, site: SimSite) => void): (world: World) => Begin {
  return (world) => () => {
    act(world, world.random.pick(world.sites));
    return undefined;
  };
}

function partition(world: World): Begin {
  const [from, to] = world.random.shuffled(world.sites);
  const oneWay = world.random.chance(0.3);
  const [a, b] = [from?.name ?? '', to?.name ?? ''];
  const cuts = [`${a}>${b}`, ...(oneWay ? [] : [`${b}>${a}`])];
  return () => {
    for (const cut of cuts) world.cuts.add(cut);
    const end = world.begin(oneWay ? 'cut off, one way' : 'cut off', [a, b]);
    return () => {
      end();
      for (const cut of cuts) world.cuts.delete(cut);
    };
  };
}

function outage(world: World): Begin {
  const site = world.random.pick(world.sites);
  return () => {
    site.outages += 1;
    const end = world.begin('out of service', [site.name]);
    return () => {
      end();
      site.outages = Math.max(0, site.outages - 1);
    };
  };
}

/**
 * An account without concurrency left: Lambda's pollers have received what they then cannot hand over, and it comes back after
 * its visibility timeout; the Functions host takes nothing that it cannot run. Or a store that grants nothing.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
function busy(world: World): Begin {
  const site = world.random.pick(world.sites);
  const what = world.random.pick(['pollsRefused', 'storeThrottled'] as const);
  return () => {
    site[what] += 1;
    const text = what === 'pollsRefused' ? 'functions are throttled' : 'the store throttles';
    const end = world.begin(text, [site.name]);
    return () => {
      end();
      site[what] = Math.max(0, site[what] - 1);
    };
  };
}

function jump(world: World): Begin {
  const site = world.random.pick(world.sites);
  const byMs = world.random.pick(JUMPS_MS);
  return () => {
    const jumped = { byMs };
    site.jumps.add(jumped);
    const end = world.begin(`clock ${byMs > 0 ? '+' : '−'}${Math.abs(byMs) / 1000} s`, [site.name]);
    return () => {
      end();
      site.jumps.delete(jumped);
    };
  };
}

function wipe(world: World, { outbox, name }: SimSite): void {
  for (const message of [...outbox.messages]) {
    world.note(message.fact.key, name, () => 'the own queue is wiped', { tone: 'fault' });
    outbox.lose(message);
  }
}

/** Moves every dead letter of a site back to where it came from. */
export function redrive(world: World, site: SimSite): void {
  for (const queue of [site.outbox, site.inbox, site.steps]) {
    const moved = queue.redrive(world.agenda.nowMs);
    for (const { fact } of moved)
      world.note(fact.key, site.name, () => `${queue.kind} message is redriven`, { tone: 'queue' });
    if (moved.length > 0) world.wake(site, queue, 0);
  }
}

/** A message that no release of the product can read, or that belongs elsewhere. */
function poison(world: World, site: SimSite): void {
  const { random } = world;
  const genuine = world.captured.get(site.name)?.at(-1) ?? '{"specversion":"1.0"}';
  const body = random.pick([
    '{',
    '[]',
    '{"specversion":"1.0"}',
    genuine.replace(/"specversion":"1\.\d"/, '"specversion":"2.0"'),
    genuine.replace(/"event_id":"[^|]+/, '"event_id":"gcp-9').replace(/"source":"[^"]+"/, '"source":"gcp-9"'),
    genuine.replace(/"vector":\{/, '"vector":{"gcp-9":"yesterday",'),
    genuine.replace(/"vector":\{/, '"sets":{"tags":{"gcp-9|1":["yesterday","red"]}},"vector":{'),
  ]);
  const queue = random.chance(0.7) ? site.inbox : site.outbox;
  world.enqueue(site, queue, body, { poison: true, delayMs: 0 });
  world.wake(site, queue, 0);
}
