/**
 * Dead letters on SQS, which cannot peek: letters are received, which hides them, and made visible again.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { chunk } from '@tandem-clouds/replication/chunk';
import { deadLetterLockSeconds } from '../../bounds.ts';
import type { DeadLetter, DeadLetterBox, Sample, Verdict } from '../../ports/dead-letter-box.ts';
import { queueError } from './errors.ts';

/** SQS takes and gives ten messages a call. */
const BATCH_MAX = 10;
/** Asks every server of the queue, so that an empty answer means an empty queue. */
const WAIT_SECONDS = 1;

export class SqsDeadLetterBox implements DeadLetterBox {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #sourceOf: (arn: string) => string | undefined;

  /** @param sourceOf The queue behind an ARN; undefined for one that is not this site's. */
  constructor(client: SQSClient, url: string, sourceOf: (arn: string) => string | undefined) {
    this.#client = client;
    this.#url = url;
    this.#sourceOf = sourceOf;
  }

  scan(limit: number, see: (messages: readonly DeadLetter[]) => void): Promise<Sample> {
    return this.settle(limit, (messages) => {
      see(messages);
      return Promise.resolve({ remove: new Set(), goOn: true });
    });
  }

  async settle(
    limit: number,
    decide: (messages: readonly DeadLetter[]) => Promise<Verdict>,
  ): Promise<Sample> {
    const kept: Message[] = [];
    let scanned = 0;
    try {
      for (let goOn = true; goOn && scanned < limit;) {
        const messages = await this.#receive(Math.min(BATCH_MAX, limit - scanned));
        if (messages.length === 0) return { scanned, atLeast: false };
        scanned += messages.length;
        kept.push(...messages);
        const verdict = await decide(messages.map((message) => this.#toDeadLetter(message)));
        const isDone = ({ MessageId = '' }: Message): boolean => verdict.remove.has(MessageId);
        await this.#remove(messages.filter(isDone));
        kept.splice(kept.length - messages.length, messages.length, ...messages.filter((m) => !isDone(m)));
        goOn = verdict.goOn;
      }
      return { scanned, atLeast: true };
    } catch (error) {
      throw queueError(error);
    } finally {
      await this.#release(kept);
    }
  }

  async #receive(count: number): Promise<readonly Message[]> {
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: count,
        WaitTimeSeconds: WAIT_SECONDS,
        VisibilityTimeout: deadLetterLockSeconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp', 'DeadLetterQueueSourceArn'],
      }),
    );
    return Messages;
  }

  async #remove(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    // One that cannot be deleted comes back and may be settled again, which is harmless.
    await this.#client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
      }),
    );
  }

  /** Never fails: what cannot be released becomes visible by itself when its time is over. */
  async #release(messages: readonly Message[]): Promise<void> {
    await Promise.allSettled(
      chunk(messages, BATCH_MAX).map((batch) =>
        this.#client.send(
          new ChangeMessageVisibilityBatchCommand({
            QueueUrl: this.#url,
            Entries: batch.map(({ ReceiptHandle }, i) => ({
              Id: String(i),
              ReceiptHandle,
              VisibilityTimeout: 0,
            })),
          }),
        ),
      ),
    );
  }

  #toDeadLetter({ MessageId = '', Body = '', MessageAttributes = {}, Attributes = {} }: Message): DeadLetter {
    const text = (name: string): string | undefined => MessageAttributes[name]?.StringValue;
    const broker = this.#sourceOf(Attributes.DeadLetterQueueSourceArn ?? '');
    return {
      id: MessageId,
      source: text('source') ?? broker ?? '',
      reason: text('reason') ?? 'received_too_often',
      detail: text('detail') ?? 'SQS moved it here: it was received too often without an answer',
      body: Body,
      atMs: Number(Attributes.SentTimestamp ?? 0),
    };
  }
}
