/** The store of one site of each cloud, through the product's own adapters. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { DynamoStore } from '../../../src/shared/adapters/aws/store.ts';
import { CosmosStore } from '../../../src/shared/adapters/azure/store.ts';
import { startTwoSites } from '../bridge/two-sites.ts';

export interface FilledStore {
  readonly store: Store;
  /** Writes records, whatever is there. @throws Error when one is not taken. */
  overwrite(records: readonly StoredRecord[]): Promise<void>;
}

export async function openStores(): Promise<{
  readonly stores: readonly [FilledStore, FilledStore];
  readonly close: () => Promise<void>;
}> {
  const two = await startTwoSites();
  const { aws, azure } = two.sites;
  const { env } = azure;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const dynamo = new DynamoDBClient({ region: 'us-east-1', endpoint: aws.control.store, credentials });
  const cosmos = new CosmosClient({
    endpoint: env['COSMOS_ENDPOINT'] ?? '',
    key: env['COSMOS_KEY'] ?? '',
    connectionPolicy: { enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
  });
  const container = cosmos.database(env['COSMOS_DATABASE'] ?? '').container(env['COSMOS_CONTAINER'] ?? '');
  return {
    stores: [
      filled(new DynamoStore(dynamo, aws.env['TANDEM_TABLE'] ?? '', { entriesOf: noEntries })),
      filled(new CosmosStore(container, { entriesOf: noEntries })),
    ],
    async close() {
      dynamo.destroy();
      cosmos.dispose();
      await two.close();
    },
  };
}

function filled(store: Store): FilledStore {
  return {
    store,
    async overwrite(records) {
      const held = await store.getMany(records.map(({ key }) => key));
      const writes = records.map((record) => ({ record, expected: held.get(record.key)?.revision }));
      const results = await store.putMany(writes);
      const refused = results.find(({ status }) => status !== 'written');
      if (refused !== undefined) throw new Error(`the store did not take a record: ${refused.status}`);
    },
  };
}
