/**
 * What a record remembers of the keyed requests that made it, so that a retry finds its own effect.
 *
 * Invariant: the memory is a reserved field of the record, an add-wins set. It becomes durable in the same conditional
 * put as the effect and crosses with it, so no site holds one without the other, and requests that two sites took at
 * the same time are both remembered.
 *
 * Invariant: a key that carries its time takes effect once at a site. The memory is bounded; what makes room leaves the
 * greatest of its keys' times in the set, in the same put. What is not remembered and was not made after that moment may
 * have been done, and is refused. Times are compared with times of keys only, so whose clock is wrong is refused more
 * often, and never done twice. A key without a time is forgotten silently: nothing tells its repeat from a new one.
 */
import { clockAheadMaxMs } from '@tandem-clouds/replication/bounds';
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { change, elementsOf } from '@tandem-clouds/replication/policies/set';
import { partsOf, REQUESTS, type StoredRecord } from '@tandem-clouds/replication/record';
import { requestsRemembered } from '../bounds.ts';
import { GoneError, IdempotencyMismatchError, RequestForgottenError } from '../errors.ts';

/** A request that carries an `Idempotency-Key`, as digests: the key itself is not stored. */
export interface KeyedRequest {
  /** The id of what it creates when its body names none: the same at every site. */
  readonly id: string;
  /** Digest of the key. */
  readonly key: string;
  /** Digest of the body, in canonical form. */
  readonly body: string;
  /** Epoch milliseconds at which the client made the key, where the key says so. */
  readonly madeAtMs?: number;
}

/** What is kept of a request: the two digests, and whether it created the record or replaced it. */
export interface RememberedRequest {
  readonly key: string;
  readonly body: string;
  readonly created: boolean;
  /** Epoch milliseconds: the time of its key, where it has one. */
  readonly at?: number;
}

/** In place of a key: the entry stands for all that was forgotten, with the greatest time. No digest is empty. */
const FORGOTTEN = '';

/**
 * The earlier run of this request, when the record remembers one.
 * @throws IdempotencyMismatchError when the key came with another body.
 * @throws RequestForgottenError when it may have been done, and that has been forgotten.
 * @throws GoneError when what it made has been deleted or has expired since: a retry never brings it back.
 */
export function earlierRun(
  current: StoredRecord | undefined,
  request: KeyedRequest | undefined,
  isLive: boolean,
): RememberedRequest | undefined {
  if (current === undefined || request === undefined) return undefined;
  const all = entriesOf(current);
  const earlier = all.find(({ key }) => key === request.key);
  if (earlier === undefined) {
    if (request.madeAtMs !== undefined && request.madeAtMs <= forgottenUpTo(all))
      throw new RequestForgottenError(
        'this request may have been done: requests of that age are no longer known of this record',
      );
    return undefined;
  }
  if (earlier.body !== request.body) {
    throw new IdempotencyMismatchError('this Idempotency-Key was used before, with another body');
  }
  if (!isLive) throw new GoneError('what this request made before has been deleted or has expired');
  return earlier;
}

/** The field to set along with the effect of a keyed request; no field for a request without a key. */
export function remember(
  current: StoredRecord | undefined,
  request: KeyedRequest | undefined,
  { created, nowMs }: { readonly created: boolean; readonly nowMs: number },
): Changes {
  if (request === undefined) return {};
  const { key, body, madeAtMs } = request;
  // A time that is still to come would have every request before it refused, once it is forgotten.
  const isTimed = madeAtMs !== undefined && madeAtMs <= nowMs + clockAheadMaxMs;
  const entry = { key, body, created, ...(isTimed && { at: madeAtMs }) };
  const all = current === undefined ? [] : entriesOf(current);
  const held = all.filter((each) => each.key !== FORGOTTEN);
  // The oldest stays: an id that derives from a key must always find the request that it came from.
  const spare = Math.max(0, held.length + 1 - requestsRemembered);
  const gone = held.slice(1, 1 + spare);
  const marks = all.filter((each) => each.key === FORGOTTEN);
  const upTo = Math.max(forgottenUpTo(all), ...gone.map(({ at = -Infinity }) => at));
  const mark = { key: FORGOTTEN, body: '', created: false, at: upTo };
  const isNoted = upTo === forgottenUpTo(all);
  return {
    [REQUESTS]: change(
      isNoted ? { add: [entry], remove: gone } : { add: [entry, mark], remove: [...gone, ...marks] },
    ),
  };
}

type Entry = RememberedRequest & Readonly<Record<string, Json>>;

/** In the order in which they were added, the marks of what was forgotten among them: two where two sites forgot at once. */
function entriesOf({ state }: StoredRecord): readonly Entry[] {
  return elementsOf(partsOf(state, REQUESTS)) as readonly Entry[];
}

function forgottenUpTo(all: readonly Entry[]): number {
  return Math.max(-Infinity, ...all.map(({ key, at = -Infinity }) => (key === FORGOTTEN ? at : -Infinity)));
}
