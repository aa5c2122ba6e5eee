/**
 * Sends events to the addresses that asked for them, and again until each has been taken.
 *
 * Invariant: an event is delivered at least once and in no order, as by the services; a fault rule makes that happen. Rules
 * name the operation `deliver` and the type of the event: `duplicate` sends it twice, `error` loses an attempt, `drop-ack`
 * delivers it and loses the answer, so that it comes again, `latency` and `reorder` hold it back.
 *
 * Nothing leaves this machine.
 */
import type { Documents } from './documents.ts';
import type { Faults } from './faults.ts';

const COLLECTION = 'deliveries';
const SEND_MS = 10_000;
/** Ours; the services say three days, and not when. */
const RETRY_MS = 5_000;
const RETRY_FACTOR = 4;
const RETRY_MAX_MS = 6 * 3_600_000;
const GIVE_UP_MS = 3 * 86_400_000;

export interface Delivery {
  readonly id: string;
  readonly url: string;
  readonly type: string;
  readonly body: string;
  /** What the address was registered under. */
  readonly endpointId: string;
  readonly bornMs: number;
  readonly dueMs: number;
  readonly attempts: number;
  /** It has been held back already. */
  readonly held?: boolean;
}

export interface WebhookSenderOptions {
  readonly documents: Documents;
  readonly faults: Faults;
  readonly now: () => number;
  /** Of one attempt; undefined when the endpoint is gone. */
  readonly headersOf: (delivery: Delivery, sentAtMs: number) => Readonly<Record<string, string>> | undefined;
  /** False with a clock of one's own: then only `deliver` sends. */
  readonly byTimer: boolean;
  readonly random?: () => number;
}

export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<number> | undefined;
  #closed = false;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Not yet delivered, nor given up. */
  get pending(): Delivery[] {
    return [...this.#options.documents.all<Delivery>(COLLECTION)];
  }

  add(delivery: Pick<Delivery, 'id' | 'url' | 'type' | 'body' | 'endpointId'>): void {
    const nowMs = this.#options.now();
    this.#put({ ...delivery, bornMs: nowMs, dueMs: nowMs, attempts: 0 });
    this.#schedule();
  }

  /** Sends what is due by the clock, until nothing is. @returns How many deliveries were taken. */
  deliver(): Promise<number> {
    this.#running ??= this.#deliver().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #deliver(): Promise<number> {
    const { now, documents } = this.#options;
    let taken = 0;
    for (;;) {
      if (this.#closed) return taken;
      const due = this.pending.filter(({ dueMs }) => dueMs <= now()).sort((a, b) => a.dueMs - b.dueMs);
      if (due.length === 0) return taken;
      for (const delivery of due) if (await this.#attempt(delivery)) taken += 1;
      documents.commit();
    }
  }

  async #attempt(delivery: Delivery): Promise<boolean> {
    const { faults, now, headersOf, documents, random = Math.random } = this.#options;
    const { error, dropAck, duplicate, latencyMs, reorderMs } = faults.hit('deliver', delivery.type);
    const heldMs = latencyMs + Math.floor(reorderMs * random());
    if (delivery.held !== true && heldMs > 0) {
      this.#put({ ...delivery, held: true, dueMs: now() + heldMs });
      return false;
    }
    const headers = headersOf(delivery, now());
    if (headers === undefined) {
      documents.remove(COLLECTION, delivery.id);
      return false;
    }
    let isTaken = error === undefined && (await post(delivery, headers));
    if (isTaken && duplicate) isTaken = await post(delivery, headers);
    if (isTaken && !dropAck) {
      documents.remove(COLLECTION, delivery.id);
      return true;
    }
    this.#again(delivery);
    return false;
  }

  #again(delivery: Delivery): void {
    const { now, documents } = this.#options;
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MS * RETRY_FACTOR ** delivery.attempts);
    const dueMs = now() + waitMs;
    if (dueMs - delivery.bornMs > GIVE_UP_MS) documents.remove(COLLECTION, delivery.id);
    else this.#put({ ...delivery, attempts: delivery.attempts + 1, dueMs });
  }

  #put(delivery: Delivery): void {
    this.#options.documents.put(COLLECTION, delivery.id, delivery);
  }

  #schedule(): void {
    if (!this.#options.byTimer || this.#closed || this.#running !== undefined) return;
    clearTimeout(this.#timer);
    const nextMs = Math.min(...this.pending.map(({ dueMs }) => dueMs));
    if (nextMs === Infinity) return;
    const waitMs = Math.min(RETRY_MAX_MS, Math.max(0, nextMs - this.#options.now()));
    this.#timer = setTimeout(() => void this.deliver().catch(console.error), waitMs).unref();
  }
}

/** True when it was taken. */
async function post({ url, body }: Delivery, headers: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(SEND_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
