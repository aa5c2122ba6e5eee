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

/** What a notification goes by. */
export const channels = ['mail', 'sms'] as const;
export type Channel = (typeof channels)[number];

/** What a phone is told: what its owner waits for, once or twice in the life of an order. Money that is on its way back takes days. */
export const smsKinds: readonly Kind[] = ['paid', 'declined', 'cancelled', 'expired', 'fulfilled'];

/** A phone number (ITU-T E.164): a plus and up to 15 digits. */
export const PHONE_PATTERN = '^[+][1-9][0-9]{6,14}$';

/** An address as HTML forms take it, in ASCII: no quotes, no blanks, nothing that ends a line. */
export const ADDRESS_PATTERN =
  "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]{2,63}$";

export interface Notice {
  readonly kind: Kind;
  /** Of the refund that it is about; absent: all was paid back. */
  readonly refundId?: string;
  readonly channel: Channel;
}

/** An order as what is written about it reads it. */
export interface NotifiedOrder extends Refundable {
  readonly customerId?: string | undefined;
  /** Absent: its customer gets no mail. */
  readonly email?: string | undefined;
  /** Absent: its customer gets no SMS. */
  readonly phone?: string | undefined;
  readonly language?: Language | undefined;
  /** Names of the notices that were written down. */
  readonly notified?: readonly string[] | undefined;
}

/** Unique within the order. */
export function noticeName({ kind, refundId, channel }: Notice): string {
  if (channel === 'sms') return `${kind}-sms`;
  return refundId === undefined ? kind : `refund-${refundId}`;
}

/** What is to be written down now, in the order in which it is read best. */
export function dueNotices(order: NotifiedOrder): readonly Notice[] {
  const { email, phone, notified } = order;
  if (email === undefined && phone === undefined) return [];
  const written = new Set(notified);
  const events = eventsOf(order);
  const notices = [
    ...(email === undefined ? [] : events.map((event): Notice => ({ ...event, channel: 'mail' }))),
    ...(phone === undefined
      ? []
      : events
          .filter(({ kind }) => smsKinds.includes(kind))
          .map(({ kind }): Notice => ({ kind, channel: 'sms' }))),
  ];
  return notices.filter((notice) => !written.has(noticeName(notice)));
}

type Event = Omit<Notice, 'channel'>;

function eventsOf(order: NotifiedOrder): readonly Event[] {
  const { status, reason, stockSite } = order;
  if (isPaid(order))
    return [
      { kind: 'paid' },
      ...(status === 'fulfilled' ? [{ kind: 'fulfilled' } as const] : []),
      ...refundEvents(order),
    ];
  // Nothing was ever reserved: the answer to the order itself said so.
  if (stockSite === undefined) return [];
  if (status === 'expired') return [{ kind: 'expired' }];
  if (status === 'cancelled') return [{ kind: reason === 'declined' ? 'declined' : 'cancelled' }];
  return [];
}

function refundEvents({ status, refunded = {} }: NotifiedOrder): readonly Event[] {
  const ids = Object.entries(refunded)
    .filter(([, refund]) => refund.status === 'done' || refund.status === 'pending')
    .map(([id]) => id)
    .sort();
  const each = ids.slice(0, refundMailsMax).map((refundId): Event => ({ kind: 'refunded', refundId }));
  return status === 'refunded' && ids.length > refundMailsMax ? [...each, { kind: 'refunded' }] : each;
}

/** What is known of an address or a phone that bounces, has opted out or was unsubscribed. */
export interface Suppression {
  /** A mail to it came back for good; a phone has answered STOP. */
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
