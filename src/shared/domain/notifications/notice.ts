/**
 * What a customer is written about an order, and what stops it. Pure.
 *
 * Invariant: a notice has one name within its order, so whichever site writes it down, and however often, there is one
 * notification; and an order has at most `refundMailsMax` and a few of them in its life, so they leave its reactions room.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { refundMailsMax, softBouncesMax } from '../../bounds.ts';
import { isPaid } from '../orders/order.ts';
import type { Refundable } from '../orders/payment.ts';

export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

export const kinds = ['paid', 'declined', 'cancelled', 'expired', 'refunded', 'fulfilled'] as const;
export type Kind = (typeof kinds)[number];

/** What a customer may do without: all others are about their money, or about goods that they will not get. */
export const stoppable: readonly Kind[] = ['fulfilled'];

/** An address as HTML forms take it, in ASCII: no quotes, no blanks, nothing that ends a line. */
export const ADDRESS_PATTERN =
  "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}$";

export interface Notice {
  readonly kind: Kind;
  /** Of the refund that it is about; absent: all was paid back. */
  readonly refundId?: string;
}

/** An order as what is written about it reads it. */
export interface NotifiedOrder extends Refundable {
  readonly customerId?: string | undefined;
  /** Absent: its customer is not written to. */
  readonly email?: string | undefined;
  readonly language?: Language | undefined;
  /** Names of the notices that were written down. */
  readonly notified?: readonly string[] | undefined;
}

/** Unique within the order. */
export function noticeName({ kind, refundId }: Notice): string {
  return refundId === undefined ? kind : `refund-${refundId}`;
}

/** What is to be written down now, in the order in which it is read best. */
export function dueNotices(order: NotifiedOrder): readonly Notice[] {
  if (order.email === undefined) return [];
  const written = new Set(order.notified);
  return noticesOf(order).filter((notice) => !written.has(noticeName(notice)));
}

function noticesOf(order: NotifiedOrder): readonly Notice[] {
  const { status, reason, stockSite } = order;
  if (isPaid(order))
    return [
      { kind: 'paid' },
      ...(status === 'fulfilled' ? [{ kind: 'fulfilled' } as const] : []),
      ...refundNotices(order),
    ];
  // Nothing was ever reserved: the answer to the order itself said so.
  if (stockSite === undefined) return [];
  if (status === 'expired') return [{ kind: 'expired' }];
  if (status === 'cancelled') return [{ kind: reason === 'declined' ? 'declined' : 'cancelled' }];
  return [];
}

function refundNotices({ status, refunded = {} }: NotifiedOrder): readonly Notice[] {
  const ids = Object.entries(refunded)
    .filter(([, refund]) => refund.status === 'done' || refund.status === 'pending')
    .map(([id]) => id)
    .sort();
  const each = ids.slice(0, refundMailsMax).map((refundId): Notice => ({ kind: 'refunded', refundId }));
  return status === 'refunded' && ids.length > refundMailsMax ? [...each, { kind: 'refunded' }] : each;
}

/** What is known of an address that bounces or was unsubscribed. */
export interface Suppression {
  /** A mail to it came back for good. */
  readonly bounced?: boolean | undefined;
  /** Mails to it that came back for a passing reason. */
  readonly softBounces?: number | undefined;
  readonly unsubscribed?: boolean | undefined;
}

/** Whether an address gets nothing of this kind. */
export function isSuppressed({ bounced, softBounces = 0, unsubscribed }: Suppression, kind: Kind): boolean {
  if (bounced === true || softBounces >= softBouncesMax) return true;
  return unsubscribed === true && stoppable.includes(kind);
}

/** The fields of a record of a suppression. */
export function suppressionOf(values: Readonly<Record<string, Json>>): Suppression {
  const { bounced, softBounces, unsubscribed } = values;
  return {
    bounced: bounced === true,
    softBounces: typeof softBounces === 'number' ? softBounces : 0,
    unsubscribed: unsubscribed === true,
  };
}
