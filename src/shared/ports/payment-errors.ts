/** What a payment provider's refusals mean. */
import { AppError } from '@tandem-clouds/replication/errors';

export type RefundRefusal =
  /** More than is left of what was paid. */
  | 'too much'
  /** Nothing was charged, or nothing is left. */
  | 'not charged'
  /** In another currency than it was paid in. */
  | 'currency'
  /** The bank has taken the money back already, or has a claim to it. */
  | 'disputed';

/** A refund cannot be given, now or later, for `reason`; nothing has been paid back by this call. */
export class RefundRefusedError extends AppError {
  override readonly name = 'RefundRefusedError';
  readonly code = 'conflict';
  readonly reason: RefundRefusal;

  constructor(reason: RefundRefusal, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.reason = reason;
  }
}

/** The provider refuses the call for what it is; it had no effect, and will have none later. */
export class PaymentRefusedError extends AppError {
  override readonly name = 'PaymentRefusedError';
  readonly code = 'refused';
}

/**
 * The provider has failed under the key of a creation, and repeats that to everybody for as long as it remembers the key. Whatever it
 * may have made under it, nobody is ever given, so nobody charges it: what is to be paid is created under the next key.
 */
export class PaymentKeySpentError extends AppError {
  override readonly name = 'PaymentKeySpentError';
  readonly code = 'conflict';
}

/** What the provider has under this key, or answers about it, is not what was asked for: a person must look. */
export class PaymentMismatchError extends AppError {
  override readonly name = 'PaymentMismatchError';
  readonly code = 'internal';
}
