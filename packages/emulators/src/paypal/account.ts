/**
 * One business account in the sandbox: its objects, its clock, its events.
 *
 * Invariant: whatever changes an object also makes the events about it, and whatever moves money a movement.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Documents } from '../core/documents.ts';
import type { WebhookSender } from '../core/webhook-sender.ts';
import { notFound } from './errors.ts';
import type { Capture, Collections, Movement } from './model.ts';
import { iso } from './time.ts';

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789';
const ID_CHARS = 17;

export interface PayPalEvent {
  readonly id: string;
  readonly event_version: '1.0';
  readonly create_time: string;
  readonly resource_type: string;
  readonly resource_version: '2.0';
  readonly event_type: string;
  readonly summary: string;
  readonly resource: unknown;
  readonly links: readonly [];
}

export class Account {
  readonly documents: Documents;
  readonly now: () => number;
  /** Whether an invoice is paid once: https://developer.paypal.com/api/rest/reference/orders/v2/errors/, DUPLICATE_INVOICE_ID. */
  readonly uniqueInvoices: boolean;
  readonly #sender: WebhookSender;
  /** Where this server is reached. */
  base = '';

  constructor(
    documents: Documents,
    now: () => number,
    options: { sender: WebhookSender; uniqueInvoices: boolean },
  ) {
    this.documents = documents;
    this.now = now;
    this.#sender = options.sender;
    this.uniqueInvoices = options.uniqueInvoices;
  }

  /** @throws PayPalError when there is none. */
  get<Name extends keyof Collections>(name: Name, id: string): Collections[Name] {
    const found = this.documents.get<Collections[Name]>(name, id);
    if (found === undefined) throw notFound();
    return found;
  }

  /** Oldest first. */
  all<Name extends keyof Collections>(name: Name): readonly Collections[Name][] {
    return this.documents.all<Collections[Name]>(name);
  }

  put<Name extends keyof Collections>(name: Name, value: Collections[Name]): Collections[Name] {
    this.documents.put(name, value.id, value);
    return value;
  }

  emit(type: string, resourceType: string, resource: unknown): void {
    const event: PayPalEvent = {
      id: `WH-${newId()}-${newId()}`,
      event_version: '1.0',
      create_time: iso(this.now()),
      resource_type: resourceType,
      resource_version: '2.0',
      event_type: type,
      summary: type.toLowerCase().replaceAll('.', ' '),
      resource,
      links: [],
    };
    this.documents.put('events', event.id, event);
    for (const { id, url, types } of this.all('webhooks')) {
      if (types.includes('*') || types.includes(type))
        this.#sender.add({
          id: `${event.id}/${id}/${randomUUID()}`,
          url,
          type,
          body: JSON.stringify(event),
          endpointId: id,
        });
    }
  }

  /** Of a capture, with what its order is called. */
  move(
    capture: Capture,
    { code, minor, feeMinor = 0 }: Pick<Movement, 'code' | 'minor'> & { feeMinor?: number },
    id = newId(),
  ): Movement {
    const { customId, invoiceId } = this.get('orders', capture.orderId);
    const reference = id === capture.id ? undefined : capture.id;
    const { currency } = capture;
    return this.put('movements', {
      id,
      code,
      reference,
      minor,
      feeMinor,
      currency,
      customId,
      invoiceId,
      atMs: this.now(),
    });
  }
}

/** 17 letters and digits. */
export function newId(): string {
  return [...randomBytes(ID_CHARS)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}
