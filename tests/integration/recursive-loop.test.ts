/**
 * A comparison whose side takes 40 steps, each in an invocation of its own: the deployed function under the event source
 * mapping of the local host, which ends chains of invocations as Lambda does, with the settings of the definition.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { parse } from 'yaml';
import type { Emulator } from '@tandem-clouds/emulators/core/emulator';
import { startDynamo } from '@tandem-clouds/emulators/dynamodb/server';
import { type SqsEmulator, startSqs } from '@tandem-clouds/emulators/sqs/server';
import { BridgeSupervisor } from '@tandem-clouds/local/aws-host/bridge-supervisor';
import { recursiveLoopOf, type ServiceDefinition } from '@tandem-clouds/local/aws-host/service-model';
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { drive } from '@tandem-clouds/replication/drive';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { readServiceBundles, ROOT } from '../../scripts/bench/service-bundles.ts';
import { SqsSender } from '../../src/shared/adapters/aws/queue.ts';
import { DynamoStore } from '../../src/shared/adapters/aws/store.ts';
import { newDynamoClient } from '../helpers/dynamo.ts';
import { tableDefinition } from '../helpers/sites.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const STEPS = 40;
/** DynamoDB ends a page of a scan at 1 MB, and each step gets one page. */
const RECORDS_PER_PAGE = 10;
const RECORD_CHARACTERS = 105_000;

const SITE = 'aws-us-east-1';
const PEER = 'aws-eu-west-1';
const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

let dir: string;
let dynamo: Emulator;
let sqs: SqsEmulator;
const printed: string[] = [];
let supervisor: BridgeSupervisor | undefined;

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'recursive-loop-'));
  [dynamo, sqs] = await Promise.all([startDynamo({}), startSqs({})]);
});

afterAll(async () => {
  await supervisor?.stop();
  await Promise.all([dynamo.close(), sqs.close()]);
  fs.rmSync(dir, { recursive: true });
});

/** The function as it is packaged, with a clock that a step's 20 s are over on after each page. */
async function bundleVerify(): Promise<string> {
  const { options } = readServiceBundles('aws');
  const packaged = path.join(dir, 'packaged.cjs');
  await build({ ...options, entryPoints: [path.join(ROOT, 'src/bridge/verify.ts')], outfile: packaged });
  const bundle = path.join(dir, 'verify.cjs');
  fs.writeFileSync(
    bundle,
    `const real = Date.now; const start = real(); let samples = 0;
     // The composition root keeps the clock that it finds when the bundle is loaded.
     Date.now = () => start + 25_000 * samples++;
     module.exports = require('./packaged.cjs');
     Date.now = real;`,
  );
  return bundle;
}

async function fillTable(): Promise<DynamoStore> {
  const client = newDynamoClient(dynamo.endpoint);
  await client.send(new CreateTableCommand(tableDefinition()));
  const store = new DynamoStore(client, 'tandem', { entriesOf: noEntries });
  const stamp = encodeStamp(Date.now() - 60_000, 0, SITE);
  for (let page = 0; page < STEPS; page += 1) {
    const writes = Array.from({ length: RECORDS_PER_PAGE }, (_, i) => {
      const record: StoredRecord = {
        key: `item:${page}-${i}`,
        state: { fields: { text: [stamp, 'x'.repeat(RECORD_CHARACTERS)] }, vector: { [SITE]: stamp } },
        pending: {},
        operations: [],
      };
      return { record, expected: undefined };
    });
    const results = await store.putMany(writes);
    expect(results.every(({ status }) => status === 'written')).toBe(true);
  }
  return store;
}

