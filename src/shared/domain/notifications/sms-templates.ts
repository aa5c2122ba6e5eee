/**
 * SMS as functions of what they say, in each language.
 *
 * Invariant: nothing is sent with a hole in it, and nothing that is more than `smsPartsMax` SMS. Our words and amounts are of GSM's
 * alphabet, of which an SMS has 160 characters, and not 70.
 */
import { RefusedError } from '@tandem-clouds/replication/errors';
import { smsPartsMax } from '../../bounds.ts';
import { decimalOf, digitsOf } from '../../money.ts';
import type { Kind, Language } from './notice.ts';
import { smsPartsOf } from './sms-parts.ts';
import type { MailContent } from './templates.ts';

type SmsKind = Exclude<Kind, 'refunded'>;
interface Said {
  readonly orderId: string;
  readonly total: string;
}

interface Texts {
  readonly point: '.' | ',';
  readonly text: Readonly<Record<SmsKind, (said: Said) => string>>;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    point: '.',
    text: {
      paid: ({ orderId, total }) => `Your order ${orderId} is paid: ${total}. Thank you.`,
      declined: ({ orderId }) => `The payment of your order ${orderId} was declined. Nothing was charged.`,
      cancelled: ({ orderId }) => `Your order ${orderId} is cancelled. Nothing was charged.`,
      expired: ({ orderId }) => `Your order ${orderId} was not paid in time and has expired.`,
      fulfilled: ({ orderId }) => `Your order ${orderId} is on its way.`,
    },
  },
  de: {
    point: ',',
    text: {
      paid: ({ orderId, total }) => `Ihre Bestellung ${orderId} ist bezahlt: ${total}. Vielen Dank.`,
      declined: ({ orderId }) =>
        `Die Zahlung Ihrer Bestellung ${orderId} wurde abgelehnt. Es wurde nichts belastet.`,
      cancelled: ({ orderId }) => `Ihre Bestellung ${orderId} ist storniert. Es wurde nichts belastet.`,
      expired: ({ orderId }) =>
        `Ihre Bestellung ${orderId} wurde nicht rechtzeitig bezahlt und ist verfallen.`,
      fulfilled: ({ orderId }) => `Ihre Bestellung ${orderId} ist unterwegs.`,
    },
  },
};

/** @param name Who writes. @throws RefusedError */
export function renderSms({ kind, language, order }: MailContent, name: string): string {
  const { orderId, totalMinor, currency } = order;
  if (kind === 'refunded') throw new RefusedError('no SMS is sent about a refund');
  if (orderId === '' || !Number.isSafeInteger(totalMinor))
    throw new RefusedError(`an SMS of the kind ${kind} has no order.orderId or no order.totalMinor`);
  const { point, text } = TEXTS[language];
  const total = `${decimalOf(totalMinor, digitsOf(currency)).replace('.', point)} ${currency}`;
  const sms = `${name}: ${text[kind]({ orderId, total })}`;
  const parts = smsPartsOf(sms);
  if (parts > smsPartsMax)
    throw new RefusedError(`the text is ${parts} SMS, and ${smsPartsMax} are sent at most`);
  return sms;
}
