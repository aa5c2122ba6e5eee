/**
 * What clients do: create, change, count, tag, own, expire, delete and read records of a few hot keys, at any site. The
 * rules are those of the product's entity service. All operations are drawn before the first one runs, so that a
 * schedule can leave some of them out.
 */
import { eventBytesMax } from '../../src/shared/bounds.ts';
import { cleared, deletion } from '../../src/shared/domain/entity-service.ts';
import { ConflictError, NotFoundError } from '../../src/shared/errors.ts';
import { EXPIRES, isLive } from '../../src/shared/replication/record.ts';
import { read, submit, type Request, type Rule } from './client.ts';
import { decideOn, type Intent } from './intents.ts';
import type { Random } from './random.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

/** How long clients are at work. */
export const TRAFFIC_MS = 600_000;
const KEYS = ['user:a', 'user:b', 'product:c', 'product:d', 'item:e'] as const;
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

/** Draws all client operations of a schedule: a third of them in bursts on one key. */
export function drawOperations(random: Random, count: number): readonly ClientOperation[] {
  const operations: ClientOperation[] = [];
  let burstMs = 0;
  let key: string = random.pick(KEYS);
  for (let index = 0; index < count; index += 1) {
    if (!random.chance(0.35)) {
      burstMs = random.between(100, TRAFFIC_MS);
      key = random.pick(KEYS);
    }
    const atMs = burstMs + random.between(0, 30);
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
  const request = (rule: Rule, expectNew = false): Request => ({ key, id, rule, expectNew });
  if (roll < (exists ? 0.1 : 0.8)) {
    world.creates.add(id);
    return request(creating(site, key, index), random.chance(0.5));
  }
  if (roll < 0.17) return request(removing(site, key));
  if (roll < 0.2) {
    const seconds = Math.floor(site.now() / 1000) + random.int(400);
    return request(changing(site, key, { [EXPIRES]: { kind: 'write', value: seconds } }));
  }
  const intents: Record<string, Intent> = {};
  for (let more = true; more; more = random.chance(0.3)) {
    const [field, intent] = chooseIntent(world, index);
    intents[field] = intent;
  }
  return request(changing(site, key, intents));
}

/** A field and what is done to it. `mixed` changes its policy all the time, as from release to release. */
function chooseIntent(world: World, index: number): [string, Intent] {
  const { random } = world;
  const roll = random.next();
  if (roll < 0.35) {
    const value = random.chance(0.1) ? null : valueOf(world, index);
    return [random.pick(REGISTERS), { kind: 'write', value }];
  }
  if (roll < 0.5) return ['tags', tagging(random)];
  if (roll < 0.65) return ['visits', counting(random)];
  if (roll < 0.75) return ['owner', owning(random, index)];
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

/** Mostly short; where queues refuse long messages now and then long, or longer than any event may be. */
function valueOf({ random, faults }: World, index: number): string {
  if (faults.oversized === 0) return `v${index}`;
  const roll = random.next();
  if (roll < 0.01) return 'x'.repeat(eventBytesMax);
  return `v${index}`.padEnd(roll < 0.2 ? 500 : 1, '.');
}

function creating(site: SimSite, key: string, index: number): Rule {
  const values: Record<string, Intent> = {
    name: { kind: 'write', value: `n${index}` },
    email: { kind: 'write', value: `e${index}` },
    visits: { kind: 'write', value: 0 },
    tags: { kind: 'start', elements: index % 2 === 0 ? [] : ['red'] },
  };
  return (basis) => {
    if (basis !== undefined && isLive(basis.state, site.now())) throw new ConflictError(`${key} exists`);
    return decideOn(basis, values, cleared(basis));
  };
}

function changing(site: SimSite, key: string, intents: Readonly<Record<string, Intent>>): Rule {
  return (basis) => {
    if (basis === undefined || !isLive(basis.state, site.now())) throw new NotFoundError(`no ${key}`);
    return decideOn(basis, intents);
  };
}

function removing(site: SimSite, key: string): Rule {
  return (basis) => {
    if (basis === undefined || !isLive(basis.state, site.now())) throw new NotFoundError(`no ${key}`);
    return decideOn(basis, {}, deletion(basis));
  };
}
