/**
 * From what happens to an order to a mail about it, step by step. The mail server is asked by an effect, like the arbiter of
 * payments, so the simulator could own it.
 *
 * Invariant: a notification is written down before anything is sent, and every copy of its mail has one Message-ID. SMTP
 * promises no more: the record says how many copies there may be (`copies`), and never too few.
 */
import { AmbiguousError, AppError, UnavailableError } from '@tandem-clouds/replication/errors';
import { readKeys } from '@tandem-clouds/replication/isolate';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import { isLive, plainValues } from '@tandem-clouds/replication/record';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { MailRefusedError } from '../../ports/mail-errors.ts';
import type { Entity, FieldChanges, States, StepsContext } from '../entity.ts';
import { initialChanges } from '../field-changes.ts';
import { orderKey, totalMinor } from '../orders/order.ts';
import { transition } from '../states.ts';
import {
  dueNotices,
  isSuppressed,
  type Kind,
  type Language,
  type Notice,
  noticeName,
  type NotifiedOrder,
} from './notice.ts';
import { addressHash, readSuppression } from './suppress.ts';
import type { MailContent } from './templates.ts';

export const notificationStates = {
  // A bounce may be reported before it is known here that the mail was taken over.
  order: ['pending', 'suppressed', 'refused', 'sent', 'bounced'],
  allowed: { pending: ['suppressed', 'refused', 'sent', 'bounced'], sent: ['bounced'] },
  passing: ['pending'],
} as const satisfies States;

/** A notification as its steps read it. */
export interface Notification {
  readonly id: string;
  readonly orderId: string;
  readonly kind: Kind;
  readonly refundId?: string | undefined;
  readonly to: string;
  readonly language: Language;
  /** Where it was written down, and is sent from. */
  readonly site: SiteId;
  /** Attempts whose end was written down. */
  readonly attempts?: number | undefined;
  /** The number of the last of them, counted as the reaction counts. */
  readonly ended?: number | undefined;
  /** Copies that a server may have taken over although nobody heard so. */
  readonly copies?: number | undefined;
}

export const MAIL = 'mail';

export interface MailCall {
  /** Names the mail at every attempt. */
  readonly notificationId: string;
  readonly to: string;
  readonly content: MailContent;
  /** Whether a copy of it may be out already. */
  readonly isRepeat: boolean;
}

/** What the steps ask of the mail server. */
export interface MailEffect extends OutsideEffect {
  readonly service: typeof MAIL;
  readonly call: MailCall;
}

/** One for a notice, whichever site writes it down. */
export function notificationId(orderId: string, notice: Notice): string {
  return `${orderId}~${noticeName(notice)}`;
}

/** Writes down what an order's customer is to be written. @throws what `localWrite` throws */
export function* notifyOrder(
  order: NotifiedOrder,
  { site }: StepsContext,
  notification: Entity,
): Protocol<FieldChanges> {
  const due = dueNotices(order);
  for (const notice of due) yield* writeDown(site, { order, notice, notification });
  return { notified: { add: due.map(noticeName) } };
}

function* writeDown(
  site: Site,
  {
    order,
    notice,
    notification,
  }: { readonly order: NotifiedOrder; readonly notice: Notice; readonly notification: Entity },
): Protocol<void> {
  const { id: orderId, email = '', language = 'en', customerId } = order;
  const id = notificationId(orderId, notice);
  const values = {
    orderId,
    ...notice,
    to: email,
    language,
    site: site.site,
    ...(customerId !== undefined && { customerId }),
  };
  yield* localWrite(site, {
    key: `${notification.name}:${id}`,
    operationId: `notify/${id}`,
    creates: { keepUnseenTombstone: true },
    decide: (current) =>
      current === undefined
        ? {
            ...initialChanges(notification, values, { isKeyed: true }),
            createdAt: new Date(site.now()).toISOString(),
          }
        : undefined,
  });
}

/**
 * Sends a notification, unless its address gets nothing of its kind.
 * @throws UnavailableError @throws AmbiguousError when it is to be tried again; what has been tried is written down.
 */
