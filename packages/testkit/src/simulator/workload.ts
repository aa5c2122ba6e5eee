/**
 * What clients do: create, change, count, tag, own, expire, delete and read records of a few hot keys, at any site. The
 * rules are those of the product's entity service. All operations are drawn before the first one runs, so that a
 * schedule can leave some of them out.
 */
import { eventBytesMax } from '@tandem-clouds/replication/bounds';
import { EXPIRES } from '@tandem-clouds/replication/record';
import { deletion } from '../../../../src/shared/domain/entity-service.ts';
import { ConflictError, NotFoundError } from '../../../../src/shared/errors.ts';
import type { Random } from '../random.ts';
import { read, type Request, type Rule, submit } from './client.ts';
import type { Faults } from './faults.ts';
import { decideOn, type Intent, STATES } from './intents.ts';
import { paceOf } from './pace.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

const KEYS = ['user:a', 'user:b', 'product:c', 'product:d', 'item:e'] as const;
/** Over months every id is left alone for long enough, now and then, to be forgotten. */
const MANY_KEYS = Array.from({ length: 24 }, (_, index) => `user:m${Math.min(index, 12)}`);
const REGISTERS = ['name', 'email', 'price'] as const;
const ELEMENTS = ['red', 'green', 'blue'] as const;

/** One thing that a client does, as drawn; what it comes to depends on what its site holds then. */
export interface ClientOperation {
  /** `op17`; names its stream of chances too. */
  readonly id: string;
  readonly atMs: number;
  readonly key: string;
  /** Which of the sites, from 0 to 1. */
  readonly where: number;
  readonly index: number;
}

/** In how many bursts operations go on, and how far apart they are: clients meet on one key within milliseconds. */
const BURSTS = { goesOn: 0.35, slow: 0, slowMs: 0 } as const;
/** Over months also within days, which is as concurrent where messages take weeks; and then leave it alone for longer. */
const BURSTS_OF_MONTHS = { goesOn: 0.6, slow: 0.5, slowMs: 12 * 24 * 3_600_000 } as const;

/** Draws all client operations of a schedule, a part of them in bursts on one key. */
export function drawOperations(random: Random, count: number, faults: Faults): readonly ClientOperation[] {
  const { trafficMs } = paceOf(faults);
  const [keys, { goesOn, slow, slowMs }] = faults.months > 0 ? [MANY_KEYS, BURSTS_OF_MONTHS] : [KEYS, BURSTS];
  const operations: ClientOperation[] = [];
  let burstMs = 0;
  let key: string = random.pick(keys);
  for (let index = 0; index < count; index += 1) {
    if (!random.chance(goesOn)) {
      burstMs = random.between(100, trafficMs);
      key = random.pick(keys);
    }
    const atMs = Math.min(burstMs + random.between(0, random.chance(slow) ? slowMs : 30), trafficMs);
    operations.push({ id: `op${index}`, atMs, key, where: random.next(), index });
  }
  return operations;
}

/** Enters client operations into the agenda. */
export function scheduleTraffic(world: World, operations: readonly ClientOperation[]): void {
  for (const operation of operations) {
    world.agenda.as(operation.id, () => world.agenda.at(operation.atMs, () => operate(world, operation)));
  }
}

function operate(world: World, { id, key, where, index }: ClientOperation): void {
  world.counts.operations += 1;
  const site = world.sites[Math.floor(where * world.sites.length)] ?? world.random.pick(world.sites);
  if (world.random.chance(0.15)) read(world, site, key);
  else submit(world, site, chooseRequest(world, site, { id, key, index }), 1);
}

