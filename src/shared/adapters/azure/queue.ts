/**
 * Sending to Service Bus.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
 */
import type { ServiceBusClient, ServiceBusMessage, ServiceBusSender as Sender } from '@azure/service-bus';
import { TooLargeError } from '../../errors.ts';
import type { OutboundMessage, QueueSender, SendOutcome } from '../../ports/queue.ts';
import { packBatches, sendInHalves, type Batch } from '../pack-batches.ts';
import { queueError } from './errors.ts';

/** Standard and Basic take 256 kB a message and a batch, wrapping included. */
const BATCH_BYTES_MAX = 250 * 1024;
/** AMQP wraps each message of a batch: about 200 bytes with our properties. */
const MESSAGE_OVERHEAD_BYTES = 256;
const BATCH_MESSAGES_MAX = 100;

export class ServiceBusSender implements QueueSender {
  readonly #client: ServiceBusClient;
  readonly #queue: string;
  #sender: Sender | undefined;

  constructor(client: ServiceBusClient, queue: string) {
    this.#client = client;
    this.#queue = queue;
  }

  async send(messages: readonly OutboundMessage[]): Promise<readonly SendOutcome[]> {
    const outcomes: SendOutcome[] = messages.map(() => undefined);
    const { batches, tooLarge } = packBatches(messages, {
      messagesMax: BATCH_MESSAGES_MAX,
      bytesMax: BATCH_BYTES_MAX,
      overheadBytes: MESSAGE_OVERHEAD_BYTES,
    });
    for (const index of tooLarge) {
      outcomes[index] = new TooLargeError('Service Bus takes at most 240 kB of body a message');
    }
    await Promise.all(batches.map((batch) => sendInHalves(batch, outcomes, (part) => this.#sendBatch(part))));
    return outcomes;
  }

  async #sendBatch(batch: Batch): Promise<void> {
    try {
      await this.#open().sendMessages(batch.map(({ message }) => toMessage(message)));
    } catch (error) {
      throw queueError(error);
    }
  }

  async ping(): Promise<void> {
    try {
      await this.#open().createMessageBatch();
    } catch (error) {
      throw queueError(error);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #open(): Sender {
    this.#sender ??= this.#client.createSender(this.#queue);
    return this.#sender;
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
