/** Purges a queue of a site through the vendor's SDK, as a person would who should not have. */
import { GetQueueAttributesCommand, PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ServiceBusClient } from '@azure/service-bus';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';

const RESPONSE_WITHIN_MS = 5_000;
const ACCOUNT = '000000000000';
const BATCH = 100;

export interface Purger {
  /** Removes what waits in the queue; returns how many messages that were, on SQS about. @throws Error of the SDK */
  purge(): Promise<number>;
  close(): Promise<void>;
}

export function openPurger(site: StackSite, queue: string): Purger {
  return site.cloud === 'aws' ? onSqs(site, queue) : onServiceBus(site, queue);
}

function onSqs({ region, endpoints }: StackSite, queue: string): Purger {
  const endpoint = endpoints['sqs'] ?? '';
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SQSClient({ region, endpoint, credentials });
  const QueueUrl = `${endpoint}/${ACCOUNT}/${queue}`;
  return {
    async purge() {
      const names = [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ] as const;
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }),
      );
      const count = names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
      if (count > 0) await client.send(new PurgeQueueCommand({ QueueUrl }));
      return count;
    },
    close() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** What nobody has locked: receiving in the mode in which what is received is gone is how a queue there is emptied. */
function onServiceBus({ endpoints }: StackSite, queue: string): Purger {
  const client = new ServiceBusClient(endpoints['serviceBus'] ?? '', {
    retryOptions: { maxRetries: 1, timeoutInMs: RESPONSE_WITHIN_MS },
  });
  const receiver = client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  return {
    purge: async () => (await receiver.receiveMessages(BATCH, { maxWaitTimeInMs: 200 })).length,
    close: () => client.close(),
  };
}
