/** What Stripe's errors come to: may the call have had an effect, and is it worth trying again. */
import Stripe from 'stripe';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { AmountError, currencyError } from '../../money.ts';
import { PaymentRefusedError, type RefundRefusal, RefundRefusedError } from '../../ports/payment-errors.ts';
import { NOT_SENT } from '../vendor-error.ts';

const { errors } = Stripe;
const CAUSES_MAX = 5;

const REFUND_REASONS: Readonly<Record<string, RefundRefusal>> = {
  charge_already_refunded: 'not charged',
  charge_disputed: 'disputed',
};

/** @param effect Whether the call may change something. */
export function errorOf(error: unknown, effect: 'read' | 'write'): unknown {
  if (!(error instanceof errors.StripeError)) return error;
  const options = { cause: error };
  if (error instanceof errors.StripeConnectionError) {
    return effect === 'read' || isUnsent(error.detail)
      ? new UnavailableError('Stripe has not answered', options)
      : new AmbiguousError('Stripe has not answered: the call may have taken effect', options);
  }
  const status = error.statusCode ?? 0;
  // A wrong key is somebody's to set right, and another call under the same key is somebody else's: neither had an effect.
  if (status === 429 || status === 409 || status === 401 || status === 403)
    return new UnavailableError(
      `Stripe refuses the call for now (${status}, ${error.code ?? error.type})`,
      options,
    );
  if (status >= 500 || error instanceof errors.StripeAPIError)
    return effect === 'read'
      ? new UnavailableError(`Stripe has failed (${status})`, options)
      : new AmbiguousError(`Stripe has failed (${status}): the call may have taken effect`, options);
  return refusal(error);
}

/** Whether the network says that nothing has arrived, in the chain of causes. */
function isUnsent(detail: unknown): boolean {
  for (let at = detail, depth = 0; typeof at === 'object' && at !== null && depth < CAUSES_MAX; depth += 1) {
    const { code, cause } = at as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === 'string' && NOT_SENT.has(code)) return true;
    at = cause;
  }
  return false;
}

function refusal(error: InstanceType<typeof errors.StripeError>): Error {
  const { code = '', param, message } = error;
  const options = { cause: error };
  if (code === 'amount_too_small' || code === 'amount_too_large')
    return new AmountError(message, [{ pointer: '/amountMinor', detail: message, rule: 'range' }]);
  if (param === 'currency') return currencyError(message);
  const reason = REFUND_REASONS[code];
  if (reason !== undefined) return new RefundRefusedError(reason, message, options);
  return new PaymentRefusedError(`Stripe refuses the call (${code === '' ? error.type : code})`, options);
}
