/**
 * Feeds a function from a queue with the triggers of the local hosts, so that ours and the bare pipe are called with
 * the same batches, as many at once, by the same code.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { QueuePoller } from '@tandem-clouds/local/aws-host/queue-poller';
import { startServiceBusTrigger } from '@tandem-clouds/local/azure-host/service-bus-trigger';
import type { PlatformHandler } from './functions.ts';
import type { BenchSite } from './two-sites.ts';

export type QueueName = 'tandem-out' | 'tandem-in' | 'tandem-verify';

/** As in `serverless.aws.yml`, with as many batches in flight as the local host has (service-model.ts). */
const SQS_BATCH = 10;
const SQS_BATCHES_AT_ONCE = 5;
/** As in `host.json`. */
const SERVICE_BUS_BATCH = 100;
const SERVICE_BUS_PREFETCH = 0;
const RENEW_FOR_MS = 300_000;
/** Steps of comparisons, and packs, come one at a time, and their locks are renewed. */
const isOneByOne = (queue: QueueName): boolean => queue === 'tandem-verify';
const URL_OF = {
  'tandem-out': 'TANDEM_OUT_URL',
  'tandem-in': 'TANDEM_IN_URL',
  'tandem-verify': 'TANDEM_VERIFY_URL',
  'tandem-react': 'TANDEM_REACT_URL',
  'tandem-objects': 'TANDEM_OBJECTS_QUEUE_URL',
} as const;

export interface Feed {
  stop(): Promise<void>;
}

/** Calls `handler` for what is in the queue of a site until it is stopped. */
export type Feeder = (queue: QueueName, handler: PlatformHandler) => Feed;

/** Opens the connection that the feeds of a site share. */
export function openFeeder({ cloud, env }: BenchSite): { feed: Feeder; close(): Promise<void> } {
  return cloud === 'aws' ? openSqs(env) : openServiceBus(env);
}

type Environment = Readonly<Record<string, string>>;

function openSqs(env: Environment): { feed: Feeder; close(): Promise<void> } {
  const region = env['AWS_REGION'] ?? '';
  const client = new SQSClient({ region, endpoint: env['AWS_ENDPOINT_URL_SQS'] ?? '', maxAttempts: 1 });
  return {
    feed: (queue, handler) => {
      const poller = new QueuePoller({
        client,
        region,
        queueUrl: env[URL_OF[queue]] ?? '',
        queueArn: `arn:aws:sqs:${region}:000000000000:${queue}`,
        batchSize: isOneByOne(queue) ? 1 : SQS_BATCH,
        concurrency: SQS_BATCHES_AT_ONCE,
        partialFailures: true,
        invoke: handler,
        recreate: () => Promise.reject(new Error(`${queue} is gone`)),
        report: complain,
      });
      poller.start();
      return poller;
    },
    close() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function openServiceBus(env: Environment): { feed: Feeder; close(): Promise<void> } {
  const client = new ServiceBusClient(env['SERVICE_BUS_CONNECTION'] ?? '');
  return {
    feed: (queue, handler) => {
      const trigger = startServiceBusTrigger({
        client,
        queueName: queue,
        cardinality: isOneByOne(queue) ? 'one' : 'many',
        batchSizeMax: SERVICE_BUS_BATCH,
        concurrentCallsMax: 1,
        renewForMs: RENEW_FOR_MS,
        functionTimeoutMs: 300_000,
        prefetchCount: SERVICE_BUS_PREFETCH,
        autoComplete: true,
        log: complain,
        run: (messages) => handler(inputOf(queue, messages), contextOf(messages)),
      });
      return { stop: () => trigger.close() };
    },
    close: () => client.close(),
  };
}

/** What the Functions host hands over for `cardinality: many` and `dataType: binary`, as far as it is read. */
function contextOf(messages: readonly ServiceBusReceivedMessage[]): object {
  return {
    invocationId: 'bench',
    triggerMetadata: {
      messageIdArray: messages.map(({ messageId }) => messageId),
      deliveryCountArray: messages.map(({ deliveryCount }) => (deliveryCount ?? 0) + 1),
      applicationPropertiesArray: messages.map(({ applicationProperties }) => applicationProperties ?? {}),
    },
  };
}

function inputOf(queue: QueueName, messages: readonly ServiceBusReceivedMessage[]): Buffer | Buffer[] {
  const bodies = messages.map(({ body }) => body as Buffer);
  return isOneByOne(queue) ? (bodies[0] ?? Buffer.alloc(0)) : bodies;
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
