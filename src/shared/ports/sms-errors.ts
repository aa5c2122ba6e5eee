/** What sending an SMS is refused by. */
import { AppError } from '@tandem-clouds/replication/errors';

/** The provider refuses this recipient or this text for good; nothing was sent. */
export class SmsRefusedError extends AppError {
  override readonly name = 'SmsRefusedError';
  readonly code = 'refused';
}

/** The recipient has answered STOP; nothing was sent. */
export class SmsOptedOutError extends AppError {
  override readonly name = 'SmsOptedOutError';
  readonly code = 'refused';
}
