/**
 * The shape of replicated state.
 *
 * `RecordState` is what crosses between sites: per-field registers and a version vector. A state that includes a
 * site's stamp includes every earlier write of that site to the key, because every event carries the whole state;
 * so the vector names the state exactly and doubles as its entity tag.
 */
import type { SiteId, Stamp } from './stamp.ts';
import { laterStamp } from './stamp.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A last-write-wins register: when it was written, and what. */
export type Register = readonly [stamp: Stamp, value: Json];

/** Site → the highest stamp of that site that the state includes. */
export type Vector = Readonly<Record<SiteId, Stamp>>;

export interface RecordState {
  readonly fields: Readonly<Record<string, Register>>;
  readonly vector: Vector;
}

/** A record as one site holds it. Everything beside `state` is that site's own and never replicated. */
export interface StoredRecord {
  /** `<entity>:<id>`, for example `user:01JA…`; at most 200 characters that both stores accept in a key. */
  readonly key: string;
  readonly state: RecordState;
  /** The newest stamp made here; absent when this site has only received the record. */
  readonly version?: Stamp;
  /** Peer → the version that its durable queue has not yet accepted. Empty: nothing is pending. */
  readonly pending: Readonly<Record<SiteId, Stamp>>;
  /** Epoch milliseconds of the oldest write that is still pending. */
  readonly pendingSince?: number;
  /** The last operations that were applied here, newest last: a retry after a time-out finds its own. */
  readonly operations: readonly string[];
}

/** Reserved field: true once the record is deleted. A delete is one more stamped field. */
export const DELETED = '$deleted';
/** Reserved field: epoch seconds from which the record no longer exists, at every site. */
export const EXPIRES = '$expires';

/** Reserved field: the keyed requests that made the record, so that a retry at any site finds its own effect. */
export const REQUESTS = '$request';

/** The newest stamp anywhere in a state: what a new stamp must exceed. */
export function newestStamp(state: RecordState): Stamp | undefined {
  let newest: Stamp | undefined;
  for (const stamp of Object.values(state.vector)) newest = laterStamp(newest, stamp);
  for (const [stamp] of Object.values(state.fields)) newest = laterStamp(newest, stamp);
  return newest;
}

/** Whether a state includes everything that `vector` names. */
export function includes(state: RecordState, vector: Vector): boolean {
  return Object.entries(vector).every(([site, stamp]) => (state.vector[site] ?? '') >= stamp);
}

/** Epoch seconds from which the record no longer exists; undefined when it does not expire. */
export function expiresAtSeconds(state: RecordState): number | undefined {
  const value = state.fields[EXPIRES]?.[1];
  return typeof value === 'number' ? value : undefined;
}

/** Whether the record carries a tombstone. */
export function isDeleted(state: RecordState): boolean {
  return state.fields[DELETED]?.[1] === true;
}

/** Whether a reader may see the record at `wallMs`: neither deleted nor expired. */
export function isLive(state: RecordState, wallMs: number): boolean {
  if (isDeleted(state)) return false;
  const expires = expiresAtSeconds(state);
  return expires === undefined || wallMs < expires * 1000;
}

/** The plain record: field → value, without reserved fields and without those that were set to null. */
export function plainValues(state: RecordState): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const [name, [, value]] of Object.entries(state.fields)) {
    if (!name.startsWith('$') && value !== null) values[name] = value;
  }
  return values;
}

/** A state's name: its vector as text, in the order of the sites. Equal states have equal names at every site. */
export function stateName(state: RecordState): string {
  return Object.keys(state.vector)
    .sort()
    .map((site) => state.vector[site] ?? '')
    .join('_');
}

/** The entity that a key belongs to: `user` of `user:01JA…`. */
export function entityOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/** The id within its entity: `01JA…` of `user:01JA…`. */
export function idOf(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}
