/**
 * What becomes of an event that a payment provider sends.
 *
 * Invariant: an event is a reason to look at a payment again, and nothing else: it says nothing that is believed, so one that
 * is doubled, late, out of order or about another matter does no harm. It is asked for again only while the order that it
 * names may be on its way to this site.
 */
import { NotYetHereError } from '@tandem-clouds/replication/errors';
import { orderArrivesMs } from '../../bounds.ts';
import { NotFoundError, RefusedByRuleError } from '../../errors.ts';
import type { PaymentGateway } from '../../ports/payment-provider.ts';
import type { DeclaredError } from '../entity.ts';
import { ID_PATTERN } from '../json-schema.ts';
import { paymentKey } from '../orders/payment.ts';
import type { WritableRecords } from '../routes/route-records.ts';
import { RuleError } from '../rule-error.ts';

/** What a route refuses an event by. */
export const eventErrors = {
  other_provider: { title: 'This site takes its payments elsewhere', status: 404 },
  event_unsigned: { title: 'The event has no signature', status: 400 },
  event_forged: { title: 'The signature of the event does not hold', status: 400 },
  event_stale: { title: 'The event was signed too long ago', status: 400 },
  event_malformed: { title: 'It is no event', status: 400 },
  event_too_large: { title: 'The event is larger than any of the provider', status: 413 },
} as const satisfies Readonly<Record<string, DeclaredError>>;

/** What begins the keys of orders. */
const ORDER_KEY = paymentKey('');
const ID = new RegExp(ID_PATTERN);

/** The order that a key belongs to; undefined for a key that is none of an order. */
export function orderIdOf(key: string | null): string | undefined {
  if (key?.startsWith(ORDER_KEY) !== true) return undefined;
  const id = key.slice(ORDER_KEY.length);
  return ID.test(id) ? id : undefined;
}

export interface GivenEvent {
  /** Whose route it came to. */
  readonly provider: PaymentGateway['name'];
  readonly gateway: PaymentGateway;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: string;
  readonly now: Date;
  /** Orders of everybody, whose action `check` looks at the payment again; undefined where there are none. */
  readonly orders: Pick<WritableRecords, 'act'> | undefined;
}

/**
 * Returns when the event needs not come again.
 * @throws RuleError with a code of `eventErrors`; NotYetHereError when it is to come again.
 */
export async function takeEvent(given: GivenEvent): Promise<void> {
  const { provider, gateway, headers, rawBody, now, orders } = given;
  if (gateway.name !== provider) throw new RuleError('other_provider');
  const reading = await gateway.readWebhook(headers, rawBody);
  if ('refusal' in reading) throw new RuleError(`event_${reading.refusal}`);
  const { id, kind, key, atMs } = reading.event;
  const orderId = orderIdOf(key);
  // Of a charge the provider reports each stage; what changes nothing for an order is not written.
  if (orderId === undefined || kind === 'other') return;
  try {
    if (orders === undefined) throw new NotFoundError(`there is no order ${orderId}`);
    await orders.act(orderId, 'check', { event: id });
  } catch (error) {
    // Of a state that has nothing to look at: it will not have more when the event comes again.
    if (error instanceof RefusedByRuleError) return;
    if (!(error instanceof NotFoundError)) throw error;
    if (now.getTime() - atMs < orderArrivesMs)
      throw new NotYetHereError(`the order ${orderId} has not arrived here`, []);
  }
}
