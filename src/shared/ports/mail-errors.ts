/** What sending a mail is refused by. */
import { AppError } from '@tandem-clouds/replication/errors';

/** The server refuses this recipient or this mail for good (5xx); nothing was sent. */
export class MailRefusedError extends AppError {
  override readonly name = 'MailRefusedError';
  readonly code = 'refused';
}
