/**
 * Emulators with budgets refuse as the services do, and the stores slow down instead of failing: what is throttled is
 * asked for again when the service says, operation by operation, within a bound.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Container, CosmosClient, type OperationInput } from '@azure/cosmos';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startCosmos } from '@tandem-clouds/emulators/cosmos/server';
import { type DynamoOptions, startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import { WriteBudget } from '@tandem-clouds/emulators/dynamodb/write-budget';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { drive } from '@tandem-clouds/replication/drive';
import { ThrottledError } from '@tandem-clouds/replication/errors';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { DynamoStore } from '../../src/shared/adapters/aws/store.ts';
import { CosmosStore } from '../../src/shared/adapters/azure/store.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { newDynamoClient } from '../helpers/dynamo.ts';
import { tableDefinition } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SITE = 'aws-us-east-1';
const STAMP = encodeStamp(1_700_000_000_000, 0, SITE);

function recordOf(i: number, characters = 10): StoredRecord {
  return {
    key: `item:${i}`,
    state: { fields: { text: [STAMP, 'x'.repeat(characters)] }, vector: { [SITE]: STAMP } },
    version: STAMP,
    pending: { 'azure-eastus': STAMP },
    pendingSince: 1,
    operations: [],
  };
}

const writes = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ record: recordOf(i), expected: undefined }));

async function cosmos(requestUnitsPerSecond: number, now?: () => number): Promise<Container> {
  const server = await startCosmos({ requestUnitsPerSecond, ...(now && { now }) });
  closing.push(() => server.close());
  const client = new CosmosClient({ endpoint: server.endpoint, key: server.key });
  const { database } = await client.databases.createIfNotExists({ id: 'tandem' });
  const { container } = await database.containers.createIfNotExists({ id: 'records', partitionKey: '/id' });
  return container;
}

type Units = Pick<DynamoOptions, 'readUnitsPerSecond' | 'writeUnitsPerSecond'>;

async function dynamo(units: Units, now?: () => number) {
  const server = await startDynamo({ ...units, ...(now && { now }) });
  closing.push(() => server.close());
  const client = newDynamoClient(server.endpoint);
  closing.push(() => {
    client.destroy();
    return Promise.resolve();
  });
  await client.send(new CreateTableCommand(tableDefinition()));
  return client;
}

describe('Cosmos DB beyond its request units', () => {
  const creates = (count: number): OperationInput[] =>
    Array.from({ length: count }, (_, i) => ({
      operationType: 'Create',
      partitionKey: String(i),
      resourceBody: { id: String(i) },
    }));

  test('refuses operations of a bulk request one by one, each with when to try again', async () => {
    let nowMs = 0;
    const container = await cosmos(110, () => nowMs);
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const bulk = (operations: OperationInput[]) => container.items.bulk(operations);
    const responses = await bulk(creates(40));
    // 5.5 each: twenty are paid for, and the SDK asks for none of the others again.
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([
      ...Array.from({ length: 20 }, () => 201),
      ...Array.from({ length: 20 }, () => 429),
    ]);
    expect(responses[20]).toMatchObject({ subStatusCode: 3200, requestCharge: 0, retryAfterMilliseconds: 1 });
    nowMs += 1_000;
    const again = await bulk(creates(40).slice(20));
    expect(again.every(({ statusCode }) => statusCode === 201)).toBe(true);
  });

  test('refuses any other request as a whole, with x-ms-retry-after-ms', async () => {
    let nowMs = 0;
    const container = await cosmos(5, () => nowMs);
    await container.items.create({ id: 'a' });
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    await container.items.bulk([{ operationType: 'Read', id: 'a', partitionKey: 'a' }]);
    const refused = container.item('a', 'a').read({ abortSignal: AbortSignal.timeout(60) });
    await expect(refused).rejects.toThrow();
    const error: unknown = await container.items.create({ id: 'b' }).catch((reason: unknown) => {
      nowMs += 10_000;
      return reason;
    });
    expect(error).toMatchObject({ code: 429, substatus: 3200, retryAfterInMs: 100 });
    expect((await container.item('a', 'a').read()).statusCode).toBe(200);
  });

  test('takes all writes, reads and clearings of the store, later', async () => {
    const store = new CosmosStore(await cosmos(1_500), { entriesOf: noEntries });
    const results = await store.putMany(writes(250));
    expect(results.every(({ status }) => status === 'written')).toBe(true);
    const keys = writes(250).map(({ record: { key } }) => key);
    expect((await store.getMany(keys)).size).toBe(250);
    await store.clearPending(keys.map((key) => ({ key, accepted: { 'azure-eastus': STAMP } })));
    const held = await store.getMany(keys);
    expect([...held.values()].filter(({ record }) => Object.keys(record.pending).length > 0)).toEqual([]);
  });

  test('is reported with its hint when it lasts longer than a call may take', async () => {
    const store = new CosmosStore(await cosmos(50), { entriesOf: noEntries });
    const results = await store.putMany(writes(100));
    const failed = results.flatMap((result) => (result.status === 'failed' ? [result.error] : []));
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((error) => error instanceof ThrottledError && error.retryAfterMs > 0)).toBe(true);
  });
});

describe('DynamoDB beyond its read units', () => {
  const keysOf = (count: number) => writes(count).map(({ record: { key } }) => key);

  test('leaves keys of a batch unprocessed, and refuses one of which it can read nothing', async () => {
    let nowMs = 0;
    const client = await dynamo({ readUnitsPerSecond: 10 }, () => nowMs);
    const store = new DynamoStore(client, 'tandem', { entriesOf: noEntries });
    await store.putMany(writes(30));
    const read = () =>
      client.send(
        new BatchGetItemCommand({
          RequestItems: { tandem: { Keys: keysOf(30).map((k) => ({ k: { S: k } })), ConsistentRead: true } },
        }),
      );
    const { Responses, UnprocessedKeys } = await read();
    expect(Responses?.['tandem']).toHaveLength(10);
    expect(UnprocessedKeys?.['tandem']).toMatchObject({ ConsistentRead: true, Keys: { length: 20 } });
    await expect(read()).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    nowMs += 1_000;
    expect((await read()).Responses?.['tandem']).toHaveLength(10);
  });

  test('answers the store all the same, after pauses and not in a loop without one', async () => {
    const client = await dynamo({ readUnitsPerSecond: 200 });
    const store = new DynamoStore(client, 'tandem', { entriesOf: noEntries });
    await store.putMany(writes(300));
    let calls = 0;
    client.middlewareStack.add(
      (next) => (args) => {
        calls += 1;
        return next(args);
      },
      { step: 'initialize' },
    );
    expect((await store.getMany(keysOf(300))).size).toBe(300);
    expect(calls).toBeLessThan(30);
  });

  test('is reported when it lasts longer than a call may take', async () => {
    const store = new DynamoStore(await dynamo({ readUnitsPerSecond: 1 }), 'tandem', {
      entriesOf: noEntries,
    });
    await store.putMany(writes(90));
    await expect(store.getMany(keysOf(90))).rejects.toBeInstanceOf(ThrottledError);
  });
});

describe('DynamoDB beyond its write units', () => {
  const items = (count: number) => Array.from({ length: count }, (_, i) => ({ k: { S: `item:${i}` } }));
  const put = (Item: { k: { S: string } }) => ({ PutRequest: { Item } });

  test('refuses a write of one item, until there is capacity again', async () => {
    let nowMs = 0;
    const client = await dynamo({ writeUnitsPerSecond: 1 }, () => nowMs);
    const at = { TableName: 'tandem', Key: { k: { S: 'a' } } };
    await client.send(new PutItemCommand({ TableName: 'tandem', Item: { k: { S: 'a' } } }));
    const throttled = { name: 'ProvisionedThroughputExceededException' };
    await expect(client.send(new UpdateItemCommand(at))).rejects.toMatchObject(throttled);
    await expect(client.send(new DeleteItemCommand(at))).rejects.toMatchObject(throttled);
    nowMs += 1_000;
    await client.send(new DeleteItemCommand(at));
    await expect(client.send(new DeleteItemCommand(at))).rejects.toMatchObject(throttled);
  });

  test('counts a write whose condition does not hold', async () => {
    const client = await dynamo({ writeUnitsPerSecond: 1 }, () => 0);
    const never = { TableName: 'tandem', Key: { k: { S: 'a' } }, ConditionExpression: 'attribute_exists(k)' };
    await expect(client.send(new DeleteItemCommand(never))).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    await expect(client.send(new DeleteItemCommand(never))).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
  });

  test('leaves items of a batch unprocessed, and refuses one of which it can write nothing', async () => {
    let nowMs = 0;
    const client = await dynamo({ writeUnitsPerSecond: 10 }, () => nowMs);
    const write = (count: number) =>
      client.send(new BatchWriteItemCommand({ RequestItems: { tandem: items(count).map(put) } }));
    const { UnprocessedItems } = await write(25);
    expect(UnprocessedItems).toEqual({ tandem: items(25).slice(10).map(put) });
    await expect(write(1)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    nowMs += 1_000;
    expect((await write(10)).UnprocessedItems).toEqual({});
  });

  test('cancels a transaction as a whole, and says why', async () => {
    let nowMs = 0;
    const client = await dynamo({ writeUnitsPerSecond: 2 }, () => nowMs);
    const transact = () =>
      client.send(
        new TransactWriteItemsCommand({
          TransactItems: items(2).map((Item) => ({ Put: { TableName: 'tandem', Item } })),
        }),
      );
    await transact();
    await expect(transact()).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [
        { Code: 'ProvisionedThroughputExceeded' },
        { Code: 'ProvisionedThroughputExceeded' },
      ],
    });
    // It cost two units an item, and so twice what is granted.
    nowMs += 1_000;
    await expect(transact()).rejects.toThrow();
    nowMs += 1_000;
    await transact();
  });

  test('refuses for an index what its table could take', () => {
    const budget = new WriteBudget({ perSecond: 10, now: () => 0 });
    budget.charge('tandem', { table: 1, global: { pending: 10 } });
    expect([budget.admits('tandem'), budget.admits('other')]).toEqual([false, true]);
  });

  test('takes all writes and clearings of the store, later', async () => {
    const store = new DynamoStore(await dynamo({ writeUnitsPerSecond: 100 }), 'tandem', {
      urgency: 'background',
      entriesOf: noEntries,
    });
    const results = await store.putMany(writes(400));
    expect(results.filter(({ status }) => status !== 'written')).toEqual([]);
    const keys = writes(400).map(({ record: { key } }) => key);
    const clearings = keys.map((key) => ({ key, accepted: { 'azure-eastus': STAMP } }));
    expect((await store.clearPending(clearings)).filter((error) => error !== undefined)).toEqual([]);
    const held = await store.getMany(keys);
    expect([...held.values()].filter(({ record }) => Object.keys(record.pending).length > 0)).toEqual([]);
  });

  test('is reported with a hint when it lasts longer than a call may take', async () => {
    const store = new DynamoStore(await dynamo({ writeUnitsPerSecond: 5 }), 'tandem', {
      entriesOf: noEntries,
    });
    const results = await store.putMany(writes(100));
    const failed = results.flatMap((result) => (result.status === 'failed' ? [result.error] : []));
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.every((error) => error instanceof ThrottledError && error.retryAfterMs > 0)).toBe(true);
  });

  test('applies a backlog later, and dead-letters none of it', async () => {
    const store = new DynamoStore(await dynamo({ writeUnitsPerSecond: 40 }), 'tandem', {
      entriesOf: noEntries,
    });
    const source = new TestSite('azure-eastus', [SITE]);
    source.nowMs = Date.now();
    for (let i = 0; i < 240; i += 1) await source.write(`item:${i}`, { data: i });
    const site = { site: SITE, peers: ['azure-eastus'], now: Date.now };
    const resources = { store, sleep: (ms: number) => delay(ms) };
    const seen = new Set<string>();
    for (let open = source.outboxDeliveries(); open.length > 0;) {
      const { dispositions } = await drive(applyBatch(site, open, checkEvent), resources);
      for (const disposition of dispositions)
        seen.add(disposition.kind === 'retry' ? `retry ${disposition.isNoAttempt}` : disposition.kind);
      open = open.filter((_, i) => dispositions[i]?.kind === 'retry');
    }
    expect([...seen].filter((kind) => kind !== 'done' && kind !== 'retry true')).toEqual([]);
    const keys = Array.from({ length: 240 }, (_, i) => `item:${i}`);
    expect((await store.getMany(keys)).size).toBe(240);
  });
});
