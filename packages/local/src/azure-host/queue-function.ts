/**
 * A function with a Service Bus trigger: its connection, its receiver, and the input that each batch becomes.
 * Loaded only when an app has one, because the vendor SDK takes long to load.
 */
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import type { FunctionDefinition, HostConfig } from './function-app.ts';
import type { Invocation } from './programming-model.ts';
import { openServiceBus } from './service-bus-connection.ts';
import {
  toBatchInput,
  toBatchMetadata,
  toSingleInput,
  toSingleMetadata,
  traceparentOf,
} from './service-bus-data.ts';
import { startServiceBusTrigger } from './service-bus-trigger.ts';

export interface QueueFunctionOptions {
  readonly config: HostConfig;
  readonly run: (definition: FunctionDefinition, invocation: Invocation) => Promise<unknown>;
  readonly log: (line: string) => void;
}

/**
 * Starts receiving; resolves when the broker has answered, or could not be reached for now.
 * @throws Error when function.json or the connection is wrong.
 */
export async function startQueueFunction(
  definition: FunctionDefinition,
  { config, run, log }: QueueFunctionOptions,
): Promise<{ close(): Promise<void> }> {
  const { name, trigger } = definition;
  const { queueName, connection, cardinality, autoComplete } = trigger;
  if (queueName === undefined) {
    throw new Error(`function ${name}: only queues are supported, and it names none`);
  }
  const client = await openServiceBus(connection, process.env);
  const receiving = startServiceBusTrigger({
    client,
    queueName,
    cardinality: cardinality === 'many' ? 'many' : 'one',
    batchSizeMax: config.maxMessageBatchSize,
    concurrentCallsMax: config.maxConcurrentCalls,
    renewForMs: config.maxAutoLockRenewalMs,
    functionTimeoutMs: config.functionTimeoutMs,
    prefetchCount: config.prefetchCount,
    autoComplete: autoComplete ?? config.autoCompleteMessages,
    log,
    run: async (messages) => {
      try {
        await run(definition, toInvocation(messages, definition));
      } catch (error) {
        const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
        log(`[${name}] failed a batch of ${messages.length}: ${reason}`);
        throw error;
      }
    },
  });
  await receiving.connected.catch((error: unknown) => {
    log(`[${name}] ${queueName}: not reachable yet: ${String(error)}`);
  });
  return {
    async close() {
      await receiving.close();
      await client.close();
    },
  };
}

function toInvocation(
  messages: readonly ServiceBusReceivedMessage[],
  { trigger: { cardinality, dataType } }: FunctionDefinition,
): Invocation {
  const [first] = messages;
  const traceparent = traceparentOf(messages);
  return cardinality !== 'many' && first !== undefined
    ? { input: toSingleInput(first, dataType), metadata: toSingleMetadata(first), traceparent }
    : { input: toBatchInput(messages, dataType), metadata: toBatchMetadata(messages), traceparent };
}
