/**
 * The event that carries a record's state from one site to another.
 *
 * Invariant: an event holds the whole state of its key as of `version`, so the newest one stands for all before
 * it. Unknown fields are kept on the way; an event of a newer major version is not guessed at but set aside.
 */
import { eventBytesMax } from '../bounds.ts';
import { MalformedError, TooLargeError } from '../errors.ts';
import {
  DELETED,
  entityOf,
  type Json,
  type RecordState,
  type Register,
  type StoredRecord,
} from './record.ts';
import { isStamp, stampMs, type SiteId, type Stamp } from './stamp.ts';

export const SPEC_VERSION = '1.0';
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
    /** Field → the stamp of its value; the value is in `payload`, or for reserved fields in `reserved`. */
    readonly stamps: Readonly<Record<string, Stamp>>;
    readonly reserved?: Readonly<Record<string, Json>>;
    readonly vector: Readonly<Record<SiteId, Stamp>>;
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
  const stamps: Record<string, Stamp> = {};
  const payload: Record<string, Json> = {};
  const reserved: Record<string, Json> = {};
  for (const [field, [stamp, value]] of Object.entries(record.state.fields)) {
    stamps[field] = stamp;
    (field.startsWith('$') ? reserved : payload)[field] = value;
  }
  return {
    specversion: SPEC_VERSION,
    event_id: `${options.source}|${record.key}|${version}`,
    source: options.source,
    type: `${entityOf(record.key)}.${verbOf(record.state)}`,
    timestamp: new Date(stampMs(version)).toISOString(),
    key: record.key,
    payload,
    state: {
      stamps,
      ...(Object.keys(reserved).length > 0 && { reserved }),
      vector: record.state.vector,
    },
    sent_at: options.nowMs,
    ...(options.traceparent !== undefined && { traceparent: options.traceparent }),
  };
}

function verbOf(state: RecordState): 'created' | 'updated' | 'deleted' {
  if (state.fields[DELETED]?.[1] === true) return 'deleted';
  const stamps = new Set(Object.values(state.fields).map(([stamp]) => stamp));
  return stamps.size === 1 ? 'created' : 'updated';
}

/** The newest stamp of the event's own site: what its marker is compared with. */
export function eventVersion(event: ReplicationEvent): Stamp {
  return event.event_id.split('|')[2]?.split('#')[0] ?? '';
}

/** The state that an event carries. */
export function stateOf(event: ReplicationEvent): RecordState {
  const fields: Record<string, Register> = {};
  for (const [field, stamp] of Object.entries(event.state.stamps)) {
    const values = field.startsWith('$') ? event.state.reserved : event.payload;
    fields[field] = [stamp, values?.[field] ?? null];
  }
  return { fields, vector: event.state.vector };
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
  const foreign = [...Object.values(event.state.stamps), ...Object.values(event.state.vector)].find(
    (stamp) => !isStamp(stamp),
  );
  if (foreign !== undefined) throw new MalformedError(`"${foreign}" is not a stamp`);
  return event;
}
