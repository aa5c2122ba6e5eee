/** `#cloud` on Azure. The entries translate between the platform's shapes and the core's. */
import { CosmosClient } from '@azure/cosmos';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { type IndexEntries, noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Cloud, DeadLetters, Urgency } from '../../ports/cloud.ts';
import type { DeadLetterBox, QueueDepths } from '../../ports/dead-letter-box.ts';
import type { ProbeGroup } from '../../ports/probe.ts';
import { deadLettersOn } from '../dead-letters.ts';
import { fetchClient } from '../fetch-client.ts';
import { CENTRAL_LOGS_AUDIENCE } from '../logging/central-logs.ts';
import { credential, ownToken, serviceBusToken } from './credential.ts';
import { ServiceBusDeadLetterBox } from './dead-letter-box.ts';
import { openServiceBus, openServiceBusQueue } from './open-queue.ts';
import { azureProbes } from './probes.ts';
import { measureServiceBus } from './queue-depths.ts';
import { CosmosStore } from './store.ts';

export { httpEntry, queueEntry, timerEntry } from './entries.ts';
export { openMetrics, openOwnMetrics } from './metrics.ts';
export { openVault } from './open-vault.ts';

export const cloudName: Cloud['cloudName'] = 'azure';

export function openStore(config: Config, entriesOf: IndexEntries, urgency: Urgency = 'live'): Store {
  const { storeTimeoutMs: timeoutMs } = config;
  const { cosmosEndpoint, cosmosKey, cosmosDatabase, cosmosContainer } = settings(config);
  const client = new CosmosClient({
    endpoint: cosmosEndpoint,
    ...(cosmosKey === undefined ? { aadCredentials: credential() } : { key: cosmosKey }),
    connectionPolicy: {
      requestTimeout: timeoutMs,
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      retryOptions: {
        maxRetryAttemptCount: vendorAttemptsMax,
        fixedRetryIntervalInMilliseconds: 0,
        maxWaitTimeInSeconds: 2,
      },
    },
  });
  const container = client.database(cosmosDatabase).container(cosmosContainer);
  return new CosmosStore(container, { urgency, timeoutMs, entriesOf });
}

export function openOutbox(config: Config): QueueSender {
  return open(config, settings(config).outQueue);
}

export function openDeadLetters(config: Config): DeadLetters {
  return deadLettersOn(open(config, settings(config).deadQueue));
}

export function openInbox(config: Config): QueueSender {
  return open(config, settings(config).inQueue);
}

export function openVerifyQueue(config: Config): QueueSender {
  return open(config, settings(config).verifyQueue);
}

export function openReactQueue(config: Config): QueueSender {
  return open(config, settings(config).reactQueue);
}

export function openObjectsQueue(config: Config): QueueSender {
  return open(config, settings(config).objectsQueue);
}

export function openDeadLetterBox(config: Config): DeadLetterBox {
  return new ServiceBusDeadLetterBox(() => openServiceBus(access(config)), queuesOf(config));
}

export function openQueueDepths(config: Config): () => Promise<QueueDepths> {
  const { resourceManager: endpoint, serviceBusId } = settings(config);
  return () => {
    if (serviceBusId === undefined)
      throw new TypeError('SERVICE_BUS_ID is needed to read the depths of queues');
    const access = {
      endpoint,
      namespaceId: serviceBusId,
      http: fetchClient,
      token: () => ownToken(endpoint),
    };
    return measureServiceBus(access, queuesOf(config));
  };
}

export function openCentralLogsToken(): () => Promise<string> {
  return () => ownToken(CENTRAL_LOGS_AUDIENCE);
}

export function openProbes(config: Config, nonce: string): readonly ProbeGroup[] {
  return azureProbes({
    config,
    store: openStore(config, noEntries),
    queues: {
      out: openOutbox(config),
      in: openInbox(config),
      verify: openVerifyQueue(config),
      react: openReactQueue(config),
      objects: openObjectsQueue(config),
    },
    deadLetters: openDeadLetters(config),
    box: openDeadLetterBox(config),
    depths: openQueueDepths(config),
    token: settings(config).serviceBusConnection === undefined ? serviceBusToken : undefined,
    nonce,
  });
}

function open(config: Config, queue: string): QueueSender {
  return openServiceBusQueue({ queue, ...access(config) });
}

/** The site's queues, by what they are. */
function queuesOf(config: Config): Record<'out' | 'in' | 'verify' | 'react' | 'objects' | 'dead', string> {
  const { outQueue, inQueue, verifyQueue, reactQueue, objectsQueue, deadQueue } = settings(config);
  return {
    out: outQueue,
    in: inQueue,
    verify: verifyQueue,
    react: reactQueue,
    objects: objectsQueue,
    dead: deadQueue,
  };
}

function access(config: Config): { namespace: string | undefined; connectionString: string | undefined } {
  const { serviceBusNamespace, serviceBusConnection } = settings(config);
  return { namespace: serviceBusNamespace, connectionString: serviceBusConnection };
}

function settings(config: Config): NonNullable<Config['azure']> {
  if (config.azure === undefined) throw new TypeError('this bundle runs on Azure and has no Azure settings');
  return config.azure;
}
