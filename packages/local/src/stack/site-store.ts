/** A site's store through the vendor's SDK and the product's own adapter: what it finds, a handler would find. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import type { StackSite } from '@tandem-clouds/command-line/running-stack';
import type { Store } from '@tandem-clouds/replication/ports/store';
import { DynamoStore } from '../../../../src/shared/adapters/aws/store.ts';
import { CosmosStore } from '../../../../src/shared/adapters/azure/store.ts';
import { indexEntries } from '../../../../src/shared/domain/indexes/index-entry.ts';
import { storeIndexes } from '../../../../src/shared/registry/indexes.ts';

/** As the site's own functions have it, because a record that is written without it leaves its lists. */
const entriesOf = indexEntries(storeIndexes);
/** The names that the service definitions give by default. */
const TABLE = 'tandem';
const DATABASE = 'tandem';
const CONTAINER = 'records';
/** The emulators take any. */
const AWS_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
const COSMOS_KEY = Buffer.from('local').toString('base64');

export interface SiteStore {
  readonly store: Store;
  readonly close: () => void;
}

/** Opens the store of a site of a local stack. @throws Error when `stack.json` does not say where it is. */
export function openSiteStore(site: StackSite): SiteStore {
  return site.cloud === 'aws' ? onDynamo(site) : onCosmos(site);
}

function onDynamo({ region, endpoints }: StackSite): SiteStore {
  const client = new DynamoDBClient({
    region,
    endpoint: endpointOf(endpoints, 'dynamodb'),
    credentials: AWS_CREDENTIALS,
  });
  return { store: new DynamoStore(client, TABLE, { entriesOf }), close: () => client.destroy() };
}

function onCosmos({ endpoints }: StackSite): SiteStore {
  const endpoint = endpointOf(endpoints, 'cosmos');
  exceptFromProxies(new URL(endpoint).hostname);
  const client = new CosmosClient({
    endpoint,
    key: COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
  });
  return {
    store: new CosmosStore(client.database(DATABASE).container(CONTAINER), { entriesOf }),
    close: () => client.dispose(),
  };
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
