import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  BatchGetItemCommand,
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ExecuteStatementCommand,
  ListTagsOfResourceCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { describeDynamo } from '../../../../tests/contract/suites/dynamodb-suite.ts';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { createTable, newDynamoClient, type Plain, TableClient } from '../../../../tests/helpers/dynamo.ts';
import { type EmulatorProcess, spawnEmulator } from '../../../../tests/helpers/emulator-process.ts';
import { FAULTS_PATH } from '../../src/core/control.ts';
import {
  type BatchOperation,
  type Callback,
  db,
  promised,
  type Store,
  tableOf,
} from '../../src/dynamodb/dynalite.ts';
import { type DynamoEmulator, type DynamoOptions, startDynamo } from '../../src/dynamodb/server.ts';
import { writeItem } from '../../src/dynamodb/writes.ts';

const START = 1_700_000_000_000;
let clock = START;
let shared: DynamoEmulator;
let client: DynamoDBClient;
let table: TableClient;
const onEnd = closeAfterEach();

function newDataDir(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynamodb-contract-'));
  onEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(options: DynamoOptions): Promise<DynamoEmulator> {
  const emulator = await startDynamo(options);
  onEnd(() => emulator.close());
  return emulator;
}

async function spawn(dataDir: string): Promise<EmulatorProcess> {
  const server = await spawnEmulator('dynamodb', dataDir);
  onEnd(() => server.kill());
  return server;
}

function clientOf({ endpoint }: { readonly endpoint: string }, maxAttempts = 1): DynamoDBClient {
  const other = newDynamoClient(endpoint, maxAttempts);
  onEnd(() => other.destroy());
  return other;
}

beforeAll(async () => {
  shared = await startDynamo({ now: () => clock, ttlSweepMs: 3_600_000 });
  client = newDynamoClient(shared.endpoint);
  await createTable(client, 'own');
  table = new TableClient(client, 'own');
});

afterEach(() => shared.faults.clear());

afterAll(async () => {
  client.destroy();
  await shared.close();
});

describeDynamo('the local DynamoDB', () => shared.endpoint);

const add = (key: Plain, n: number, token: string) =>
  new TransactWriteItemsCommand({
    ClientRequestToken: token,
    TransactItems: [
      {
        Update: {
          TableName: 'own',
          Key: marshall(key),
          UpdateExpression: 'ADD n :n',
          ExpressionAttributeValues: marshall({ ':n': n }),
        },
      },
    ],
  });

const enableTtl = (TableName: string, by = client) =>
  by.send(
    new UpdateTimeToLiveCommand({
      TableName,
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    }),
  );

describe('repairs of dynalite', () => {
  /** Two keys whose hashes begin alike, which is all that dynalite tells index entries apart by. */
  function collidingKeys(): [string, string] {
    const seen = new Map<string, string>();
    for (let i = 0; ; i += 1) {
      const key = `item-${i}`;
      const prefix = createHash('md5').update(`Outliers${key}1`).digest('hex').slice(0, 6);
      const other = seen.get(prefix);
      if (other !== undefined) return [other, key];
      seen.set(prefix, key);
    }
  }

  test('items with equal index keys and colliding hashes are both in the index', async () => {
    const keys = collidingKeys();
    for (const pk of keys) await table.put({ pk, sk: '1', p_shard: 'collision', p_at: 1 });
    expect((await table.inShard('collision')).map(({ pk }) => pk).sort()).toEqual([...keys].sort());
  });

  test('an item and its index entries are one write', async () => {
    const store = db.create({});
    onEnd(() => promised<unknown>((callback) => store.db.close(callback)));
    const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
    const record = {
      TableName: 'own',
      TableStatus: 'ACTIVE',
      AttributeDefinitions: [attribute('pk'), attribute('colour')],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-colour',
          KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    };
    await promised<unknown>((callback) => store.tableDb.put('own', record, callback));
    const batches: string[][] = [];
    const batch = store.db.batch.bind(store.db);
    const recording = Object.assign(Object.create(store) as Store, {
      db: {
        batch: (operations: readonly BatchOperation[], callback: Callback<unknown>) => {
          batches.push(operations.map(({ type, key }) => `${type} ${key.split('~')[0] ?? ''}`));
          batch(operations, callback);
        },
      },
    });
    const put = (colour: string) =>
      writeItem(recording, 'PutItem', { TableName: 'own', Item: marshall({ pk: 'a', colour }) });
    await put('red');
    await put('blue');
    await writeItem(recording, 'DeleteItem', { TableName: 'own', Key: marshall({ pk: 'a' }) });
    expect(batches).toEqual([
      ['put index-global', 'put item-own'],
      ['del index-global', 'put index-global', 'put item-own'],
      ['del index-global', 'del item-own'],
    ]);
  });

  test('an item of another type than an index added later stays out of it and can be changed', async () => {
    await createTable(client, 'plain', {
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      GlobalSecondaryIndexes: undefined,
    });
    const plain = new TableClient(client, 'plain');
    const key = { pk: 'a', sk: '1' };
    await plain.put({ ...key, colour: 5 });
    const Create = {
      IndexName: 'by-colour',
      KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' as const }],
      Projection: { ProjectionType: 'ALL' as const },
    };
    await client.send(
      new UpdateTableCommand({
        TableName: 'plain',
        AttributeDefinitions: [{ AttributeName: 'colour', AttributeType: 'S' }],
        GlobalSecondaryIndexUpdates: [{ Create }],
      }),
    );
    await plain.update(key, 'SET colour = :c', { values: { ':c': 'red' } });
    const red = await plain.queryItems('colour = :c', {
      IndexName: 'by-colour',
      values: { ':c': 'red' },
    });
    expect(red).toEqual([{ ...key, colour: 'red' }]);
  });
});

describe('time to live', () => {
  const seconds = () => Math.floor(clock / 1000);

  test('the sweep deletes what has expired and nothing else', async () => {
    await createTable(client, 'ttl');
    await enableTtl('ttl');
    const expiring = new TableClient(client, 'ttl');
    const put = (sk: string, expires: unknown) =>
      expiring.put({ pk: 'a', sk, expires, p_shard: 's', p_at: 1 });
    await put('expired', seconds());
    await put('later', seconds() + 10);
    await put('text', String(seconds() - 10));
    await put('ancient', seconds() - 6 * 365 * 24 * 3600);
    expect(await shared.sweepExpired()).toBe(1);
    clock += 10_000;
    expect(await shared.sweepExpired()).toBe(1);
    expect((await expiring.scan()).map(({ sk }) => sk).sort()).toEqual(['ancient', 'text']);
    expect((await expiring.inShard('s')).map(({ sk }) => sk).sort()).toEqual(['ancient', 'text']);
  });

  test('the sweep goes through more than one page', async () => {
    await createTable(client, 'ttl-pages');
    await enableTtl('ttl-pages');
    const expiring = new TableClient(client, 'ttl-pages');
    await Promise.all(
      Array.from({ length: 450 }, (_, i) => expiring.put({ pk: `k${i}`, sk: '1', expires: seconds() - 1 })),
    );
    expect(await shared.sweepExpired()).toBe(450);
    expect(await expiring.scan()).toEqual([]);
  });

  test('the sweep runs by itself', async () => {
    const other = await start({ ttlSweepMs: 20 });
    const otherClient = clientOf(other);
    await createTable(otherClient, 'ttl');
    await enableTtl('ttl', otherClient);
    const expiring = new TableClient(otherClient, 'ttl');
    await expiring.put({ pk: 'a', sk: '1', expires: Math.floor(Date.now() / 1000) - 1 });
    const deadline = performance.now() + 5_000;
    while ((await expiring.get({ pk: 'a', sk: '1' })) !== undefined) {
      if (performance.now() > deadline) throw new Error('nothing was swept');
    }
  });
});

describe('transaction tokens', () => {
  test('are forgotten after ten minutes', async () => {
    const key = { pk: 'token', sk: 'expiry' };
    await client.send(add(key, 1, 'token-1'));
    clock += 599_999;
    await client.send(add(key, 1, 'token-1'));
    expect((await table.get(key))?.['n']).toBe(1);
    clock += 1;
    await client.send(add(key, 1, 'token-1'));
    expect((await table.get(key))?.['n']).toBe(2);
  });

  test('make a retry harmless when the answer was lost', async () => {
    const key = { pk: 'token', sk: 'lost' };
    shared.faults.set([{ kind: 'drop-ack', operation: 'TransactWriteItems', resource: 'own', times: 1 }]);
    const retrying = clientOf(shared, 3);
    await retrying.send(add(key, 1, 'token-2'));
    expect((await table.get(key))?.['n']).toBe(1);
  });
});

describe('faults', () => {
  const key = { pk: 'fault', sk: '1' };

  test.each([
    ['PutItem', undefined, 'ProvisionedThroughputExceededException', 400],
    ['PutItem', 'ThrottlingException', 'ThrottlingException', 400],
    ['PutItem', 'InternalServerError', 'InternalServerError', 500],
    ['PutItem', 'ServiceUnavailable', 'ServiceUnavailable', 503],
  ])('%s with code %s is refused as %s and has no effect', async (operation, code, name, status) => {
    shared.faults.set([{ kind: 'error', operation, resource: 'own', ...(code && { code }) }]);
    await expect(table.put(key)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
    expect(await table.get(key)).toBeUndefined();
  });

  test('managing tables is throttled under its own name', async () => {
    shared.faults.set([{ kind: 'error', operation: 'DescribeTable' }]);
    await expect(client.send(new DescribeTableCommand({ TableName: 'own' }))).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
  });

  test('a lost answer leaves the write in place', async () => {
    shared.faults.set([{ kind: 'drop-ack', operation: 'PutItem', resource: 'own' }]);
    await expect(table.put({ ...key, v: 1 })).rejects.toThrow('socket hang up');
    expect(await table.get(key)).toEqual({ ...key, v: 1 });
  });

  test('a rule for one table hits a batch that touches it and spares another table', async () => {
    shared.faults.set([{ kind: 'error', resource: 'own' }]);
    const read = (name: string) =>
      client.send(new BatchGetItemCommand({ RequestItems: { [name]: { Keys: [marshall(key)] } } }));
    await expect(read('own')).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    await expect(read('plain')).resolves.toBeDefined();
  });

  test('latency delays the operation', async () => {
    shared.faults.set([{ kind: 'latency', operation: 'GetItem', latencyMs: 150 }]);
    const started = performance.now();
    await table.get(key);
    expect(performance.now() - started).toBeGreaterThanOrEqual(145);
  });

  test('can be set, shown and cleared over HTTP', async () => {
    const url = shared.endpoint + FAULTS_PATH;
    const rules = [{ kind: 'error', operation: 'GetItem', times: 1 }];
    expect(await (await fetch(url, { method: 'PUT', body: JSON.stringify(rules) })).json()).toEqual(rules);
    await expect(table.get(key)).rejects.toThrow();
    expect(await (await fetch(url)).json()).toEqual([]);
    expect((await fetch(url, { method: 'PUT', body: '[{"kind":"nonsense"}]' })).status).toBe(400);
  });
});

describe('what is not there', () => {
  test('streams are refused rather than ignored', async () => {
    const command = new CreateTableCommand({
      TableName: 'streamed',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('an unknown action is refused', async () => {
    await expect(
      client.send(new ExecuteStatementCommand({ Statement: 'SELECT * FROM own' })),
    ).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });

  test('a body that is not JSON is refused', async () => {
    const headers = { 'x-amz-target': 'DynamoDB_20120810.GetItem' };
    const response = await fetch(shared.endpoint, { method: 'POST', headers, body: 'nonsense' });
    expect(response.status).toBe(400);
  });
});

describe('persistence', () => {
  test('items, indexes, settings and tokens outlive a restart', async () => {
    const dataDir = newDataDir();
    const first = await start({ dataDir, region: 'eu-west-1' });
    let other = clientOf(first);
    await createTable(other, 'own', {
      DeletionProtectionEnabled: true,
      TableClass: 'STANDARD_INFREQUENT_ACCESS',
      SSESpecification: { Enabled: true },
      Tags: [{ Key: 'team', Value: 'tandem' }],
    });
    await enableTtl('own', other);
    await other.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'own',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    );
    const key = { pk: 'a', sk: '1' };
    await new TableClient(other, 'own').put({ ...key, p_shard: 's', p_at: 1 });
    await other.send(add(key, 1, 'token'));
    await first.close();

    const second = await start({ dataDir, region: 'eu-west-1' });
    other = clientOf(second);
    const again = new TableClient(other, 'own');
    await other.send(add(key, 1, 'token'));
    expect(await again.inShard('s')).toEqual([{ ...key, p_shard: 's', p_at: 1, n: 1 }]);
    const { Table } = await other.send(new DescribeTableCommand({ TableName: 'own' }));
    expect(Table).toMatchObject({
      TableArn: 'arn:aws:dynamodb:eu-west-1:000000000000:table/own',
      DeletionProtectionEnabled: true,
      TableClassSummary: { TableClass: 'STANDARD_INFREQUENT_ACCESS' },
      SSEDescription: { Status: 'ENABLED' },
    });
    const ttl = await other.send(new DescribeTimeToLiveCommand({ TableName: 'own' }));
    expect(ttl.TimeToLiveDescription?.AttributeName).toBe('expires');
    const backups = await other.send(new DescribeContinuousBackupsCommand({ TableName: 'own' }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: 'ENABLED',
    });
    const tags = await other.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));
    expect(tags.Tags).toEqual([{ Key: 'team', Value: 'tandem' }]);
  });

  test('every acknowledged write survives SIGKILL, and index and table agree', async () => {
    const dataDir = newDataDir();
    let server = await spawn(dataDir);
    let other = clientOf(server);
    await createTable(other, 'own');
    for (let round = 0; round < 3; round += 1) {
      const acknowledged = await writeUntilKilled(new TableClient(other, 'own'), () => server.kill());
      server = await spawn(dataDir);
      other = clientOf(server);
      const own = new TableClient(other, 'own');
      const items = await own.scan();
      const versions = new Map(items.map(({ pk, n }) => [pk, Number(n)]));
      for (const [pk, n] of acknowledged) expect(versions.get(pk)).toBeGreaterThanOrEqual(n);
      const marked = items.filter((item) => item['p_shard'] !== undefined);
      const byKey = (a: Plain, b: Plain) => (String(a['pk']) < String(b['pk']) ? -1 : 1);
      expect((await own.inShard('s')).sort(byKey)).toEqual(marked.sort(byKey));
    }
  });

  /** Keeps eight items changing, in and out of the sparse index, and kills the server amid it. */
  async function writeUntilKilled(own: TableClient, kill: () => Promise<void>): Promise<Map<string, number>> {
    const acknowledged = new Map<string, number>();
    let writes = 0;
    let isKilled = false;
    const change = async (pk: string): Promise<void> => {
      for (let n = Number((await own.get({ pk, sk: '1' }))?.['n'] ?? 0) + 1; !isKilled; n += 1) {
        const expression =
          n % 2 === 0 ? 'SET n = :n REMOVE p_shard' : 'SET n = :n, p_at = :n, p_shard = :shard';
        const values = n % 2 === 0 ? { ':n': n } : { ':n': n, ':shard': 's' };
        await own.update({ pk, sk: '1' }, expression, { values });
        acknowledged.set(pk, n);
        writes += 1;
        if (writes === 400) {
          isKilled = true;
          await kill();
        }
      }
    };
    await Promise.allSettled(Array.from({ length: 8 }, (_, i) => change(`k${i}`)));
    expect(writes).toBeGreaterThanOrEqual(400);
    return acknowledged;
  }

  test('a damaged store is not opened, and the message names the folder and what to do', async () => {
    const dataDir = newDataDir();
    await (await start({ dataDir })).close();
    fs.writeFileSync(path.join(dataDir, 'leveldb/CURRENT'), 'garbage');
    await expect(startDynamo({ dataDir })).rejects.toThrow(/leveldb cannot be opened .*move it away/);
  });

  test('a second process on the same folder is refused by name, in the same process too', async () => {
    const dataDir = newDataDir();
    const owner = await spawn(dataDir);
    await expect(start({ dataDir })).rejects.toThrow(`in use by process ${owner.pid}`);
    await owner.kill();
    await start({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow(`in use by process ${process.pid}`);
  });

  test('a table whose creation was cut short is ready after a restart', async () => {
    const dataDir = newDataDir();
    const first = await start({ dataDir });
    let other = clientOf(first);
    await createTable(other, 'own');
    await first.close();
    await markAsCreating(dataDir, 'own');

    const second = await start({ dataDir });
    other = clientOf(second);
    await new TableClient(other, 'own').put({ pk: 'a', sk: '1' });
  });

  /** Puts the state into the database that a kill amid CreateTable leaves. */
  async function markAsCreating(dataDir: string, name: string): Promise<void> {
    const store = db.create({ path: path.join(dataDir, 'leveldb') });
    await store.db.open();
    const record = { ...(await tableOf(store, name, false)), TableStatus: 'CREATING' };
    await promised<unknown>((callback) => store.tableDb.put(name, record, callback));
    await promised<unknown>((callback) => store.db.close(callback));
  }
});
