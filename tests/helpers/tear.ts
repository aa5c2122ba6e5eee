/** Damages what a store holds, as a person or a restore can. */
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { CosmosClient } from '@azure/cosmos';
import type { TestCloud } from './sites.ts';

/** Puts what is no state under a key; its entries in the indexes stay. */
export async function tear({ cloud, env }: TestCloud, key: string): Promise<void> {
  if (cloud === 'aws') {
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await client.send(
      new UpdateItemCommand({
        TableName: env['TANDEM_TABLE'],
        Key: { k: { S: key } },
        UpdateExpression: 'SET s = :s',
        ExpressionAttributeValues: { ':s': { S: '{"half' } },
      }),
    );
    client.destroy();
    return;
  }
  const client = new CosmosClient({ endpoint: env['COSMOS_ENDPOINT'] ?? '', key: env['COSMOS_KEY'] ?? '' });
  const container = client.database(env['COSMOS_DATABASE'] ?? '').container(env['COSMOS_CONTAINER'] ?? '');
  await container.item(key, key).patch([{ op: 'set', path: '/s', value: 'torn' }]);
  client.dispose();
}
