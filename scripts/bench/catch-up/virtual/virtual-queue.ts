/** A queue on virtual time with the trigger of its function, within the credits of its broker. */
import { type Credits, MESSAGE_CREDITS } from '@tandem-clouds/emulators/service-bus/credits';
import { ThrottledError } from '@tandem-clouds/replication/errors';
import type {
  Disposition,
  InboundMessage,
  OutboundMessage,
  QueueSender,
  SendResult,
} from '@tandem-clouds/replication/ports/queue';
import { busyHintMs, retryDelaySecondsMax } from '../../../../src/shared/bounds.ts';

const THROTTLED_SECONDS = 2;

export interface VirtualQueueOptions {
  readonly sleep: (ms: number) => Promise<void>;
  readonly latencyMs: () => number;
  /** Absent: as many messages as there are. */
  readonly credits: Credits | undefined;
  readonly batchSize: number;
  readonly batchesAtOnce: number;
  readonly run: (messages: readonly InboundMessage[]) => Promise<readonly Disposition[]>;
}

export class VirtualQueue implements QueueSender {
  readonly #options: VirtualQueueOptions;
  readonly #ready: InboundMessage[] = [];
  /** In the queue, with a function, or to be delivered again. */
  #count = 0;
  #running = 0;
  #isTaking = false;
  #sent = 0;
  dead = 0;

  constructor(options: VirtualQueueOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  async send(messages: readonly OutboundMessage[]): Promise<readonly SendResult[]> {
    const { sleep, latencyMs, credits } = this.#options;
    await sleep(latencyMs());
    const isTaken = credits?.take(messages.length * MESSAGE_CREDITS) !== false;
    if (isTaken) {
      for (const { body } of messages) this.#add({ body, attempts: 1 });
      void this.#take();
    }
    await sleep(latencyMs());
    return messages.map(() =>
      isTaken ? undefined : new ThrottledError('no credit is left', { retryAfterMs: busyHintMs }),
    );
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #add({ body, attempts }: { readonly body: string; readonly attempts: number }): void {
    this.#sent += 1;
    this.#count += 1;
    this.#ready.push({ id: String(this.#sent), body, attributes: {}, attempts });
  }

  async #take(): Promise<void> {
    const { batchSize, batchesAtOnce, credits, sleep, latencyMs } = this.#options;
    if (this.#isTaking) return;
    this.#isTaking = true;
    await sleep(latencyMs());
    while (this.#ready.length > 0 && this.#running < batchesAtOnce) {
      const batch: InboundMessage[] = [];
      while (batch.length < batchSize && this.#ready.length > 0 && credits?.take(MESSAGE_CREDITS) !== false)
        batch.push(...this.#ready.splice(0, 1));
      if (batch.length === 0) await sleep(credits?.replenishedInMs ?? 0);
      else void this.#run(batch);
    }
    this.#isTaking = false;
  }

  async #run(batch: readonly InboundMessage[]): Promise<void> {
    this.#running += 1;
    const dispositions = await this.#options.run(batch);
    this.#running -= 1;
    batch.forEach((message, i) => {
      const disposition = dispositions[i];
      if (disposition?.kind === 'retry') void this.#again(message, disposition.isNoAttempt === true);
      else this.#count -= 1;
      if (disposition?.kind === 'dead') this.dead += 1;
    });
    await this.#take();
  }

  async #again({ body, attempts }: InboundMessage, isNoAttempt: boolean): Promise<void> {
    const seconds = isNoAttempt ? THROTTLED_SECONDS : Math.min(2 ** attempts, retryDelaySecondsMax);
    await this.#options.sleep(seconds * 1_000);
    this.#count -= 1;
    this.#add({ body, attempts: attempts + (isNoAttempt ? 0 : 1) });
    void this.#take();
  }
}
