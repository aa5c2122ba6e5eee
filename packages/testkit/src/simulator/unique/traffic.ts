/** Clients that create, change and delete people whose e-mail address nobody else may have, all of them wanting the same few. */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { emptied } from '@tandem-clouds/replication/lives';
import type { LocalWrite } from '@tandem-clouds/replication/local-write';
import { DELETED } from '@tandem-clouds/replication/record';
import { writeUnique } from '../../../../../src/shared/domain/unique/write-unique.ts';
import { ConflictError, NotFoundError } from '../../../../../src/shared/errors.ts';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import { observed } from '../observed.ts';
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import { EMAIL, PERSON, uniqueFieldsOf } from './person.ts';

const EMAILS = ['ada', 'bob', 'cyd', 'dot', 'eve', 'fay'] as const;
const PEOPLE = 9;
const ATTEMPTS_MAX = 3;

interface Request {
  readonly id: string;
  readonly key: string;
  readonly rule: LocalWrite['decide'];
  readonly creates: boolean;
}

/** Enters all client operations of a schedule into the agenda. */
export function scheduleClaiming(world: World, operations: number): void {
  for (let index = 0; index < operations; index += 1)
    world.agenda.at(world.random.between(100, TRAFFIC_MS), () => operate(world, index));
}

function operate(world: World, index: number): void {
  const { random } = world;
  world.counts.operations += 1;
  const key = `${PERSON}p${random.int(PEOPLE)}`;
  const email = random.pick(EMAILS);
  const roll = random.next();
  const kind = roll < 0.5 ? 'create' : roll < 0.7 ? 'change' : 'delete';
  const site = random.pick(world.sites);
  submit(world, site, { id: `u${index}`, ...requestOf(kind, key, email) }, 1);
  // Often somebody else wants the same at another site, at the same moment.
  if (kind === 'delete' || !random.chance(0.5)) return;
  const elsewhere = random.pick(world.sites.filter((each) => each !== site));
  const other = `${PERSON}p${random.int(PEOPLE)}`;
  submit(world, elsewhere, { id: `v${index}`, ...requestOf('create', other, email) }, 1);
}

function requestOf(kind: 'create' | 'change' | 'delete', key: string, email: string): Omit<Request, 'id'> {
  const rule: LocalWrite['decide'] = (current, live) => {
    if (kind === 'create') {
      if (live) throw new ConflictError(`${key} exists already`);
      return { [EMAIL]: email };
    }
    if (!live || current === undefined) throw new NotFoundError(`${key} does not exist`);
    return kind === 'change' ? { [EMAIL]: email } : { ...emptied(current.state), [DELETED]: true };
  };
  return { key, rule, creates: kind === 'create' };
}

/** One attempt; a client without an answer often tries again, at whichever site. */
function submit(world: World, site: SimSite, request: Request, attempt: number): void {
  if (site.down) return;
  const { id, key, rule, creates } = request;
  const operation: Operation = { id, decided: undefined };
  const by = `${id}/${site.name}/${attempt}`;
  const write: LocalWrite = {
    key,
    operationId: id,
    decide: rule,
    expectNew: creates,
    ...(creates && { creates: { keepUnseenTombstone: false } }),
  };
  invoke(world, site, {
    kind: 'write',
    operation,
    protocol: (own) => observed(writeUnique(own, { ...uniqueFieldsOf(key), by }, write), operation),
    ended: (ending) => {
      if (ending.kind === 'returned') return;
      if (ending.kind === 'threw' && !(ending.error instanceof AppError))
        world.find([{ invariant: 'no defects', key, detail: `a write threw ${String(ending.error)}` }]);
      if (ending.kind === 'threw' && !isRetryable(ending.error)) return;
      if (attempt >= ATTEMPTS_MAX || !world.random.chance(0.6)) return;
      const { agenda, random } = world;
      agenda.after(random.between(50, 30_000), () =>
        submit(world, random.pick(world.sites), request, attempt + 1),
      );
    },
  });
}
