/**
 * Mails as functions of what they say: subject, text and HTML, in each language.
 *
 * Invariant: nothing is sent with a hole in it. Every text exists in every language, which the compiler checks; a value that
 * is missing is refused with its name; what a customer or a shopkeeper has written is text in HTML, and never in a header.
 */
import { RefusedError } from '@tandem-clouds/replication/errors';
import { shownMoney } from '../../money.ts';
import { type Html, markup } from '../markup.ts';
import type { Kind, Language } from './notice.ts';

export interface OrderFacts {
  readonly orderId: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly totalMinor: number;
  readonly lines: readonly { readonly name: string; readonly units: number; readonly priceMinor: number }[];
}

/** What a mail says. */
export type MailContent =
  | { readonly kind: Exclude<Kind, 'refunded'>; readonly language: Language; readonly order: OrderFacts }
  | {
      readonly kind: 'refunded';
      readonly language: Language;
      readonly order: OrderFacts;
      readonly refundMinor: number;
    };

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Said {
  readonly orderId: string;
  readonly total: string;
  /** Empty but in a mail about a refund. */
  readonly refund: string;
}

interface Texts {
  /** BCP 47: of numbers and dates. */
  readonly locale: string;
  readonly subject: Readonly<Record<Kind, (said: Said) => string>>;
  readonly body: Readonly<Record<Kind, (said: Said) => string>>;
  readonly placed: (at: string) => string;
  readonly total: string;
  readonly unsubscribe: string;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    locale: 'en-GB',
    subject: {
      paid: ({ orderId }) => `Your order ${orderId} is paid`,
      declined: ({ orderId }) => `The payment of your order ${orderId} was declined`,
      cancelled: ({ orderId }) => `Your order ${orderId} is cancelled`,
      expired: ({ orderId }) => `Your order ${orderId} has expired`,
      refunded: ({ orderId }) => `A refund for your order ${orderId}`,
      fulfilled: ({ orderId }) => `Your order ${orderId} is on its way`,
    },
    body: {
      paid: ({ total }) => `Thank you. We have received your payment of ${total}.`,
      declined: () => 'Your payment was declined. Nothing was charged, and the goods are no longer reserved.',
      cancelled: () => 'Your order is cancelled. Nothing was charged, and the goods are no longer reserved.',
      expired: () =>
        'Your order was not paid in time. Nothing was charged, and the goods are no longer reserved.',
      refunded: ({ refund }) => `We are paying back ${refund}, by the way in which you paid.`,
      fulfilled: () => 'Your goods have left our house.',
    },
    placed: (at) => `Ordered on ${at}`,
    total: 'Total',
    unsubscribe: 'No more mails about what has been sent',
  },
  de: {
    locale: 'de-DE',
    subject: {
      paid: ({ orderId }) => `Ihre Bestellung ${orderId} ist bezahlt`,
      declined: ({ orderId }) => `Die Zahlung Ihrer Bestellung ${orderId} wurde abgelehnt`,
      cancelled: ({ orderId }) => `Ihre Bestellung ${orderId} ist storniert`,
      expired: ({ orderId }) => `Ihre Bestellung ${orderId} ist verfallen`,
      refunded: ({ orderId }) => `Eine Erstattung zu Ihrer Bestellung ${orderId}`,
      fulfilled: ({ orderId }) => `Ihre Bestellung ${orderId} ist unterwegs`,
    },
    body: {
      paid: ({ total }) => `Vielen Dank. Wir haben Ihre Zahlung von ${total} erhalten.`,
      declined: () =>
        'Ihre Zahlung wurde abgelehnt. Es wurde nichts belastet, und die Ware ist nicht mehr reserviert.',
      cancelled: () =>
        'Ihre Bestellung ist storniert. Es wurde nichts belastet, und die Ware ist nicht mehr reserviert.',
      expired: () =>
        'Ihre Bestellung wurde nicht rechtzeitig bezahlt. Es wurde nichts belastet, und die Ware ist nicht mehr reserviert.',
      refunded: ({ refund }) => `Wir erstatten Ihnen ${refund} auf dem Weg, auf dem Sie bezahlt haben.`,
      fulfilled: () => 'Ihre Ware hat unser Haus verlassen.',
    },
    placed: (at) => `Bestellt am ${at}`,
    total: 'Summe',
    unsubscribe: 'Keine Nachrichten über Versandtes mehr',
  },
};

