/**
 * Service Bus triggers: receives messages of one queue, in peek-lock, for `MessageBatches`, which hands them to a function.
 *
 * Invariant: so many messages are taken from the broker as the host takes, and no more: a batch, or the messages that run,
 * and what `prefetchCount` says beyond them. Nothing is dead-lettered here; the queue's own limit does that.
 *
 * What a batch leaves of its credit takes messages while it runs. So does the receiver of the host.
 */
import type { ProcessErrorArgs, ServiceBusClient } from '@azure/service-bus';
import { MessageBatches, type MessageBatchesOptions } from './message-batches.ts';

/** How long closing waits for batches under way; what is cut off is delivered again when its lock expires. */
const CLOSE_WITHIN_MS = 1_000;
/** A broker that is away makes the SDK report an error at every attempt; one line a second says enough. */
const ERROR_LINE_EVERY_MS = 1_000;

export interface ServiceBusTriggerOptions extends MessageBatchesOptions {
  readonly client: ServiceBusClient;
  /** Messages taken from the broker ahead of those that run. */
  readonly prefetchCount: number;
}

export interface ServiceBusTrigger {
  /** Resolves when the broker has answered for the first time. */
  readonly connected: Promise<void>;
  /** Takes no more messages, waits for the batches under way and gives back what had not begun. */
  close(): Promise<void>;
}

/** Starts receiving. A broker that is away, now or later, is retried for ever. */
export function startServiceBusTrigger(options: ServiceBusTriggerOptions): ServiceBusTrigger {
  const { client, queueName, prefetchCount, log } = options;
  const receiver = client.createReceiver(queueName, {
    receiveMode: 'peekLock',
    skipParsingBodyAsJson: true,
    // `MessageBatches` renews what the host would; the SDK's own renewal would keep batches alive that the host loses.
    maxAutoLockRenewalDurationInMs: 0,
  });
  const batches = new MessageBatches(options, receiver);
  const running = options.cardinality === 'many' ? options.batchSizeMax : options.concurrentCallsMax;
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
    { autoCompleteMessages: false, maxConcurrentCalls: Math.max(1, prefetchCount + running) },
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
