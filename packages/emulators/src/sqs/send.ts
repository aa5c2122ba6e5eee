/**
 * SendMessage: what a queue accepts, and how a FIFO queue suppresses a repeated send.
 *
 * The `duplicate` fault keeps a second copy of the message under the **same** MessageId, as a standard queue does when
 * one of its servers missed a delete: both copies are delivered, each has its own receipt handle, and deleting one
 * leaves the other. A FIFO queue delivers exactly once, so the fault changes nothing there.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
 */
import { createHash, randomUUID } from 'node:crypto';
import { invalidParameter, missingParameter, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import {
  md5,
  md5OfAttributes,
  type Message,
  type MessageAttribute,
  type MessageAttributes,
  messageBytes,
} from './message.ts';
import type { Queue } from './queue.ts';
import type { SqsStore } from './store.ts';

/** The members of SendMessage and of an entry of SendMessageBatch. */
export interface SendRequest {
  readonly MessageBody?: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: MessageAttributes;
  readonly MessageSystemAttributes?: MessageAttributes;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

export interface SendResult {
  readonly MessageId: string;
  readonly MD5OfMessageBody: string;
  readonly MD5OfMessageAttributes?: string;
  readonly MD5OfMessageSystemAttributes?: string;
  readonly SequenceNumber?: string;
}

/**
 * Characters outside XML 1.0 are refused, in the body and in every attribute that is text:
 * https://www.w3.org/TR/REC-xml/#charsets and
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
const FORBIDDEN = /[^\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const GROUP_ID = new RegExp(`^[\\x21-\\x7E]{1,${LIMITS.groupIdLengthMax}}$`);
const DATA_TYPE = /^(String|Number|Binary)(\.[^.].*)?$/;

/** What a fault does to a message that is sent. */
export interface SendFault {
  /** Keeps a second copy, see the head of this module. */
  readonly duplicate: boolean;
  /** Hides the message for a random time of up to so many milliseconds; ignored on FIFO queues, which keep the order. */
  readonly reorderMs: number;
}

/**
 * `X-Amzn-Trace-Id` of the request: it goes for every message of it, and a system attribute of the message overrides it.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
 */
export interface SendTrace {
  readonly traceHeader?: string | undefined;
}

/** Accepts one message. */
export function sendMessage(
  store: SqsStore,
  queue: Queue,
  request: SendRequest,
  { duplicate, reorderMs, traceHeader }: SendFault & SendTrace,
): SendResult {
  const body = validate(queue, request);
  const now = store.now();
  const digests = digestsOf(body, request);
  const deduplicationId = queue.isFifo ? deduplicationIdOf(queue, body, request) : undefined;
  const window = deduplicationId === undefined ? undefined : windowKey(queue, request, deduplicationId);
  const earlier = window === undefined ? undefined : store.deduplication.find(window, now);
  if (earlier !== undefined) {
    return { ...digests, MessageId: earlier.messageId, SequenceNumber: earlier.sequenceNumber };
  }

  const extraMs = queue.isFifo ? 0 : Math.floor(Math.random() * reorderMs);
  const message = newMessage(store, queue, request, { body, deduplicationId, extraMs, traceHeader });
  const copies = duplicate && !queue.isFifo ? [message, { ...message, key: store.takeKey() }] : [message];
  const { id: messageId, sequenceNumber } = message;
  const remember =
    window === undefined || sequenceNumber === undefined
      ? undefined
      : { key: window, messageId, sequenceNumber, sentAt: now };
  store.put(queue, copies, remember);
  return {
    ...digests,
    MessageId: messageId,
    ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
  };
}

function newMessage(
  store: SqsStore,
  queue: Queue,
  request: SendRequest,
  {
    body,
    deduplicationId,
    extraMs,
    ...trace
  }: { body: string; deduplicationId: string | undefined; extraMs: number } & SendTrace,
): Message {
  const key = store.takeKey();
  const sentAt = store.now();
  const delayMs = (request.DelaySeconds ?? queue.numberOf('DelaySeconds')) * 1000 + extraMs;
  const traceHeader = request.MessageSystemAttributes?.['AWSTraceHeader']?.StringValue ?? trace.traceHeader;
  return {
    key,
    id: randomUUID(),
    body,
    sentAt,
    receiveCount: 0,
    ...(request.MessageAttributes !== undefined && { attributes: request.MessageAttributes }),
    ...(traceHeader !== undefined && { traceHeader }),
    ...(request.MessageGroupId !== undefined && { groupId: request.MessageGroupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
    ...(queue.isFifo && { sequenceNumber: sequenceNumberOf(key) }),
    ...(delayMs > 0 && { hidden: 'delayed' as const, hiddenUntil: sentAt + delayMs }),
  };
}

/** 20 digits that grow with the order of arrival. */
export function sequenceNumberOf(key: number): string {
  return String(10n ** 19n + BigInt(key));
}

function validate(queue: Queue, request: SendRequest): string {
  const { MessageBody: body, MessageAttributes: attributes, DelaySeconds: delay } = request;
  if (body === undefined || body === '') throw missingParameter('MessageBody');
  if (FORBIDDEN.test(body)) {
    throw new SqsError('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  }
  validateMessageAttributes(attributes ?? {});
  const bytesMax = queue.numberOf('MaximumMessageSize');
  if (messageBytes(body, attributes) > bytesMax) {
    throw new SqsError(
      'InvalidParameterValueException',
      `One or more parameters are invalid. Reason: Message must be shorter than ${bytesMax} bytes.`,
    );
  }
  if (delay !== undefined) validateDelay(queue, delay);
  validateGroup(queue, request);
  return body;
}

function validateDelay(queue: Queue, delay: number): void {
  if (queue.isFifo && delay !== 0) {
    throw invalidParameter('DelaySeconds', delay, 'A FIFO queue takes a delay for the queue only.');
  }
  if (!Number.isInteger(delay) || delay < 0 || delay > LIMITS.delaySecondsMax) {
    throw invalidParameter(
      'DelaySeconds',
      delay,
      `DelaySeconds must be >= 0 and <= ${LIMITS.delaySecondsMax}.`,
    );
  }
}

/** A group is required by FIFO queues, and allowed on standard ones (fair queues). */
function validateGroup(
  queue: Queue,
  { MessageGroupId: group, MessageDeduplicationId: id }: SendRequest,
): void {
  if (group === undefined && queue.isFifo) throw missingParameter('MessageGroupId');
  for (const [name, value] of Object.entries({ MessageGroupId: group, MessageDeduplicationId: id })) {
    if (value !== undefined && !GROUP_ID.test(value)) {
      throw invalidParameter(
        name,
        value,
        `It takes 1 to ${LIMITS.groupIdLengthMax} letters, digits and marks.`,
      );
    }
  }
  if (id !== undefined && !queue.isFifo) {
    throw invalidParameter('MessageDeduplicationId', id, 'It is valid on FIFO queues only.');
  }
}

function validateMessageAttributes(attributes: MessageAttributes): void {
  const entries = Object.entries(attributes);
  if (entries.length > LIMITS.attributesPerMessageMax) {
    throw new SqsError(
      'InvalidParameterValueException',
      `Number of message attributes [${entries.length}] exceeds the allowed maximum [${LIMITS.attributesPerMessageMax}].`,
    );
  }
  for (const [name, attribute] of entries) {
    const { DataType = '', StringValue, BinaryValue } = attribute as Partial<MessageAttribute>;
    const isBinary = DataType.startsWith('Binary');
    if (!DATA_TYPE.test(DataType) || !(isBinary ? BinaryValue : StringValue)) {
      throw new SqsError(
        'InvalidParameterValueException',
        `The message attribute '${name}' needs a type of String, Number or Binary and a non-empty value of it.`,
      );
    }
    if (!isBinary && FORBIDDEN.test(StringValue ?? '')) {
      throw new SqsError(
        'InvalidParameterValueException',
        `The message attribute '${name}' contains characters outside the allowed set.`,
      );
    }
  }
}

function digestsOf(body: string, request: SendRequest): Omit<SendResult, 'MessageId'> {
  const { MessageAttributes: attributes, MessageSystemAttributes: system } = request;
  return {
    MD5OfMessageBody: md5(body),
    ...(hasEntries(attributes) && { MD5OfMessageAttributes: md5OfAttributes(attributes) }),
    ...(hasEntries(system) && { MD5OfMessageSystemAttributes: md5OfAttributes(system) }),
  };
}

function hasEntries(attributes: MessageAttributes | undefined): attributes is MessageAttributes {
  return attributes !== undefined && Object.keys(attributes).length > 0;
}

function deduplicationIdOf(queue: Queue, body: string, request: SendRequest): string {
  if (request.MessageDeduplicationId !== undefined) return request.MessageDeduplicationId;
  if (queue.attributes['ContentBasedDeduplication'] === 'true') {
    return createHash('sha256').update(body).digest('hex');
  }
  throw new SqsError(
    'InvalidParameterValueException',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

function windowKey(queue: Queue, request: SendRequest, id: string): string {
  const scope =
    queue.attributes['DeduplicationScope'] === 'messageGroup' ? (request.MessageGroupId ?? '') : '';
  return [queue.name, scope, id].join('\n');
}
