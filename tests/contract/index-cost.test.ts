/** What a declared index costs on DynamoDB, counted by the emulator as the service bills. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Usage } from '@tandem-clouds/emulators/core/usage';
import { type DynamoEmulator, startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import type { Json } from '@tandem-clouds/replication/json';
import { DELETED } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { DynamoStore } from '../../src/shared/adapters/aws/store.ts';
import { indexesOf } from '../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../src/shared/domain/indexes/index-entry.ts';
import { bookingNamed } from '../helpers/indexed-booking.ts';
import { tableDefinition } from '../helpers/sites.ts';

let dynamo: DynamoEmulator;
let client: DynamoDBClient;
let store: DynamoStore;

beforeAll(async () => {
  dynamo = await startDynamo({});
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new DynamoDBClient({ region: 'us-east-1', endpoint: dynamo.endpoint, credentials });
  await client.send(new CreateTableCommand(tableDefinition()));
  store = new DynamoStore(client, 'tandem', { entriesOf: indexEntries(indexesOf(bookingNamed('booking'))) });
});

afterAll(async () => {
  client.destroy();
  await dynamo.close();
});

const USAGE = '/_tandem/usage';
let stamps = 0;

/** Write units of the generic indexes that one write takes. */
async function unitsOf(values: Readonly<Record<string, Json>>): Promise<{ indexes: number }> {
  stamps += 1;
  const stamp = encodeStamp(stamps, 0, 'aws-us-east-1');
  const fields = Object.entries(values).map(([field, value]) => [field, [stamp, value] as const]);
  const key = 'booking:1';
  const expected = (await store.get(key))?.revision;
  await fetch(dynamo.endpoint + USAGE, { method: 'DELETE' });
  const state = { fields: Object.fromEntries(fields), vector: { 'aws-us-east-1': stamp } };
  const record = { key, state, version: stamp, pending: {}, operations: [] };
  expect(await store.putMany([{ record, expected }])).toMatchObject([{ status: 'written' }]);
  const usage = (await (await fetch(dynamo.endpoint + USAGE)).json()) as Usage;
  const counts = Object.values(usage['tandem'] ?? {}).flatMap((units) => Object.entries(units));
  const sum = (wanted: RegExp): number =>
    counts.reduce((total, [name, units]) => total + (wanted.test(name) ? units : 0), 0);
  return { indexes: sum(/^writeUnits:by_x/) };
}

test('an entry costs a write unit when it is made or removed, two when it moves, and nothing otherwise', async () => {
  const from = '2030-01-01T00:00:00Z';
  const booked = { customerId: 'ada', from, seats: 2, note: 'a' };
  expect((await unitsOf(booked)).indexes).toBe(2);
  expect((await unitsOf({ ...booked, note: 'b' })).indexes).toBe(0);
  expect((await unitsOf({ ...booked, note: 'b', customerId: 'bob' })).indexes).toBe(2);
  expect((await unitsOf({ ...booked, seats: null, customerId: 'bob' })).indexes).toBe(1);
  expect((await unitsOf({ [DELETED]: true })).indexes).toBe(1);
});
