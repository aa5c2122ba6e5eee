/**
 * One account in test mode: its objects, its clock, and what happens to them.
 *
 * Invariant: whatever changes an object also makes the events about it, and whatever moves money a balance transaction.
 */
import { randomBytes } from 'node:crypto';
import type { Documents } from '../core/documents.ts';
import type { WebhookSender } from '../core/webhook-sender.ts';
import { missing } from './errors.ts';
import { type BalanceTransaction, COLLECTIONS, type StripeEvent, type WebhookEndpoint } from './model.ts';

export const API_VERSION = '2026-10-28.endive';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_CHARS = 24;

type Kind = keyof typeof COLLECTIONS;

interface Stored {
  readonly id: string;
  readonly object: Kind;
}

export class Account {
  readonly documents: Documents;
  readonly now: () => number;
  readonly sender: WebhookSender;
  /** Of the request that is served. */
  idempotencyKey: string | null = null;
  apiVersion = API_VERSION;
  /** Where this server is reached, for the page of 3-D Secure. */
  base = '';

  constructor(documents: Documents, now: () => number, sender: WebhookSender) {
    this.documents = documents;
    this.now = now;
    this.sender = sender;
  }

  get seconds(): number {
    return Math.floor(this.now() / 1_000);
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the collection says what its objects are
  find<Value>(kind: Kind, id: string): Value | undefined {
    return this.documents.get<Value>(COLLECTIONS[kind], id);
  }

  /** @throws StripeError when there is none. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the collection says what its objects are
  get<Value>(kind: Kind, id: string, param = 'id'): Value {
    const found = this.find<Value>(kind, id);
    if (found === undefined) throw missing(kind, id, kind === 'payment_intent' ? 'intent' : param);
    return found;
  }

  /** Newest first, as lists are. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the collection says what its objects are
  all<Value>(kind: Kind): readonly Value[] {
    return this.documents.all<Value>(COLLECTIONS[kind]).toReversed();
  }

  put<Value extends Stored>(value: Value): Value {
    this.documents.put(COLLECTIONS[value.object], value.id, value);
    return value;
  }

  /** Makes an event and hands it to every endpoint that asks for its type. */
  emit(type: string, object: unknown): void {
    const endpoints = this.documents
      .all<WebhookEndpoint>(COLLECTIONS.webhook_endpoint)
      .filter(({ enabled_events: types }) => types.includes('*') || types.includes(type));
    const event: StripeEvent = {
      id: newId('evt'),
      object: 'event',
      api_version: this.apiVersion,
      created: this.seconds,
      data: { object },
      livemode: false,
      pending_webhooks: endpoints.length,
      request: { id: null, idempotency_key: this.idempotencyKey },
      type,
    };
    this.put(event);
    for (const { id, url } of endpoints) {
      const body = JSON.stringify(event, null, 2);
      this.sender.add({ id: `${event.id}/${id}`, url, type, body, endpointId: id });
    }
  }

  move(
    entry: Pick<BalanceTransaction, 'amount' | 'currency' | 'fee' | 'source' | 'type' | 'reporting_category'>,
  ): BalanceTransaction {
    const { amount, currency, fee } = entry;
    const description = 'Stripe processing fees';
    return this.put({
      id: newId('txn'),
      object: 'balance_transaction',
      available_on: this.seconds,
      created: this.seconds,
      description: null,
      exchange_rate: null,
      fee_details: fee === 0 ? [] : [{ amount: fee, currency, description, type: 'stripe_fee' }],
      net: amount - fee,
      status: 'available',
      ...entry,
    });
  }

  balance(currency: string): number {
    return this.all<BalanceTransaction>('balance_transaction')
      .filter((one) => one.currency === currency)
      .reduce((total, { net }) => total + net, 0);
  }
}

export function newId(prefix: string): string {
  const letters = [...randomBytes(ID_CHARS)].map((byte) => LETTERS[byte % LETTERS.length]);
  return `${prefix}_${letters.join('')}`;
}
