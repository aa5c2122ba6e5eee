/**
 * An order as its steps see it.
 *
 * Invariant: of two versions of one order the one whose state ranks higher stands at every site (`states.ts`), and what ends an
 * order is the payment, of which there is one: so a site that was taken for dead, or a client that has asked at two sites, brings
 * about two orders of events and one end.
 */
import type { SiteId } from '@tandem-clouds/replication/stamp';
import type { FieldChanges, States } from '../entity.ts';

export type OrderState =
  /** Goods are being held for it, line by line. */
  | 'reserving'
  /** One line could not be held. Ranks below what another site has reserved meanwhile: nothing was charged for it here. */
  | 'rejected'
  /** `stockSite` holds all of it until the order is over; its customer may pay. One that came with a method skips this. */
  | 'reserved'
  /** `stockSite` may charge. */
  | 'paying'
  /** It may only be voided; when the payment says that it was charged, it is paid all the same. */
  | 'cancelling'
  /** Over, and never charged: too late. */
  | 'expired'
  /** Over, and never charged. */
  | 'cancelled'
  | 'paid'
  | 'fulfilled'
  /** All of it was paid back. */
  | 'refunded';

export const orderStates = {
  order: [
    'reserving',
    'rejected',
    'reserved',
    'paying',
    'cancelling',
    'expired',
    'cancelled',
    'paid',
    'fulfilled',
    'refunded',
  ],
  allowed: {
    reserving: ['rejected', 'reserved', 'paying', 'cancelling'],
    // By a site that is lost since, which had the goods and charged it.
    rejected: ['paid'],
    reserved: ['paying', 'cancelling'],
    paying: ['cancelling', 'cancelled', 'paid'],
    cancelling: ['expired', 'cancelled', 'paid'],
    paid: ['fulfilled', 'refunded'],
    fulfilled: ['refunded'],
  },
  passing: ['reserving', 'paying', 'cancelling'],
} as const satisfies States;

export const reasons = [
  // Why it was rejected.
  'unknown_product',
  'price_changed',
  'other_currency',
  'amount_too_large',
  'short',
  // Why it was cancelled, or expired.
  'declined',
  'by_customer',
  'elsewhere',
  'taken_over',
  'not_paid_in_time',
] as const;
export type Reason = (typeof reasons)[number];

export interface OrderLine {
  readonly sku: string;
  readonly units: number;
  /** What the customer was shown for one, in the currency's smallest unit. */
  readonly priceMinor: number;
}

/** What steps read of an order. */
export interface Order {
  readonly id: string;
  /** When it was born, ISO 8601: the same at every site. */
  readonly createdAt: string;
  readonly lines: readonly OrderLine[];
  /** ISO 4217. */
  readonly currency: string;
  readonly method?: string | undefined;
  readonly status: OrderState;
  readonly stockSite?: SiteId | undefined;
  readonly reason?: Reason | undefined;
  readonly checked?: string | undefined;
  /** When somebody asked for a look at the payment of what is rejected here, epoch milliseconds. */
  readonly checkedAtMs?: number | undefined;
  readonly payingSinceMs?: number | undefined;
  /** When a site learned that it was charged, epoch milliseconds: revenue is counted there. */
  readonly paidAtMs?: number | undefined;
  readonly lookAgainMs?: number | undefined;
}

const OVER: ReadonlySet<OrderState> = new Set([
  'rejected',
  'expired',
  'cancelled',
  'paid',
  'fulfilled',
  'refunded',
]);
const PAID: ReadonlySet<OrderState> = new Set(['paid', 'fulfilled', 'refunded']);

/** Whether nothing waits for it any more. */
export function isOver({ status }: Pick<Order, 'status'>): boolean {
  return OVER.has(status);
}

/** Whether it was charged, whatever has become of the money since. */
export function isPaid({ status }: Pick<Order, 'status'>): boolean {
  return PAID.has(status);
}

/** What it costs, in the currency's smallest unit. */
export function totalMinor({ lines }: Pick<Order, 'lines'>): number {
  return lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
}

/** Article → units, of lines that may name one twice. */
export function unitsOf({ lines }: Pick<Order, 'lines'>): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const line of lines) units.set(line.sku, (units.get(line.sku) ?? 0) + line.units);
  return units;
}

/** Epoch milliseconds. */
export function bornMs({ createdAt }: Pick<Order, 'createdAt'>): number {
  return Date.parse(createdAt);
}

export function orderKey(orderId: string): string {
  return `order:${orderId}`;
}

/** How an order ends whose payment was never charged, and never will be. */
export function unpaid({ reason }: Pick<Order, 'reason'>): FieldChanges {
  return { status: reason === 'not_paid_in_time' ? 'expired' : 'cancelled' };
}

/** From now on it can only be voided, at once. */
export function cancelling(reason: Reason): FieldChanges {
  return { status: 'cancelling', reason, lookAgainMs: null };
}
