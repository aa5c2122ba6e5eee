/**
 * The shape of replicated state.
 *
 * `RecordState` is what crosses between sites: the parts of its fields and a version vector. A state that includes a
 * site's stamp includes every earlier write of that site to the key, because every event carries the whole state;
 * so the vector names the state exactly, doubles as its entity tag, and is the causal context of sets and counters.
 */
import type { Json } from './json.ts';
import { own, setOwn } from './own.ts';
import { type FieldParts, fieldValue, type Register } from './policies/field.ts';
import { memberOf, withMembers } from './policies/members.ts';
import type { Slot, Slots } from './policies/slots.ts';
import type { ReactionEntries } from './reactions/entry.ts';
import type { SiteId, Stamp } from './stamp.ts';
import { laterStamp } from './stamp.ts';
import { includesVector, type Vector, vectorName } from './vector.ts';

export interface RecordState {
  /** Field → its register. */
  readonly fields: Readonly<Record<string, Register>>;
  /** Field → the slots of its set; absent when the record has none. */
  readonly sets?: Readonly<Record<string, Slots>>;
  /** Field → the slots of its counter; absent when the record has none. */
  readonly counters?: Readonly<Record<string, Slots>>;
  readonly vector: Vector;
  /**
   * How many lives of the key came before this one, as far as their creators had seen: a creation over a gone record
   * raises it. It ranks before everything (`lives.ts`). Absent: 0.
   */
  readonly incarnation?: number;
}

/** A record as one site holds it. Everything beside `state` is that site's own and never replicated. */
export interface StoredRecord {
  /** `<entity>:<id>`, for example `user:01JA…`; at most 200 characters that both stores accept in a key. */
  readonly key: string;
  readonly state: RecordState;
  /** The newest stamp made here; absent when this site has only received the record. */
  readonly version?: Stamp;
  /**
   * Peer → the version that its durable queue has not yet accepted, or that of a repair (`anti-entropy/repair.ts`), which
   * sorts after it. Empty: nothing is pending.
   */
  readonly pending: Readonly<Record<SiteId, Stamp>>;
  /** Epoch milliseconds of the oldest write that is still pending. */
  readonly pendingSince?: number;
  /** Epoch milliseconds at which this site first held the record as deleted or expired; absent while it is live. */
  readonly goneSince?: number;
  /** The last operations that were applied here, newest last: a retry after a time-out finds its own. */
  readonly operations: readonly string[];
  /** Reaction → what there is to do about it here, and what was done (`reactions/entries.ts`); absent: nothing. */
  readonly reactions?: ReactionEntries;
}

/** Reserved field: true once the record is deleted. A delete is one more stamped field. */
export const DELETED = '$deleted';
/** Reserved field: epoch seconds from which the record no longer exists, at every site. */
export const EXPIRES = '$expires';

/** Reserved field: the erasure (`anti-entropy/erase.ts`) by which the record, or some fields of it, hold nothing any more. */
export const ERASED = '$erased';

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
  return includesVector(state.vector, vector);
}

/** Every field that the state holds a part of. */
export function fieldNames({ fields, sets, counters }: RecordState): readonly string[] {
  const names = Object.keys(fields);
  if (sets === undefined && counters === undefined) return names;
  return [...new Set([...names, ...Object.keys(sets ?? {}), ...Object.keys(counters ?? {})])];
}

/** Every slot of the sets and counters of a state. */
export function slotsOf({ sets, counters }: Pick<RecordState, 'sets' | 'counters'>): readonly Slot[] {
  const sections = [...Object.values(sets ?? {}), ...Object.values(counters ?? {})];
  return sections.flatMap((slots) => Object.values(slots));
}

/** The parts of one field; none when it was never written. */
export function partsOf({ fields, sets, counters }: RecordState, field: string): FieldParts {
  const register = own(fields, field);
  const set = sets && own(sets, field);
  const counter = counters && own(counters, field);
  return {
    ...(register !== undefined && { register }),
    ...(set !== undefined && { set }),
    ...(counter !== undefined && { counter }),
  };
}

/** The state with these fields' parts replaced. */
export function withParts(
  state: RecordState | undefined,
  changes: Readonly<Record<string, FieldParts>>,
  vector: Vector,
): RecordState {
  const fields: Record<string, Register> = { ...state?.fields };
  const sets: Record<string, Slots> = { ...state?.sets };
  const counters: Record<string, Slots> = { ...state?.counters };
  for (const [field, { register, set, counter }] of Object.entries(changes)) {
    put(fields, field, register);
    put(sets, field, set);
    put(counters, field, counter);
  }
  return stateFrom({ fields, sets, counters, vector, incarnation: state?.incarnation ?? 0 });
}

function put<T>(section: Record<string, T>, field: string, part: T | undefined): void {
  if (part !== undefined) setOwn(section, field, part);
  else if (Object.hasOwn(section, field)) Reflect.deleteProperty(section, field);
}

/** A state without empty sections, so that equal states are equal in shape. */
export function stateFrom(parts: Required<RecordState>): RecordState {
  const { fields, sets, counters, vector, incarnation } = parts;
  return {
    ...(incarnation > 0 && { incarnation }),
    fields,
    ...(Object.keys(sets).length > 0 && { sets }),
    ...(Object.keys(counters).length > 0 && { counters }),
    vector,
  };
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
  const members = membersOf(state);
  for (const name of new Set([...fieldNames(state), ...members.keys()])) {
    if (name.startsWith('$') || memberOf(name) !== undefined) continue;
    const plain = fieldValue(partsOf(state, name));
    const own = members.get(name);
    const value = own === undefined ? plain : withMembers(plain, own);
    if (value !== null) setOwn(values, name, value);
  }
  return values;
}

/** Field → member → value, of the members whose registers are no older than the object's own. */
export function membersOf({ fields }: RecordState): ReadonlyMap<string, ReadonlyMap<string, Json>> {
  const members = new Map<string, Map<string, Json>>();
  for (const [name, [stamp, value]] of Object.entries(fields)) {
    const at = memberOf(name);
    if (at === undefined || laterStamp(stamp, fields[at.field]?.[0]) !== stamp) continue;
    const of = members.get(at.field) ?? new Map<string, Json>();
    members.set(at.field, of.set(at.member, value));
  }
  return members;
}

/** A state's name: its vector as text. Equal states have equal names at every site. */
export function stateName(state: RecordState): string {
  return vectorName(state.vector);
}

/** The entity that a key belongs to: `user` of `user:01JA…`. */
export function entityOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/** The id within its entity: `01JA…` of `user:01JA…`. */
export function idOf(key: string): string {
  return key.slice(key.indexOf(':') + 1);
}