test('a comparison of 40 steps goes through its own queue to its end, and nothing is dead-lettered', async () => {
  const store = await fillTable();
  const definition = parse(fs.readFileSync(path.join(ROOT, 'serverless.aws.yml'), 'utf8'), {
    merge: true,
  }) as { resources: readonly (string | ServiceDefinition['resources'])[] };
  // Of the parts of the definition those that are not files of their own.
  const resources = Object.assign(
    {},
    ...definition.resources.filter((part) => typeof part !== 'string'),
  ) as object;
  const service = { ...definition, resources } as unknown as ServiceDefinition;
  const queue = (
    id: string,
    name: string,
    redrive?: { deadLetterQueue: string; maxReceiveCount: number },
  ) => ({
    id,
    name,
    attributes: { VisibilityTimeout: '1' },
    redrive,
  });
  supervisor = new BridgeSupervisor({
    env: {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    },
    print: (line) => printed.push(line),
  });
  await supervisor.start({
    site: SITE,
    region: 'us-east-1',
    functions: {
      verify: {
        name: 'tandem-prod-verify',
        bundle: await bundleVerify(),
        exportName: 'handler',
        timeoutMs: 60_000,
        memoryMb: 512,
        recursiveLoop: recursiveLoopOf(service, 'verify'),
      },
    },
    queues: [{ functionKey: 'verify', queue: 'Verify', batchSize: 1, concurrency: 5, partialFailures: true }],
    schedules: [],
    resources: {
      region: 'us-east-1',
      tables: [],
      queues: [
        queue('Dead', 'tandem-dead'),
        queue('Verify', 'tandem-verify', { deadLetterQueue: 'Dead', maxReceiveCount: 2 }),
        queue('Peer', 'peer-verify'),
      ],
    },
    environment: {
      TANDEM_SITE: SITE,
      TANDEM_REGION: 'us-east-1',
      TANDEM_PEERS: JSON.stringify([
        {
          site: PEER,
          cloud: 'aws',
          region: 'us-east-1',
          url: 'http://127.0.0.1:1',
          inbox: sqs.queueUrlOf('peer-in'),
          verify: sqs.queueUrlOf('peer-verify'),
        },
      ]),
      TANDEM_LOG_LEVEL: 'info',
      TANDEM_TABLE: 'tandem',
      TANDEM_OBJECTS_QUEUE_URL: sqs.queueUrlOf('tandem-objects'),
      ...Object.fromEntries(
        ['out', 'in', 'dead', 'tick', 'verify', 'react'].map((name) => [
          `TANDEM_${name.toUpperCase()}_URL`,
          sqs.queueUrlOf(`tandem-${name}`),
        ]),
      ),
    },
  });
  const client = new SQSClient({ ...access, endpoint: sqs.endpoint });
  const verifiers = new Map([[SITE, new SqsSender(client, sqs.queueUrlOf('tandem-verify'))]]);
  const job = { id: 'forty', from: SITE, to: PEER, atMs: Date.now(), repair: false };
  const outbox = {
    send: () => Promise.resolve([]),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  await drive(begin({ site: SITE, peers: [PEER], now: Date.now }, job), {
    store,
    outbox,
    verifiers,
    sleep: () => Promise.resolve(),
  });
  client.destroy();
  const count = (name: string): number => sqs.queues()[name]?.visible ?? 0;
  const isOver = (): true | undefined => count('peer-verify') + count('tandem-dead') > 0 || undefined;
  await waitUntil('the end of the chain', isOver).catch((cause: unknown) => {
    throw new Error(printed.join('\n'), { cause });
  });
  expect({ dead: count('tandem-dead'), crossed: count('peer-verify') }).toEqual({ dead: 0, crossed: 1 });
  const [body = ''] = (await (
    await fetch(`${sqs.endpoint}/_tandem/queues/peer-verify/bodies`)
  ).json()) as string[];
  expect(JSON.parse(body)).toMatchObject({ kind: 'digest', side: 'to', job: { id: 'forty' } });
  expect((JSON.parse(body) as { counted: { from: number } }).counted.from).toBeGreaterThan(
    STEPS * RECORDS_PER_PAGE - 1,
  );
});
