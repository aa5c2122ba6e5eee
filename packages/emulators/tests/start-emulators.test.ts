/** `startEmulators`: every service for its vendor's SDK, in this process; what is wrong is named; nothing stays open. */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import { describe, expect, test } from '@jest/globals';
import { type EmulatorsOptions, startEmulators } from '@tandem-clouds/emulators';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';

const closing = closeAfterEach();

/** Whether something listens there. */
async function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  return once(socket, 'connect').then(
    () => {
      socket.destroy();
      return true;
    },
    () => false,
  );
}

function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'emulators-'));
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const TABLE = {
  TableName: 'users',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
  BillingMode: 'PAY_PER_REQUEST' as const,
};
const ITEM = { id: { S: 'hedy' }, name: { S: 'Hedy Lamarr' } };

describe('startEmulators', () => {
  test('gives each SDK what its constructor takes', async () => {
    const emulators = await startEmulators({
      services: ['dynamodb', 'sqs', 'cosmos', 'servicebus'],
      servicebus: { queues: { orders: { maxDeliveryCount: 3 } } },
    });
    closing(() => emulators.close());

    const dynamodb = new DynamoDBClient(emulators.dynamodb.config);
    closing(() => dynamodb.destroy());
    await dynamodb.send(new CreateTableCommand(TABLE));
    await dynamodb.send(new PutItemCommand({ TableName: 'users', Item: ITEM }));
    const got = await dynamodb.send(new GetItemCommand({ TableName: 'users', Key: { id: { S: 'hedy' } } }));
    expect(got.Item).toEqual(ITEM);

    const sqs = new SQSClient(emulators.sqs.config);
    closing(() => sqs.destroy());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'one' }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(['one']);

    const cosmos = new CosmosClient(emulators.cosmos.config);
    closing(() => cosmos.dispose());
    const { database } = await cosmos.databases.createIfNotExists({ id: 'shop' });
    const { container } = await database.containers.createIfNotExists({ id: 'users', partitionKey: '/id' });
    await container.items.create({ id: 'hedy', name: 'Hedy Lamarr' });
    expect((await container.item('hedy', 'hedy').read()).resource).toMatchObject({ name: 'Hedy Lamarr' });

    const serviceBus = new ServiceBusClient(emulators.servicebus.connectionString);
    closing(() => serviceBus.close());
    await serviceBus.createSender('orders').sendMessages({ body: { id: 1 } });
    const receiver = serviceBus.createReceiver('orders');
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    expect(message?.body).toEqual({ id: 1 });
    if (message !== undefined) await receiver.completeMessage(message);
    expect(emulators.servicebus.counts('orders')).toMatchObject({ active: 0 });
  });

  test('has buckets that tell the queues of the same call', async () => {
    await using emulators = await startEmulators({ services: ['s3', 'sqs'] });
    const sqs = new SQSClient(emulators.sqs.config);
    closing(() => sqs.destroy());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'objects' }));
    const s3 = new S3Client(emulators.s3.config);
    closing(() => s3.destroy());
    await s3.send(new CreateBucketCommand({ Bucket: 'pictures' }));
    const QueueArn = 'arn:aws:sqs:us-east-1:000000000000:objects';
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'pictures',
        NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ['s3:ObjectCreated:*'] }] },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket: 'pictures', Key: 'a', Body: 'one' }));
    const got = await s3.send(new GetObjectCommand({ Bucket: 'pictures', Key: 'a' }));
    expect(await got.Body?.transformToString()).toBe('one');
    const bodies: string[] = [];
    while (bodies.length < 2) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      bodies.push(...Messages.map(({ Body = '' }) => Body));
    }
    expect(bodies.join()).toMatch(/s3:TestEvent.*ObjectCreated:Put/);
  });

  test('gives tokens of an issuer', async () => {
    const { oidc, close } = await startEmulators({ services: ['oidc'] });
    closing(close);
    const response = await fetch(`${oidc.issuer}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(await response.json()).toMatchObject({ token_type: 'Bearer' });
  });

  test('injects faults that the SDK meets, from this process and by HTTP', async () => {
    const { sqs: emulator, close } = await startEmulators({ services: ['sqs'] });
    closing(close);
    const sqs = new SQSClient({ ...emulator.config, maxAttempts: 1 });
    closing(() => sqs.destroy());
    const create = () => sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));

    emulator.faults.add({ kind: 'error', operation: 'CreateQueue', times: 1 });
    await expect(create()).rejects.toThrow(/injected/);
    await create();
    await fetch(emulator.faultsUrl, {
      method: 'PUT',
      body: JSON.stringify([{ kind: 'error', code: 'Busy' }]),
    });
    await expect(create()).rejects.toMatchObject({ name: 'Busy' });
    await fetch(emulator.faultsUrl, { method: 'DELETE' });
    await create();
  });

  test('keeps data in a folder, for the next start', async () => {
    const dataDir = temporaryFolder();
    const first = await startEmulators({ services: ['dynamodb'], dataDir });
    closing(() => first.close());
    const writer = new DynamoDBClient(first.dynamodb.config);
    await writer.send(new CreateTableCommand(TABLE));
    await writer.send(new PutItemCommand({ TableName: 'users', Item: ITEM }));
    writer.destroy();
    await first.close();

    const second = await startEmulators({ services: ['dynamodb'], dataDir });
    closing(() => second.close());
    const reader = new DynamoDBClient(second.dynamodb.config);
    closing(() => reader.destroy());
    const got = await reader.send(new GetItemCommand({ TableName: 'users', Key: { id: { S: 'hedy' } } }));
    expect(got.Item).toEqual(ITEM);
  });

  test('listens no more after it was closed, however often that is asked for, and by `await using` too', async () => {
    let ports: number[] = [];
    {
      await using emulators = await startEmulators({ services: ['sqs', 'servicebus'] });
      ports = [emulators.sqs.port, emulators.servicebus.port];
      expect(await Promise.all(ports.map(listens))).toEqual([true, true]);
    }
    expect(await Promise.all(ports.map(listens))).toEqual([false, false]);
    const emulators = await startEmulators({ services: ['sqs'] });
    await Promise.all([emulators.close(), emulators.close()]);
    await emulators.close();
    expect(await listens(emulators.sqs.port)).toBe(false);
  });

  test('names the service whose port is taken, and leaves none of the others behind', async () => {
    const first = await startEmulators({ services: ['sqs'] });
    closing(() => first.close());
    const dataDir = temporaryFolder();
    await expect(
      startEmulators({ services: ['dynamodb', 'sqs'], dataDir, ports: { sqs: first.sqs.port } }),
    ).rejects.toThrow(/^sqs: .*EADDRINUSE/);
    // The folder of the one that could start is free again.
    await using again = await startEmulators({ services: ['dynamodb', 'sqs'], dataDir });
    expect(await listens(again.dynamodb.port)).toBe(true);
  });

  test('listens on the ports that it is given', async () => {
    const free = await startEmulators({ services: ['servicebus'] });
    const { port, controlUrl } = free.servicebus;
    const control = Number(new URL(controlUrl).port);
    await free.close();
    await using again = await startEmulators({
      services: ['servicebus'],
      ports: { servicebus: port, 'servicebus-control': control },
    });
    expect([again.servicebus.port, again.servicebus.controlUrl]).toEqual([port, controlUrl]);
  });

  test('has variables that the AWS SDKs read by themselves', async () => {
    await using emulators = await startEmulators({ services: ['sqs', 'cosmos'], region: 'eu-west-1' });
    expect(emulators.env).toEqual({
      AWS_ENDPOINT_URL_SQS: emulators.sqs.endpoint,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      COSMOS_ENDPOINT: emulators.cosmos.endpoint,
      COSMOS_KEY: emulators.cosmos.config.key,
    });
    const before = { ...process.env };
    closing(() => (process.env = before));
    process.env = { ...before, ...emulators.env };
    const sqs = new SQSClient();
    closing(() => sqs.destroy());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'orders' }));
    expect(QueueUrl).toBe(`${emulators.sqs.endpoint}/000000000000/orders`);
  });
});

describe('wrong options', () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ['no options', undefined, "options: an object such as { services: ['sqs'] } is needed, not undefined"],
    ['no services', {}, 'services: a list of at least one of'],
    ['an empty list of services', { services: [] }, 'services: a list of at least one of'],
    ['services that are undefined', { services: undefined }, 'services: a list of at least one of'],
    [
      'an unknown service',
      { services: ['dynamo'] },
      "'dynamo' is not one of dynamodb, sqs, s3, secretsmanager, cosmos, servicebus, keyvault, blob, oidc, stripe, paypal, smtp, sns, communicationservices; did you mean 'dynamodb'?",
    ],
    ['what every object has', { services: ['constructor'] }, "'constructor' is not one of"],
    ['a service twice', { services: ['sqs', 'sqs'] }, 'services: each service is named once'],
    [
      'an unknown field',
      { services: ['sqs'], datadir: 'x' },
      "datadir: unknown field; did you mean 'dataDir'?",
    ],
    [
      'a port that is a text',
      { services: ['sqs'], ports: { sqs: '9324' } },
      "ports.sqs: a whole number from 0 to 65535 is needed, not '9324'",
    ],
    [
      'a port that is too high',
      { services: ['sqs'], ports: { sqs: 65_536 } },
      'ports.sqs: a whole number from 0 to 65535 is needed, not 65536',
    ],
    ['an unknown port', { services: ['sqs'], ports: { http: 1 } }, 'ports.http: unknown field'],
    [
      'a port of what is not started',
      { services: ['sqs'], ports: { cosmos: 8081 } },
      'ports.cosmos: services does not name it',
    ],
    [
      'a control port of what is not started',
      { services: ['sqs'], ports: { 'servicebus-control': 1 } },
      'ports.servicebus-control: services does not name it',
    ],
    [
      'options of what is not started',
      { services: ['sqs'], servicebus: {} },
      'servicebus: services does not name it',
    ],
    [
      'an empty folder',
      { services: ['sqs'], dataDir: '' },
      "dataDir: a text that is not empty is needed, not ''",
    ],
    ['a clock that is none', { services: ['sqs'], now: 5 }, 'now: a function is needed, not 5'],
    [
      'a tier that is none',
      { services: ['servicebus'], servicebus: { tier: 'Free' } },
      "servicebus.tier: one of Basic, Standard, Premium is needed, not 'Free'",
    ],
    [
      'a wrong option of a queue',
      { services: ['servicebus'], servicebus: { queues: { q: { lockMs: 1 } } } },
      'servicebus.queues.q.lockMs: unknown field',
    ],
    [
      'a wrong name of a queue',
      { services: ['servicebus'], servicebus: { queues: { $q: {} } } },
      "servicebus.queues: name: '$q' is not a queue name",
    ],
    [
      'a budget of nothing',
      { services: ['cosmos'], cosmos: { requestUnitsPerSecond: 0 } },
      'cosmos.requestUnitsPerSecond: a number above 0 is needed, not 0',
    ],
    [
      'an account that is none',
      { services: ['blob'], blob: { account: 'Not One', versioning: 'yes', events: { queue: '' } } },
      "blob.account: a name of 3 to 24 lower-case letters and digits is needed, not 'Not One'; blob.versioning: true or false is needed, not 'yes'; blob.events.queue: a text that is not empty is needed, not ''",
    ],
    [
      'several mistakes',
      { services: ['sqs'], region: '', ports: [] },
      "region: a text that is not empty is needed, not ''; ports: an object is needed, not an empty list",
    ],
  ];

  test.each(wrong)('%s are refused before anything listens', async (_case, options, message) => {
    const refused = startEmulators(options as EmulatorsOptions);
    await expect(refused).rejects.toMatchObject({ name: 'EmulatorOptionsError' });
    await expect(refused).rejects.toThrow(message);
  });
});
