/** Looks into a site's store, through the vendor's SDK and our own adapter: what it finds, a handler would find. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import type { StackSite } from '../../local/stack/stack-file.ts';
import { DynamoStore } from '../../../src/shared/adapters/aws/store.ts';
import { CosmosStore } from '../../../src/shared/adapters/azure/store.ts';
import type { Store } from '../../../src/shared/ports/store.ts';

/** The names that the service definitions give by default. */
const TABLE = 'tandem';
const DATABASE = 'tandem';
const CONTAINER = 'records';
/** The stand-ins take any. */
const AWS_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const COSMOS_KEY = Buffer.from('local').toString('base64');

export interface Probe {
  /** Those of the keys that can be read there now: one strongly consistent request for all. */
  visible(keys: readonly string[]): Promise<ReadonlySet<string>>;
  close(): void;
}

/** Opens the store of a site of a local stack. */
export function openProbe(site: StackSite): Probe {
  return site.cloud === 'aws' ? onDynamo(site) : onCosmos(site);
}

function onDynamo({ region, endpoints }: StackSite): Probe {
  const client = new DynamoDBClient({
    region,
    endpoint: endpointOf(endpoints, 'dynamodb'),
    credentials: AWS_CREDENTIALS,
  });
  return probeOf(new DynamoStore(client, TABLE), () => client.destroy());
}

function onCosmos({ endpoints }: StackSite): Probe {
  const endpoint = endpointOf(endpoints, 'cosmos');
  exceptFromProxies(new URL(endpoint).hostname);
  const client = new CosmosClient({
    endpoint,
    key: COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
  });
  return probeOf(new CosmosStore(client.database(DATABASE).container(CONTAINER)), () => client.dispose());
}

function probeOf(store: Store, close: () => void): Probe {
  return { visible: async (keys) => new Set((await store.getMany(keys)).keys()), close };
}

function endpointOf(endpoints: StackSite['endpoints'], service: string): string {
  const endpoint = endpoints[service];
  if (endpoint === undefined) throw new Error(`stack.json names no endpoint of ${service}`);
  return endpoint;
}

/** The Azure SDK obeys HTTP_PROXY, and a proxy on the way would be measured too. */
function exceptFromProxies(host: string): void {
  process.env['NO_PROXY'] = [process.env['NO_PROXY'], host].filter(Boolean).join(',');
}
