/**
 * One batch of a queue: handle it, set aside what can never succeed, and name what is to be delivered again.
 *
 * Invariant: a message is done, handed back, or durable in the dead-letter queue with its reason; when setting it
 * aside fails it is handed back. One message never decides about its neighbours.
 */
import { AmbiguousError, isRetryable } from '@tandem-clouds/replication/errors';
import type { BatchHandler, InboundMessage, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import type { DeadLetters } from '../ports/cloud.ts';
import type { Logger, Metrics } from '../ports/telemetry.ts';
import { probeSender } from './probe-message.ts';

export interface Retry {
  readonly message: InboundMessage;
  readonly error: Error;
  /** The try does not count as one. */
  readonly isNoAttempt?: true;
}

interface Services {
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface BatchTimes {
  /** For the handler. */
  readonly handle: TimeLimit;
  /** For what may follow it: begins when it is asked for. */
  readonly send: () => TimeLimit;
}

export async function settleBatch(
  queue: string,
  received: readonly InboundMessage[],
  handler: BatchHandler,
  { times, ...services }: Services & { times: BatchTimes },
): Promise<readonly Retry[]> {
  const { logger } = services;
  const messages = received.filter((message) => !isProbe(queue, message, logger));
  if (messages.length === 0) return [];
  const dispositions = await handler(messages, times.handle);
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
      attempts: message.attempts,
      error: error.message,
    });
  }
  if (dead.length > 0) retries.push(...(await deadLettered(queue, dead, { ...services, times })));
  return retries;
}

/** Sends within a time: what is late may have arrived, and is sent again. */
export async function sendWithin(
  limit: TimeLimit,
  count: number,
  send: () => Promise<readonly SendResult[]>,
): Promise<readonly SendResult[]> {
  const late = new AmbiguousError('the queue did not answer in the time for this batch');
  return limit.run(send).catch((error: unknown) => {
    if (!isRetryable(error)) throw error;
    return Array.from({ length: count }, () => late);
  });
}

/** Completed without effect: that it came here is all that it is for. */
function isProbe(queue: string, message: InboundMessage, logger: Logger): boolean {
  const from = probeSender(message);
  if (from !== undefined) logger.log('info', 'a probe has arrived', { queue, from });
  return from !== undefined;
}

async function deadLettered(
  queue: string,
  dead: readonly { message: InboundMessage; reason: string; detail: string }[],
  { deadLetters, logger, metrics, times }: Services & { times: BatchTimes },
): Promise<readonly Retry[]> {
  const results = await sendWithin(times.send(), dead.length, () =>
    deadLetters.send(
      dead.map(({ message: { id, body }, reason, detail }) => ({ queue, id, body, reason, detail })),
    ),
  );
  const retries: Retry[] = [];
  dead.forEach(({ message, reason, detail }, index) => {
    const error = results[index];
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
