/** A message as a queue holds it, and the digests that SQS computes over it. */
import { createHash } from 'node:crypto';

/** A message attribute as it travels in JSON: binary values are base64. */
export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** Why a message cannot be received at the moment. */
type HiddenReason = 'delayed' | 'in-flight';

export interface Message {
  /** Order of arrival at the broker, unique while it runs: FIFO order, and part of the receipt handle. */
  readonly key: number;
  readonly id: string;
  readonly body: string;
  readonly attributes?: MessageAttributes;
  /** `AWSTraceHeader`, the only system attribute that a sender may set. */
  readonly traceHeader?: string;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly sequenceNumber?: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  /** ARN of the queue that gave up on the message, once it is in a dead-letter queue. */
  readonly deadLetterSourceArn?: string;
  /** Receives so far, across queues. */
  readonly receiveCount: number;
  /** Epoch milliseconds. */
  readonly firstReceivedAt?: number;
  /** Random part of the latest receipt handle. */
  readonly receipt?: string;
  readonly hidden?: HiddenReason;
  /** Epoch milliseconds at which a hidden message becomes visible. */
  readonly hiddenUntil?: number;
}

export function md5(data: string): string {
  return createHash('md5').update(data).digest('hex');
}

/**
 * MD5 over attributes, as a receiver verifies it: names sorted; name, type and value each preceded by its length in
 * four bytes; one byte tells text (1) from binary (2).
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
export function md5OfAttributes(attributes: MessageAttributes): string {
  const hash = createHash('md5');
  const append = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const [name, attribute] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    append(Buffer.from(name));
    append(Buffer.from(attribute.DataType));
    const isBinary = attribute.BinaryValue !== undefined;
    hash.update(Buffer.from([isBinary ? 2 : 1]));
    append(attributeValue(attribute));
  }
  return hash.digest('hex');
}

/** Bytes of the value of an attribute. */
function attributeValue(attribute: MessageAttribute): Buffer {
  return attribute.BinaryValue === undefined
    ? Buffer.from(attribute.StringValue ?? '')
    : Buffer.from(attribute.BinaryValue, 'base64');
}

/** What counts towards the size limit: body, and name, type and value of every attribute, in bytes. */
export function messageBytes(body: string, attributes: MessageAttributes | undefined): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, attribute] of Object.entries(attributes ?? {})) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType);
    bytes += attributeValue(attribute).length;
  }
  return bytes;
}
