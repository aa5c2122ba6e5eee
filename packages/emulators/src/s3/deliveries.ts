/**
 * Notifications on their way to SQS, one after the other.
 *
 * Invariant: what was accepted with an object is delivered at least once, also after a kill: it is pending in the journal
 * until the queue has it. Only one whose queue is gone is given up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Notification } from './model.ts';
import type { S3Store } from './store.ts';

const RETRY_MS = 100;
const RETRY_MS_MAX = 5_000;

export class Deliveries {
  /** Base address of SQS; undefined: nothing can be delivered yet. */
  endpoint: string | undefined;
  readonly #store: S3Store;
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;

  constructor(store: S3Store, endpoint: string | undefined) {
    this.#store = store;
    this.endpoint = endpoint;
    store.onPending = () => this.start();
  }

  /** Delivers what is pending. */
  start(): void {
    if (this.endpoint === undefined || this.#ended.signal.aborted) return;
    this.#running ??= this.#run().then(
      () => {
        this.#running = undefined;
        if (this.#store.pending.size > 0) this.start();
      },
      (error: unknown) => {
        // The journal cannot be written: what is pending stays so, and the next event tries again.
        this.#running = undefined;
        console.error(error);
      },
    );
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (const notification of this.#store.pending.values()) {
      let waitMs = RETRY_MS;
      while (!(await this.#isOver(notification))) {
        await delay(waitMs, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
        if (this.#ended.signal.aborted) return;
        waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
      }
      if (this.#ended.signal.aborted) return;
      this.#store.delivered(notification.id);
    }
  }

  /** Delivered, or not to be delivered. */
  async #isOver({ queueArn, body }: Notification): Promise<boolean> {
    try {
      return (await this.send(queueArn, body)) !== 'later';
    } catch {
      return false;
    }
  }

  /** `gone`: there is no such queue, or it refuses the message. */
  async send(queueArn: string, body: string): Promise<'sent' | 'gone' | 'later'> {
    const [, , service, , account, name] = queueArn.split(':');
    if (this.endpoint === undefined || service !== 'sqs') return 'gone';
    const response = await fetch(this.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: JSON.stringify({
        QueueUrl: `${this.endpoint}/${account ?? ''}/${name ?? ''}`,
        MessageBody: body,
      }),
      signal: this.#ended.signal,
    });
    const text = await response.text();
    if (response.ok) return 'sent';
    return text.includes('QueueDoesNotExist') || text.includes('InvalidMessageContents') ? 'gone' : 'later';
  }
}
