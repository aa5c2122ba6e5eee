/**
 * PayPal as a payment provider: an order whose authorization is captured or voided is the payment object.
 *
 * Invariants: an order is authorized, read again, and only then captured, so of a capture and a cancellation one comes to
 * nothing: an authorization is captured or voided, once, and what was marked as cancelled before it is never captured. PayPal has
 * no other way to end an order that the customer has not approved.
 * @see https://developer.paypal.com/docs/api/orders/v2/
 * @see https://developer.paypal.com/docs/api/payments/v2/
 */
import { TooLargeError, UnavailableError } from '@tandem-clouds/replication/errors';
import { balanceEntriesMax, paymentLookupMs, paymentReportLagMs, webhookBytesMax } from '../../bounds.ts';
import { AmountError, checkMoney, currencyError } from '../../money.ts';
import {
  PaymentMismatchError,
  PaymentRefusedError,
  type RefundRefusal,
  RefundRefusedError,
} from '../../ports/payment-errors.ts';
import type {
  Balance,
  BalanceEntry,
  Payment,
  PaymentGateway,
  PaymentRequest,
  Refund,
  RefundRequest,
  WebhookReading,
} from '../../ports/payment-provider.ts';
import { type PayPalAccess, PayPalClient, PayPalRefusal } from './paypal-client.ts';
import {
  CANCELLED,
  entryOf,
  eventOf,
  moneyOf,
  orderIn,
  partsOf,
  paymentOf,
  payPalMoney,
  type PayPalOrder,
  type PayPalRefund,
  type PayPalTransaction,
  refundOf,
} from './paypal-shapes.ts';

/** "The maximum supported range is 31 days." https://developer.paypal.com/docs/api/transaction-search/v1/ */
const RANGE_MS = 31 * 86_400_000;
const PAGE = 500;
/** Authorized, and void: what has happened meanwhile is read again so often. */
const TURNS_MAX = 3;

const REFUNDS: Readonly<Record<string, RefundRefusal>> = {
  REFUND_AMOUNT_EXCEEDED: 'too much',
  CAPTURE_FULLY_REFUNDED: 'not charged',
  REFUND_CAPTURE_CURRENCY_MISMATCH: 'currency',
  REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK: 'disputed',
  PARTIAL_REFUND_NOT_ALLOWED: 'disputed',
};
/** The state is another by now. */
const OVERTAKEN = new Set([
  'ORDER_ALREADY_AUTHORIZED',
  'ORDER_ALREADY_COMPLETED',
  'ORDER_COMPLETED_OR_VOIDED',
  'AUTHORIZATION_ALREADY_CAPTURED',
  'AUTHORIZATION_VOIDED',
  'PREVIOUSLY_CAPTURED',
  'PREVIOUSLY_VOIDED',
  // It was approved when it was read; since then another attempt has been refused.
  'ORDER_NOT_APPROVED',
  'PAYER_ACTION_REQUIRED',
]);
/** The customer or their bank refuses, or another order has paid the invoice. Anything else of 422 is for a person. */
const DECLINES = new Set([
  'CARD_BRAND_NOT_SUPPORTED',
  'COMPLIANCE_VIOLATION',
  'DUPLICATE_INVOICE_ID',
  'INSTRUMENT_DECLINED',
  'MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED',
  'ORDER_EXPIRED',
  'PAYEE_BLOCKED_TRANSACTION',
  'PAYER_ACCOUNT_LOCKED_OR_CLOSED',
  'PAYER_ACCOUNT_RESTRICTED',
  'PAYER_CANNOT_PAY',
  'REFERENCED_CARD_EXPIRED',
  'TRANSACTION_LIMIT_EXCEEDED',
  'TRANSACTION_REFUSED',
]);
const HEADERS = {
  auth_algo: 'paypal-auth-algo',
  cert_url: 'paypal-cert-url',
  transmission_id: 'paypal-transmission-id',
  transmission_sig: 'paypal-transmission-sig',
  transmission_time: 'paypal-transmission-time',
} as const;

export interface PayPalOptions extends PayPalAccess {
  /** Of the webhook that events are sent to. */
  readonly webhookId: () => Promise<string>;
}

export class PayPalPayments implements PaymentGateway {
  readonly name = 'paypal';
  readonly #options: PayPalOptions;
  readonly #client: PayPalClient;

  constructor(options: PayPalOptions) {
    this.#options = options;
    this.#client = new PayPalClient(options);
  }

  /** A key that is known gives the order of its first caller, whose claim is in it. */
  async create(request: PaymentRequest): Promise<Payment> {
    checkMoney(request);
    const { key, claim } = request;
    const amount = payPalMoney(request);
    const unit = { amount: { ...amount }, custom_id: claim, invoice_id: key };
    const json = { intent: 'AUTHORIZE', purchase_units: [unit] };
    const order = await this.#order({ method: 'POST', path: '/v2/checkout/orders', json, key });
    const [made] = order.purchase_units;
    const paid = made === undefined ? undefined : moneyOf(made.amount);
    if (
      made?.invoice_id !== key ||
      paid?.amountMinor !== request.amountMinor ||
      paid.currency !== request.currency
    )
      throw new PaymentMismatchError(`${order.id} at PayPal is not what was asked for under its key`);
    return paymentOf(order);
  }