function chooseRequest(
  world: World,
  site: SimSite,
  { id, key, index }: Pick<ClientOperation, 'id' | 'key' | 'index'>,
): Request {
  const { random } = world;
  const exists = site.store.records.has(key);
  const roll = random.next();
  const [create, remove] = world.drawnFaults.months > 0 ? [0.35, 0.65] : [0.1, 0.17];
  const request = (rule: Rule, expectNew = false): Request => ({ key, id, rule, expectNew, creates: false });
  if (roll < (exists ? create : 0.8)) {
    world.creates.add(id);
    return { ...request(creating(key, index), random.chance(0.5)), creates: true };
  }
  if (roll < remove) return request(removing(key));
  if (roll < remove + 0.03) {
    const seconds = Math.floor(site.now() / 1000) + random.int(400);
    return request(changing(key, { [EXPIRES]: { kind: 'write', value: seconds } }));
  }
  const intents: Record<string, Intent> = {};
  for (let more = true; more; more = random.chance(0.3)) {
    const [field, intent] = chooseIntent(world, index, key.startsWith('product:'));
    intents[field] = intent;
  }
  return request(changing(key, intents));
}

/**
 * A field and what is done to it. `mixed` changes its policy all the time, as from release to release. Where a record walks
 * through states, its ranks are theirs.
 */
function chooseIntent(world: World, index: number, walks: boolean): [string, Intent] {
  const { random } = world;
  const roll = random.next();
  if (roll < 0.35) {
    const value = random.chance(0.1) ? null : valueOf(world, index);
    return [random.pick(REGISTERS), { kind: 'write', value }];
  }
  if (roll < 0.5) return ['tags', tagging(random)];
  if (roll < 0.65) return ['visits', counting(random)];
  if (roll < 0.75) return walks ? ['status', walking(random)] : ['owner', owning(random, index)];
  const plain = random.pick([`v${index}`, index, ['red', 'blue'], null]);
  return [
    'mixed',
    random.pick([tagging(random), counting(random), owning(random, index), { kind: 'write', value: plain }]),
  ];
}

function tagging(random: Random): Intent {
  const some = (): string[] => ELEMENTS.filter(() => random.chance(0.35));
  const roll = random.next();
  if (roll < 0.75) return { kind: 'change', add: some(), remove: some() };
  return roll < 0.9 ? { kind: 'replace', elements: some() } : { kind: 'start', elements: some() };
}

function counting(random: Random): Intent {
  return random.chance(0.15)
    ? { kind: 'write', value: random.int(100) }
    : { kind: 'increment', by: random.int(12) - 3 };
}

function owning(random: Random, index: number): Intent {
  return random.chance(0.2)
    ? { kind: 'write', value: `w${index}` }
    : { kind: 'own', rank: String(random.int(6)), value: `o${index}` };
}

function walking(random: Random): Intent {
  return { kind: 'walk', to: random.pick(STATES) };
}

/** Mostly short; where queues refuse long messages now and then long, or longer than any event may be. */
function valueOf({ random, faults }: World, index: number): string {
  if (faults.oversized === 0) return `v${index}`;
  const roll = random.next();
  if (roll < 0.01) return 'x'.repeat(eventBytesMax);
  return `v${index}`.padEnd(roll < 0.2 ? 500 : 1, '.');
}

function creating(key: string, index: number): Rule {
  const values: Record<string, Intent> = {
    name: { kind: 'write', value: `n${index}` },
    email: { kind: 'write', value: `e${index}` },
    visits: { kind: 'write', value: 0 },
    tags: { kind: 'start', elements: index % 2 === 0 ? [] : ['red'] },
  };
  return (basis, isLive) => {
    if (isLive) throw new ConflictError(`${key} exists`);
    return decideOn(basis, values);
  };
}

function changing(key: string, intents: Readonly<Record<string, Intent>>): Rule {
  return (basis, isLive) => {
    if (!isLive) throw new NotFoundError(`no ${key}`);
    return decideOn(basis, intents);
  };
}

function removing(key: string): Rule {
  return (basis, isLive) => {
    if (basis === undefined || !isLive) throw new NotFoundError(`no ${key}`);
    return decideOn(basis, {}, deletion(basis));
  };
}
