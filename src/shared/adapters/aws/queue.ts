/**
 * Sending to SQS.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import {
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { TooLargeError } from '@tandem-clouds/replication/errors';
import type { OutboundMessage, QueueSender, SendResult } from '@tandem-clouds/replication/ports/queue';
import { type Batch, packBatches, sendInHalves } from '../pack-batches.ts';
import { entryError, queueError } from './errors.ts';

/** SQS takes 10 messages and 1 MiB a batch; the rest is left for attributes. */
const BATCH_MESSAGES_MAX = 10;
const BATCH_BYTES_MAX = 1_000_000;

export class SqsSender implements QueueSender {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async send(messages: readonly OutboundMessage[]): Promise<readonly SendResult[]> {
    const results: SendResult[] = messages.map(() => undefined);
    const { batches, tooLarge } = packBatches(messages, {
      messagesMax: BATCH_MESSAGES_MAX,
      bytesMax: BATCH_BYTES_MAX,
      overheadBytes: 0,
    });
    for (const index of tooLarge) results[index] = new TooLargeError('SQS takes at most 1 MiB a message');
    await Promise.all(
      batches.map((batch) => sendInHalves(batch, results, (part) => this.#sendBatch(part, results))),
    );
    return results;
  }

  async #sendBatch(batch: Batch, results: SendResult[]): Promise<void> {
    const command = new SendMessageBatchCommand({
      QueueUrl: this.#url,
      Entries: batch.map(({ index, message }) => toEntry(index, message)),
    });
    try {
      const { Failed = [] } = await this.#client.send(command);
      for (const failed of Failed) results[Number(failed.Id)] = entryError(failed);
    } catch (error) {
      throw queueError(error);
    }
  }

  async ping(): Promise<void> {
    try {
      await this.#client.send(
        new GetQueueAttributesCommand({
          QueueUrl: this.#url,
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      );
    } catch (error) {
      throw queueError(error);
    }
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}

function toEntry(index: number, message: OutboundMessage): SendMessageBatchRequestEntry {
  const attributes = Object.entries(message.attributes ?? {});
  return {
    Id: String(index),
    MessageBody: message.body,
    ...(message.delaySeconds !== undefined && { DelaySeconds: message.delaySeconds }),
    ...(attributes.length > 0 && {
      MessageAttributes: Object.fromEntries(
        attributes.map(([name, value]) => [name, { DataType: 'String', StringValue: carried(value) }]),
      ),
    }),
  };
}

/** What is not a character of XML 1.0: SQS takes it neither in a body nor in an attribute. */
const NOT_CARRIED = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/**
 * Attributes are for people: what cannot be carried is written as its number. Bodies come as they can be carried
 * (`replication/message.ts`).
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
function carried(text: string): string {
  return text.replace(NOT_CARRIED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
