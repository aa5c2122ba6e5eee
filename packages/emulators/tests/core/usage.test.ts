/** What the emulators count as billable, read the way a bench reads it. */
import {
  BatchGetItemCommand,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Container, CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Usage } from '../../src/core/usage.ts';
import { startCosmos } from '../../src/cosmos/server.ts';
import { startDynamo } from '../../src/dynamodb/server.ts';
import { startServiceBus } from '../../src/service-bus/server.ts';
import { startSqs } from '../../src/sqs/server.ts';

const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

const usageOf = async (base: string, method = 'GET'): Promise<Usage> => {
  const response = await fetch(new URL('/_tandem/usage', base), { method });
  return (await response.json()) as Usage;
};

describe('DynamoDB', () => {
  let server: Awaited<ReturnType<typeof startDynamo>>;
  let client: DynamoDBClient;

  beforeAll(async () => {
    server = await startDynamo();
    client = new DynamoDBClient({ ...access, endpoint: server.endpoint });
    await client.send(
      new CreateTableCommand({
        TableName: 'table',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'k', AttributeType: 'S' },
          { AttributeName: 'l', AttributeType: 'S' },
        ],
        KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by_type',
            KeySchema: [{ AttributeName: 'l', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      }),
    );
  });
  beforeEach(() => usageOf(server.endpoint, 'DELETE'));
  afterAll(async () => {
    client.destroy();
    await server.close();
  });

  const put = (k: string, more: Record<string, { S: string }> = {}, onlyNew = false) =>
    client.send(
      new PutItemCommand({
        TableName: 'table',
        Item: { k: { S: k }, ...more },
        ...(onlyNew && { ConditionExpression: 'attribute_not_exists(k)' }),
      }),
    );

  test('counts write units of the table and of each index, though no answer was to name them', async () => {
    const response = await put('a', { l: { S: 'user' }, v: { S: 'x'.repeat(1_500) } });
    expect(response.ConsumedCapacity).toBeUndefined();
    expect(await usageOf(server.endpoint)).toEqual({
      table: { PutItem: { requests: 1, writeUnits: 3, 'writeUnits:table': 2, 'writeUnits:by_type': 1 } },
    });
  });

  test('counts a write whose condition is not met', async () => {
    await put('b');
    await expect(put('b', { v: { S: 'x'.repeat(2_000) } }, true)).rejects.toThrow(
      'conditional request failed',
    );
    expect((await usageOf(server.endpoint))['table']?.['PutItem']).toEqual({
      requests: 2,
      conditionsFailed: 1,
      writeUnits: 3,
      'writeUnits:table': 3,
    });
  });

  test('counts nothing for an update of an index that keeps its keys', async () => {
    await put('c', { l: { S: 'user' } });
    await usageOf(server.endpoint, 'DELETE');
    await client.send(
      new UpdateItemCommand({
        TableName: 'table',
        Key: { k: { S: 'c' } },
        UpdateExpression: 'SET v = :v',
        ExpressionAttributeValues: { ':v': { S: 'x' } },
      }),
    );
    expect((await usageOf(server.endpoint))['table']?.['UpdateItem']).toMatchObject({ writeUnits: 1 });
  });

  test('counts reads, a read of nothing too', async () => {
    await put('d', { v: { S: 'x'.repeat(5_000) } });
    const Keys = [{ k: { S: 'd' } }, { k: { S: 'nowhere' } }];
    await client.send(new BatchGetItemCommand({ RequestItems: { table: { Keys, ConsistentRead: true } } }));
    expect((await usageOf(server.endpoint))['table']?.['BatchGetItem']).toMatchObject({ readUnits: 3 });
  });
});

describe('SQS', () => {
  let server: Awaited<ReturnType<typeof startSqs>>;
  let client: SQSClient;
  let QueueUrl: string;

  beforeAll(async () => {
    server = await startSqs();
    client = new SQSClient({ ...access, endpoint: server.endpoint });
    QueueUrl = (await client.send(new CreateQueueCommand({ QueueName: 'q' }))).QueueUrl ?? '';
    await usageOf(server.endpoint, 'DELETE');
  });
  afterAll(async () => {
    client.destroy();
    await server.close();
  });

  test('counts a batch as one request, by 64 kB, and an empty receive by another name', async () => {
    const receive = () => client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    const bodies = ['a', 'b', 'x'.repeat(70_000)];
    const Entries = bodies.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const { Messages = [] } = await receive();
    await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
      }),
    );
    await receive();
    expect((await usageOf(server.endpoint))['q']).toEqual({
      SendMessageBatch: { requests: 2, messages: 3 },
      ReceiveMessage: { requests: 2, messages: 3 },
      DeleteMessageBatch: { requests: 1, messages: 3 },
      'ReceiveMessage (empty)': { requests: 1, messages: 0 },
    });
  });
});

describe('Cosmos DB', () => {
  let server: Awaited<ReturnType<typeof startCosmos>>;
  let container: Container;

  beforeAll(async () => {
    server = await startCosmos();
    const client = new CosmosClient({ endpoint: server.endpoint, key: server.key });
    const { database } = await client.databases.createIfNotExists({ id: 'd' });
    ({ container } = await database.containers.createIfNotExists({ id: 'c', partitionKey: '/id' }));
  });
  beforeEach(() => usageOf(server.endpoint, 'DELETE'));
  afterAll(() => server.close());

  test('counts each operation of a bulk request, and those that are refused', async () => {
    await container.items.create({ id: 'a' });
    await usageOf(server.endpoint, 'DELETE');
    const create = (id: string) => ({
      operationType: 'Create' as const,
      partitionKey: id,
      resourceBody: { id },
    });
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    await container.items.bulk([create('a'), create('b')]);
    expect(await usageOf(server.endpoint)).toEqual({
      c: { Bulk: { requests: 1 }, Create: { operations: 2, requestUnits: 6.5, refused: 1 } },
    });
  });

  test('counts a strongly consistent read of a kilobyte as two units', async () => {
    await container.items.create({ id: 'r' });
    await container.item('r', 'r').read();
    expect((await usageOf(server.endpoint))['c']?.['Read']).toEqual({
      requests: 1,
      operations: 1,
      requestUnits: 2,
    });
  });
});

describe('Service Bus', () => {
  test('counts sending, delivering and settling of each message, by 64 kB, batch or not', async () => {
    const server = await startServiceBus({ queues: { q: {} } });
    const client = new ServiceBusClient(server.endpoint);
    try {
      const messages = ['a', 'b', 'x'.repeat(70_000)].map((text) => ({ body: Buffer.from(text) }));
      await client.createSender('q').sendMessages(messages);
      const receiver = client.createReceiver('q');
      const received = await receiver.receiveMessages(3, { maxWaitTimeInMs: 2_000 });
      await Promise.all(received.map((message) => receiver.completeMessage(message)));
      expect(await usageOf(server.controlUrl)).toEqual({
        q: {
          send: { operations: 4, messages: 3 },
          receive: { operations: 4, messages: 3 },
          complete: { operations: 3, messages: 3 },
        },
      });
    } finally {
      await client.close();
      await server.close();
    }
  });
});