export function* sendNotification(
  notification: Notification,
  { site, key, attempt }: StepsContext,
): StepsProtocol<FieldChanges> {
  const { id, to, kind } = notification;
  const suppression = yield* readSuppression(site, addressHash(to));
  if (isSuppressed(suppression, kind)) return { status: 'suppressed' };
  const content = yield* contentOf(site, notification);
  const tried = triedBefore(notification, { site, attempt });
  const effect: MailEffect = {
    op: 'outside',
    service: MAIL,
    call: { notificationId: id, to, content, isRepeat: tried.copies > 0 },
  };
  const ended = { attempts: tried.attempts + 1, copies: tried.copies };
  try {
    const messageId = (yield effect) as string;
    return { status: 'sent', messageId, sentMs: site.now(), detail: null, ...ended };
  } catch (error) {
    if (error instanceof MailRefusedError) return { status: 'refused', detail: shown(error), ...ended };
    if (!(error instanceof AppError)) throw error;
    const copies = ended.copies + (error instanceof AmbiguousError ? 1 : 0);
    yield* localWrite(site, {
      key,
      operationId: `send/${id}/${attempt}/${site.now()}`,
      decide: () => ({ ...ended, copies, ended: attempt, detail: shown(error) }),
    });
    throw error;
  }
}

const DETAIL_CHARS_MAX = 300;

/** For a person; a server's answer may be long. */
function shown({ message }: Error): string {
  return message.slice(0, DETAIL_CHARS_MAX);
}

/** What has been tried, attempts among them whose end nobody has written down: each of those may have been a copy. */
function triedBefore(
  { site: from, attempts = 0, copies = 0, ended = 0 }: Notification,
  { site, attempt }: Pick<StepsContext, 'site' | 'attempt'>,
): { attempts: number; copies: number } {
  // A person who has it tried again begins the count anew.
  const silent = attempt === 1 ? 0 : Math.max(0, attempt - 1 - ended);
  // Another site may have tried it before it was lost.
  const elsewhere = from !== site.site && attempts === 0 && attempt === 1 ? 1 : 0;
  return { attempts: attempts + silent, copies: copies + silent + elsewhere };
}

/** @throws UnavailableError when the order has not arrived here. */
function* contentOf(site: Site, notification: Notification): Protocol<MailContent> {
  const { orderId, kind, language, refundId } = notification;
  const record = (yield* get(orderKey(orderId)))?.record;
  if (record === undefined || !isLive(record.state, site.now()))
    throw new UnavailableError(`the order ${orderId} has not arrived here`);
  const order = plainValues(record.state) as unknown as NotifiedOrder & { readonly createdAt: string };
  const skus = [...new Set(order.lines.map(({ sku }) => sku))];
  const { held } = yield* readKeys(skus.map((sku) => `product:${sku}`));
  const nameOf = (sku: string): string => {
    const product = held.get(`product:${sku}`)?.record;
    const { name, translations } = (product && plainValues(product.state)) ?? {};
    const translated = (translations as Readonly<Record<string, { name?: unknown }>> | undefined)?.[language];
    const names = [translated?.name, name].filter((each) => typeof each === 'string' && each !== '');
    return (names[0] as string | undefined) ?? sku;
  };
  const facts = {
    language,
    order: {
      orderId,
      createdAt: order.createdAt,
      currency: order.currency,
      totalMinor: totalMinor(order),
      lines: order.lines.map(({ sku, units, priceMinor }) => ({ name: nameOf(sku), units, priceMinor })),
    },
  };
  if (kind !== 'refunded') return { ...facts, kind };
  const refund = refundId === undefined ? undefined : order.refunded?.[refundId];
  return { ...facts, kind, refundMinor: refund?.amountMinor ?? facts.order.totalMinor };
}

/** Notes that a mail came back for good, where one may be out. @throws what `localWrite` throws */
export function* noteBounce(site: Site, id: string): Protocol<void> {
  yield* localWrite(site, {
    key: `notification:${id}`,
    operationId: `bounce/${id}`,
    decide: (current) => {
      const from = current && plainValues(current.state)['status'];
      if (from !== 'pending' && from !== 'sent') return undefined;
      const status = transition('status', notificationStates, { from, to: 'bounced' });
      return status === undefined ? undefined : { status };
    },
  });
}
