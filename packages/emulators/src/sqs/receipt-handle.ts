/**
 * Receipt handles, and the two things that a consumer does with one: delete, and change the visibility.
 *
 * Invariant: only the handle of the latest receive acts on a message. It goes on to do so after the visibility timeout,
 * until the message is received again. An older one is accepted and ignored by a standard queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
 */
import { invalidParameter, missingParameter, SqsError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { Message } from './message.ts';
import type { Queue } from './queue.ts';
import type { SqsStore } from './store.ts';

export function receiptHandleOf(queue: Queue, message: Message): string {
  return Buffer.from([queue.name, message.key, message.receipt].join(' ')).toString('base64');
}

/** The message that a handle acts on; `undefined` when it is gone or was received again since. */
function resolve(queue: Queue, handle: string | undefined): Message | undefined {
  if (handle === undefined || handle === '') throw missingParameter('ReceiptHandle');
  const [name, key, receipt] = Buffer.from(handle, 'base64').toString().split(' ');
  if (name !== queue.name || receipt === undefined) {
    throw new SqsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${handle}" is not a valid receipt handle.`,
    );
  }
  const message = queue.get(Number(key));
  return message?.receipt === receipt ? message : undefined;
}

/**
 * Deletes a message. With the `duplicate` fault the answer says so but one copy survives and comes back after its
 * visibility timeout, as at-least-once delivery may do.
 */
export function deleteMessage(
  store: SqsStore,
  queue: Queue,
  handle: string | undefined,
  duplicate: boolean,
): void {
  store.settle(queue);
  const message = resolve(queue, handle);
  if (message === undefined) return;
  if (queue.isFifo && message.hidden !== 'in-flight') {
    throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.');
  }
  if (duplicate && !queue.isFifo) return;
  store.delete(queue, [message.key]);
}

/** The members of ChangeMessageVisibility and of an entry of its batch. */
export interface VisibilityRequest {
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

/** Sets the time until a message in flight becomes visible again, in seconds from now; 0 gives it back at once. */
export function changeVisibility(store: SqsStore, queue: Queue, request: VisibilityRequest): void {
  const { VisibilityTimeout: seconds } = request;
  if (seconds === undefined) throw missingParameter('VisibilityTimeout');
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > LIMITS.visibilitySecondsMax) {
    throw invalidParameter(
      'VisibilityTimeout',
      seconds,
      `Must be between 0 and ${LIMITS.visibilitySecondsMax}.`,
    );
  }
  store.settle(queue);
  const message = resolve(queue, request.ReceiptHandle);
  if (message?.hidden !== 'in-flight') {
    throw new SqsError('MessageNotInflight', "The message referred to isn't in flight.");
  }
  store.hide(queue, message.key, store.now() + seconds * 1000);
}
