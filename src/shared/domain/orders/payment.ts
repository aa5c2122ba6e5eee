/**
 * Asking the arbiter. What the provider is asked is yielded, like the effects of replication, so that the simulator can own it.
 *
 * Invariant: a charge is asked for only by the site that the payment is claimed for, which holds the stock, and only
 * while the provider remembers the key. A verdict is final, and the same for everybody: whether the order was charged,
 * and to whose stock.
 */
import { isRetryable, UnavailableError } from '@tandem-clouds/replication/errors';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import {
  absenceProvenMs,
  chargeWithinMs,
  lookupBehindMs,
  payingMs,
  paymentKeysMax,
  paymentLookMaxMs,
  paymentLookMs,
  paymentYieldMs,
  voidLookMaxMs,
} from '../../bounds.ts';
import { PaymentKeySpentError, PaymentRefusedError, RefundRefusedError } from '../../ports/payment-errors.ts';
import type { Payment, PaymentRequest, Refund, RefundRequest } from '../../ports/payment-provider.ts';
import type { FieldChanges, StepsContext } from '../entity.ts';
import { bornMs, cancelling, type Order, totalMinor, unpaid } from './order.ts';

export type PaymentCall =
  | { readonly call: 'create'; readonly request: PaymentRequest }
  | { readonly call: 'confirm'; readonly id: string; readonly method?: string | undefined }
  | { readonly call: 'cancel'; readonly id: string }
  | { readonly call: 'lookup'; readonly key: string }
  | { readonly call: 'refund'; readonly request: RefundRequest };

export const PAYMENTS = 'payments';

/** What the steps of orders ask of the payment provider. */
export interface PaymentEffect extends OutsideEffect {
  readonly service: typeof PAYMENTS;
  readonly call: PaymentCall;
}

/** The order's key at the provider. */
export function paymentKey(orderId: string): string {
  return `order-${orderId}`;
}

/**
 * Charges an order, where its stock is held; elsewhere it can only be voided, because its site was taken for dead.
 * @throws UnavailableError when the provider does not answer
 */
export function* chargeOrder(order: Order, { site }: StepsContext): StepsProtocol<FieldChanges> {
  if (order.stockSite !== site.site) return cancelling('taken_over');
  const sinceMs = order.payingSinceMs ?? bornMs(order);
  if (!mayCharge(site, order) || site.now() - sinceMs >= payingMs) return cancelling('not_paid_in_time');
  let payment = yield* findOrCreate(site, order);
  if (payment === 'refused') return { ...unpaid(order), reason: 'declined' };
  if (
    typeof payment === 'object' &&
    payment.status === 'open' &&
    payment.claim === site.site &&
    mayCharge(site, order)
  )
    payment = yield* tryCall({ call: 'confirm', id: payment.id, method: order.method });
  if (payment === 'refused') return cancelling('declined');
  if (payment === undefined || payment === 'none')
    throw new UnavailableError('the payment provider has not answered');
  switch (payment.status) {
    case 'charged':
    case 'cancelled':
      return verdict(site, order, payment);
    case 'declined':
    case 'open':
      if (payment.claim === site.site)
        return payment.status === 'declined' ? cancelling('declined') : waiting(site, order, payment);
      // Another site was asked for the same order and holds stock for it too: leave it the first turn.
      return site.now() - sinceMs < paymentYieldMs ? waiting(site, order, payment) : cancelling('elsewhere');
    case 'processing':
      return waiting(site, order, payment);
  }
}

/**
 * Makes sure that an order will not be charged any more, or learns that it has been. Where the provider says that neither is
 * certain yet, it is looked at again, however long that takes: a day, where an answer under the order's key was lost.
 * @throws UnavailableError when the provider does not answer
 */
export function* voidOrder(order: Order, { site }: StepsContext): StepsProtocol<FieldChanges> {
  const isLate = !mayCharge(site, order);
  let payment = isLate ? yield* find(order) : yield* findOrCreate(site, order);
  if (payment === 'none') {
    const isProven = isLate && site.now() - bornMs(order) >= absenceProvenMs;
    return isProven ? unpaid(order) : uncertain(site, order);
  }
  // There is none, and with what the order asks for there never will be.
  if (payment === 'refused') return unpaid(order);
  if (payment?.status === 'open' || payment?.status === 'declined')
    payment = yield* tryCall({ call: 'cancel', id: payment.id });
  if (payment === undefined || payment === 'refused')
    throw new UnavailableError('the payment provider has not said yet whether it was charged');
  return payment.status === 'charged' || payment.status === 'cancelled'
    ? verdict(site, order, payment)
    : uncertain(site, order);
}

/** When an order that is to be voided is looked at again: at the latest when the absence of its payment is proven. */
function uncertain(site: Site, order: Order): FieldChanges {
  const [nowMs, sinceMs] = [site.now(), bornMs(order)];
  const provenMs = sinceMs + absenceProvenMs;
  const pauseMs = Math.min(voidLookMaxMs, Math.max(paymentLookMs, (nowMs - sinceMs) / 4));
  const againMs = Math.round(nowMs + pauseMs);
  return { lookAgainMs: nowMs < provenMs ? Math.min(provenMs, againMs) : againMs };
}

/**
 * Looks whether an order that this site has rejected was charged: to the goods of another site that was asked for it as well, and
 * may be lost since. Nothing is done about a payment that was not: it is that site's. It is looked for until the provider's search
 * must show what it had when somebody asked.
 * @throws UnavailableError when the provider does not answer
 */
