/**
 * The SQS trigger of one function: receives, invokes, deletes what was handled.
 *
 * Invariant: a message is deleted only after an invocation that handled it. Everything else stays in the queue
 * and comes back when its visibility times out, as behind a Lambda event source mapping.
 *
 * One receiver with several batches in flight gives larger batches than several receivers that each pick up a
 * message, and the long poll returns as soon as there is one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { batchVerdict, toSqsEvent } from './sqs-event.ts';

export interface QueuePollerOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly region: string;
  /** At most 10. */
  readonly batchSize: number;
  /** Batches in flight at the same time. */
  readonly concurrency: number;
  /** Whether the answer's `batchItemFailures` count. */
  readonly partialFailures: boolean;
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** Called when the queue is gone: an emulator without a data folder has restarted. */
  readonly recreate: () => Promise<unknown>;
  readonly report: (message: string) => void;
}

/** SQS allows 20 s at most. */
const WAIT_SECONDS = 20;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

export class QueuePoller {
  readonly #options: QueuePollerOptions;
  readonly #stopping = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;

  constructor(options: QueuePollerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Receives nothing more, and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await Promise.all(this.#inFlight);
  }

  async #run(): Promise<void> {
    let backoffMs = BACKOFF_MIN_MS;
    while (!this.#stopped()) {
      if (this.#inFlight.size >= this.#options.concurrency) {
        await Promise.race(this.#inFlight);
        continue;
      }
      try {
        const messages = await this.#receive();
        if (messages.length > 0) this.#dispatch(messages);
        backoffMs = BACKOFF_MIN_MS;
      } catch (error) {
        if (this.#stopped()) return;
        if (backoffMs === BACKOFF_MIN_MS)
          this.#options.report(`receive failed, trying again: ${describe(error)}`);
        await this.#recover(error, backoffMs);
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      }
    }
  }

  #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #receive(): Promise<Message[]> {
    const { client, queueUrl, batchSize } = this.#options;
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: batchSize,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: this.#stopping.signal },
    );
    return Messages;
  }

  async #recover(error: unknown, backoffMs: number): Promise<void> {
    await delay(backoffMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    if (this.#stopped()) return;
    if (!(error instanceof Error) || !/QueueDoesNotExist|NonExistentQueue/.test(error.name)) return;
    await this.#options.recreate().catch((cause: unknown) => {
      this.#options.report(`queue cannot be created again: ${describe(cause)}`);
    });
  }

  #dispatch(messages: readonly Message[]): void {
    const batch = this.#handle(messages)
      .catch((error: unknown) => {
        // What was handled and could not be deleted comes again: harmless, delivery is at least once.
        this.#options.report(`delete failed: ${describe(error)}`);
      })
      .finally(() => this.#inFlight.delete(batch));
    this.#inFlight.add(batch);
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    const handled = await this.#invoke(messages);
    if (handled.length === 0) return;
    const { client, queueUrl } = this.#options;
    const { Failed = [] } = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: handled.map((message, index) => ({
          Id: String(index),
          ReceiptHandle: message.ReceiptHandle,
        })),
      }),
    );
    for (const { Message: why, Code } of Failed)
      this.#options.report(`delete failed: ${Code ?? ''} ${why ?? ''}`);
  }

  /** The messages that may be deleted. */
  async #invoke(messages: readonly Message[]): Promise<readonly Message[]> {
    const { invoke, partialFailures, queueArn, region, report } = this.#options;
    let response: unknown;
    try {
      response = await invoke(toSqsEvent(messages, { queueArn, region }));
    } catch (error) {
      report(`invocation failed, ${messages.length} messages stay in the queue: ${describe(error)}`);
      return [];
    }
    if (!partialFailures) return messages;
    const verdict = batchVerdict(response, new Set(messages.map((message) => message.MessageId ?? '')));
    switch (verdict.kind) {
      case 'handled':
        return messages.filter((message) => !verdict.failed.has(message.MessageId ?? ''));
      case 'refused':
        report(`answer refused, ${messages.length} messages stay in the queue: ${verdict.reason}`);
        return [];
    }
  }
}
