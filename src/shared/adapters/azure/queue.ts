/**
 * Sending to Service Bus.
 *
 * Invariant: no message is given to a connection that the other side may have given up. The broker closes idle links and
 * connections, what lies between forgets them, and a function that was frozen hears of neither before it sends: the SDK
 * would hand the message to a dead link and wait for an answer until its time-out, and nobody would know what became
 * of it.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
 */
import type { ServiceBusClient, ServiceBusMessage, ServiceBusSender as Sender } from '@azure/service-bus';
import { AmbiguousError, TooLargeError } from '@tandem-clouds/replication/errors';
import type { OutboundMessage, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import { connectionIdleMaxMs } from '../../bounds.ts';
import { type Batch, packBatches, sendInHalves } from '../pack-batches.ts';
import { queueError } from './errors.ts';

/** Standard and Basic take 256 kB a message and a batch, wrapping included. */
const BATCH_BYTES_MAX = 250 * 1024;
/** AMQP wraps each message of a batch: about 200 bytes with our properties. */
const MESSAGE_OVERHEAD_BYTES = 256;
const BATCH_MESSAGES_MAX = 100;

export class ServiceBusSender implements QueueSender {
  readonly #connect: () => ServiceBusClient;
  readonly #queue: string;
  readonly #now: () => number;
  #open: { readonly client: ServiceBusClient; readonly sender: Sender } | undefined;
  #usedAtMs = 0;

  /** @param now Epoch milliseconds; goes on while the process is frozen. */
  constructor(connect: () => ServiceBusClient, queue: string, now: () => number = Date.now) {
    this.#connect = connect;
    this.#queue = queue;
    this.#now = now;
  }

  async send(messages: readonly OutboundMessage[]): Promise<readonly SendResult[]> {
    const results: SendResult[] = messages.map(() => undefined);
    const { batches, tooLarge } = packBatches(messages, {
      messagesMax: BATCH_MESSAGES_MAX,
      bytesMax: BATCH_BYTES_MAX,
      overheadBytes: MESSAGE_OVERHEAD_BYTES,
    });
    for (const index of tooLarge) {
      results[index] = new TooLargeError('Service Bus takes at most 240 kB of body a message');
    }
    await Promise.all(batches.map((batch) => sendInHalves(batch, results, (part) => this.#sendBatch(part))));
    return results;
  }

  async #sendBatch(batch: Batch): Promise<void> {
    await this.#use((sender) => sender.sendMessages(batch.map(({ message }) => toMessage(message))));
  }

  async ping(): Promise<void> {
    await this.#use(async (sender) => {
      await sender.createMessageBatch();
    });
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.client.close();
  }

  async #use(call: (sender: Sender) => Promise<void>): Promise<void> {
    const used = this.#sender();
    try {
      await call(used);
      this.#usedAtMs = this.#now();
    } catch (cause) {
      const error = queueError(cause);
      // What gave no answer may be a connection that is dead without a word.
      if (error instanceof AmbiguousError && this.#open?.sender === used) this.#discard();
      throw error;
    }
  }

  #sender(): Sender {
    const now = this.#now();
    if (Math.abs(now - this.#usedAtMs) > connectionIdleMaxMs) this.#discard();
    this.#usedAtMs = now;
    if (this.#open === undefined) {
      const client = this.#connect();
      this.#open = { client, sender: client.createSender(this.#queue) };
    }
    return this.#open.sender;
  }

  /** Closing waits for the other side's answer, so nobody waits for it. */
  #discard(): void {
    this.#open?.client.close().catch(() => undefined);
    this.#open = undefined;
  }
}

function toMessage({ body, attributes, delaySeconds }: OutboundMessage): ServiceBusMessage {
  return {
    body: Buffer.from(body),
    contentType: 'application/json',
    ...(attributes !== undefined && { applicationProperties: { ...attributes } }),
    ...(delaySeconds !== undefined && {
      scheduledEnqueueTimeUtc: new Date(Date.now() + delaySeconds * 1000),
    }),
  };
}
