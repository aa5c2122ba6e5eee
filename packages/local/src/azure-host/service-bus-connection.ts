/**
 * The connection of a Service Bus trigger, resolved from app settings as the host resolves it: the setting named
 * by `connection` holds a connection string, or the same name with `__fullyQualifiedNamespace` a host name that
 * the app signs in to with its identity.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-reference#connections
 */
import { ServiceBusClient } from '@azure/service-bus';

type Settings = Readonly<Record<string, string | undefined>>;

/** The default when function.json names no connection. */
const DEFAULT_CONNECTION = 'AzureWebJobsServiceBus';

/**
 * The SDK's default delay is 30 s: that is how long a restarted broker would wait for its receivers. A local broker
 * is back at once.
 */
const RETRY = { retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/** @throws Error naming the settings, one of which must be there. */
export async function openServiceBus(
  connection = DEFAULT_CONNECTION,
  settings: Settings,
): Promise<ServiceBusClient> {
  const connectionString = settings[connection];
  if (connectionString !== undefined) return new ServiceBusClient(connectionString, { retryOptions: RETRY });
  const namespace = settings[`${connection}__fullyQualifiedNamespace`];
  if (namespace === undefined) {
    throw new Error(
      `Service Bus connection '${connection}': set ${connection} or ${connection}__fullyQualifiedNamespace`,
    );
  }
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new ServiceBusClient(namespace, new DefaultAzureCredential(), { retryOptions: RETRY });
}
