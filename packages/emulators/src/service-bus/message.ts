/**
 * A message as the broker keeps it, and its way from and to the wire.
 *
 * Invariant: the bare message (properties, application properties, body, footer) keeps the sender's bytes; only
 * the broker's own header and annotations are written anew. The two exceptions are Azure's too: a message
 * without an id gets one, and properties that a receiver modifies are spliced in.
 */
import {
  encodeListSection,
  encodeMapSection,
  entriesIn,
  listItems,
  mapEntries,
  NULL_VALUE,
  SECTION,
  type Section,
  splitSections,
} from './amqp-sections.ts';
import { encodeValue, message as amqpMessage, type Typed, types } from './rhea-internals.ts';

/** Where a message stands in its queue, apart from being locked. */
export type MessageState = 'active' | 'deferred' | 'scheduled';

/** Values of the `x-opt-message-state` annotation. */
const STATE_CODE: Readonly<Record<MessageState, number>> = { active: 0, deferred: 1, scheduled: 2 };

/** A message that a sender handed over, before the queue gave it a number. */
export interface MessageDraft {
  /** Message id, as text. */
  readonly id: string;
  /** AMQP `group-id`. */
  readonly sessionId: string | undefined;
  /** The sender's own message annotations: encoded keys and values, one after the other. */
  readonly annotations: Buffer;
  /** The bare message, encoded. */
  readonly bare: Buffer;
  readonly priority: number | undefined;
  readonly ttlMs: number | undefined;
  /** Epoch milliseconds that the sender scheduled it for. */
  readonly scheduledAt: number | undefined;
}

/** A message in a queue. The queue alone changes it. */
export interface Message {
  readonly sequence: number;
  /** Number that it had when it was first sent; differs from `sequence` in a dead-letter queue. */
  readonly originalSequence: number;
  readonly id: string;
  readonly sessionId: string | undefined;
  readonly annotations: Buffer;
  readonly priority: number | undefined;
  readonly ttlMs: number | undefined;
  readonly deadLetterSource: string | undefined;
  bare: Buffer;
  /** Epoch milliseconds at which it became available. */
  enqueuedAt: number;
  /** Epoch milliseconds; `Infinity` without a time to live. */
  expiresAt: number;
  /** Failed deliveries so far. */
  deliveryCount: number;
  state: MessageState;
  /** Epoch milliseconds; set while `state` is `scheduled`. */
  availableAt: number | undefined;
}

/** Annotations that the broker owns: a sender's own value is dropped, as on Azure. */
const BROKER_ANNOTATIONS = new Set([
  'x-opt-sequence-number',
  'x-opt-enqueue-sequence-number',
  'x-opt-enqueued-time',
  'x-opt-message-state',
  'x-opt-locked-until',
  'x-opt-deadletter-source',
]);

/** A message id may be a string, a binary, a ulong or a uuid. */
function idText(id: unknown): string {
  return Buffer.isBuffer(id) ? id.toString('hex') : String(id);
}

function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  return typeof value === 'number' ? value : undefined;
}

/** The bare message with `id` in the first field of its properties. */
function withMessageId(raw: Buffer, bareStart: number, properties: Section | undefined, id: string): Buffer {
  const encodedId = encodeValue(types.wrap_string(id));
  const [, ...rest] = properties === undefined ? [NULL_VALUE] : listItems(raw, properties);
  const section = encodeListSection(SECTION.properties, [encodedId, ...rest]);
  return Buffer.concat([section, raw.subarray(properties?.end ?? bareStart)]);
}

/**
 * Reads what the broker needs to know of an encoded message.
 * @param newId Names a message that its sender did not name.
 * @throws BrokerError `amqp:decode-error` when the bytes are not a message.
 */
