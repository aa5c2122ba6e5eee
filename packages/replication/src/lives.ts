/**
 * Lives of a key: it is created, deleted or expired, and created again.
 *
 * Invariant: nothing of an earlier life shows in a later one. A creation over a gone record begins with no part of it and
 * with the next incarnation, and of two incarnations the higher one stands whole (`merge.ts`). What was removed after the
 * horizon has left no incarnation to count on: then the stamps tell the lives apart. (Incarnation numbers: Das, Gupta,
 * Motivala, "SWIM", 2002.)
 */
import { horizonMs } from './bounds.ts';
import type { Json } from './json.ts';
import {
  DELETED,
  EXPIRES,
  expiresAtSeconds,
  fieldNames,
  isDeleted,
  type RecordState,
  REQUESTS,
  slotsOf,
  stateFrom,
  type StoredRecord,
} from './record.ts';
import { stampMs } from './stamp.ts';

/** Epoch milliseconds from which the record no longer exists, by its delete or its expiry; Infinity when it has neither. */
export function goneAtMs(state: RecordState): number {
  const deleted = isDeleted(state) ? stampMs(state.fields[DELETED]?.[0] ?? '') : Infinity;
  return Math.min(deleted, (expiresAtSeconds(state) ?? Infinity) * 1000);
}

/** The moment from which this site has held the record as gone; undefined while it is live. */
export function goneSinceOf(
  state: RecordState,
  held: StoredRecord | undefined,
  nowMs: number,
): number | undefined {
  return goneAtMs(state) <= nowMs || isDeleted(state) ? (held?.goneSince ?? nowMs) : undefined;
}

/** Epoch milliseconds of the oldest stamp in a state. */
export function oldestMs(state: RecordState): number {
  const parts = [...Object.values(state.fields), ...slotsOf(state)].map(([stamp]) => stamp);
  return Math.min(...[...parts, ...Object.values(state.vector)].map(stampMs));
}

/**
 * Whether a gone record counts as absent beside another state: all of that was written more than a horizon after the
 * record had gone, so its creator had removed the record, as all sites had agreed. A function of the two states alone,
 * so every site decides alike.
 */
export function isForgotten(gone: RecordState, other: RecordState): boolean {
  const goneMs = goneAtMs(gone);
  return goneMs !== Infinity && oldestMs(other) > goneMs + horizonMs;
}

/** The state that a creation over a gone record begins with: no part of it but the requests that it remembers. */
export function nextLife({ sets, vector, incarnation = 0 }: RecordState): RecordState {
  const requests = sets?.[REQUESTS];
  return stateFrom({
    fields: {},
    sets: requests === undefined ? {} : { [REQUESTS]: requests },
    counters: {},
    vector,
    incarnation: incarnation + 1,
  });
}

/** Fields that a delete and a creation leave as they are, or set themselves. */
const KEPT: ReadonlySet<string> = new Set([REQUESTS, EXPIRES]);

/** Every field of a record emptied: what a delete sets beside its tombstone. */
export function emptied(state: RecordState): Record<string, null> {
  return Object.fromEntries(fieldNames(state).flatMap((field) => (KEPT.has(field) ? [] : [[field, null]])));
}

/**
 * What a creation sets where it cannot begin with the next incarnation, because a peer runs a release that does not know
 * of it, or because this site holds nothing. The tombstone is lifted even where there is none: another site may have
 * deleted the key already and its message may still be on the way. Not so for an id that derives from the request
 * (`keepUnseenTombstone`): nothing but this very creation can have been deleted under it, and a retry must not bring it
 * back.
 */
export function cleared(
  state: RecordState | undefined,
  { keepUnseenTombstone = false }: { readonly keepUnseenTombstone?: boolean } = {},
): Record<string, Json> {
  const reset: Record<string, Json> = state === undefined ? {} : emptied(state);
  if (state?.fields[EXPIRES] !== undefined) reset[EXPIRES] = null;
  if (!keepUnseenTombstone || state !== undefined) reset[DELETED] = false;
  return reset;
}
