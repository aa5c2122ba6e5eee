import { AppError } from '@tandem-clouds/replication/errors';

/**
 * What a rule throws to refuse: nothing is written, and the client gets the status and the title that the action declares
 * for the code.
 *
 * @example throw new RuleError('already_paid', 'the booking was paid on Monday');
 */
export class RuleError extends AppError {
  override readonly name = 'RuleError';
  readonly code: string;

  /**
   * @param code One of those that the action declares under `errors`: any other one is a fault of the rule (500).
   * @param detail A sentence for the client about this very refusal; the declared title unless it is given.
   */
  constructor(code: string, detail?: string) {
    super(detail ?? '');
    this.code = code;
  }
}
