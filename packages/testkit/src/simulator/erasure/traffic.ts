/** Clients that write down who they are, at any site, under values that nobody else writes; and people who are erased. */
import { beginSearch, openErasures, requestErasure } from '@tandem-clouds/replication/anti-entropy/erase';
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { emptied } from '@tandem-clouds/replication/lives';
import { type Changes, type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { change, start } from '@tandem-clouds/replication/policies/set';
import { DELETED } from '@tandem-clouds/replication/record';
import { ConflictError, NotFoundError } from '../../../../../src/shared/errors.ts';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import { observed } from '../observed.ts';
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import { PAYING, PEOPLE, personOf, subjectId } from './people.ts';

const ATTEMPTS_MAX = 3;
const USERS_EACH = 2;
const ORDERS = 6;
/** How often a site begins a search: often enough that several are under way beside the traffic. */
const SEARCH_EVERY_MS = 90_000;

/** What an operation writes, wherever it stands: `ada!e12.` */
export function valueOf(person: string, operation: string): string {
  return `${person}!${operation}.`;
}

/** Enters all client operations of a schedule into the agenda. */
export function scheduleLives(world: World, operations: number): void {
  const { agenda, random } = world;
  for (let index = 0; index < operations; index += 1)
    agenda.at(random.between(100, TRAFFIC_MS), () => operate(world, index));
  for (const person of PEOPLE) {
    if (!random.chance(0.7)) continue;
    const times = random.chance(0.2) ? 2 : 1;
    for (let time = 0; time < times; time += 1)
      agenda.at(random.between(TRAFFIC_MS / 4, TRAFFIC_MS), () =>
        request(world, random.pick(world.sites), person),
      );
  }
}

/** Searches at a site until `untilMs`, as its timer does. */
export function startSearches(world: World, site: SimSite, untilMs: number): void {
  const tick = (): void => {
    if (world.agenda.nowMs > untilMs) return;
    if (!site.down)
      invoke(world, site, {
        kind: 'verify',
        protocol: (own) => beginSearch(own, openErasures(own, site.store.records.values())),
        ended: (ending) => {
          if (ending.kind === 'threw' && !isRetryable(ending.error))
            world.find([{ invariant: 'no defects', detail: `a search threw ${String(ending.error)}` }]);
        },
      });
    world.agenda.after(SEARCH_EVERY_MS * world.random.between(0.9, 1.1), tick);
  };
  world.agenda.as(`search ${site.name}`, () =>
    world.agenda.after(world.random.between(0, SEARCH_EVERY_MS), tick),
  );
}

/** Whoever asks for an erasure goes on until somebody has taken it. */
function request(world: World, site: SimSite, person: string): void {
  const again = (): void => {
    world.agenda.after(world.random.between(1_000, 20_000), () =>
      request(world, world.random.pick(world.sites), person),
    );
  };
  if (site.down) {
    again();
    return;
  }
  invoke(world, site, {
    kind: 'verify',
    protocol: (own) => requestErasure(own, { id: subjectId(person), why: 'asked', by: 'support' }),
    ended: (ending) => {
      if (ending.kind === 'threw' && !(ending.error instanceof AppError))
        world.find([{ invariant: 'no defects', detail: `an erasure threw ${String(ending.error)}` }]);
      if (ending.kind !== 'returned') again();
    },
  });
}

/** Orders that are being paid are paid, at every site, so that nobody has to wait for them. */
export function settleOrders(world: World): void {
  for (const site of world.sites) settleAt(world, site);
}

function settleAt(world: World, site: SimSite): void {
  const shared = Array.from({ length: ORDERS }, (_, index) => `o${index}`);
  for (const order of [...shared, ...PEOPLE]) {
    const write: Write = {
      id: `paid-${order}-${site.name}`,
      key: `order:${order}`,
      creates: false,
      rule: (current, isLive) => {
        if (!isLive || current === undefined) throw new NotFoundError('no such order');
        return { status: 'paid' };
      },
    };
    submit(world, site, write, -10);
  }
}

interface Write {
  readonly id: string;
  readonly key: string;
  readonly rule: LocalWrite['decide'];
  readonly creates: boolean;
}

function operate(world: World, index: number): void {
  const { random } = world;
  world.counts.operations += 1;
  const person = random.pick(PEOPLE);
  const site = random.pick(world.sites);
  const write = (at: SimSite, id: string): void => {
    submit(world, at, random.chance(0.6) ? userWrite(world, person, id) : orderWrite(world, person, id), 1);
  };
  write(site, `e${index}`);
  // Often somebody writes at another site, at the same moment.
  if (random.chance(0.5)) write(random.pick(world.sites.filter((each) => each !== site)), `f${index}`);
}

function userWrite({ random }: World, person: string, id: string): Write {
  const key = `user:${person}-${random.int(USERS_EACH)}`;
  const value = valueOf(person, id);
  const roll = random.next();
  if (roll < 0.4) {
    const changes: Changes = { name: value, email: value, tags: start([value]), visits: 0 };
    return { id, key, creates: true, rule: creating(key, changes) };
  }
  if (roll < 0.55)
    return {
      id,
      key,
      creates: false,
      rule: (current, isLive) => {
        if (!isLive || current === undefined) throw new NotFoundError(`no ${key}`);
        return { ...emptied(current.state), [DELETED]: true };
      },
    };
  const changes: Changes = {
    ...(random.chance(0.5) && { name: value }),
    ...(random.chance(0.5) && { email: value }),
    ...(random.chance(0.5) && { tags: change({ add: [value] }) }),
    visits: increment(1),
  };
  return { id, key, creates: false, rule: changing(key, changes) };
}

function orderWrite({ random }: World, person: string, id: string): Write {
  // Two people may write one order at two sites; where it goes is written again of orders that one person writes alone.
  const isOwn = random.chance(0.5);
  const key = isOwn ? `order:${person}` : `order:o${random.int(ORDERS)}`;
  const value = valueOf(person, id);
  if (random.chance(0.5)) {
    const changes: Changes = { customer: person, email: value, address: value, status: PAYING, lines: 2 };
    return { id, key, creates: true, rule: creating(key, changes) };
  }
  if (!isOwn || random.chance(0.5))
    return { id, key, creates: false, rule: changing(key, { status: random.chance(0.3) ? PAYING : 'paid' }) };
  // What was erased is nobody's, who could write it.
  const rule: LocalWrite['decide'] = (current, isLive) => {
    const isTheirs = current !== undefined && personOf(current) === person;
    if (!isLive || !isTheirs) throw new NotFoundError(`no ${key}`);
    return { address: value };
  };
  return { id, key, creates: false, rule };
}

function creating(key: string, changes: Changes): LocalWrite['decide'] {
  return (_, isLive) => {
    if (isLive) throw new ConflictError(`${key} exists`);
    return changes;
  };
}

function changing(key: string, changes: Changes): LocalWrite['decide'] {
  return (_, isLive) => {
    if (!isLive) throw new NotFoundError(`no ${key}`);
    return changes;
  };
}

/** One attempt; a client without an answer often tries again, at the same site. */
function submit(world: World, site: SimSite, write: Write, attempt: number): void {
  const { id, key, rule, creates } = write;
  const again = (): void => {
    if (attempt < ATTEMPTS_MAX)
      world.agenda.after(world.random.between(50, 30_000), () => submit(world, site, write, attempt + 1));
  };
  if (site.down) {
    again();
    return;
  }
  const operation: Operation = { id, decided: undefined };
  invoke(world, site, {
    kind: 'write',
    operation,
    protocol: (own) =>
      observed(
        localWrite(own, {
          key,
          operationId: id,
          decide: rule,
          expectNew: creates,
          ...(creates && { creates: { keepUnseenTombstone: false } }),
        }),
        operation,
        creates ? own.now() : undefined,
      ),
    ended: (ending) => {
      if (ending.kind === 'returned') return;
      if (ending.kind === 'threw' && !(ending.error instanceof AppError))
        world.find([{ invariant: 'no defects', key, detail: `a write threw ${String(ending.error)}` }]);
      if (ending.kind === 'threw' && !isRetryable(ending.error)) return;
      again();
    },
  });
}
