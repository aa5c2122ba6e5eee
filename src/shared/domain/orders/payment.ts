/**
 * Asking the arbiter. A payment effect is yielded like those of replication, so that the simulator can own it.
 *
 * Invariant: a charge is asked for only by the site that the payment is claimed for, which holds the stock, and only
 * while the provider remembers the key. A verdict is final, and the same for everybody: whether the order was charged,
 * and to whose stock.
 */
import { isRetryable } from '@tandem-clouds/replication/errors';
import type { Effect, Site } from '@tandem-clouds/replication/protocol';
import { absenceProvenMs, chargeWithinMs, paymentYieldMs } from '../../bounds.ts';
import type { Payment, PaymentRequest } from '../../ports/payment-provider.ts';
import type { CancelReason, Order } from './order.ts';
import type { Verdict } from './transitions.ts';

export type PaymentCall =
  | { readonly call: 'create'; readonly request: PaymentRequest }
  | { readonly call: 'confirm'; readonly id: string }
  | { readonly call: 'cancel'; readonly id: string }
  | { readonly call: 'lookup'; readonly key: string };

export interface PaymentEffect {
  readonly op: 'payment';
  readonly call: PaymentCall;
}

/** A protocol that may also call the payment provider. */
export type ShopProtocol<Result> = Generator<Effect | PaymentEffect, Result, unknown>;

/** A verdict; or why the order must be voided; or undefined: nothing is certain yet, ask again later. */
export type PaymentResult = { readonly verdict: Verdict } | { readonly cancel: CancelReason } | undefined;

/** The order's key at the provider. */
export function paymentKey(orderId: string): string {
  return `order-${orderId}`;
}

/** Charges an order whose stock is held here. */
export function* charge(site: Site, order: Order): ShopProtocol<PaymentResult> {
  if (!mayCharge(site, order)) return { cancel: 'late' };
  let payment = yield* findOrCreate(site, order);
  if (payment?.status === 'open' && payment.claim === site.site && mayCharge(site, order))
    payment = yield* tryCall({ call: 'confirm', id: payment.id });
  switch (payment?.status) {
    case 'charged':
    case 'cancelled':
      return { verdict: verdictOf(payment) };
    case 'open':
    case 'declined':
      if (payment.claim === site.site) return payment.status === 'open' ? undefined : { cancel: 'declined' };
      // Another site was asked for the same order and holds stock for it too: leave it the first turn.
      return site.now() - order.sinceMs < paymentYieldMs ? undefined : { cancel: 'elsewhere' };
    case 'processing':
    case undefined:
      return undefined;
  }
}

/** Makes sure that an order will not be charged any more, or learns that it has been. */
export function* voidPayment(site: Site, order: Order): ShopProtocol<Verdict | undefined> {
  let payment: Payment | undefined;
  if (mayCharge(site, order)) payment = yield* findOrCreate(site, order);
  else {
    const found = yield* find(order);
    if (found === 'none' && site.now() - order.bornMs >= absenceProvenMs) return 'cancelled';
    if (found !== 'none') payment = found;
  }
  if (payment?.status === 'open' || payment?.status === 'declined')
    payment = yield* tryCall({ call: 'cancel', id: payment.id });
  return payment?.status === 'charged' || payment?.status === 'cancelled' ? verdictOf(payment) : undefined;
}

/** Whether the provider certainly remembers the order's key, also when a call lands hours late. */
function mayCharge(site: Site, { bornMs }: Order): boolean {
  return site.now() - bornMs < chargeWithinMs;
}

function verdictOf({ status, claim }: Payment): Verdict {
  return status === 'charged' ? { chargedTo: claim } : 'cancelled';
}

/** The order's payment, new or not. The provider may repeat an old error under a key, so an error is looked behind. */
function* findOrCreate(site: Site, order: Order): ShopProtocol<Payment | undefined> {
  const { orderId, amountMinor, currency } = order;
  const request = { key: paymentKey(orderId), amountMinor, currency, claim: site.site };
  const created = yield* tryCall({ call: 'create', request });
  if (created !== undefined) return created;
  const found = yield* find(order);
  return found === 'none' ? undefined : found;
}

/** `none` when the provider has answered that there is no payment; undefined when it has not answered. */
function* find({ orderId }: Order): ShopProtocol<Payment | 'none' | undefined> {
  try {
    const call: PaymentCall = { call: 'lookup', key: paymentKey(orderId) };
    return ((yield { op: 'payment', call }) as Payment | undefined) ?? 'none';
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return undefined;
  }
}

/** Undefined when the provider has not answered: the call may have taken effect. */
function* tryCall(call: PaymentCall): ShopProtocol<Payment | undefined> {
  try {
    return (yield { op: 'payment', call }) as Payment;
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return undefined;
  }
}
