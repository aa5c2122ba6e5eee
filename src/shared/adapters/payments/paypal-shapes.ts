/**
 * PayPal's objects as the port shows them.
 * @see https://developer.paypal.com/docs/api/orders/v2/
 */
import { decimalOf, digitsOf, fromDecimal, inDigits, type Money } from '../../money.ts';
import { PaymentMismatchError } from '../../ports/payment-errors.ts';
import type {
  BalanceEntry,
  Payment,
  PaymentEvent,
  PaymentStatus,
  Refund,
} from '../../ports/payment-provider.ts';

/** Where PayPal takes no decimals, and ISO 4217 has them. @see https://developer.paypal.com/api/rest/reference/currency-codes/ */
const DIGITS: Readonly<Record<string, number>> = { HUF: 0, TWD: 0 };
/** Behind the claim in `custom_id`, which PayPal keeps for us: from now on nobody captures. */
export const CANCELLED = '#cancelled';

export interface PayPalMoney {
  readonly currency_code: string;
  readonly value: string;
}

export interface PayPalRefund {
  readonly id: string;
  readonly status: string;
  readonly amount: PayPalMoney;
  readonly custom_id?: string;
}

export interface PayPalOrder {
  readonly id: string;
  readonly status: string;
  readonly purchase_units: readonly {
    readonly amount: PayPalMoney;
    readonly custom_id?: string;
    readonly invoice_id?: string;
    readonly payments?: {
      readonly authorizations?: readonly { readonly id: string; readonly status: string }[];
      readonly captures?: readonly {
        readonly id: string;
        readonly status: string;
        readonly amount: PayPalMoney;
      }[];
      readonly refunds?: readonly PayPalRefund[];
    };
  }[];
  readonly links?: readonly { readonly rel: string; readonly href: string }[];
}

/** @throws AmountError, CurrencyError */
export function payPalMoney(money: Money): PayPalMoney {
  const digits = DIGITS[money.currency] ?? digitsOf(money.currency);
  return { currency_code: money.currency, value: decimalOf(inDigits(money, digits), digits) };
}

/** @throws PaymentMismatchError */
export function moneyOf({ currency_code: currency, value }: PayPalMoney): Money {
  try {
    return fromDecimal(value, currency);
  } catch (cause) {
    throw new PaymentMismatchError('PayPal names an amount that is none', { cause });
  }
}

/** @throws PaymentMismatchError when it is no order, or of a status that there was none of when this was written. */
export function orderIn(body: unknown): PayPalOrder {
  const { id, status, purchase_units: units } = (body ?? {}) as Partial<PayPalOrder>;
  if (typeof id === 'string' && typeof status === 'string' && Array.isArray(units) && units.length === 1)
    return body as PayPalOrder;
  throw new PaymentMismatchError('PayPal answers with what is no order');
}

export function partsOf(order: PayPalOrder) {
  const [unit] = order.purchase_units;
  const custom = unit?.custom_id ?? '';
  const isMarked = custom.endsWith(CANCELLED);
  return {
    unit,
    isMarked,
    claim: isMarked ? custom.slice(0, -CANCELLED.length) : custom,
    authorization: unit?.payments?.authorizations?.at(-1),
    capture: unit?.payments?.captures?.at(-1),
    refunds: unit?.payments?.refunds ?? [],
  };
}

export function paymentOf(order: PayPalOrder): Payment {
  const { claim } = partsOf(order);
  const status = statusOf(order);
  const url = order.links?.find(({ rel }) => rel === 'approve' || rel === 'payer-action')?.href;
  const asks = status === 'open' && order.status !== 'APPROVED' && url !== undefined;
  return { id: order.id, status, claim, ...(asks && { action: { kind: 'redirect', url } as const }) };
}

function statusOf(order: PayPalOrder): PaymentStatus {
  const { isMarked, authorization, capture } = partsOf(order);
  if (capture !== undefined && capture.status !== 'DECLINED' && capture.status !== 'FAILED')
    return capture.status === 'PENDING' ? 'processing' : 'charged';
  switch (authorization?.status) {
    case 'VOIDED':
      return 'cancelled';
    case 'PENDING':
      return 'processing';
    case 'DENIED':
      return isMarked ? 'cancelled' : 'declined';
    case 'CAPTURED':
    case 'PARTIALLY_CAPTURED':
      return 'charged';
    case 'CREATED':
    case undefined:
      break;
    default:
      throw new PaymentMismatchError(
        `PayPal says of ${order.id} what is not known: ${authorization?.status ?? ''}`,
      );
  }
  // Nobody captures what is marked: it is read again after the authorization, and before the capture.
  return isMarked || order.status === 'VOIDED' ? 'cancelled' : 'open';
}

