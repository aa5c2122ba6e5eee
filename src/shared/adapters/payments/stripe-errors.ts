/** What Stripe's errors come to: may the call have had an effect, and is it worth trying again. */
import Stripe from 'stripe';
import { AmbiguousError, AppError, UnavailableError } from '@tandem-clouds/replication/errors';
import { OutboundError } from '../../errors.ts';
import { AmountError, currencyError } from '../../money.ts';
import { PaymentRefusedError, type RefundRefusal, RefundRefusedError } from '../../ports/payment-errors.ts';

const { errors } = Stripe;

const REFUND_REASONS: Readonly<Record<string, RefundRefusal>> = {
  charge_already_refunded: 'not charged',
  charge_disputed: 'disputed',
};

/** @param effect Whether the call may change something. */
export function errorOf(error: unknown, effect: 'read' | 'write'): unknown {
  if (!(error instanceof errors.StripeError)) return error;
  if (error instanceof errors.StripeConnectionError) return unanswered(error, effect);
  const options = { cause: error };
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

/** The SDK keeps what its transport has thrown (`stripe-http.ts`). */
function unanswered(
  error: InstanceType<typeof errors.StripeConnectionError>,
  effect: 'read' | 'write',
): unknown {
  const { detail } = error as { readonly detail?: unknown };
  const options = { cause: error };
  if (detail instanceof OutboundError) {
    const { mayHaveTakenEffect, reason } = detail;
    const isUnsent = !mayHaveTakenEffect && (reason === 'unreachable' || reason === 'timeout');
    return effect === 'read' || isUnsent
      ? new UnavailableError('Stripe has not answered', options)
      : new AmbiguousError('Stripe has not answered: the call may have taken effect', options);
  }
  // Of the vault: nothing was sent, and it says itself what is wrong.
  if (detail instanceof AppError) return detail;
  return effect === 'read'
    ? new UnavailableError('Stripe has not answered', options)
    : new AmbiguousError('Stripe has not answered: the call may have taken effect', options);
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