export function decodeMessage(raw: Buffer, newId: () => string): MessageDraft {
  const sections = splitSections(raw);
  const bareStart = sections.find(({ code }) => code >= SECTION.properties)?.start ?? raw.length;
  const properties = sections.find(({ code }) => code === SECTION.properties);
  const annotations = sections.find(({ code }) => code === SECTION.messageAnnotations);
  const head = amqpMessage.decode(raw.subarray(0, properties?.end ?? bareStart));
  const sentId: unknown = head['message_id'];
  const id = sentId === undefined || sentId === null ? newId() : idText(sentId);
  const annotationValues = (head['message_annotations'] ?? {}) as Record<string, unknown>;
  return {
    id,
    sessionId: head['group_id'] as string | undefined,
    annotations: Buffer.concat(
      (annotations === undefined ? [] : mapEntries(raw, annotations))
        .filter(({ key }) => !BROKER_ANNOTATIONS.has(key))
        .map((entry) => entry.raw),
    ),
    // A copy: a slice would keep the whole network buffer alive for as long as the message waits.
    bare:
      sentId === undefined || sentId === null
        ? withMessageId(raw, bareStart, properties, id)
        : Buffer.from(raw.subarray(bareStart)),
    priority: head['priority'] as number | undefined,
    ttlMs: head['ttl'] as number | undefined,
    scheduledAt: timeOf(annotationValues['x-opt-scheduled-enqueue-time']),
  };
}

/** The body as text: of data sections their bytes, of a value its JSON. For people and drills. */
export function bodyOf({ bare }: Message): string {
  const body: unknown = amqpMessage.decode(bare)['body'];
  const content = (body as { content?: unknown } | null)?.content ?? body;
  return Buffer.isBuffer(content)
    ? content.toString('utf8')
    : typeof content === 'string'
      ? content
      : JSON.stringify(content);
}

/** The bare message with some application properties set; every other byte stays. */
export function withApplicationProperties(bare: Buffer, changes: Readonly<Record<string, unknown>>): Buffer {
  const sections = splitSections(bare);
  const old = sections.find(({ code }) => code === SECTION.applicationProperties);
  const insertAt =
    old?.start ?? sections.find(({ code }) => code > SECTION.applicationProperties)?.start ?? bare.length;
  const kept =
    old === undefined ? [] : mapEntries(bare, old).filter(({ key }) => !Object.hasOwn(changes, key));
  const set = Object.entries(changes).map(([key, value]) =>
    Buffer.concat([encodeValue(types.wrap_string(key)), encodeValue(types.wrap(value))]),
  );
  const section = encodeMapSection(SECTION.applicationProperties, [...kept.map(({ raw }) => raw), ...set]);
  return Buffer.concat([bare.subarray(0, insertAt), section, bare.subarray(old?.end ?? insertAt)]);
}

/** The message as a receiver gets it; `lockedUntil` in epoch milliseconds, absent when it is not locked. */
export function encodeMessage(message: Message, lockedUntil?: number): Buffer {
  const annotation = (key: string, value: Typed): Buffer =>
    Buffer.concat([encodeValue(types.wrap_symbol(key)), encodeValue(value)]);
  const own = [
    annotation('x-opt-sequence-number', types.wrap_long(message.sequence)),
    annotation('x-opt-enqueue-sequence-number', types.wrap_long(message.originalSequence)),
    annotation('x-opt-enqueued-time', types.wrap_timestamp(message.enqueuedAt)),
    annotation('x-opt-message-state', types.wrap_int(STATE_CODE[message.state])),
  ];
  if (lockedUntil !== undefined)
    own.push(annotation('x-opt-locked-until', types.wrap_timestamp(lockedUntil)));
  if (message.deadLetterSource !== undefined) {
    own.push(annotation('x-opt-deadletter-source', types.wrap_string(message.deadLetterSource)));
  }
  const sent = entriesIn(message.annotations).map(({ raw }) => raw);
  return Buffer.concat([
    encodeHeader(message),
    encodeMapSection(SECTION.messageAnnotations, [...sent, ...own]),
    message.bare,
  ]);
}

function encodeHeader({ priority, ttlMs, deliveryCount }: Message): Buffer {
  const optional = (value: number | undefined, wrap: (value: number) => Typed): Buffer =>
    value === undefined ? NULL_VALUE : encodeValue(wrap(value));
  return encodeListSection(SECTION.header, [
    encodeValue(types.wrap_boolean(true)),
    optional(priority, (value) => types.wrap_ubyte(value)),
    optional(ttlMs, (value) => types.wrap_uint(value)),
    NULL_VALUE,
    encodeValue(types.wrap_uint(deliveryCount)),
  ]);
}
