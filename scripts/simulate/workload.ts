/**
 * What clients do: create, change, count, expire, delete and read records of a few hot keys, at any site. The rules
 * are those of the product's entity service.
 */
import { eventBytesMax } from '../../src/shared/bounds.ts';
import { cleared } from '../../src/shared/domain/entity-service.ts';
import { AppError, ConflictError, NotFoundError, isRetryable } from '../../src/shared/errors.ts';
import { localWrite } from '../../src/shared/replication/local-write.ts';
import { get, type Protocol } from '../../src/shared/replication/protocol.ts';
import type { Json } from '../../src/shared/replication/json.ts';
import { DELETED, EXPIRES, isLive, type StoredRecord } from '../../src/shared/replication/record.ts';
import { checkSession } from './checkers/sessions.ts';
import { invoke, type Operation } from './invocation.ts';
import type { SimSite } from './sim-site.ts';
import { shortStamp } from './timeline.ts';
import type { World } from './world.ts';

/** How long clients are at work. */
export const TRAFFIC_MS = 600_000;
const KEYS = ['user:a', 'user:b', 'product:c', 'product:d', 'item:e'] as const;
const FIELDS = ['name', 'email', 'price'] as const;
const ATTEMPTS_MAX = 3;

type Fields = Readonly<Record<string, Json>>;
type Rule = (current: StoredRecord | undefined) => Fields;

interface Request {
  readonly key: string;
  readonly id: string;
  readonly rule: Rule;
  readonly expectNew: boolean;
}

/** Enters all client operations of a schedule into the agenda: a third of them in bursts on one key. */
export function scheduleTraffic(world: World, operations: number): void {
  const { random } = world;
  let atMs = 0;
  let key: string = random.pick(KEYS);
  for (let index = 0; index < operations; index += 1) {
    if (!random.chance(0.35)) {
      atMs = random.between(100, TRAFFIC_MS);
      key = random.pick(KEYS);
    }
    const chosen = key;
    world.agenda.at(atMs + random.between(0, 30), () => operate(world, chosen, index));
  }
}

function operate(world: World, key: string, index: number): void {
  world.counts.operations += 1;
  const { random } = world;
  const site = random.pick(world.sites);
  if (random.chance(0.15)) {
    read(world, site, key);
    return;
  }
  submit(world, site, chooseRequest(world, site, key, index), 1);
}

function chooseRequest(world: World, site: SimSite, key: string, index: number): Request {
  const { random } = world;
  const id = `op${index}`;
  const exists = site.store.records.has(key);
  const roll = random.next();
  const request = (rule: Rule, expectNew = false): Request => ({ key, id, rule, expectNew });
  if (roll < (exists ? 0.12 : 0.8)) {
    world.creates.add(id);
    return request(creating(site, key, { name: `n${index}`, email: `e${index}` }), random.chance(0.5));
  }
  if (roll < 0.2) return request(changing(site, key, () => ({ [DELETED]: true })));
  if (roll < 0.24) {
    const seconds = Math.floor(site.now() / 1000) + random.int(400);
    return request(changing(site, key, () => ({ [EXPIRES]: seconds })));
  }
  if (roll < 0.4) return request(changing(site, key, counted));
  const fields: Record<string, Json> = { [random.pick(FIELDS)]: valueOf(world, index) };
  if (random.chance(0.3)) fields[random.pick(FIELDS)] = random.chance(0.2) ? null : `w${index}`;
  return request(changing(site, key, () => fields));
}

/** Mostly short; where queues refuse long messages now and then long, or longer than any event may be. */
function valueOf({ random, faults }: World, index: number): Json {
  if (faults.oversized === 0) return `v${index}`;
  const roll = random.next();
  if (roll < 0.01) return 'x'.repeat(eventBytesMax);
  return `v${index}`.padEnd(roll < 0.2 ? 500 : 1, '.');
}

const counted: Rule = (current) => {
  const held = current?.state.fields['count']?.[1];
  return { count: (typeof held === 'number' ? held : 0) + 1 };
};

function creating(site: SimSite, key: string, values: Fields): Rule {
  return (current) => {
    if (current !== undefined && isLive(current.state, site.now())) throw new ConflictError(`${key} exists`);
    return { ...cleared(current), ...values };
  };
}

function changing(site: SimSite, key: string, rule: Rule): Rule {
  return (current) => {
    if (current === undefined || !isLive(current.state, site.now())) throw new NotFoundError(`no ${key}`);
    return rule(current);
  };
}

/** One attempt; a client that got no answer often tries again under the same operation id. */
function submit(world: World, site: SimSite, request: Request, attempt: number): void {
  const { key, id, rule, expectNew } = request;
  if (site.down) return;
  const operation: Operation = { id, decided: undefined };
  const decide: Rule = (basis) => {
    const fields = rule(basis);
    operation.decided = { basis, fields };
    return fields;
  };
  invoke(world, site, {
    kind: 'write',
    operation,
    protocol: (own) => localWrite(own, { key, operationId: id, decide, expectNew }),
    ended: (ending) => {
      if (ending.kind === 'returned') {
        acknowledge(world, site, id, ending.value);
        return;
      }
      if (ending.kind === 'threw' && !(ending.error instanceof AppError))
        world.find([{ invariant: 'no defects', key, detail: `a write threw ${String(ending.error)}` }]);
      const answered = ending.kind === 'threw' && !isRetryable(ending.error);
      world.note(
        key,
        site.name,
        () => `${id} ${ending.kind === 'threw' ? String(ending.error).slice(0, 40) : 'died'}`,
      );
      if (answered || attempt >= ATTEMPTS_MAX || !world.random.chance(0.6)) return;
      world.agenda.after(world.random.between(50, 5_000), () => submit(world, site, request, attempt + 1));
    },
  });
}

function acknowledge(world: World, site: SimSite, operationId: string, record: StoredRecord): void {
  const { key } = record;
  const landed = world.landed.find((write) => write.operationId === operationId && write.site === site.name);
  const stamp = landed?.stamp ?? record.version ?? '';
  world.trace(`ack ${operationId} ${stamp}`, site, key);
  world.note(key, site.name, () => `${operationId} acknowledged ${shortStamp(stamp)}`);
  world.acknowledged.push({
    atMs: world.agenda.nowMs,
    site: site.name,
    key,
    operationId,
    stamp,
    fields: landed?.fields ?? {},
    token: record.state.vector,
  });
  const elsewhere = world.random.pick(world.sites);
  world.agenda.after(world.random.between(0, 3_000), () => read(world, elsewhere, key));
}

/** A read with every token that was given out for the key so far. */
function read(world: World, site: SimSite, key: string): void {
  if (site.down) return;
  const tokens = world.acknowledged.filter((acknowledged) => acknowledged.key === key);
  invoke(world, site, {
    kind: 'read',
    protocol: function* (): Protocol<StoredRecord | undefined> {
      return (yield* get(key))?.record;
    },
    ended: (ending) => {
      if (ending.kind === 'returned') world.find(checkSession(site.name, ending.value?.state, tokens));
    },
  });
}
