/** Opens a Service Bus queue: the site's own, or a peer's from anywhere. */
import type { TokenCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { queueTimeoutMs } from '../../bounds.ts';
import { credential } from './credential.ts';
import { ServiceBusSender } from './queue.ts';

const options: ServiceBusClientOptions = {
  retryOptions: { maxRetries: 1, timeoutInMs: queueTimeoutMs, retryDelayInMs: 200 },
};

interface Access {
  readonly namespace?: string | undefined;
  readonly connectionString?: string | undefined;
  /** With a namespace; absent: the app's own. */
  readonly identity?: TokenCredential | undefined;
}

/** @throws TypeError when neither a namespace nor a connection string is given. */
export function openServiceBusQueue(access: Access & { queue: string }): QueueSender {
  // Opened once here, so that a mistake in the settings shows at the start.
  let first: ServiceBusClient | undefined = openServiceBus(access);
  const connect = (): ServiceBusClient => {
    const client = first ?? openServiceBus(access);
    first = undefined;
    return client;
  };
  return new ServiceBusSender(connect, access.queue);
}

/** A client with our bounds. @throws TypeError when neither a namespace nor a connection string is given. */
export function openServiceBus({ namespace, connectionString, identity }: Access): ServiceBusClient {
  if (connectionString !== undefined) return new ServiceBusClient(connectionString, options);
  if (namespace !== undefined) return new ServiceBusClient(namespace, identity ?? credential(), options);
  throw new TypeError('Service Bus: neither a namespace nor a connection string');
}
