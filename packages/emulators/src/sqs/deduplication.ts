/** What a FIFO queue remembers to suppress a second send: ids for five minutes, even of messages since deleted. */
import { LIMITS } from './limits.ts';

/** The first send under a deduplication id, which a repeated send is answered with. */
export interface RememberedSend {
  /** Queue, scope and id in one text. */
  readonly key: string;
  readonly messageId: string;
  readonly sequenceNumber: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
}

export class DeduplicationWindow {
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #sends = new Map<string, RememberedSend>();

  find(key: string, now: number): RememberedSend | undefined {
    this.#forget(now);
    return this.#sends.get(key);
  }

  remember(send: RememberedSend): void {
    this.#sends.delete(send.key);
    this.#sends.set(send.key, send);
  }

  all(now: number): RememberedSend[] {
    this.#forget(now);
    return [...this.#sends.values()];
  }

  #forget(now: number): void {
    for (const [key, send] of this.#sends) {
      if (send.sentAt + LIMITS.deduplicationWindowMs > now) return;
      this.#sends.delete(key);
    }
  }
}
