/** Stripe's objects as the port shows them. */
import type Stripe from 'stripe';
import { digitsOf, fromDigits, inDigits, type Money } from '../../money.ts';
import { PaymentMismatchError } from '../../ports/payment-errors.ts';
import type {
  BalanceEntry,
  Payment,
  PaymentAction,
  PaymentEvent,
  PaymentStatus,
  Refund,
} from '../../ports/payment-provider.ts';

/** Names of what we keep in an object's metadata. */
export const ORDER = 'order';
export const CLAIM = 'claim';
export const REFUND = 'refund';

/**
 * Where Stripe counts in another unit than ISO 4217 says.
 * @see https://docs.stripe.com/currencies#zero-decimal
 * @see https://docs.stripe.com/currencies#special-cases
 */
const DIGITS: Readonly<Record<string, number>> = { MGA: 0, ISK: 2, UGX: 2 };

/** In the unit that Stripe counts in. @throws AmountError, CurrencyError */
export function stripeAmount(money: Money): number {
  const digits = DIGITS[money.currency] ?? digitsOf(money.currency);
  const amount = inDigits(money, digits);
  // Of three digits it takes two: https://docs.stripe.com/currencies#three-decimal
  if (digits === 3) inDigits(money, 2);
  return amount;
}

export function moneyOf(amount: number, currency: string): Money {
  const code = currency.toUpperCase();
  return fromDigits(amount, code, DIGITS[code] ?? digitsOf(code));
}

/** @throws PaymentMismatchError for a status that there was none of when this was written. */
export function paymentOf(intent: Stripe.PaymentIntent): Payment {
  const status = statusOf(intent);
  const action = status === 'open' || status === 'declined' ? actionOf(intent) : undefined;
  return {
    id: intent.id,
    status,
    claim: intent.metadata[CLAIM] ?? '',
    ...(action !== undefined && { action }),
  };
}

/** @see https://docs.stripe.com/payments/paymentintents/lifecycle */
function statusOf({ id, status, last_payment_error: last }: Stripe.PaymentIntent): PaymentStatus {
  switch (status) {
    case 'requires_payment_method':
      return last === null ? 'open' : 'declined';
    case 'requires_confirmation':
    case 'requires_action':
    case 'requires_capture':
      return 'open';
    case 'processing':
      return 'processing';
    case 'succeeded':
      return 'charged';
    case 'canceled':
      return 'cancelled';
    default:
      throw new PaymentMismatchError(`Stripe says of ${id} that it is ${String(status)}, which is not known`);
  }
}

function actionOf(intent: Stripe.PaymentIntent): PaymentAction | undefined {
  const { status, next_action: next, client_secret: secret } = intent;
  if (status === 'requires_confirmation') return undefined;
  const url = next?.redirect_to_url?.url;
  if (typeof url === 'string') return { kind: 'redirect', url };
  return secret === null ? undefined : { kind: 'client', secret };
}

export function refundOf({ id, amount, currency, status }: Stripe.Refund): Refund {
  const isFailed = status === 'failed' || status === 'canceled';
  return {
    id,
    ...moneyOf(amount, currency),
    status: isFailed ? 'failed' : status === 'succeeded' ? 'done' : 'pending',
  };
}

/** Types of events: https://docs.stripe.com/api/events/types */
const KINDS: Readonly<Record<string, PaymentEvent['kind']>> = {
  'payment_intent.succeeded': 'charged',
  'payment_intent.payment_failed': 'declined',
  'payment_intent.canceled': 'cancelled',
  'payment_intent.requires_action': 'action',
  'charge.refunded': 'refunded',
  'refund.created': 'refunded',
  'refund.updated': 'refunded',
  'refund.failed': 'refunded',
  'charge.dispute.created': 'disputed',
  'charge.dispute.closed': 'disputed',
  'charge.dispute.funds_withdrawn': 'disputed',
  'charge.dispute.funds_reinstated': 'disputed',
};

/** Undefined when it is none. */
export function eventOf(event: Stripe.Event): PaymentEvent | undefined {
  const { id, type, created, data } = event as Partial<Stripe.Event>;
  if (typeof id !== 'string' || typeof type !== 'string' || typeof created !== 'number') return undefined;
  const object = (data?.object ?? {}) as Source;
  return {
    id,
    kind: KINDS[type] ?? 'other',
    type,
    paymentId: intentIdOf(object),
    key: object.metadata?.[ORDER] ?? null,
    atMs: created * 1_000,
  };
}

/** What charges, refunds, disputes and intents have in common. */
export interface Source {
  readonly id?: string;
  readonly object?: string;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly payment_intent?: string | { readonly id: string } | null;
}

export function intentIdOf({ id, object, payment_intent: intent }: Source): string | null {
  if (object === 'payment_intent') return id ?? null;
  return typeof intent === 'string' ? intent : (intent?.id ?? null);
}

/** @see https://docs.stripe.com/reports/balance-transaction-types */
export function entryOf(transaction: Stripe.BalanceTransaction, key: string | null): BalanceEntry {
  const { id, amount, fee, currency, created } = transaction;
  const { amountMinor, currency: code } = moneyOf(amount, currency);
  const { amountMinor: feeMinor } = moneyOf(fee, currency);
  return { id, kind: kindOf(transaction), amountMinor, feeMinor, currency: code, key, atMs: created * 1_000 };
}

const ENTRY_KINDS: Readonly<Partial<Record<string, BalanceEntry['kind']>>> = {
  charge: 'charge',
  payment: 'charge',
  refund: 'refund',
  refund_failure: 'refund',
  payment_refund: 'refund',
  payment_failure_refund: 'refund',
  payout: 'payout',
  payout_cancel: 'payout',
  payout_failure: 'payout',
  stripe_fee: 'fee',
  tax_fee: 'fee',
};

function kindOf({ type, reporting_category: category }: Stripe.BalanceTransaction): BalanceEntry['kind'] {
  if (type === 'adjustment' && category.startsWith('dispute')) return 'dispute';
  return ENTRY_KINDS[type] ?? 'other';
}
