/**
 * Messages of one queue on their way through a function, as the Service Bus extension of the Functions host hands them
 * over.
 *
 * Invariant: of a function that takes batches one runs at a time, and no lock of its messages is renewed; of one that takes
 * single messages as many run as `maxConcurrentCalls` says, and their locks are renewed while they run. What waits is not
 * renewed either way. All messages of a batch are settled in the same way: complete when the function returned, abandon
 * when it threw or took longer than `functionTimeout`.
 *
 * A batch is what has arrived: it starts in the turn of the event loop in which its first message came, and while
 * it runs the next one gathers, locked. No timer delays a message.
 *
 * @see https://github.com/Azure/azure-sdk-for-net/blob/main/sdk/servicebus/Microsoft.Azure.WebJobs.Extensions.ServiceBus/src/Listeners/ServiceBusListener.cs
 *   (RunBatchReceiveLoopAsync: "only executes functions at a concurrency level of 1")
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus#hostjson-settings
 */
import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';

/**
 * After the death of a broker the SDK may try for minutes to settle a message of a link that is gone, and outcomes are
 * settled one after the other (see below): what is late is delivered again when its lock expires.
 */
const SETTLE_WITHIN_MS = 10_000;
/** The SDK of the host renews when this much of the lock is left. */
const RENEW_BEFORE_MS = 10_000;

/** What a message is settled with. */
export type Settler = Pick<ServiceBusReceiver, 'completeMessage' | 'abandonMessage' | 'renewMessageLock'>;

export interface MessageBatchesOptions {
  readonly queueName: string;
  /** 'many': in batches of at most so many messages. 'one': so many single messages side by side. */
  readonly cardinality: 'many' | 'one';
  readonly batchSizeMax: number;
  readonly concurrentCallsMax: number;
  /** How long the lock of a single message is renewed. */
  readonly renewForMs: number;
  readonly functionTimeoutMs: number;
  readonly autoComplete: boolean;
  /** Runs the function. */
  readonly run: (messages: readonly ServiceBusReceivedMessage[]) => Promise<unknown>;
  readonly log: (line: string) => void;
}

interface Waiting {
  readonly message: ServiceBusReceivedMessage;
  /** Tells the SDK that the message is dealt with, so that it asks the broker for another one. */
  readonly settled: () => void;
}

export class MessageBatches {
  readonly #options: MessageBatchesOptions;
  readonly #receiver: Settler;
  readonly #waiting: Waiting[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #settling: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  #ended = false;

  constructor(options: MessageBatchesOptions, receiver: Settler) {
    this.#options = options;
    this.#receiver = receiver;
  }

  /** Resolves when the message is settled. */
  add(message: ServiceBusReceivedMessage): Promise<void> {
    return new Promise((settled) => {
      this.#waiting.push({ message, settled });
      this.#schedule();
    });
  }

  /** Lets batches under way end, within a bound, and gives the rest back to the broker. */
  async end(withinMs: number): Promise<void> {
    this.#ended = true;
    const given = this.#waiting.splice(0);
    const all = Promise.all([...this.#underWay, this.#settle('abandon', given)]);
    let timeout: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timeout = setTimeout(resolve, withinMs);
    });
    await Promise.race([all, late]);
    clearTimeout(timeout);
  }

  /** Messages that arrive in one transfer are delivered one by one; the batch begins after the last of them. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    const { cardinality, batchSizeMax, concurrentCallsMax } = this.#options;
    const [atOnce, size] = cardinality === 'many' ? [1, batchSizeMax] : [concurrentCallsMax, 1];
    while (!this.#ended && this.#waiting.length > 0 && this.#underWay.size < atOnce) {
      const batch = this.#waiting.splice(0, size);
      const run = this.#run(batch).finally(() => {
        this.#underWay.delete(run);
        this.#start();
      });
      this.#underWay.add(run);
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const { cardinality, functionTimeoutMs, queueName } = this.#options;
    const stopRenewing = cardinality === 'one' ? this.#renew(batch) : () => undefined;
    try {
      const run = this.#options.run(batch.map(({ message }) => message));
      await inTime(run, functionTimeoutMs, `${queueName}: the function timed out`);
    } catch {
      // The host has logged it; the broker delivers the batch again.
      await this.#settle('abandon', batch);
      return;
    } finally {
      stopRenewing();
    }
    await this.#settle(this.#options.autoComplete ? 'complete' : 'leave', batch);
  }

  /** @returns What ends it. */
  #renew(batch: readonly Waiting[]): () => void {
    const [first] = batch;
    if (first === undefined) return () => undefined;
    const { message } = first;
    const untilMs = Date.now() + this.#options.renewForMs;
    let timer: NodeJS.Timeout | undefined;
    const schedule = (lockedUntilMs: number): void => {
      const leftMs = lockedUntilMs - Date.now();
      if (Date.now() >= untilMs) return;
      timer = setTimeout(() => void renew(), Math.max(leftMs - Math.min(RENEW_BEFORE_MS, leftMs / 2), 0));
    };
    const renew = async (): Promise<void> => {
      try {
        schedule((await this.#receiver.renewMessageLock(message)).getTime());
      } catch (error) {
        this.#options.log(
          `${this.#options.queueName}: could not renew ${String(message.messageId)}: ${String(error)}`,
        );
      }
    };
    if (message.lockedUntilUtc !== undefined) schedule(message.lockedUntilUtc.getTime());
    return () => clearTimeout(timer);
  }

  /**
   * One outcome at a time: when deliveries settled together have different outcomes, rhea 3.0.5, the SDK's AMQP
   * library, gives the second one the outcome of the first.
   */
  #settle(result: 'complete' | 'abandon' | 'leave', batch: readonly Waiting[]): Promise<unknown> {
    const group = this.#settling.then(() =>
      Promise.all(batch.map((waiting) => this.#settleOne(result, waiting))),
    );
    this.#settling = group;
    return group;
  }

  /** Never rejects: a message whose lock is lost, or whose broker is away, is simply delivered again. */
  async #settleOne(result: 'complete' | 'abandon' | 'leave', { message, settled }: Waiting): Promise<void> {
    const { log, queueName } = this.#options;
    try {
      if (result === 'complete')
        await inTime(this.#receiver.completeMessage(message), SETTLE_WITHIN_MS, 'no answer in time');
      if (result === 'abandon')
        await inTime(this.#receiver.abandonMessage(message), SETTLE_WITHIN_MS, 'no answer in time');
    } catch (error) {
      const { code } = error as { code?: string };
      log(`${queueName}: could not ${result} ${String(message.messageId)}: ${code ?? String(error)}`);
    } finally {
      settled();
    }
  }
}

/** @throws Error when the answer takes too long; what comes of it later is of no interest. */
async function inTime(response: Promise<unknown>, ms: number, why: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), ms);
  });
  try {
    await Promise.race([response, late]);
  } finally {
    clearTimeout(timer);
  }
}
