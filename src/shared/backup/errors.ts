/** What is wrong with an archive. */
import { AppError } from '@tandem-clouds/replication/errors';

/** A part is missing, changed, cut short or of a newer format; the message names the part and the rule. */
export class DamagedArchiveError extends AppError {
  override readonly name = 'DamagedArchiveError';
  readonly code = 'unreadable';
}
