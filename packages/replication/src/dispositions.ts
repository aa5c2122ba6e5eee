/** Why a message is set aside: the words that a person finds in the dead-letter queue. */
import { AppError } from './errors.ts';
import type { Disposition } from './ports/queue.ts';

/** Set aside for good, with the error's code as the reason. */
export function dead(error: Error): Disposition {
  return { kind: 'dead', reason: error instanceof AppError ? error.code : error.name, detail: error.message };
}

/** The disposition of a message that cannot be read. @throws errors that are not about the message. */
export function unreadable(error: unknown): Disposition {
  if (!(error instanceof AppError) || error.retryable) throw error;
  return dead(error);
}

/** The disposition of a message that does not belong here. */
export function foreign(detail: string): Disposition {
  return { kind: 'dead', reason: 'foreign', detail };
}
