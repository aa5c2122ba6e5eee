/**
 * The refusals of the broker, under the AMQP conditions that Azure Service Bus uses.
 *
 * Conditions: OASIS AMQP 1.0 part 2 section 2.8.15 and, for the `com.microsoft` ones, Microsoft's "AMQP 1.0 in
 * Azure Service Bus and Event Hubs protocol guide". The SDK maps them to its own codes (`MessageLockLost`,
 * `ServiceBusy`, `MessagingEntityNotFound`).
 */

/** An error as AMQP carries it, in a detach, a `rejected` outcome or a management answer. */
export interface AmqpCondition {
  readonly condition: string;
  readonly description: string;
}

/** A request that the broker refuses; it changed nothing. */
export class BrokerError extends Error implements AmqpCondition {
  readonly condition: string;
  /** HTTP-like status of the same refusal on the `$management` node. */
  readonly status: number;

  constructor(condition: string, description: string, status: number) {
    super(description);
    this.name = 'BrokerError';
    this.condition = condition;
    this.status = status;
  }

  get description(): string {
    return this.message;
  }
}

/** The lock expired, or somebody settled the message already. */
export const messageLockLost = (): BrokerError =>
  new BrokerError(
    'com.microsoft:message-lock-lost',
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed.',
    410,
  );

/** The receiver no longer owns the session. */
export const sessionLockLost = (): BrokerError =>
  new BrokerError('com.microsoft:session-lock-lost', 'The session lock has expired or was released.', 410);

/** Another receiver owns the session. */
export const sessionCannotBeLocked = (id: string): BrokerError =>
  new BrokerError(
    'com.microsoft:session-cannot-be-locked',
    `The session '${id}' is locked by another receiver.`,
    410,
  );

/** There is no such deferred or scheduled message. */
export const messageNotFound = (sequence: number): BrokerError =>
  new BrokerError(
    'com.microsoft:message-not-found',
    `No message with sequence number ${sequence} is waiting.`,
    404,
  );

/** There is no such queue. */
export const entityNotFound = (address: string): BrokerError =>
  new BrokerError('amqp:not-found', `The messaging entity '${address}' could not be found.`, 404);

/** The operation makes no sense on this entity. */
export const notAllowed = (description: string): BrokerError =>
  new BrokerError('amqp:not-allowed', description, 400);

/** The bytes are not an AMQP message. */
export const decodeError = (description: string): BrokerError =>
  new BrokerError('amqp:decode-error', description, 400);

/** The message, or the batch as a whole, is over the limit of the tier. */
export const messageTooLarge = (bytes: number, limitBytes: number): BrokerError =>
  new BrokerError(
    'amqp:link:message-size-exceeded',
    `The message has ${bytes} bytes and exceeds the limit of ${limitBytes} bytes on the link.`,
    400,
  );

/** The queue, with its dead letters, is as large as it may be. */
export const quotaExceeded = (queue: string, maxBytes: number): BrokerError =>
  new BrokerError(
    'amqp:resource-limit-exceeded',
    `The maximum entity size has been reached or exceeded for Queue: '${queue}'. Size of entity in bytes: at least ${maxBytes}.`,
    403,
  );

/** A refusal that a fault rule asked for. */
export const injectedError = (condition: string): BrokerError =>
  new BrokerError(condition, 'Refused by a fault rule of the local emulator.', 503);
