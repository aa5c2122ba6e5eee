/**
 * Sends events to a queue of Service Bus by AMQP, one after the other, until each has been accepted.
 *
 * Invariant: an event is taken out of the store when the queue has accepted it, and not before; what fails is tried again,
 * so an event may arrive twice, with the same message id.
 * @see https://learn.microsoft.com/azure/event-grid/handler-service-bus
 */
import rhea, { type Connection, type Sender } from 'rhea';
import type { BlobEvent } from './events.ts';
import type { Store } from './store.ts';

export interface EventSubscription {
  /** Of a namespace on this machine: as the Service Bus emulator gives it. */
  readonly connectionString: string;
  readonly queue: string;
}

const RETRY_MS = 200;
const SUBSCRIPTION = 'local';

export class EventSender {
  readonly #store: Store;
  readonly #subscription: EventSubscription;
  readonly #connection: Connection;
  readonly #sender: Sender;
  #inFlight: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(store: Store, subscription: EventSubscription) {
    this.#store = store;
    this.#subscription = subscription;
    const { host, port } = addressOf(subscription.connectionString);
    this.#connection = rhea.create_container().connect({
      host,
      port,
      username: 'anonymous',
      initial_reconnect_delay: RETRY_MS,
      max_reconnect_delay: 10 * RETRY_MS,
    });
    this.#sender = this.#connection.open_sender(subscription.queue);
    this.#connection.on('error', () => undefined);
    // Without a listener of its own, each of these would be thrown.
    for (const event of ['connection_error', 'sender_error', 'session_error', 'protocol_error'])
      this.#connection.on(event, () => undefined);
    this.#connection.on('sendable', () => this.send());
    this.#connection.on('disconnected', () => (this.#inFlight = undefined));
    this.#connection.on('accepted', () => this.#accepted());
    for (const refusal of ['rejected', 'released', 'modified'])
      this.#connection.on(refusal, () => this.#tryAgain());
  }

  get subscription(): EventSubscription {
    return this.#subscription;
  }

  /** The oldest event, unless one is on its way. */
  send(): void {
    if (this.#isClosed || this.#inFlight !== undefined || !this.#sender.sendable()) return;
    const [event] = this.#store.events.values();
    if (event === undefined) return;
    this.#inFlight = event.id;
    this.#sender.send(messageOf(event));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (!this.#connection.is_open()) {
      // It would go on trying.
      (this.#connection as unknown as { set_reconnect(wanted: boolean): void }).set_reconnect(false);
      this.#connection.socket?.destroy();
      return;
    }
    const closed = new Promise((resolve) => this.#connection.once('connection_close', resolve));
    const gone = new Promise((resolve) => this.#connection.once('disconnected', resolve));
    this.#connection.close();
    await Promise.race([closed, gone]);
  }

  #accepted(): void {
    const id = this.#inFlight;
    this.#inFlight = undefined;
    if (id !== undefined && !this.#isClosed) this.#store.commit([{ do: 'event-sent', id }]);
    this.send();
  }

  #tryAgain(): void {
    this.#inFlight = undefined;
    this.#retry = setTimeout(() => this.send(), RETRY_MS);
    this.#retry.unref();
  }
}

/** @throws TypeError for a text without an address on this machine. */
function addressOf(connectionString: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] =
    /(?:^|;)Endpoint=sb:\/\/(127\.0\.0\.1|localhost):(\d+)/.exec(connectionString) ?? [];
  if (host === '') throw new TypeError('connectionString: the one of a Service Bus emulator is needed');
  return { host, port: Number(port) };
}

function messageOf(event: BlobEvent): rhea.Message {
  return {
    message_id: event.id,
    content_type: 'application/json',
    body: rhea.message.data_section(Buffer.from(JSON.stringify(event))) as unknown,
    application_properties: {
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': SUBSCRIPTION.toUpperCase(),
      'aeg-delivery-count': '0',
      'aeg-data-version': event.dataVersion,
      'aeg-metadata-version': event.metadataVersion,
      'aeg-output-event-id': event.id,
    },
  };
}
