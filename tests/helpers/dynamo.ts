/** Shorthand for tests that talk to DynamoDB, the local emulator or a real one, through the real SDK. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  type DeleteItemCommandInput,
  DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  type GlobalSecondaryIndex,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

export type Plain = Record<string, unknown>;

/** Expression members with plain values: `{ set: 'SET a = :a', values: { ':a': 1 } }`. */
export interface Expression {
  readonly names?: Record<string, string>;
  readonly values?: Plain;
}

export function newDynamoClient(endpoint: string, maxAttempts = 1): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts });
}

const expressionMembers = ({ names, values }: Expression) => ({
  ...(names && { ExpressionAttributeNames: names }),
  ...(values && { ExpressionAttributeValues: marshall(values) }),
});

/** The sparse index of the replication protocol in small: items that carry `p_shard` and `p_at`. */
const BY_SHARD: GlobalSecondaryIndex = {
  IndexName: 'by-shard',
  KeySchema: [
    { AttributeName: 'p_shard', KeyType: 'HASH' },
    { AttributeName: 'p_at', KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType: 'ALL' },
};

/** Creates a table with keys `pk` and `sk` and the index `by-shard`, on demand, and waits until it can be used. */
export async function createTable(
  client: DynamoDBClient,
  TableName: string,
  more: Partial<CreateTableCommandInput> = {},
) {
  const response = await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
        { AttributeName: 'p_shard', AttributeType: 'S' },
        { AttributeName: 'p_at', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [BY_SHARD],
      ...more,
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName });
  return response.TableDescription;
}

/** Operations on one table with plain values. */
export class TableClient {
  readonly client: DynamoDBClient;
  readonly name: string;

  constructor(client: DynamoDBClient, name: string) {
    this.client = client;
    this.name = name;
  }

  put(item: Plain, { names, values, ...more }: Expression & Partial<PutItemCommandInput> = {}) {
    const members = expressionMembers({ ...(names && { names }), ...(values && { values }) });
    return this.client.send(
      new PutItemCommand({ TableName: this.name, Item: marshall(item), ...members, ...more }),
    );
  }

  update(
    key: Plain,
    UpdateExpression: string,
    { names, values, ...more }: Expression & Partial<UpdateItemCommandInput> = {},
  ) {
    const members = expressionMembers({ ...(names && { names }), ...(values && { values }) });
    return this.client.send(
      new UpdateItemCommand({
        TableName: this.name,
        Key: marshall(key),
        UpdateExpression,
        ...members,
        ...more,
      }),
    );
  }

  delete(key: Plain, { names, values, ...more }: Expression & Partial<DeleteItemCommandInput> = {}) {
    const members = expressionMembers({ ...(names && { names }), ...(values && { values }) });
    return this.client.send(
      new DeleteItemCommand({ TableName: this.name, Key: marshall(key), ...members, ...more }),
    );
  }

  async get(key: Plain, more: Partial<GetItemCommandInput> = {}): Promise<Plain | undefined> {
    const command = new GetItemCommand({
      TableName: this.name,
      Key: marshall(key),
      ConsistentRead: true,
      ...more,
    });
    const { Item } = await this.client.send(command);
    return Item && unmarshall(Item);
  }

  query(
    KeyConditionExpression: string,
    { names, values, ...more }: Expression & Partial<QueryCommandInput> = {},
  ) {
    const members = expressionMembers({ ...(names && { names }), ...(values && { values }) });
    return this.client.send(
      new QueryCommand({ TableName: this.name, KeyConditionExpression, ...members, ...more }),
    );
  }

  async queryItems(condition: string, more: Expression & Partial<QueryCommandInput> = {}): Promise<Plain[]> {
    return ((await this.query(condition, more)).Items ?? []).map((item) => unmarshall(item));
  }

  /** Every entry of one partition of the index `by-shard`. */
  async inShard(shard: string): Promise<Plain[]> {
    const items: Plain[] = [];
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await this.query('p_shard = :shard', {
        IndexName: 'by-shard',
        values: { ':shard': shard },
        ExclusiveStartKey,
      });
      items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return items;
  }

  async scan(): Promise<Plain[]> {
    const items: Plain[] = [];
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
    do {
      const page = await this.client.send(new ScanCommand({ TableName: this.name, ExclusiveStartKey }));
      items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return items;
  }
}