  async confirm(id: string): Promise<Payment> {
    for (let turn = 1; ; turn += 1) {
      const order = await this.#read(id);
      const payment = paymentOf(order);
      const { authorization, isMarked } = partsOf(order);
      // Marked before it was authorized: whoever has authorized it gives it back.
      if (isMarked && authorization?.status === 'CREATED') await this.#void(authorization.id);
      if (payment.status !== 'open' || turn > TURNS_MAX) return payment;
      if (authorization !== undefined)
        await this.#try({
          path: `/v2/payments/authorizations/${authorization.id}/capture`,
          key: `capture-${authorization.id}`,
        });
      else if (order.status !== 'APPROVED') return payment;
      else if (await this.#isDeclined(id)) return { ...payment, status: 'declined' };
    }
  }

  async cancel(id: string): Promise<Payment> {
    for (let turn = 1; ; turn += 1) {
      const order = await this.#read(id);
      const payment = paymentOf(order);
      const { authorization, claim, isMarked } = partsOf(order);
      if (isMarked && authorization?.status === 'CREATED') await this.#void(authorization.id);
      if ((payment.status !== 'open' && payment.status !== 'declined') || turn > TURNS_MAX) return payment;
      if (authorization !== undefined) await this.#void(authorization.id);
      else {
        const path = "/purchase_units/@reference_id=='default'/custom_id";
        const json = [{ op: 'replace', path, value: `${claim}${CANCELLED}` }];
        await this.#unlessOvertaken({ method: 'PATCH', path: `/v2/checkout/orders/${id}`, json });
      }
    }
  }

  /** PayPal has no search by key: what was charged is among the transactions, and only that is found. */
  async lookup(key: string): Promise<Payment | undefined> {
    const nowMs = this.#options.now();
    const { entries, completeUntilMs } = await this.list(nowMs - paymentLookupMs, nowMs);
    const charge = entries.find((entry) => entry.kind === 'charge' && entry.key === key);
    if (charge === undefined) {
      if (nowMs - completeUntilMs <= paymentReportLagMs) return undefined;
      throw new UnavailableError('PayPal’s search is too far behind to say that there is none');
    }
    const capture = (await this.#send({ method: 'GET', path: `/v2/payments/captures/${charge.id}` })) as {
      readonly supplementary_data?: { readonly related_ids?: { readonly order_id?: string } };
    };
    const orderId = capture.supplementary_data?.related_ids?.order_id;
    if (orderId === undefined) throw new PaymentMismatchError(`PayPal names no order of ${charge.id}`);
    return await this.read(orderId);
  }

  async read(id: string): Promise<Payment> {
    return paymentOf(await this.#read(id));
  }

  async refund(request: RefundRequest): Promise<Refund> {
    checkMoney(request);
    const { paymentId, key, currency, amountMinor } = request;
    const { capture, refunds } = partsOf(await this.#read(paymentId));
    if (capture === undefined)
      throw new RefundRefusedError('not charged', `${paymentId} has not been charged`);
    const paid = moneyOf(capture.amount);
    if (paid.currency !== currency)
      throw new RefundRefusedError(
        'currency',
        `${paymentId} was paid in ${paid.currency}, not in ${currency}`,
      );
    // The key may be forgotten by now; the refund is not.
    const same = refunds.find((refund) => refund.custom_id === key);
    if (same !== undefined) return refundOf(same);
    const left =
      paid.amountMinor - refunds.reduce((total, one) => total + moneyOf(one.amount).amountMinor, 0);
    if (amountMinor > left)
      throw new RefundRefusedError(
        'too much',
        `${left} is left of ${paymentId}, and ${amountMinor} is asked for`,
      );
    const path = `/v2/payments/captures/${capture.id}/refund`;
    const json = { amount: { ...payPalMoney(request) }, custom_id: key };
    return refundOf((await this.#send({ method: 'POST', path, json, key: `refund-${key}` })) as PayPalRefund);
  }

  /** PayPal checks its signatures itself. @see https://developer.paypal.com/api/webhooks/v1/verify-webhook-signature-post */
  async readWebhook(
    headers: Readonly<Record<string, string | undefined>>,
    rawBody: string,
  ): Promise<WebhookReading> {
    if (Object.values(HEADERS).some((name) => (headers[name] ?? '') === '')) return { refusal: 'unsigned' };
    if (Buffer.byteLength(rawBody) > webhookBytesMax) return { refusal: 'too_large' };
    const event = eventIn(rawBody);
    if (event === undefined) return { refusal: 'malformed' };
    const fields = Object.entries(HEADERS).map(([field, name]) => [field, headers[name]]);
    const signed = {
      ...(Object.fromEntries(fields) as Readonly<Record<string, string | undefined>>),
      webhook_id: await this.#options.webhookId(),
    };
    // The event as it came: what is written anew may have other bytes.
    const body = `${JSON.stringify(signed).slice(0, -1)},"webhook_event":${rawBody}}`;
    const path = '/v1/notifications/verify-webhook-signature';
    try {
      const { verification_status: status } = (await this.#client.send({ method: 'POST', path, body })) as {
        readonly verification_status?: string;
      };
      return status === 'SUCCESS' ? { event } : { refusal: 'forged' };
    } catch (error) {
      if (error instanceof PayPalRefusal) return { refusal: 'forged' };
      throw error;
    }
  }

  async list(fromMs: number, toMs: number, most = balanceEntriesMax): Promise<Balance> {
    const entries: BalanceEntry[] = [];
    let completeUntilMs = toMs;
    for (let at = fromMs; at < toMs; at += RANGE_MS) {
      const window = await this.#window(at, Math.min(toMs, at + RANGE_MS), most - entries.length);
      completeUntilMs = Math.min(completeUntilMs, window.refreshedMs);
      entries.push(...window.entries);
    }
    return { entries: entries.sort((a, b) => a.atMs - b.atMs), completeUntilMs };
  }

  async #window(fromMs: number, toMs: number, most: number) {
    const entries: BalanceEntry[] = [];
    for (let page = 1; ; page += 1) {
      // The end is inclusive, to the second.
      const [start, end] = [fromMs, toMs - 1].map((ms) => encodeURIComponent(new Date(ms).toISOString()));
      const query = `start_date=${start}&end_date=${end}&fields=transaction_info&page_size=${PAGE}&page=${page}`;
      const body = (await this.#send({ method: 'GET', path: `/v1/reporting/transactions?${query}` })) as {
        readonly transaction_details?: readonly { readonly transaction_info: PayPalTransaction }[];
        readonly last_refreshed_datetime?: string;
        readonly total_pages?: number;
      };
      const refreshedMs = Date.parse(body.last_refreshed_datetime ?? '');
      if (body.transaction_details === undefined || Number.isNaN(refreshedMs))
        throw new PaymentMismatchError('PayPal answers with what is no list of transactions');
      entries.push(...body.transaction_details.map(({ transaction_info: info }) => entryOf(info)));
      if (entries.length > most)
        throw new TooLargeError(`more than ${most} movements: ask for a shorter time`);
      if (page >= (body.total_pages ?? 1)) return { entries, refreshedMs };
    }
  }

  async #read(id: string): Promise<PayPalOrder> {
    return await this.#order({ method: 'GET', path: `/v2/checkout/orders/${encodeURIComponent(id)}` });
  }

  async #order(call: Parameters<PayPalClient['send']>[0]): Promise<PayPalOrder> {
    return orderIn(await this.#send(call));
  }

  /** Authorizes. True when that is refused. */
  async #isDeclined(id: string): Promise<boolean> {
    try {
      await this.#try({ path: `/v2/checkout/orders/${id}/authorize`, key: `authorize-${id}` });
      return false;
    } catch (error) {
      const { cause } = error as { readonly cause?: unknown };
      if (cause instanceof PayPalRefusal && DECLINES.has(cause.issue)) return true;
      throw error;
    }
  }

  async #void(authorizationId: string): Promise<void> {
    await this.#try({
      path: `/v2/payments/authorizations/${authorizationId}/void`,
      key: `void-${authorizationId}`,
    });
  }

  async #try({ path, key }: { readonly path: string; readonly key: string }): Promise<void> {
    await this.#unlessOvertaken({ method: 'POST', path, json: {}, key });
  }

  async #unlessOvertaken(call: Parameters<PayPalClient['send']>[0]): Promise<void> {
    try {
      await this.#client.send(call);
    } catch (error) {
      if (error instanceof PayPalRefusal && OVERTAKEN.has(error.issue)) return;
      throw meaningOf(error);
    }
  }

  async #send(call: Parameters<PayPalClient['send']>[0]): Promise<unknown> {
    try {
      return await this.#client.send(call);
    } catch (error) {
      throw meaningOf(error);
    }
  }
}

function meaningOf(error: unknown): unknown {
  if (!(error instanceof PayPalRefusal)) return error;
  const { issue, message } = error;
  const options = { cause: error };
  if (issue === 'INVALID_CURRENCY_CODE') return currencyError(message);
  if (issue === 'MAX_VALUE_EXCEEDED' || issue === 'DECIMALS_NOT_SUPPORTED' || issue === 'DECIMAL_PRECISION')
    return new AmountError(message, [{ pointer: '/amountMinor', detail: message, rule: 'range' }]);
  const reason = REFUNDS[issue];
  if (reason !== undefined) return new RefundRefusedError(reason, message, options);
  return new PaymentRefusedError(message, options);
}

function eventIn(rawBody: string) {
  try {
    return eventOf(JSON.parse(rawBody));
  } catch {
    return undefined;
  }
}
