/**
 * ReceiveMessage: long polling, visibility, dead-lettering, and what of a message is shown.
 *
 * Invariant: a message that was received `maxReceiveCount` times is not handed out again; the receive that would do so
 * moves it to the dead-letter queue. It keeps its receive count, because SQS counts across queues.
 */
import { randomUUID } from 'node:crypto';
import { redrivePolicyOf } from './attributes.ts';
import { invalidParameter, queueDoesNotExist, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import { md5, md5OfAttributes, type Message, type MessageAttributes } from './message.ts';
import type { Queue } from './queue.ts';
import { receiptHandleOf } from './receipt-handle.ts';
import { sequenceNumberOf } from './send.ts';
import type { SqsStore } from './store.ts';

export interface ReceiveRequest {
  readonly MaxNumberOfMessages?: number;
  readonly VisibilityTimeout?: number;
  readonly WaitTimeSeconds?: number;
  readonly MessageAttributeNames?: readonly string[];
  readonly MessageSystemAttributeNames?: readonly string[];
  /** The older name of `MessageSystemAttributeNames`. */
  readonly AttributeNames?: readonly string[];
}

/**
 * Waits until messages are there, the wait is over or the client is gone; then answers with what it took.
 * @param longPollMaxMs It waits no longer than this.
 */
export async function receiveMessages(
  store: SqsStore,
  queue: Queue,
  request: ReceiveRequest,
  signal: AbortSignal,
  longPollMaxMs = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  const max = within('MaxNumberOfMessages', request.MaxNumberOfMessages ?? 1, [1, LIMITS.receiveMessagesMax]);
  const visibilitySeconds = request.VisibilityTimeout ?? queue.numberOf('VisibilityTimeout');
  within('VisibilityTimeout', visibilitySeconds, [0, LIMITS.visibilitySecondsMax]);
  const waitSeconds = request.WaitTimeSeconds ?? queue.numberOf('ReceiveMessageWaitTimeSeconds');
  within('WaitTimeSeconds', waitSeconds, [0, LIMITS.waitSecondsMax]);

  // The wait is measured on the monotonic clock: an injected `now` may stand still.
  const deadline = performance.now() + Math.min(waitSeconds * 1000, longPollMaxMs);
  for (;;) {
    if (store.queues.get(queue.name) !== queue) throw queueDoesNotExist();
    const taken = signal.aborted ? [] : take(store, queue, max, visibilitySeconds * 1000);
    const leftMs = deadline - performance.now();
    if (taken.length > 0 || leftMs <= 0 || signal.aborted) {
      return taken.length === 0
        ? {}
        : { Messages: taken.map((message) => show(store, queue, message, request)) };
    }
    await queue.waitForChange(leftMs, store.now(), signal);
  }
}

function within(name: string, value: number, [min, max]: readonly [number, number]): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalidParameter(name, value, `Must be between ${min} and ${max}, if provided.`);
  }
  return value;
}

function take(store: SqsStore, queue: Queue, max: number, visibilityMs: number): Message[] {
  store.settle(queue);
  const now = store.now();
  if (queue.inFlight >= LIMITS.inFlightMax) return overInFlightLimit(queue);
  const { exhausted, deliverable } = choose(store, queue, max);
  for (const { message, target } of exhausted) deadLetter(store, queue, message, target);
  if (deliverable.length === 0) return [];
  store.receive(
    queue,
    deliverable.map(({ key }) => ({ key, receipt: randomUUID(), at: now, until: now + visibilityMs })),
  );
  return deliverable.flatMap(({ key }) => queue.get(key) ?? []);
}

/** A standard queue says so; a FIFO queue answers with nothing. */
function overInFlightLimit(queue: Queue): never[] {
  if (queue.isFifo) return [];
  throw new SqsError('OverLimit', `More than ${LIMITS.inFlightMax} messages are in flight.`);
}

/** Walks the queue in order: what has been received too often, and what can be handed out. */
function choose(
  store: SqsStore,
  queue: Queue,
  max: number,
): { exhausted: { message: Message; target: Queue }[]; deliverable: Message[] } {
  const policy = redrivePolicyOf(queue);
  const target = store.byArn(policy?.deadLetterTargetArn);
  const exhausted: { message: Message; target: Queue }[] = [];
  const deliverable: Message[] = [];
  for (const message of queue.visible) {
    if (deliverable.length >= max) break;
    if (queue.isGroupLocked(message.groupId)) continue;
    if (target !== undefined && policy !== undefined && message.receiveCount >= policy.maxReceiveCount) {
      exhausted.push({ message, target });
    } else {
      deliverable.push(message);
    }
  }
  return { exhausted, deliverable };
}

/**
 * A standard queue keeps id and time of sending (so retention goes on); a FIFO queue files the message as new, with
 * the message id as deduplication id.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
function deadLetter(store: SqsStore, source: Queue, message: Message, target: Queue): void {
  const moved: Message = { ...message, deadLetterSourceArn: message.deadLetterSourceArn ?? source.arn };
  if (!source.isFifo) {
    store.transfer(source, [message.key], target, [moved]);
    return;
  }
  const key = store.takeKey();
  const refiled = {
    ...moved,
    key,
    sentAt: store.now(),
    deduplicationId: message.id,
    sequenceNumber: sequenceNumberOf(key),
  };
  store.transfer(source, [message.key], target, [refiled]);
}

function show(store: SqsStore, queue: Queue, message: Message, request: ReceiveRequest): unknown {
  const requested = new Set([
    ...(request.MessageSystemAttributeNames ?? []),
    ...(request.AttributeNames ?? []),
  ]);
  const system = Object.entries(systemAttributes(store, message)).filter(
    ([name, value]) => value !== undefined && (requested.has('All') || requested.has(name)),
  );
  const attributes = chosenAttributes(message.attributes ?? {}, request.MessageAttributeNames ?? []);
  const hasAttributes = Object.keys(attributes).length > 0;
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandleOf(queue, message),
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(hasAttributes && {
      MessageAttributes: attributes,
      MD5OfMessageAttributes: md5OfAttributes(attributes),
    }),
  };
}

function systemAttributes(store: SqsStore, message: Message): Record<string, string | undefined> {
  return {
    SenderId: store.account,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: message.sequenceNumber,
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
    AWSTraceHeader: message.traceHeader,
  };
}

/** `All` or `.*` for every attribute, `prefix.*` for a family, else the exact name. */
function chosenAttributes(attributes: MessageAttributes, names: readonly string[]): MessageAttributes {
  const isRequested = (attribute: string): boolean =>
    names.some((name) => {
      if (name === 'All' || name === '.*' || name === attribute) return true;
      return name.endsWith('.*') && attribute.startsWith(name.slice(0, -2));
    });
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isRequested(name)));
}
