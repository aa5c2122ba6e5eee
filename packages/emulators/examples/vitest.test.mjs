// npx vitest run examples/vitest.test.mjs
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmulators } from '@tandem-clouds/emulators';

let emulators;
beforeAll(async () => {
  emulators = await startEmulators({ services: ['dynamodb', 'sqs', 'cosmos', 'servicebus'] });
});
afterAll(() => emulators.close());

test('DynamoDB gives back what was put', async () => {
  const dynamodb = new DynamoDBClient(emulators.dynamodb.config);
  await dynamodb.send(
    new CreateTableCommand({
      TableName: 'users',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  const Item = { id: { S: 'hedy' }, name: { S: 'Hedy Lamarr' } };
  await dynamodb.send(new PutItemCommand({ TableName: 'users', Item }));
  const found = await dynamodb.send(new GetItemCommand({ TableName: 'users', Key: { id: { S: 'hedy' } } }));
  expect(found.Item).toEqual(Item);
  dynamodb.destroy();
});

test('SQS delivers a message, also when the first attempt to send it fails', async () => {
  const sqs = new SQSClient(emulators.sqs.config);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
  emulators.sqs.faults.add({ kind: 'error', operation: 'SendMessage', times: 1 }); // the SDK sends it again
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one lamp' }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  expect(Messages.map(({ Body }) => Body)).toEqual(['one lamp']);
  expect(emulators.sqs.faults.rules).toEqual([]); // it did fail once
  sqs.destroy();
});

test('Cosmos DB finds an item by a query', async () => {
  const cosmos = new CosmosClient(emulators.cosmos.config);
  const { database } = await cosmos.databases.createIfNotExists({ id: 'shop' });
  const { container } = await database.containers.createIfNotExists({ id: 'items', partitionKey: '/id' });
  await container.items.create({ id: 'lamp', price: 20 });
  const { resources } = await container.items.query('SELECT c.id FROM c WHERE c.price < 30').fetchAll();
  expect(resources).toEqual([{ id: 'lamp' }]);
  cosmos.dispose();
});

test('Service Bus counts a message until it is completed', async () => {
  emulators.servicebus.createQueue('orders');
  const client = new ServiceBusClient(emulators.servicebus.connectionString);
  await client.createSender('orders').sendMessages({ body: 'one lamp' });
  expect(emulators.servicebus.counts('orders').active).toBe(1);
  const receiver = client.createReceiver('orders');
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5_000 });
  expect(message.body).toBe('one lamp');
  await receiver.completeMessage(message);
  expect(emulators.servicebus.counts('orders').active).toBe(0);
  await client.close();
});
