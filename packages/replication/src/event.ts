/**
 * The event that carries a record's state from one site to another.
 *
 * Invariant: an event holds the whole state of its key as of `version`, so the newest one stands for all before
 * it. Unknown fields are kept on the way; an event of a newer major version is not guessed at but set aside.
 */
import { eventBytesMax } from './bounds.ts';
import { MalformedError, TooLargeError } from './errors.ts';
import type { Json } from './json.ts';
import { own, setOwn } from './own.ts';
import type { Register } from './policies/field.ts';
import { memberOf } from './policies/members.ts';
import type { Slots } from './policies/slots.ts';
import {
  entityOf,
  isDeleted,
  membersOf,
  plainValues,
  type RecordState,
  slotsOf,
  stateFrom,
  type StoredRecord,
} from './record.ts';
import { isStamp, type SiteId, type Stamp, stampMs, stampSite } from './stamp.ts';
import { covers, type Vector } from './vector.ts';

export const SPEC_VERSION = '1.1';
const SPEC_MAJOR = SPEC_VERSION.split('.')[0];

export interface ReplicationEvent {
  /** `<major>.<minor>`: a newer minor only adds fields. */
  readonly specversion: string;
  /** `<source>|<key>|<version>`: the same write is the same event, however often it is sent. */
  readonly event_id: string;
  readonly source: SiteId;
  /** `<entity>.created`, `.updated` or `.deleted`: for people and for other consumers; replication ignores it. */
  readonly type: string;
  /** When the newest local write was made, RFC 3339. */
  readonly timestamp: string;
  readonly key: string;
  /** The plain record: field → value. */
  readonly payload: Readonly<Record<string, Json>>;
  readonly state: {
    /** Field → the stamp of its register; the value is in `reserved` if it is there, else in `payload`. */
    readonly stamps: Readonly<Record<string, Stamp>>;
    /** Registers that are not part of the plain record: reserved fields, members, and what a set, a counter or an object started from. */
    readonly reserved?: Readonly<Record<string, Json>>;
    /** Field → the rank of its register. */
    readonly ranks?: Readonly<Record<string, string>>;
    /** Field → the slots of its set. */
    readonly sets?: Readonly<Record<string, Slots>>;
    /** Field → the slots of its counter. */
    readonly counters?: Readonly<Record<string, Slots>>;
    readonly vector: Vector;
    /** Lives of the key before this one; absent: none. Since 1.1. */
    readonly incarnation?: number;
  };
  /** When it was handed to the queue, epoch milliseconds: what the tombstone horizon is measured from. */
  readonly sent_at: number;
  /** W3C Trace Context of the request that wrote. */
  readonly traceparent?: string;
}

/** Builds the event for a record's state as it is now. @throws TypeError when nothing was ever written here. */
export function eventOf(
  record: StoredRecord,
  options: { source: SiteId; nowMs: number; traceparent?: string | undefined },
): ReplicationEvent {
  const version = record.version;
  if (version === undefined)
    throw new TypeError(`${record.key}: nothing was written here, so nothing to send`);
  return {
    specversion: SPEC_VERSION,
    event_id: `${options.source}|${record.key}|${version}`,
    source: options.source,
    type: `${entityOf(record.key)}.${verbOf(record.state)}`,
    timestamp: new Date(stampMs(version)).toISOString(),
    key: record.key,
    ...contentsOf(record.state),
    sent_at: options.nowMs,
    ...(options.traceparent !== undefined && { traceparent: options.traceparent }),
  };
}

function contentsOf(state: RecordState): Pick<ReplicationEvent, 'payload' | 'state'> {
  const stamps: Record<string, Stamp> = {};
  const reserved: Record<string, Json> = {};
  const ranks: Record<string, string> = {};
  const payload: Record<string, Json> = plainValues(state);
  // What the plain record shows of these is more than their register.
  const merged = new Set([
    ...Object.keys(state.sets ?? {}),
    ...Object.keys(state.counters ?? {}),
    ...membersOf(state).keys(),
  ]);
  for (const [field, [stamp, value, rank]] of Object.entries(state.fields)) {
    setOwn(stamps, field, stamp);
    if (rank !== undefined) setOwn(ranks, field, rank);
    const isPlain = !field.startsWith('$') && memberOf(field) === undefined && !merged.has(field);
    setOwn(isPlain ? payload : reserved, field, value);
  }
  return {
    payload,
    state: {
      stamps,
      ...(Object.keys(reserved).length > 0 && { reserved }),
      ...(Object.keys(ranks).length > 0 && { ranks }),
      ...(state.sets !== undefined && { sets: state.sets }),
      ...(state.counters !== undefined && { counters: state.counters }),
      vector: state.vector,
      ...(state.incarnation !== undefined && { incarnation: state.incarnation }),
    },
  };
}

