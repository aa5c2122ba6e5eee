/**
 * Service Bus triggers: messages of one queue, in peek-lock, handed to a function in batches.
 *
 * Invariant: all messages of a batch are settled, in the same way. The function returned: complete; it threw:
 * abandon, and the broker counts a delivery. Nothing is dead-lettered here; the queue's own limit does that.
 *
 * A batch is what has arrived: it starts in the turn of the event loop in which its first message came, and while
 * it runs the next one gathers. No timer delays a message.
 */
import type {
  ProcessErrorArgs,
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
} from '@azure/service-bus';

/** The cloud adds instances when a queue grows; here one process runs this many batches side by side. */
const BATCHES_AT_ONCE = 4;
/** How long closing waits for batches under way; what is cut off is delivered again when its lock expires. */
const CLOSE_WITHIN_MS = 1_000;
/**
 * After the death of a broker the SDK may try for minutes to settle a message of a link that is gone, and outcomes are
 * settled one after the other (see below): what is late is delivered again when its lock expires.
 */
const SETTLE_WITHIN_MS = 10_000;
/** A broker that is away makes the SDK report an error at every attempt; one line a second says enough. */
const ERROR_LINE_EVERY_MS = 1_000;

export interface ServiceBusTriggerOptions {
  readonly client: ServiceBusClient;
  readonly queueName: string;
  /** Messages in one batch at most. */
  readonly batchSizeMax: number;
  /** Messages taken from the broker ahead of the batches under way. */
  readonly prefetchCount: number;
  readonly autoComplete: boolean;
  /** Runs the function. */
  readonly run: (messages: readonly ServiceBusReceivedMessage[]) => Promise<unknown>;
  readonly log: (line: string) => void;
}

export interface ServiceBusTrigger {
  /** Resolves when the broker has answered for the first time. */
  readonly connected: Promise<void>;
  /** Takes no more messages, waits for the batches under way and gives back what had not begun. */
  close(): Promise<void>;
}

interface Waiting {
  readonly message: ServiceBusReceivedMessage;
  /** Tells the SDK that the message is dealt with, so that it asks the broker for another one. */
  readonly settled: () => void;
}

/** Starts receiving. A broker that is away, now or later, is retried for ever. */
export function startServiceBusTrigger(options: ServiceBusTriggerOptions): ServiceBusTrigger {
  const { client, queueName, prefetchCount, batchSizeMax, log } = options;
  const receiver = client.createReceiver(queueName, { receiveMode: 'peekLock', skipParsingBodyAsJson: true });
  const batches = new Batches(options, receiver);
  let lastErrorMs = 0;
  const subscription = receiver.subscribe(
    {
      processMessage: (message) => batches.add(message),
      processError: ({ error, errorSource }: ProcessErrorArgs) => {
        if (Date.now() - lastErrorMs < ERROR_LINE_EVERY_MS) return Promise.resolve();
        lastErrorMs = Date.now();
        log(`${queueName}: ${errorSource}: ${error.message}`);
        return Promise.resolve();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: Math.max(1, prefetchCount + batchSizeMax) },
  );
  return {
    connected: receiver.peekMessages(1).then(() => undefined),
    async close() {
      const stopped = subscription.close();
      await batches.end(CLOSE_WITHIN_MS);
      await stopped;
      await receiver.close();
    },
  };
}

class Batches {
  readonly #options: ServiceBusTriggerOptions;
  readonly #receiver: ServiceBusReceiver;
  readonly #waiting: Waiting[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #settling: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  #ended = false;

  constructor(options: ServiceBusTriggerOptions, receiver: ServiceBusReceiver) {
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
    while (!this.#ended && this.#waiting.length > 0 && this.#underWay.size < BATCHES_AT_ONCE) {
      const batch = this.#waiting.splice(0, this.#options.batchSizeMax);
      const run = this.#run(batch).finally(() => {
        this.#underWay.delete(run);
        this.#start();
      });
      this.#underWay.add(run);
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#options.run(batch.map(({ message }) => message));
    } catch {
      // The host has logged it; the broker delivers the batch again.
      await this.#settle('abandon', batch);
      return;
    }
    await this.#settle(this.#options.autoComplete ? 'complete' : 'leave', batch);
  }

  /**
   * One outcome at a time: when deliveries settled together have different outcomes, rhea 3.0.5, the SDK's AMQP
   * library, gives the second one the outcome of the first.
   */
  #settle(outcome: 'complete' | 'abandon' | 'leave', batch: readonly Waiting[]): Promise<unknown> {
    const group = this.#settling.then(() =>
      Promise.all(batch.map((waiting) => this.#settleOne(outcome, waiting))),
    );
    this.#settling = group;
    return group;
  }

  /** Never rejects: a message whose lock is lost, or whose broker is away, is simply delivered again. */
  async #settleOne(outcome: 'complete' | 'abandon' | 'leave', { message, settled }: Waiting): Promise<void> {
    const { log, queueName } = this.#options;
    try {
      if (outcome === 'complete') await inTime(this.#receiver.completeMessage(message));
      if (outcome === 'abandon') await inTime(this.#receiver.abandonMessage(message));
    } catch (error) {
      const { code } = error as { code?: string };
      log(`${queueName}: could not ${outcome} ${String(message.messageId)}: ${code ?? String(error)}`);
    } finally {
      settled();
    }
  }
}

/** @throws Error when the answer takes too long; what comes of it later is of no interest. */
async function inTime(answer: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), SETTLE_WITHIN_MS);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
