/** `#cloud` on Azure. The entries translate between the platform's shapes and the core's. */
import { CosmosClient } from '@azure/cosmos';
import type { Config } from '../../config.ts';
import type { Cloud, DeadLetters } from '../../ports/cloud.ts';
import type { QueueSender } from '../../ports/queue.ts';
import type { Store } from '../../ports/store.ts';
import { storeTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import { deadLettersOn } from '../dead-letters.ts';
import { credential } from './credential.ts';
import { openServiceBusQueue } from './open-queue.ts';
import { CosmosStore } from './store.ts';

export { httpEntry, queueEntry, timerEntry } from './entries.ts';

export const cloudName: Cloud['cloudName'] = 'azure';

export function openStore(config: Config): Store {
  const { cosmosEndpoint, cosmosKey, cosmosDatabase, cosmosContainer } = settings(config);
  const client = new CosmosClient({
    endpoint: cosmosEndpoint,
    ...(cosmosKey === undefined ? { aadCredentials: credential() } : { key: cosmosKey }),
    connectionPolicy: {
      requestTimeout: storeTimeoutMs,
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      retryOptions: {
        maxRetryAttemptCount: vendorAttemptsMax,
        fixedRetryIntervalInMilliseconds: 0,
        maxWaitTimeInSeconds: 2,
      },
    },
  });
  return new CosmosStore(client.database(cosmosDatabase).container(cosmosContainer));
}

export function openOutbox(config: Config): QueueSender {
  return open(config, settings(config).outQueue);
}

export function openDeadLetters(config: Config): DeadLetters {
  return deadLettersOn(open(config, settings(config).deadQueue));
}

function open(config: Config, queue: string): QueueSender {
  const { serviceBusNamespace, serviceBusConnection } = settings(config);
  return openServiceBusQueue({
    queue,
    namespace: serviceBusNamespace,
    connectionString: serviceBusConnection,
  });
}

function settings(config: Config): NonNullable<Config['azure']> {
  if (config.azure === undefined) throw new TypeError('this bundle runs on Azure and has no Azure settings');
  return config.azure;
}
