/** Faults that are events of their own: partitions, outages, clock jumps, lost queues, redrives, poison. */
import type { SimSite } from './sim-site.ts';
import { wake } from './trigger.ts';
import { TRAFFIC_MS } from './workload.ts';
import type { World } from './world.ts';

const JUMPS_MS = [-60_000, 30_000, 3_600_000] as const;

/** Enters what befalls the world into the agenda; everything that lasts ends with the traffic. */
export function scheduleNemesis(world: World): void {
  const { faults } = world;
  times(faults.partition, () => partition(world));
  times(faults.outage, () => outage(world));
  times(faults.jump, () => jump(world));
  times(faults.outboxWipe, () => anyTime(world, () => wipe(world, world.random.pick(world.sites))));
  times(faults.redrive, () => anyTime(world, () => redrive(world, world.random.pick(world.sites))));
  times(faults.poison, () => anyTime(world, () => poison(world, world.random.pick(world.sites))));
}

function times(strength: number, act: () => void): void {
  for (let i = 0; i < Math.floor(strength); i += 1) act();
}

function anyTime({ agenda, random }: World, act: () => void): void {
  agenda.at(random.between(0, TRAFFIC_MS), act);
}

/** Begins within the traffic and ends at the latest with it. */
function forAWhile(
  { agenda, random }: World,
  shortMs: number,
  longMs: number,
  begin: () => () => void,
): void {
  const fromMs = random.between(0, TRAFFIC_MS * 0.9);
  const untilMs = fromMs + random.between(shortMs, random.chance(0.3) ? TRAFFIC_MS : longMs);
  agenda.at(fromMs, () => {
    const end = begin();
    agenda.at(Math.min(untilMs, TRAFFIC_MS - 1), end);
  });
}

function partition(world: World): void {
  const [from, to] = world.random.shuffled(world.sites);
  const oneWay = world.random.chance(0.3);
  if (from === undefined || to === undefined) return;
  const cuts = [`${from.name}>${to.name}`, ...(oneWay ? [] : [`${to.name}>${from.name}`])];
  forAWhile(world, 1_000, 90_000, () => {
    for (const cut of cuts) world.cuts.add(cut);
    return () => {
      for (const cut of cuts) world.cuts.delete(cut);
    };
  });
}

function outage(world: World): void {
  const site = world.random.pick(world.sites);
  forAWhile(world, 5_000, 120_000, () => {
    site.down = true;
    return () => {
      site.down = false;
    };
  });
}

function jump(world: World): void {
  const site = world.random.pick(world.sites);
  const byMs = world.random.pick(JUMPS_MS);
  forAWhile(world, 1_000, 120_000, () => {
    site.jumpMs = byMs;
    return () => {
      site.jumpMs = 0;
    };
  });
}

function wipe(world: World, { outbox, name }: SimSite): void {
  for (const message of [...outbox.messages]) {
    world.note(message.fact.key, name, () => 'out queue is wiped');
    outbox.lose(message);
  }
}

/** Moves every dead letter of a site back to where it came from. */
export function redrive(world: World, site: SimSite): void {
  for (const queue of [site.outbox, site.inbox]) {
    const moved = queue.redrive(world.agenda.nowMs);
    for (const { fact } of moved) world.note(fact.key, site.name, () => `${queue.kind} message is redriven`);
    if (moved.length > 0) wake(world, site, queue, 0);
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
    genuine.replace(/"source":"[^"]+"/, '"source":"gcp-9"'),
    genuine.replace(/"vector":\{/, '"vector":{"gcp-9":"yesterday",'),
  ]);
  const queue = random.chance(0.7) ? site.inbox : site.outbox;
  world.enqueue(site, queue, body, { poison: true, delayMs: 0 });
  wake(world, site, queue, 0);
}
