/**
 * One batch of a queue: handle it, set aside what can never succeed, and name what is to be delivered again.
 *
 * Invariant: a message is done, handed back, or durable in the dead-letter queue with its reason; when setting it
 * aside fails it is handed back. One message never decides about its neighbours.
 */
import type { DeadLetters } from '../ports/cloud.ts';
import type { BatchHandler, InboundMessage } from '../ports/queue.ts';
import type { Logger, Metrics } from '../ports/telemetry.ts';

export interface Retry {
  readonly message: InboundMessage;
  readonly error: Error;
  /** The try does not count as one. */
  readonly isNoAttempt?: true;
}

export async function settleBatch(
  queue: string,
  messages: readonly InboundMessage[],
  handler: BatchHandler,
  services: { deadLetters: DeadLetters; logger: Logger; metrics: Metrics },
): Promise<readonly Retry[]> {
  const { logger } = services;
  const dispositions = await handler(messages);
  const retries: Retry[] = [];
  const dead: { message: InboundMessage; reason: string; detail: string }[] = [];
  messages.forEach((message, index) => {
    const disposition = dispositions[index];
    switch (disposition?.kind) {
      case 'done':
        break;
      case 'dead':
        dead.push({ message, reason: disposition.reason, detail: disposition.detail });
        break;
      case 'retry':
        retries.push({
          message,
          error: disposition.error,
          ...(disposition.isNoAttempt === true && { isNoAttempt: true }),
        });
        break;
      case undefined:
        throw new TypeError(`${queue}: no disposition for message ${message.id}`);
    }
  });
  for (const { message, error } of retries) {
    logger.log('warn', 'message will be delivered again', {
      queue,
      id: message.id,
      receives: message.receives,
      error: error.message,
    });
  }
  if (dead.length > 0) retries.push(...(await setAside(queue, dead, services)));
  return retries;
}

async function setAside(
  queue: string,
  dead: readonly { message: InboundMessage; reason: string; detail: string }[],
  { deadLetters, logger, metrics }: { deadLetters: DeadLetters; logger: Logger; metrics: Metrics },
): Promise<readonly Retry[]> {
  const outcomes = await deadLetters.send(
    dead.map(({ message: { id, body }, reason, detail }) => ({ queue, id, body, reason, detail })),
  );
  const retries: Retry[] = [];
  dead.forEach(({ message, reason, detail }, index) => {
    const error = outcomes[index];
    if (error === undefined) {
      logger.log('error', 'message set aside', { queue, id: message.id, reason, detail });
    } else {
      retries.push({ message, error });
      logger.log('error', 'dead-letter queue refused messages', {
        queue,
        id: message.id,
        reason,
        detail,
        error: error.message,
      });
    }
  });
  const count = dead.length - retries.length;
  if (count > 0) metrics.record({ DeadLetters: count });
  return retries;
}
