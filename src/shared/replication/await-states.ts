/**
 * A read that must not be older than what a client has seen.
 *
 * Invariant: what is returned includes every state that the client named, or nothing is: never silently stale.
 */
import { horizonMs, sessionWaitMs } from '../bounds.ts';
import { NotYetHereError } from '../errors.ts';
import type { Versioned } from '../ports/store.ts';
import { pauses } from './pauses.ts';
import { getMany, sleep, type Protocol, type Site } from './protocol.ts';
import type { Vector } from './vector.ts';
import { includes } from './record.ts';
import { stampMs } from './stamp.ts';

/** A state that a client has seen, at whichever site: the record's key and its vector. */
export interface SeenState {
  readonly key: string;
  readonly vector: Vector;
}

/**
 * Reads the records of `seen` until they include every state in it.
 * @throws NotYetHereError when one of them has not arrived after `sessionWaitMs`.
 */
export function* awaitStates(
  site: Site,
  seen: readonly SeenState[],
): Protocol<ReadonlyMap<string, Versioned>> {
  const keys = [...new Set(seen.map(({ key }) => key))];
  const waits = pauses(site.now, sessionWaitMs);
  for (;;) {
    const held = yield* getMany(keys);
    const late = seen.find((state) => !isHere(site, held.get(state.key), state));
    if (late === undefined) return held;
    const { value: pauseMs } = waits.next();
    if (pauseMs === undefined) throw new NotYetHereError(`${late.key} has not arrived here as it was seen`);
    yield* sleep(pauseMs);
  }
}

/** Included, or so old that the store has dropped the record: no message about it is under way any more. */
function isHere(site: Site, held: Versioned | undefined, { vector }: SeenState): boolean {
  if (held !== undefined) return includes(held.record.state, vector);
  return Object.values(vector).every((stamp) => site.now() - stampMs(stamp) > horizonMs);
}
