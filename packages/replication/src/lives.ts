/**
 * Lives of a key: it is created, deleted or expired, and created again.
 *
 * Invariant: nothing of an earlier life shows in a later one. A creation over a gone record begins with no part of it and
 * with the next incarnation, and of two incarnations the higher one stands whole (`merge.ts`). What was removed after the
 * horizon has left no incarnation to count on: then the stamps tell the lives apart. (Incarnation numbers: Das, Gupta,
 * Motivala, "SWIM", 2002.)
 *
 * Invariant: an erasure ranks before every life that had not heard of it. It raises the incarnation to the next multiple of a
 * number that no key has lives, so nothing of before shows in what follows, and no life of before is remembered by it.
 */
import { erasedKeptMs, horizonMs } from './bounds.ts';
import type { Json } from './json.ts';
import { erasuresIn } from './policies/erased.ts';
import {
  DELETED,
  ERASED,
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
import { stampMs, stampSite } from './stamp.ts';
import { mergeVectors } from './vector.ts';

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
  return Math.min(oldestPartMs(state), ...Object.values(state.vector).map(stampMs));
}

/** Of the oldest part of the life that a state is of: that an earlier one was erased is none. */
export function oldestPartMs(state: RecordState): number {
  const { [ERASED]: _, ...fields } = state.fields;
  return Math.min(...[...Object.values(fields), ...slotsOf(state)].map(([stamp]) => stampMs(stamp)));
}

/**
 * Whether a gone record counts as absent beside another state: all of that was written more than a horizon after the
 * record had gone, so its creator had removed the record, as all sites had agreed. A function of the two states alone,
 * so every site decides alike.
 */
export function isForgotten(gone: RecordState, other: RecordState): boolean {
  const goneMs = goneAtMs(gone);
  return goneMs !== Infinity && oldestMs(other) > goneMs + keptMsOf(gone);
}

/** Lives of a key between two erasures: more than it ever has. */
const ERASURE_LIVES = 2 ** 20;

/** How often a key was erased. */
export function erasuresOf({ incarnation = 0 }: Pick<RecordState, 'incarnation'>): number {
  return Math.floor(incarnation / ERASURE_LIVES);
}

/** The state that an erasure begins with: nothing of what was there, not even the requests that had made it. */
export function erasedLife(state: RecordState): RecordState {
  const incarnation = (erasuresOf(state) + 1) * ERASURE_LIVES;
  return stateFrom({ fields: {}, sets: {}, counters: {}, vector: state.vector, incarnation });
}

/** Whether a state says that the record, or a field of it, was erased. */
export function hasErasures(state: RecordState): boolean {
  return state.fields[ERASED] !== undefined;
}

/** A state of before as it may be seen once a later one of the same record is known: without what was erased in between. */
export function withErasuresOf(then: RecordState, later: RecordState): RecordState {
  const erased = later.fields[ERASED];
  if (erased === undefined) return then;
  const vector = mergeVectors(then.vector, { [stampSite(erased[0])]: erased[0] });
  const times = erasuresOf(later);
  if (times > erasuresOf(then)) {
    const fields = { [DELETED]: [erased[0], true] as const, [ERASED]: erased };
    return stateFrom({ fields, sets: {}, counters: {}, vector, incarnation: times * ERASURE_LIVES });
  }
  const fields = Object.entries(later.fields).filter(
    ([field, register]) => erasuresIn(register) > erasuresIn(then.fields[field]),
  );
  if (fields.length === 0) return then;
  const stamps = Object.fromEntries(fields.map(([, [stamp]]) => [stampSite(stamp), stamp]));
  return {
    ...then,
    fields: { ...then.fields, ...Object.fromEntries(fields), [ERASED]: erased },
    vector: mergeVectors(vector, stamps),
  };
}

/** How long a record stays that is gone, in milliseconds. */
export function keptMsOf({ fields }: RecordState): number {
  return fields[ERASED] === undefined ? horizonMs : erasedKeptMs;
}

/** The state that a creation over a gone record begins with: no part of it but the requests that it remembers, and its erasure. */
export function nextLife({ fields, sets, vector, incarnation = 0 }: RecordState): RecordState {
  const [requests, erased] = [sets?.[REQUESTS], fields[ERASED]];
  return stateFrom({
    fields: erased === undefined ? {} : { [ERASED]: erased },
    sets: requests === undefined ? {} : { [REQUESTS]: requests },
    counters: {},
    vector,
    incarnation: incarnation + 1,
  });
}

/** Fields that a delete and a creation leave as they are, or set themselves. */
const KEPT: ReadonlySet<string> = new Set([REQUESTS, EXPIRES, ERASED]);

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
