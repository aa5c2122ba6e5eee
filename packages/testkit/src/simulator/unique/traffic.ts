/** Clients that create, change and delete people whose e-mail address nobody else may have, all of them wanting the same few. */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import { emptied } from '@tandem-clouds/replication/lives';
import type { LocalWrite } from '@tandem-clouds/replication/local-write';
import { DELETED } from '@tandem-clouds/replication/record';
import { reservationKey } from '../../../../../src/shared/domain/unique/reservation.ts';
import { type UniqueFields, writeUnique } from '../../../../../src/shared/domain/unique/write-unique.ts';
import { ConflictError, NotFoundError } from '../../../../../src/shared/errors.ts';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import { observed } from '../observed.ts';
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';

const EMAILS = ['ada', 'bob', 'cyd', 'dot'] as const;
const PEOPLE = 9;
const ATTEMPTS_MAX = 3;

export const PERSON = 'person:';
export const EMAIL = 'email';

export const unique: Omit<UniqueFields, 'by'> = {
  names: [EMAIL],
  reservationOf: (field, value) => reservationKey(`${field}-${value}`),
};

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
  const kind = roll < 0.5 ? 'create' : roll < 0.8 ? 'change' : 'delete';
  const rule: LocalWrite['decide'] = (current, live) => {
    if (kind === 'create') {
      if (live) throw new ConflictError(`${key} exists already`);
      return { [EMAIL]: email };
    }
    if (!live || current === undefined) throw new NotFoundError(`${key} does not exist`);
    return kind === 'change' ? { [EMAIL]: email } : { ...emptied(current.state), [DELETED]: true };
  };
  submit(world, random.pick(world.sites), { id: `u${index}`, key, rule, creates: kind === 'create' }, 1);
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
    protocol: (own) => observed(writeUnique(own, { ...unique, by }, write), operation),
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