/**
 * @param unsubscribeUrl Of a mail that its reader may do without.
 * @throws RefusedError that names the value that is missing.
 */
export function renderMail(content: MailContent, unsubscribeUrl?: string): RenderedMail {
  const missing = missingIn(content);
  if (missing !== undefined) throw new RefusedError(`a mail of the kind ${content.kind} has no ${missing}`);
  const { kind, language, order } = content;
  const texts = TEXTS[language];
  const money = (amountMinor: number): string =>
    shownMoney({ amountMinor, currency: order.currency }, texts.locale);
  const said: Said = {
    orderId: order.orderId,
    total: money(order.totalMinor),
    refund: content.kind === 'refunded' ? money(content.refundMinor) : '',
  };
  const subject = oneLine(texts.subject[kind](said));
  const body = texts.body[kind](said);
  const placed = texts.placed(shownMoment(order.createdAt, texts.locale));
  const lines = order.lines.map(({ name, units, priceMinor }) => ({
    name: `${units} × ${name}`,
    price: money(units * priceMinor),
  }));
  return {
    subject,
    text: [
      ...[body, '', placed, ''],
      ...lines.map(({ name, price }) => `${oneLine(name)}  ${price}`),
      ...[`${texts.total}  ${said.total}`, ''],
      ...(unsubscribeUrl === undefined ? [] : [`${texts.unsubscribe}: ${unsubscribeUrl}`, '']),
    ].join('\n'),
    html: page(language, subject, [
      paragraph(body),
      paragraph(placed),
      markup`<table>\n${rows([...lines, { name: texts.total, price: said.total }])}</table>\n`,
      ...(unsubscribeUrl === undefined
        ? []
        : [markup`<p><a href="${unsubscribeUrl}">${texts.unsubscribe}</a></p>\n`]),
    ]),
  };
}

const paragraph = (text: string): Html => markup`<p>${text}</p>\n`;

function rows(lines: readonly { readonly name: string; readonly price: string }[]): readonly Html[] {
  return lines.map(({ name, price }) => markup`<tr><td>${name}</td><td align="right">${price}</td></tr>\n`);
}

function page(language: Language, title: string, parts: readonly Html[]): string {
  return markup`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${title}</title></head>
<body>
<h1>${title}</h1>
${parts}</body>
</html>
`.text;
}

/** The first value that is not there: a text without characters, a number that is none. */
function missingIn(content: MailContent): string | undefined {
  const { orderId, createdAt, currency, totalMinor, lines } = content.order;
  const wanted: Readonly<Record<string, unknown>> = {
    ...{ language: content.language },
    ...{ 'order.orderId': orderId, 'order.createdAt': createdAt, 'order.currency': currency },
    ...{ 'order.totalMinor': totalMinor, 'order.lines': lines.length > 0 ? lines.length : undefined },
    ...Object.fromEntries(
      lines.flatMap((line, i) =>
        Object.entries({ name: line.name, units: line.units, priceMinor: line.priceMinor }).map(
          ([field, value]) => [`order.lines[${i}].${field}`, value] as const,
        ),
      ),
    ),
    ...(content.kind === 'refunded' && { refundMinor: content.refundMinor }),
  };
  return Object.entries(wanted).find(([, value]) =>
    typeof value === 'string' ? value === '' : !Number.isSafeInteger(value),
  )?.[0];
}

/** A value with line ends in it would begin another header, or another line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\u0085\u2028\u2029]+/g, ' ');
}

/** @throws RefusedError for what is no moment. */
function shownMoment(iso: string, locale: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) throw new RefusedError('a mail has no order.createdAt that is a moment');
  return new Intl.DateTimeFormat(locale, {
    ...{ year: 'numeric', month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit' },
    ...{ timeZone: 'UTC', timeZoneName: 'short' },
  } as const).format(at);
}
