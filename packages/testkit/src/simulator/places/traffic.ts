/** Clients that write records some of which only some sites keep, with values that nobody else may see. */
import type { KeptAt } from '@tandem-clouds/replication/declared-places';
import { AppError, isRetryable, NotKeptHereError } from '@tandem-clouds/replication/errors';
import { type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { change } from '@tandem-clouds/replication/policies/set';
import { placementOf } from '../../../../../src/shared/domain/placement.ts';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import { observed } from '../observed.ts';
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';

/** Kept at every site, at two, and at one. */
export const ENTITIES = ['open', 'paired', 'lonely'] as const;
const KEYS = 4;
const ATTEMPTS_MAX = 4;
/** The field that remembers every write. */
export const DONE = 'done';

/** `paired` is kept at the first two sites, `lonely` at the first. */
export function declared(world: World): KeptAt {
  const [first = '', second = ''] = world.sites.map(({ name }) => name);
  const keptAt = placementOf({ paired: [first, second], lonely: [first] });
  if (keptAt === undefined) throw new TypeError('something is declared');
  return keptAt;
}

export interface Confirmed {
  readonly key: string;
  readonly id: string;
}

interface Traffic {
  /** When it begins; it lasts ten minutes. */
  readonly fromMs: number;
  /** Takes what is acknowledged, as it comes. */
  readonly confirmed: Confirmed[];
  /** Where all clients come; absent: anywhere. */
  readonly at?: SimSite;
}

/** Enters client operations into the agenda. */
export function schedulePlaced(world: World, operations: number, { fromMs, confirmed, at }: Traffic): void {
  for (let index = 0; index < operations; index += 1)
    world.agenda.at(fromMs + world.random.between(100, TRAFFIC_MS), () => {
      world.counts.operations += 1;
      const entity = world.random.pick(ENTITIES);
      const key = `${entity}:k${world.random.int(KEYS)}`;
      const id = fromMs === 0 ? `op${index}` : `op${index}from${Math.round(fromMs)}`;
      submit(world, at ?? world.random.pick(world.sites), { key, id }, { attempt: 1, confirmed });
    });
}

/** A value names its entity, so that it is found wherever it is. */
function write({ key, id }: Confirmed): LocalWrite {
  const [entity = ''] = key.split(':');
  const text = `${entity}:${id}`;
  return { key, operationId: id, decide: () => ({ note: text, [DONE]: change({ add: [text] }) }) };
}

/** One attempt; a client goes where it is sent, and without an answer tries again. */
function submit(
  world: World,
  site: SimSite,
  request: Confirmed,
  { attempt, confirmed }: { readonly attempt: number; readonly confirmed: Confirmed[] },
): void {
  const again = (at: SimSite, delayMs: number): void => {
    if (attempt < ATTEMPTS_MAX)
      world.agenda.after(delayMs, () => submit(world, at, request, { attempt: attempt + 1, confirmed }));
  };
  if (site.down) {
    again(world.random.pick(world.sites), world.random.between(50, 5_000));
    return;
  }
  const operation: Operation = { id: `${request.id}/${attempt}`, decided: undefined };
  invoke(world, site, {
    kind: 'write',
    operation,
    protocol: (own) => observed(localWrite(own, write(request)), operation),
    ended: (ending) => {
      if (ending.kind === 'returned') {
        confirmed.push(request);
        return;
      }
      const error = ending.kind === 'threw' ? ending.error : undefined;
      const text = String(error);
      if (error instanceof NotKeptHereError) {
        again(world.site(error.sites[0] ?? ''), 10);
        return;
      }
      if (error !== undefined && !(error instanceof AppError))
        world.find([{ invariant: 'no defects', key: request.key, detail: `a write threw ${text}` }]);
      if (error === undefined || isRetryable(error))
        again(world.random.pick(world.sites), world.random.between(50, 30_000));
    },
  });
}
