/**
 * Refunds, whole or in parts. Invariant: never more is given back than was taken.
 * @see https://docs.stripe.com/api/refunds/create
 */
import { type Account, newId } from './account.ts';
import { cardOf } from './cards.ts';
import { invalid, refused } from './errors.ts';
import type { Charge, PaymentIntent, Refund } from './model.ts';
import { positive } from './money.ts';
import type { Params } from './params.ts';

const REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const;

export function createRefund(account: Account, params: Params): () => Refund {
  const charge = chargeIn(account, params);
  const reason = params.oneOf('reason', REASONS) ?? null;
  const metadata = params.metadata();
  const given = params.integer('amount');
  const asked = given === undefined ? undefined : positive(given, 'amount');
  return () => {
    if (charge?.captured !== true)
      throw refused('This PaymentIntent does not have a successful charge to refund.');
    if (charge.disputed)
      throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, 'charge_disputed');
    if (charge.refunded)
      throw refused(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
    const left = charge.amount_captured - charge.amount_refunded;
    const amount = asked ?? left;
    if (amount > left)
      throw refused(
        `Refund amount (${amount} ${charge.currency}) is greater than unrefunded amount on charge (${left} ${charge.currency})`,
        undefined,
        { param: 'amount' },
      );
    return pay(account, charge, { amount, reason, metadata });
  };
}

/** The bank of the customer sends it back. @see https://docs.stripe.com/refunds#failed-refunds */
export function failRefund(account: Account, id: string): Refund {
  const before = account.get<Refund>('refund', id);
  if (before.status !== 'succeeded') return before;
  const { amount, currency } = before;
  const charge = account.get<Charge>('charge', before.charge);
  const back = account.move({
    amount,
    currency,
    fee: 0,
    source: id,
    type: 'refund_failure',
    reporting_category: 'refund_failure',
  });
  const refunded = charge.amount_refunded - amount;
  account.put<Charge>({ ...charge, amount_refunded: refunded, refunded: false });
  const failed = account.put<Refund>({
    ...before,
    failure_balance_transaction: back.id,
    failure_reason: 'expired_or_canceled_card',
    status: 'failed',
  });
  account.emit('refund.failed', failed);
  return failed;
}

function pay(
  account: Account,
  charge: Charge,
  { amount, reason, metadata }: Pick<Refund, 'amount' | 'reason' | 'metadata'>,
): Refund {
  const id = newId('re');
  const { currency } = charge;
  const moved = account.move({
    amount: -amount,
    currency,
    fee: 0,
    source: id,
    type: 'refund',
    reporting_category: 'refund',
  });
  const amountRefunded = charge.amount_refunded + amount;
  const refunded = amountRefunded === charge.amount_captured;
  const after = account.put<Charge>({ ...charge, amount_refunded: amountRefunded, refunded });
  const refund = account.put<Refund>({
    id,
    object: 'refund',
    amount,
    balance_transaction: moved.id,
    charge: charge.id,
    created: account.seconds,
    currency,
    metadata,
    payment_intent: charge.payment_intent,
    reason,
    status: 'succeeded',
  });
  account.emit('refund.created', refund);
  account.emit('charge.refunded', after);
  return cardOf(charge.payment_method).refundFails === true ? failRefund(account, id) : refund;
}

function chargeIn(account: Account, params: Params): Charge | undefined {
  const [chargeId, intentId] = [params.text('charge'), params.text('payment_intent')];
  if (chargeId !== undefined) return account.get<Charge>('charge', chargeId, 'charge');
  if (intentId === undefined)
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
      {
        code: 'parameter_missing',
      },
    );
  const intent = account.get<PaymentIntent>('payment_intent', intentId);
  return account.find<Charge>('charge', intent.latest_charge ?? '');
}
