/**
 * What failed for a passing reason goes back into its own queue as a new message that counts the attempts at it.
 *
 * Invariant: a message has one more attempt each time that a handler has had it and the store did not throttle, and at no
 * other time. The brokers' own
 * counts also hold receives that no handler saw: of a batch that Lambda throttled, of a neighbour's batch that was handed
 * back. The count is a message attribute because no queue keeps one for us.
 */
import type { QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import { retryDelaySecondsMax } from '../bounds.ts';
import { type Retry, sendWithin } from './settle-batch.ts';

const ATTEMPTS = 'tandemAttempts';
/** The store has been asked again for seconds already (`throttling` in `bounds.ts`). */
const THROTTLED_SECONDS = 2;

/** Which attempt at a message with these attributes this is, from 1. What is no count is none. */
export function attemptOf(attributes: Readonly<Record<string, string>>): number {
  const earlier = /^\d{1,9}$/.test(attributes[ATTEMPTS] ?? '') ? Number(attributes[ATTEMPTS]) : 0;
  return earlier + 1;
}

/** What a retry is sent again with. */
export function againOf({ message, isNoAttempt }: Pick<Retry, 'message' | 'isNoAttempt'>): {
  readonly attributes: Readonly<Record<string, string>>;
  readonly delaySeconds: number;
} {
  return {
    attributes: {
      ...message.attributes,
      [ATTEMPTS]: String(message.attempts - (isNoAttempt === true ? 1 : 0)),
    },
    delaySeconds:
      isNoAttempt === true ? THROTTLED_SECONDS : Math.min(2 ** message.attempts, retryDelaySecondsMax),
  };
}

/** Sends each again, later. @returns Outcomes in the order of the retries; what has one is to be handed back. */
export async function sendAgain(
  queue: QueueSender,
  retries: readonly Retry[],
  limit: TimeLimit,
): Promise<readonly SendResult[]> {
  if (retries.length === 0) return [];
  const messages = retries.map((retry, index) => ({
    id: String(index),
    body: retry.message.body,
    ...againOf(retry),
  }));
  return sendWithin(limit, messages.length, () => queue.send(messages));
}
