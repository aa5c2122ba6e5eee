/** What an attempt to charge makes: a charge, money moved, and events. */
import { type Account, newId } from './account.ts';
import { type Card, cardOf, type Decline } from './cards.ts';
import { openDispute } from './disputes.ts';
import { StripeError } from './errors.ts';
import type { Charge, PaymentIntent } from './model.ts';
import { feeOf } from './money.ts';

/** Charges the payment method of an intent, or holds the amount. @returns The intent as it is then. */
export function attempt(account: Account, intent: PaymentIntent): PaymentIntent {
  const card = cardOf(intent.payment_method ?? '');
  if (card.decline !== undefined) return decline(account, intent, { card, reason: card.decline });
  const isManual = intent.capture_method === 'manual';
  const charge = makeCharge(account, intent, { card, captured: false });
  if (isManual) {
    account.emit('charge.succeeded', charge);
    return update(account, intent, 'payment_intent.amount_capturable_updated', {
      status: 'requires_capture',
      amount_capturable: intent.amount,
      latest_charge: charge.id,
      next_action: null,
      last_payment_error: null,
    });
  }
  return take(account, { ...intent, latest_charge: charge.id }, intent.amount);
}

/** Takes the money of a charge that was made. */
export function take(account: Account, intent: PaymentIntent, amount: number): PaymentIntent {
  const before = account.get<Charge>('charge', intent.latest_charge ?? '');
  const { id: source, currency } = before;
  const fee = feeOf(amount);
  const moved = account.move({ amount, currency, fee, source, type: 'charge', reporting_category: 'charge' });
  const charge = account.put<Charge>({
    ...before,
    amount_captured: amount,
    balance_transaction: moved.id,
    captured: true,
  });
  account.emit(intent.capture_method === 'manual' ? 'charge.captured' : 'charge.succeeded', charge);
  const done = update(account, intent, 'payment_intent.succeeded', {
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
    last_payment_error: null,
    next_action: null,
  });
  if (cardOf(charge.payment_method).disputed === true) openDispute(account, charge);
  return done;
}

/** @throws StripeError always: the answer of a decline is one, and what it has done stays. */
export function refuse(intent: PaymentIntent): never {
  const body = intent.last_payment_error;
  if (body === null) throw new TypeError('no decline');
  throw new StripeError(402, { ...body, payment_intent: intent });
}

export function decline(
  account: Account,
  intent: PaymentIntent,
  { card, reason }: { readonly card: Card; readonly reason: Decline },
): PaymentIntent {
  const charge = makeCharge(account, intent, { card, captured: false, reason });
  account.emit('charge.failed', charge);
  const { code, decline_code, message } = reason;
  return update(account, intent, 'payment_intent.payment_failed', {
    status: 'requires_payment_method',
    latest_charge: charge.id,
    last_payment_error: { type: 'card_error', charge: charge.id, code, decline_code, message },
    next_action: null,
    payment_method: null,
  });
}

export function update(
  account: Account,
  intent: PaymentIntent,
  event: string | undefined,
  changes: Partial<PaymentIntent>,
): PaymentIntent {
  const changed = account.put<PaymentIntent>({ ...intent, ...changes });
  if (event !== undefined) account.emit(event, changed);
  return changed;
}

function makeCharge(
  account: Account,
  intent: PaymentIntent,
  { card, captured, reason }: { readonly card: Card; readonly captured: boolean; readonly reason?: Decline },
): Charge {
  const failed = reason !== undefined;
  return account.put<Charge>({
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    balance_transaction: null,
    captured,
    created: account.seconds,
    currency: intent.currency,
    disputed: false,
    failure_code: reason?.code ?? null,
    failure_message: reason?.message ?? null,
    livemode: false,
    // A charge has the metadata that its intent has by then: https://docs.stripe.com/payments/payment-intents#storing-information-in-metadata
    metadata: intent.metadata,
    outcome: {
      network_status: failed ? 'declined_by_network' : 'approved_by_network',
      reason: reason?.decline_code ?? null,
      type: failed ? 'issuer_declined' : 'authorized',
    },
    paid: !failed,
    payment_intent: intent.id,
    payment_method: intent.payment_method ?? '',
    payment_method_details: { type: 'card', card: { brand: card.brand, last4: card.last4 } },
    refunded: false,
    status: failed ? 'failed' : 'succeeded',
  });
}
