/**
 * From what happens to an order to a mail or an SMS about it, step by step. Mail server and provider of SMS are asked by effects,
 * like the arbiter of payments, so the simulator could own them.
 *
 * Invariant: a notification is written down before anything is sent, and every copy of its mail has one Message-ID. SMTP
 * promises no more, and SNS not even that: the record says how many copies there may be (`copies`), and never too few.
 */
import { AmbiguousError, AppError, UnavailableError } from '@tandem-clouds/replication/errors';
import { readKeys } from '@tandem-clouds/replication/isolate';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import type { OutsideEffect, StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import { isLive, plainValues } from '@tandem-clouds/replication/record';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { smsKeyMs } from '../../bounds.ts';
import { MailRefusedError } from '../../ports/mail-errors.ts';
import { SmsOptedOutError, SmsRefusedError } from '../../ports/sms-errors.ts';
import type { Entity, FieldChanges, States, StepsContext } from '../entity.ts';
import { initialChanges } from '../field-changes.ts';
import { orderKey, totalMinor } from '../orders/order.ts';
import { transition } from '../states.ts';
import {
  type Channel,
  dueNotices,
  isSuppressed,
  type Kind,
  type Language,
  type Notice,
  noticeName,
  type NotifiedOrder,
} from './notice.ts';
import { addressHash, noteAddress, readSuppression } from './suppress.ts';
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
  /** Absent: of a time when there was mail alone. */
  readonly channel?: Channel | undefined;
  /** An address, or a phone. */
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
  /** RFC 3339. */
  readonly createdAt: string;
}

/** The services of effects. */
export const MAIL = 'mail';
export const SMS = 'sms';

/** Under which a provider that knows keys sends one SMS, however often it is asked. */
export interface SendKey {
  /** Of this attempt, or of all of them for as long as a provider knows a key. */
  readonly name: string;
  /** When it was first used, epoch milliseconds. */
  readonly firstSentMs: number;
}

export interface SendCall {
  /** Names the mail or the SMS at every attempt. */
  readonly notificationId: string;
  readonly to: string;
  readonly content: MailContent;
  /** Whether a copy of it may be out already. */
  readonly isRepeat: boolean;
  readonly key: SendKey;
}

/** What was taken over. */
export interface Sent {
  readonly messageId: string;
  /** Whether all attempts under the key are this one. */
  readonly isOne: boolean;
}

/** What the steps ask of a mail server, or of a provider of SMS. */
export interface SendEffect extends OutsideEffect {
  readonly service: typeof MAIL | typeof SMS;
  readonly call: SendCall;
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
  const { id: orderId, email = '', phone = '', language = 'en', customerId } = order;
  const id = notificationId(orderId, notice);
  const values = {
    orderId,
    ...notice,
    to: notice.channel === 'sms' ? phone : email,
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
  context: StepsContext,
): StepsProtocol<FieldChanges> {
  const { site, key, attempt } = context;
  const { id, to, kind, channel = 'mail' } = notification;
  const suppression = yield* readSuppression(site, addressHash(to));
  if (isSuppressed(suppression, kind)) return { status: 'suppressed' };
  const content = yield* contentOf(site, notification);
  const tried = triedBefore(notification, context);
  const sendKey = keyOf(notification, context);
  const effect: SendEffect = {
    op: 'outside',
    service: channel === 'sms' ? SMS : MAIL,
    call: { notificationId: id, to, content, isRepeat: tried.copies > 0, key: sendKey },
  };
  const ended = { attempts: tried.attempts + 1, copies: tried.copies };
  try {
    const { messageId, isOne } = (yield effect) as Sent;
    // The notification's own key was that of every attempt before, so those were this one.
    const copies = isOne && sendKey.name === id ? 0 : ended.copies;
    return { status: 'sent', messageId, sentMs: site.now(), detail: null, ...ended, copies };
  } catch (error) {
    if (error instanceof SmsOptedOutError) {
      yield* noteAddress(site, { hash: addressHash(to), noted: 'hard', name: id });
      return { status: 'suppressed', detail: shown(error), ...ended };
    }
    if (error instanceof MailRefusedError || error instanceof SmsRefusedError)
      return { status: 'refused', detail: shown(error), ...ended };
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

/** The notification's own, where all attempts before were of this site and a provider still knows it; else one of this attempt. */
function keyOf(
  { id, site: from, createdAt }: Notification,
  { site, attempt }: Pick<StepsContext, 'site' | 'attempt'>,
): SendKey {
  const [nowMs, createdMs] = [site.now(), Date.parse(createdAt)];
  const isKnown = from === site.site && nowMs - createdMs < smsKeyMs;
  return isKnown
    ? { name: id, firstSentMs: createdMs }
    : { name: `${id}/${attempt}/${nowMs}`, firstSentMs: nowMs };
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