export function* lookBehindRejection(order: Order, { site }: StepsContext): StepsProtocol<FieldChanges> {
  const payment = yield* find(order);
  if (payment === undefined) throw new UnavailableError('the payment provider answers no lookup');
  if (payment !== 'none' && payment.status === 'charged') return verdict(site, order, payment);
  const nowMs = site.now();
  const sinceMs = order.checkedAtMs ?? bornMs(order);
  const untilMs = sinceMs + lookupBehindMs;
  if (nowMs >= untilMs) return { checkedFor: order.checked ?? null };
  const pauseMs = Math.max(paymentLookMs, (nowMs - sinceMs) / 2);
  return { lookAgainMs: Math.min(untilMs, Math.round(nowMs + pauseMs)) };
}

/** Refund id → what became of it. */
export type Refunded = Readonly<
  Record<string, { readonly amountMinor: number; readonly status: string; readonly refundId?: string }>
>;

/** An order of which something is to be paid back. */
export interface Refundable extends Order {
  readonly paymentId?: string | undefined;
  readonly refunds?: Readonly<Record<string, number>> | undefined;
  readonly refunded?: Refunded | undefined;
}

/** Those that nobody has done yet, by id. */
export function openRefunds({
  refunds = {},
  refunded = {},
}: Refundable): readonly (readonly [string, number])[] {
  return Object.entries(refunds).filter(([id]) => !Object.hasOwn(refunded, id));
}

/** Pays back what was asked for; what the provider refuses for good is kept with its reason. */
export function* refundOrder(order: Refundable): StepsProtocol<FieldChanges> {
  const before = Object.entries(order.refunded ?? {}).map(([id, refund]) => [id, { ...refund }] as const);
  const refunded: Record<string, Refunded[string]> = Object.fromEntries(before);
  for (const [id, amountMinor] of openRefunds(order))
    refunded[id] = yield* payBack(order, { id, amountMinor });
  const back = Object.values(refunded)
    .filter(({ status }) => status === 'done' || status === 'pending')
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return { refunded, ...(back >= totalMinor(order) && { status: 'refunded' }) };
}

function* payBack(
  { id: orderId, paymentId = '', currency }: Refundable,
  { id, amountMinor }: { readonly id: string; readonly amountMinor: number },
): StepsProtocol<Refunded[string]> {
  const request = { paymentId, amountMinor, currency, key: `${paymentKey(orderId)}-${id}` };
  try {
    const refund = (yield* ask({ call: 'refund', request })) as Refund;
    return { amountMinor, status: refund.status, refundId: refund.id };
  } catch (error) {
    if (!(error instanceof RefundRefusedError)) throw error;
    return { amountMinor, status: `refused: ${error.reason}` };
  }
}

/** Whether the provider certainly remembers the order's key, also when a call lands hours late. */
function mayCharge(site: Site, order: Order): boolean {
  return site.now() - bornMs(order) < chargeWithinMs;
}

function verdict(site: Site, order: Order, { id, status, claim }: Payment): FieldChanges {
  if (status !== 'charged') return unpaid(order);
  return { status: 'paid', paidFrom: claim, paidAtMs: site.now(), paymentId: id, reason: null, action: null };
}

/** It is the customer's turn, the bank's, or another site's; looked at again later, and as soon as anybody says so. */
function waiting(site: Site, order: Order, { id, action }: Payment): FieldChanges {
  const nowMs = site.now();
  const sinceMs = order.payingSinceMs ?? nowMs;
  const pauseMs = Math.min(paymentLookMaxMs, Math.max(paymentLookMs, (nowMs - sinceMs) / 2));
  return {
    paymentId: id,
    action: action === undefined ? null : { ...action },
    lookAgainMs: Math.round(nowMs + pauseMs),
    checkedFor: order.checked ?? null,
  };
}

/**
 * The order's payment, new or not. The answer may be lost and the payment exist, so it is looked for. Where a key is spent, it is
 * so for all sites, and all of them go on to the same next one.
 */
function* findOrCreate(site: Site, order: Order): StepsProtocol<Payment | 'refused' | 'none' | undefined> {
  const { id, currency } = order;
  const request = { key: paymentKey(id), amountMinor: totalMinor(order), currency, claim: site.site };
  for (let spentKeys = 0; spentKeys < paymentKeysMax; spentKeys += 1) {
    try {
      const created = yield* tryCall({ call: 'create', request: { ...request, spentKeys } });
      return created ?? (yield* find(order));
    } catch (error) {
      if (!(error instanceof PaymentKeySpentError)) throw error;
    }
  }
  return 'refused';
}

/** `none` when the provider has answered that there is no payment; undefined when it has not answered. */
function* find({ id }: Order): StepsProtocol<Payment | 'none' | undefined> {
  try {
    return ((yield* ask({ call: 'lookup', key: paymentKey(id) })) as Payment | undefined) ?? 'none';
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return undefined;
  }
}

/** Undefined when the provider has not answered: the call may have taken effect. `refused`: it never will. */
function* tryCall(call: PaymentCall): StepsProtocol<Payment | 'refused' | undefined> {
  try {
    return (yield* ask(call)) as Payment;
  } catch (error) {
    if (error instanceof PaymentRefusedError) return 'refused';
    if (!isRetryable(error)) throw error;
    return undefined;
  }
}

function* ask(call: PaymentCall): StepsProtocol<unknown> {
  const effect: PaymentEffect = { op: 'outside', service: PAYMENTS, call };
  return yield effect;
}
