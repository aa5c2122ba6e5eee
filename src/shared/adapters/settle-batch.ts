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
        retries.push({ message, error: disposition.error });
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
  try {
    await deadLetters.send(
      dead.map(({ message, reason, detail }) => ({
        queue,
        id: message.id,
        body: message.body,
        reason,
        detail,
      })),
    );
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    logger.log('error', 'dead-letter queue refused messages', {
      queue,
      count: dead.length,
      error: cause.message,
    });
    return dead.map(({ message }) => ({ message, error: cause }));
  }
  for (const { message, reason, detail } of dead) {
    logger.log('error', 'message set aside', { queue, id: message.id, reason, detail });
  }
  metrics.record({ DeadLetters: dead.length });
  return [];
}