export function refundOf({ id, status, amount }: PayPalRefund): Refund {
  const isFailed = status === 'FAILED' || status === 'CANCELLED';
  return {
    id,
    ...moneyOf(amount),
    status: isFailed ? 'failed' : status === 'COMPLETED' ? 'done' : 'pending',
  };
}

/** Names of events: https://developer.paypal.com/api/rest/webhooks/event-names/ */
const KINDS: Readonly<Record<string, PaymentEvent['kind']>> = {
  'CHECKOUT.ORDER.APPROVED': 'action',
  'PAYMENT.AUTHORIZATION.VOIDED': 'cancelled',
  'PAYMENT.CAPTURE.COMPLETED': 'charged',
  'PAYMENT.CAPTURE.DENIED': 'declined',
  'PAYMENT.CAPTURE.DECLINED': 'declined',
  'PAYMENT.CAPTURE.REFUNDED': 'refunded',
  'PAYMENT.CAPTURE.REVERSED': 'disputed',
  'CUSTOMER.DISPUTE.CREATED': 'disputed',
  'CUSTOMER.DISPUTE.UPDATED': 'disputed',
  'CUSTOMER.DISPUTE.RESOLVED': 'disputed',
};

interface Resource {
  readonly id?: string;
  readonly invoice_id?: string;
  readonly purchase_units?: readonly { readonly invoice_id?: string }[];
  readonly supplementary_data?: { readonly related_ids?: { readonly order_id?: string } };
  readonly disputed_transactions?: readonly { readonly invoice_number?: string }[];
}

/** Undefined when it is none. */
export function eventOf(body: unknown): PaymentEvent | undefined {
  const {
    id,
    event_type: type,
    create_time: time,
    resource,
  } = (body ?? {}) as Readonly<Record<string, unknown>>;
  const atMs = Date.parse(String(time));
  if (typeof id !== 'string' || typeof type !== 'string' || Number.isNaN(atMs)) return undefined;
  const about = (resource ?? {}) as Resource;
  const orderId = about.supplementary_data?.related_ids?.order_id;
  const key =
    about.invoice_id ??
    about.purchase_units?.[0]?.invoice_id ??
    about.disputed_transactions?.[0]?.invoice_number;
  return {
    id,
    kind: KINDS[type] ?? 'other',
    type,
    paymentId: orderId ?? (type.startsWith('CHECKOUT.ORDER.') ? (about.id ?? null) : null),
    key: key ?? null,
    atMs,
  };
}

export interface PayPalTransaction {
  readonly transaction_id: string;
  readonly transaction_event_code: string;
  readonly transaction_initiation_date: string;
  readonly transaction_amount: PayPalMoney;
  readonly fee_amount?: PayPalMoney;
  readonly invoice_id?: string;
}

/** @throws PaymentMismatchError */
export function entryOf(transaction: PayPalTransaction): BalanceEntry {
  const { amountMinor, currency } = moneyOf(transaction.transaction_amount);
  const { fee_amount: fee } = transaction;
  const feeMinor = fee === undefined ? 0 : -moneyOf(fee).amountMinor;
  return {
    id: transaction.transaction_id,
    kind: kindOf(transaction.transaction_event_code),
    amountMinor,
    feeMinor: feeMinor === 0 ? 0 : feeMinor,
    currency,
    key: transaction.invoice_id ?? null,
    atMs: Date.parse(transaction.transaction_initiation_date),
  };
}

/** @see https://developer.paypal.com/docs/transaction-search/transaction-event-codes */
function kindOf(code: string): BalanceEntry['kind'] {
  if (code.startsWith('T00')) return 'charge';
  if (code === 'T1107') return 'refund';
  if (code.startsWith('T11') || code.startsWith('T12')) return 'dispute';
  if (code.startsWith('T04')) return 'payout';
  return code.startsWith('T01') ? 'fee' : 'other';
}
