/**
 * Sends events to a queue of Service Bus by AMQP, one after the other, until each has been accepted.
 *
 * Invariant: an event is taken out of the store when the queue has accepted it, and not before; what fails is tried again,
 * so an event may arrive twice, with the same message id. A connection is there while there is something to send.
 * @see https://learn.microsoft.com/azure/event-grid/handler-service-bus
 */
import rhea, { type Connection, type Message, type Sender } from 'rhea';
import type { BlobEvent } from './events.ts';
import type { Store } from './store.ts';

export interface EventSubscription {
  /** Of a namespace on this machine: as the Service Bus emulator gives it. */
  readonly connectionString: string;
  readonly queue: string;
}

const RETRY_MS = { first: 100, most: 5_000 };
const CLOSE_MS = 1_000;
/** As Event Grid has it, in upper case. */
const SUBSCRIPTION = 'LOCAL';

interface Link {
  readonly connection: Connection;
  readonly sender: Sender;
}

export class EventSender {
  readonly #store: Store;
  readonly #queue: string;
  readonly #address: { readonly host: string; readonly port: number };
  #link: Link | undefined;
  #inFlight: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MS.first;
  #isClosed = false;

  /** @throws TypeError for an address that is none of this machine. */
  constructor(store: Store, { connectionString, queue }: EventSubscription) {
    this.#store = store;
    this.#queue = queue;
    this.#address = addressOf(connectionString);
    this.send();
  }

  /** The oldest event, unless one is on its way. */
  send(): void {
    const [event] = this.#store.events.values();
    if (this.#isClosed || event === undefined || this.#inFlight !== undefined || this.#retry !== undefined)
      return;
    this.#link ??= this.#open();
    if (!this.#link.sender.sendable()) return;
    this.#inFlight = event.id;
    this.#link.sender.send(messageOf(event));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const connection = this.#link?.connection;
    this.#link = undefined;
    if (connection === undefined) return;
    if (!connection.is_open()) {
      connection.close();
      return;
    }
    await new Promise<void>((resolve) => {
      // Who does not answer is not waited for.
      const timer = setTimeout(resolve, CLOSE_MS);
      for (const event of ['connection_close', 'disconnected'])
        connection.once(event, () => {
          clearTimeout(timer);
          resolve();
        });
      connection.close();
    });
  }

  #open(): Link {
    const connection = rhea
      .create_container()
      .connect({ ...this.#address, username: 'anonymous', reconnect: false });
    const link = { connection, sender: connection.open_sender(this.#queue) };
    connection.on('sendable', () => this.send());
    connection.on('accepted', () => this.#accepted());
    for (const refusal of ['rejected', 'released', 'modified'])
      connection.on(refusal, () => this.#tryAgain());
    // Without a listener each of these would be thrown; what ends a link or a session ends the connection.
    for (const event of ['connection_error', 'session_error', 'sender_error', 'protocol_error', 'error'])
      connection.on(event, () => undefined);
    for (const event of ['sender_close', 'session_close'])
      connection.on(event, () => {
        if (this.#link === link) connection.close();
      });
    connection.on('disconnected', () => {
      if (this.#link !== link) return;
      this.#link = undefined;
      this.#tryAgain();
    });
    return link;
  }

  #accepted(): void {
    const id = this.#inFlight;
    this.#inFlight = undefined;
    this.#retryMs = RETRY_MS.first;
    if (id !== undefined && !this.#isClosed) this.#store.commit([{ do: 'event-sent', id }]);
    this.send();
  }

  #tryAgain(): void {
    this.#inFlight = undefined;
    if (this.#isClosed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.send();
    }, this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(RETRY_MS.most, 2 * this.#retryMs);
  }
}

/** @throws TypeError for a text without an address on this machine. */
function addressOf(connectionString: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] =
    /(?:^|;)Endpoint=sb:\/\/(127\.0\.0\.1|localhost):(\d+)/.exec(connectionString) ?? [];
  if (host === '') throw new TypeError('connectionString: the one of a Service Bus emulator is needed');
  return { host, port: Number(port) };
}

function messageOf(event: BlobEvent): Message {
  return {
    message_id: event.id,
    content_type: 'application/json',
    body: rhea.message.data_section(Buffer.from(JSON.stringify(event))) as unknown,
    application_properties: {
      'aeg-event-type': 'Notification',
      'aeg-subscription-name': SUBSCRIPTION,
      'aeg-delivery-count': '0',
      'aeg-data-version': event.dataVersion,
      'aeg-metadata-version': event.metadataVersion,
      'aeg-output-event-id': event.id,
    },
  };
}