function verbOf(state: RecordState): 'created' | 'updated' | 'deleted' {
  if (isDeleted(state)) return 'deleted';
  const stamps = new Set([...Object.values(state.fields), ...slotsOf(state)].map(([stamp]) => stamp));
  return stamps.size === 1 ? 'created' : 'updated';
}

/** The newest stamp of the event's own site: what its marker is compared with. */
export function eventVersion(event: ReplicationEvent): Stamp {
  return event.event_id.split('|')[2] ?? '';
}

/** The state that an event carries. */
export function stateOf({ state, payload }: ReplicationEvent): RecordState {
  const { stamps, reserved = {}, ranks = {}, sets = {}, counters = {}, vector, incarnation = 0 } = state;
  const fields: Record<string, Register> = {};
  for (const [field, stamp] of Object.entries(stamps)) {
    const value = own(Object.hasOwn(reserved, field) ? reserved : payload, field) ?? null;
    const rank = own(ranks, field);
    const register: Register = rank === undefined ? [stamp, value] : [stamp, value, rank];
    setOwn(fields, field, register);
  }
  return stateFrom({ fields, sets, counters, vector, incarnation });
}

/** Validates the JSON value of a message; `failures` of the schema become one sentence. */
export type EventCheck = (value: unknown) => readonly { pointer: string; detail: string }[];

/**
 * Reads a message body.
 * @throws MalformedError saying what is wrong: not JSON, not of the schema, or of a newer major version.
 * @throws TooLargeError
 */
export function parseEvent(body: string, check: EventCheck): ReplicationEvent {
  if (body.length > eventBytesMax) {
    throw new TooLargeError(`${body.length} characters, an event has at most ${eventBytesMax} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new MalformedError('the message is not JSON', { cause });
  }
  const specversion = (value as { specversion?: unknown } | null)?.specversion;
  if (typeof specversion === 'string' && specversion.split('.')[0] !== SPEC_MAJOR) {
    throw new MalformedError(
      `event version ${specversion} is not one that this release reads (${SPEC_VERSION})`,
    );
  }
  const failures = check(value);
  if (failures.length > 0) {
    const list = failures
      .map(({ pointer, detail }) => `${pointer === '' ? '/' : pointer} ${detail}`)
      .join('; ');
    throw new MalformedError(`the message is not a replication event: ${list}`);
  }
  const event = value as ReplicationEvent;
  checkConsistent(event);
  return event;
}

/**
 * An event names the state that it carries: every part is included in the vector, which is what peers remember of it.
 * @throws MalformedError
 */
function checkConsistent({ event_id: id, source, key, state }: ReplicationEvent): void {
  const { stamps, vector, sets = {}, counters = {} } = state;
  const parts = [...Object.values(stamps), ...slotsOf(state).map(([stamp]) => stamp)];
  const foreign = [...parts, ...Object.values(vector)].find((stamp) => !isStamp(stamp));
  if (foreign !== undefined) throw new MalformedError(`"${foreign}" is not a stamp`);
  const misplaced = Object.entries(vector).find(([site, stamp]) => stampSite(stamp) !== site);
  if (misplaced !== undefined) throw new MalformedError(`the vector has ${misplaced[1]} for ${misplaced[0]}`);
  const uncovered = parts.find((stamp) => !covers(vector, stamp));
  if (uncovered !== undefined) throw new MalformedError(`${uncovered} is not included in the vector`);
  const [idSource, idKey, version = ''] = id.split('|');
  if (idSource !== source || idKey !== key || !covers(vector, version))
    throw new MalformedError(`${id} names another state than the one that it carries`);
  const borrowed =
    slotNames(sets).find(([name, stamp]) => !name.startsWith(`${stampSite(stamp)}|`)) ??
    slotNames(counters).find(([name, stamp]) => name.replace(/^-/, '') !== stampSite(stamp));
  if (borrowed !== undefined) throw new MalformedError(`slot ${borrowed[0]} is stamped ${borrowed[1]}`);
}

function slotNames(section: Readonly<Record<string, Slots>>): readonly (readonly [string, Stamp])[] {
  return Object.values(section).flatMap((slots) =>
    Object.entries(slots).map(([name, [stamp]]) => [name, stamp] as const),
  );
}
