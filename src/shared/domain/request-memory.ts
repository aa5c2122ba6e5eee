/**
 * What a record remembers of the keyed requests that made it, so that a retry finds its own effect.
 *
 * Invariant: the memory is a reserved field of the record, an add-wins set. It becomes durable in the same conditional
 * put as the effect and crosses with it, so no site holds one without the other, and requests that two sites took at
 * the same time are both remembered.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { change, elementsOf } from '@tandem-clouds/replication/policies/set';
import { partsOf, REQUESTS, type StoredRecord } from '@tandem-clouds/replication/record';
import { requestsRemembered } from '../bounds.ts';
import { GoneError, IdempotencyMismatchError } from '../errors.ts';

/** A request that carries an `Idempotency-Key`, as digests: the key itself is not stored. */
export interface KeyedRequest {
  /** The id of what it creates when its body names none: the same at every site. */
  readonly id: string;
  /** Digest of the key. */
  readonly key: string;
  /** Digest of the body, in canonical form. */
  readonly body: string;
}

/** What is kept of a request: the two digests, and whether it created the record or replaced it. */
export interface RememberedRequest {
  readonly key: string;
  readonly body: string;
  readonly created: boolean;
}

/**
 * The earlier run of this request, when the record remembers one.
 * @throws IdempotencyMismatchError when the key came with another body.
 * @throws GoneError when what it made has been deleted or has expired since: a retry never brings it back.
 */
export function earlierRun(
  current: StoredRecord | undefined,
  request: KeyedRequest | undefined,
  isLive: boolean,
): RememberedRequest | undefined {
  if (current === undefined || request === undefined) return undefined;
  const earlier = remembered(current).find(({ key }) => key === request.key);
  if (earlier === undefined) return undefined;
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
  created: boolean,
): Changes {
  if (request === undefined) return {};
  const entry = { key: request.key, body: request.body, created };
  const held = current === undefined ? [] : remembered(current);
  // The oldest stays: an id that derives from a key must always find the request that it came from.
  const spare = Math.max(0, held.length + 1 - requestsRemembered);
  return { [REQUESTS]: change({ add: [entry], remove: held.slice(1, 1 + spare) }) };
}

type Remembered = RememberedRequest & Readonly<Record<string, Json>>;

function remembered({ state }: StoredRecord): readonly Remembered[] {
  return elementsOf(partsOf(state, REQUESTS)) as readonly Remembered[];
}
