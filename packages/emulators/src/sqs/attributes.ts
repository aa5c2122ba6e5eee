/**
 * Queue attributes: names, defaults and ranges.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 */
import { own } from '@tandem-clouds/command-line/own';
import { SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Queue } from './queue.ts';
import type { SqsStore } from './store.ts';

export type Attributes = Readonly<Record<string, string>>;

const DEFAULTS: Attributes = {
  VisibilityTimeout: '30',
  MaximumMessageSize: String(LIMITS.messageBytesMax),
  MessageRetentionPeriod: '345600',
  DelaySeconds: '0',
  ReceiveMessageWaitTimeSeconds: '0',
  SqsManagedSseEnabled: 'true',
};

const FIFO_DEFAULTS: Attributes = {
  FifoQueue: 'true',
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoThroughputLimit: 'perQueue',
};

const RANGES: Readonly<Record<string, readonly [min: number, max: number]>> = {
  VisibilityTimeout: [0, LIMITS.visibilitySecondsMax],
  MaximumMessageSize: [LIMITS.messageBytesMin, LIMITS.messageBytesMax],
  MessageRetentionPeriod: [LIMITS.retentionSecondsMin, LIMITS.retentionSecondsMax],
  DelaySeconds: [0, LIMITS.delaySecondsMax],
  ReceiveMessageWaitTimeSeconds: [0, LIMITS.waitSecondsMax],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
};

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  FifoQueue: ['true', 'false'],
  ContentBasedDeduplication: ['true', 'false'],
  SqsManagedSseEnabled: ['true', 'false'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
};

const FREE_TEXT = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId']);

const COMPUTED = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
] as const;

/** Where a queue's messages go after too many receives. */
export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** The attributes of a new queue: defaults and what was asked for. */
export function initialAttributes(name: string, requested: Attributes): Attributes {
  const isFifo = name.endsWith('.fifo');
  if (isFifo !== (requested['FifoQueue'] === 'true')) {
    throw isFifo
      ? new SqsError('InvalidParameterValueException', 'A queue named *.fifo needs FifoQueue=true')
      : new SqsError('InvalidAttributeName', 'Unknown Attribute FifoQueue.');
  }
  return withoutEmpty({ ...DEFAULTS, ...(isFifo ? FIFO_DEFAULTS : {}), ...requested });
}

/** The attributes after a change; an empty policy removes the policy. */
export function changedAttributes(queue: Queue, requested: Attributes): Attributes {
  if (requested['FifoQueue'] !== undefined && requested['FifoQueue'] !== queue.attributes['FifoQueue']) {
    throw new SqsError('InvalidAttributeName', 'FifoQueue cannot be changed after creation.');
  }
  return withoutEmpty({ ...queue.attributes, ...requested });
}

/** Refuses unknown names and values out of range. */
export function validateAttributes(store: SqsStore, name: string, requested: Attributes): void {
  for (const [attribute, value] of Object.entries(requested)) validateAttribute(name, attribute, value);
  if (requested['RedrivePolicy']) validateRedrivePolicy(store, name, requested['RedrivePolicy']);
}

function validateAttribute(queueName: string, attribute: string, value: string): void {
  const isFifoOnly = Object.hasOwn(FIFO_DEFAULTS, attribute) && attribute !== 'FifoQueue';
  if (isFifoOnly && !queueName.endsWith('.fifo')) {
    throw new SqsError('InvalidAttributeName', `Unknown Attribute ${attribute}.`);
  }
  const range = own(RANGES, attribute);
  const values = own(ENUMS, attribute);
  if (range !== undefined) {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < range[0] || number > range[1]) throw invalidValue(attribute, value);
  } else if (values !== undefined) {
    if (!values.includes(value)) throw invalidValue(attribute, value);
  } else if (!FREE_TEXT.has(attribute)) {
    throw new SqsError('InvalidAttributeName', `Unknown Attribute ${attribute}.`);
  }
}

function invalidValue(attribute: string, value: string): SqsError {
  return new SqsError('InvalidAttributeValue', `Invalid value for the parameter ${attribute}: ${value}`);
}

function validateRedrivePolicy(store: SqsStore, queueName: string, text: string): void {
  const refuse = (reason: string): SqsError =>
    new SqsError(
      'InvalidParameterValueException',
      `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
    );
  const policy = parsePolicy(text);
  if (policy === undefined) throw refuse('Redrive policy is not a valid JSON map.');
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  if (
    !Number.isInteger(maxReceiveCount) ||
    maxReceiveCount < 1 ||
    maxReceiveCount > LIMITS.maxReceiveCountMax
  ) {
    throw refuse(`maxReceiveCount must be a whole number from 1 to ${LIMITS.maxReceiveCountMax}.`);
  }
  const target = store.byArn(deadLetterTargetArn);
  if (target === undefined) throw refuse('Dead letter target does not exist.');
  if (target.isFifo !== queueName.endsWith('.fifo')) {
    throw refuse('Dead-letter queue must be same type of queue as the source.');
  }
}

function parsePolicy(text: string): RedrivePolicy | undefined {
  try {
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Record<string, unknown>;
    return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
  } catch {
    return undefined;
  }
}

/** The redrive policy of a queue, which was validated when it was set. */
export function redrivePolicyOf(queue: Queue): RedrivePolicy | undefined {
  const text = queue.attributes['RedrivePolicy'];
  return text === undefined ? undefined : parsePolicy(text);
}

/** What `GetQueueAttributes` answers for the names asked for; `All` means every one. */
export function describeAttributes(queue: Queue, names: readonly string[], now: number): Attributes {
  const { visible, inFlight, delayed } = queue.counts(now);
  const all: Attributes = {
    ...queue.attributes,
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
  };
  for (const name of names) {
    if (!isKnown(name)) throw new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  }
  if (names.includes('All')) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

function isKnown(name: string): boolean {
  return (
    name === 'All' ||
    FREE_TEXT.has(name) ||
    Object.hasOwn(RANGES, name) ||
    Object.hasOwn(ENUMS, name) ||
    (COMPUTED as readonly string[]).includes(name)
  );
}

function withoutEmpty(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}
