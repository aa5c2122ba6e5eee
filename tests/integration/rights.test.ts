/**
 * Every function of both clouds, bundled, behind proxies that refuse what the packaged roles do not allow. The sites are
 * each other's peer, so what crosses is allowed by the other's roles.
 *
 * Two findings fail it: a call that is refused, and a right that no call has used.
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build, type Plugin } from 'esbuild';
import { parse } from 'yaml';
import { startEmulators } from '@tandem-clouds/emulators';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { startS3 } from '@tandem-clouds/emulators/s3/server';
import { declaredFunctions } from '@tandem-clouds/local/code/declared-functions';
import { openSiteStore } from '@tandem-clouds/local/stack/site-store';
import { horizonMs, sweepGraceMs, sweepPageSize } from '@tandem-clouds/replication/bounds';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import { trialRecord } from '../../infra/rollout/trial-record.ts';
import { functionOf } from '../../scripts/generate/names.ts';
import { awsParams } from '../../scripts/lint-infra/aws-template.ts';
import { crc64Of } from '../../src/shared/crc64.ts';
import { type Entity, isCreatable, isRemovable, takesUploads } from '../../src/shared/domain/entity.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { routes } from '../../src/shared/registry/routes.ts';
import { type Call, deliver, type Delivery, invokeFunction, invokeLambda } from '../helpers/call.ts';
import { packaged } from '../helpers/cloudformation.ts';
import { JPEG } from '../helpers/pictures.ts';
import { type AwsRights, awsRights, proxyAws } from '../helpers/rights/aws.ts';
import {
  type AzureRights,
  azureRights,
  guardBroker,
  proxyCosmos,
  proxyResourceManager,
} from '../helpers/rights/azure.ts';
import { FunctionWorker } from '../helpers/rights/function-worker.ts';
import { proxyBlob, proxyS3 } from '../helpers/rights/objects.ts';
import { startCloud, type TestCloud } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const KEY = 'an-operator-key';
const QUIET_ROUNDS_MAX = 40;
/** As infra/aws/features/objects.yml names it. */
const BUCKET = 'tandem-objects-123456789012-us-east-1';
const CONTAINER = 'objects';

type Site = 'aws' | 'azure';
const BOTH = ['aws', 'azure'] as const;
interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Record<string, unknown>;
}

const closers: (() => Promise<unknown>)[] = [];
const workers = new Map<string, FunctionWorker>();
let aws: AwsRights;
let azure: AzureRights;
let clouds: Record<Site, TestCloud>;
let stores: Record<Site, Store>;
let busClient: ServiceBusClient;
let sqsEndpoint: string;
let dynamoEndpoint: string;
let cosmosEndpoint: string;

/** The functions of a definition: key → source file without its ending. */
function functionsOf(cloud: Site): [string, string][] {
  const { functions } = parse(fs.readFileSync(path.join(ROOT, `serverless.${cloud}.yml`), 'utf8'), {
    merge: true,
  }) as { functions: unknown };
  return Object.entries(declaredFunctions(functions, ROOT)).map(([key, { handler }]) => [
    key,
    handler.replace(/\.handler$/, ''),
  ]);
}

/**
 * A reaction of the first entity without tenants whose ids may be chosen, to records of certain ids, that reads a secret at every site: what a project declares, and
 * what makes it due, this test does not know. The bridge and the operators' function have it; the function of the entity does
 * not, whose role says whether it reacts.
 */
const REACTION = 'readSecret';
const declaring: Plugin = {
  name: 'declares a reaction',
  setup(building) {
    building.onLoad(
      { filter: /[\\/]src[\\/]shared[\\/]registry[\\/]entities\.ts$/ },
      async ({ path: file }) => ({
        loader: 'ts',
        contents: `${(await fs.promises.readFile(file, 'utf8')).replace('const entities:', 'const plain:')}
export const entities: readonly Entity[] = plain.map((entity) => entity !== plain.find(({ access, ids, removable }) => access.tenant === undefined && ids === undefined && removable !== false) ? entity : {
  ...entity,
  reactions: {
    ...entity.reactions,
    ${REACTION}: {
      on: Object.keys(entity.fields),
      when: ({ id }) => String(id).startsWith('reacting-'),
      run: async (_, { services }) => void (await services.secrets.get('rights')),
      site: 'every',
      version: 1,
    },
  },
});`,
      }),
    );
  },
};

async function bundle(cloud: Site, outdir: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...new Set(functionsOf(cloud).map(([, file]) => `${file}.ts`))],
    outdir,
    outbase: ROOT,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    mainFields: ['module', 'main'],
    conditions: [cloud, 'module'],
    loader: { '.wasm': 'binary' },
    define: { TANDEM_VERSION: '"test"' },
    plugins: [declaring],
    logLevel: 'error',
  });
}

const endpoint = (cloud: TestCloud, service: string): string =>
  cloud.env[`AWS_ENDPOINT_URL_${service}`] ?? '';
const common = {
  PATH: process.env['PATH'] ?? '',
  NO_PROXY: '127.0.0.1',
  TANDEM_LOG_LEVEL: 'error',
  // So that whoever asks may write what has an owner, and choose its id.
  TANDEM_TRUST_EVERYBODY: 'true',
  TANDEM_OPERATOR_KEYS: createHash('sha256').update(KEY).digest('hex'),
};

beforeAll(async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-rights-'));
  closers.push(() => fs.promises.rm(dir, { recursive: true, force: true }));
  const federation = [
    'federation=azure',
    'azureTenantId=t',
    'azureAudience=api://a',
    'azurePrincipalIds=["p"]',
  ];
  const secretsFile = path.join(dir, '.env');
  fs.writeFileSync(
    secretsFile,
    'SECRET_RIGHTS=of-a-test\nSECRET_ERASURE_KEY=of-a-test-of-thirty-two-characters\n',
  );
  const [vaults, { resources }, awsCloud, azureCloud] = await Promise.all([
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile, prefix: 'tandem' },
      keyvault: { secretsFile },
    }),
    packaged([...awsParams([]), ...federation]),
    startCloud('aws'),
    startCloud('azure'),
    bundle('aws', path.join(dir, 'aws')),
    bundle('azure', path.join(dir, 'azure')),
  ]);
  clouds = { aws: awsCloud, azure: azureCloud };
  aws = awsRights(resources);
  const template = composeTemplate(path.join(ROOT, 'infra/azure/site.json'));
  const made = deploy(template, {
    functionAppName: 'acme',
    location: 'here',
    tags: {},
    awsIssuer: 'https://issuer.example',
    awsSubjects: 'arn:aws:iam::123456789012:role/a',
    objects: true,
  }).filter((resource) => resource.made);
  azure = azureRights(made, '/sites/acme', '/userAssignedIdentities/acme-peers');

  const roles = [...new Set(aws.roleOf.values()), 'PeerSender'];
  const [s3, { blob, close: closeBlob }] = await Promise.all([
    startS3({
      buckets: [BUCKET],
      credentials: roles.map((accessKeyId) => ({ accessKeyId, secretAccessKey: 'local' })),
    }),
    startEmulators({ services: ['blob'], blob: { versioning: true, containers: [CONTAINER] } }),
  ]);
  const [s3Proxy, blobProxy] = await Promise.all([
    proxyS3(s3.endpoint, aws.book),
    proxyBlob(new URL(blob.url).origin, azure),
  ]);
  closers.push(
    () => s3.close(),
    () => closeBlob(),
    () => s3Proxy.close(),
    () => blobProxy.close(),
  );
  const blobUrl = blob.url.replace(new URL(blob.url).origin, blobProxy.endpoint);
  const [secretsProxy, dynamoProxy, sqsProxy, cosmosProxy, managerProxy] = await Promise.all([
    proxyAws(vaults.secretsmanager.endpoint, aws.book),
    proxyAws(endpoint(awsCloud, 'DYNAMODB'), aws.book),
    proxyAws(endpoint(awsCloud, 'SQS'), aws.book),
    proxyCosmos(azureCloud.env['COSMOS_ENDPOINT'] ?? '', azure),
    proxyResourceManager(azureCloud.env['RESOURCE_MANAGER_ENDPOINT'] ?? '', azure),
  ]);
  stores = openStores(awsCloud, azureCloud);
  guardBroker(azureCloud.queueFaults, azure);
  sqsEndpoint = sqsProxy.endpoint;
  dynamoEndpoint = dynamoProxy.endpoint;
  cosmosEndpoint = cosmosProxy.endpoint;
  busClient = new ServiceBusClient(azureCloud.env['SERVICE_BUS_CONNECTION'] ?? '', {
    retryOptions: { maxRetries: 0 },
  });
  const awsEnv = Object.fromEntries(
    Object.entries(awsCloud.env).map(([name, value]) => [
      name,
      value
        .replace(endpoint(awsCloud, 'DYNAMODB'), `${dynamoProxy.endpoint}/`)
        .replace(endpoint(awsCloud, 'SQS'), `${sqsProxy.endpoint}/`),
    ]),
  );
  closers.push(
    ...[secretsProxy, dynamoProxy, sqsProxy, cosmosProxy, managerProxy, awsCloud, azureCloud, vaults].map(
      (one) => () => one.close(),
    ),
    () => busClient.close(),
  );
  const peerOnAzure = {
    ...{ site: azureCloud.site, cloud: 'azure', region: 'eastus', url: 'http://127.0.0.1:1' },
    ...{ inbox: 'tandem-in', verify: 'tandem-verify' },
    connectionString: azureCloud.env['SERVICE_BUS_CONNECTION'],
    objectsContainer: CONTAINER,
    objectsConnectionString: blob.connectionString.replace(blob.url, blobUrl),
  };
  const peerOnAws = {
    ...{ site: awsCloud.site, cloud: 'aws', region: 'us-east-1', url: 'http://127.0.0.1:1' },
    ...{ inbox: awsEnv['TANDEM_IN_URL'], verify: awsEnv['TANDEM_VERIFY_URL'], endpoint: sqsProxy.endpoint },
    ...{ objectsBucket: BUCKET, objectsEndpoint: s3Proxy.endpoint },
  };
  const envOf = (cloud: Site, key: string): Record<string, string> =>
    cloud === 'aws'
      ? {
          ...common,
          ...awsEnv,
          AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsProxy.endpoint,
          AWS_ENDPOINT_URL_S3: s3Proxy.endpoint,
          TANDEM_OBJECTS_BUCKET: BUCKET,
          AWS_ACCESS_KEY_ID: aws.roleOf.get(key) ?? 'no role',
          TANDEM_PEERS: JSON.stringify([peerOnAzure]),
        }
      : {
          ...common,
          ...vaults.env,
          ...azureCloud.env,
          COSMOS_ENDPOINT: cosmosProxy.endpoint,
          RESOURCE_MANAGER_ENDPOINT: managerProxy.endpoint,
          TANDEM_OBJECTS_URL: blobUrl,
          TANDEM_OBJECTS_CONTAINER: CONTAINER,
          // What the app gets when it takes the role of this account.
          AWS_ACCESS_KEY_ID: 'PeerSender',
          AWS_SECRET_ACCESS_KEY: 'local',
          TANDEM_PEERS: JSON.stringify([peerOnAws]),
        };
  const start = async (cloud: Site, name: string, file: string, env: Record<string, string>) => {
    workers.set(`${cloud} ${name}`, await FunctionWorker.start(path.join(dir, cloud, `${file}.cjs`), env));
  };
  await Promise.all(
    BOTH.flatMap((cloud) => [
      ...functionsOf(cloud).map(([key, file]) => start(cloud, key, file, envOf(cloud, key))),
      start(cloud, 'rebuilding', 'src/handlers/health', {
        ...envOf(cloud, 'health'),
        TANDEM_REBUILDING: 'true',
      }),
    ]),
  );
});

afterAll(async () => {
  // Before the others: what it closes answers it.
  await Promise.all([...workers.values()].map((worker) => worker.stop()));
  for (const close of closers.reverse()) await close();
});

/** The stores themselves, for what no function of today would write. */
function openStores(awsCloud: TestCloud, azureCloud: TestCloud): Record<Site, Store> {
  const opened = [
    { ...awsCloud, region: 'us-east-1', endpoints: { dynamodb: endpoint(awsCloud, 'DYNAMODB') } },
    { ...azureCloud, region: 'eastus', endpoints: { cosmos: azureCloud.env['COSMOS_ENDPOINT'] ?? '' } },
  ].map((cloud) =>
    openSiteStore({
      ...cloud,
      ...{ url: '', pid: null, bridgePid: null, emulatorsPid: null, ready: true, faults: {}, hold: '' },
    }),
  );
  closers.push(() => {
    for (const { close } of opened) close();
    return Promise.resolve();
  });
  return { aws: opened[0]!.store, azure: opened[1]!.store };
}

function handlerOf(cloud: Site, key: string): FunctionWorker['handler'] {
  // Functions on AWS reach the other cloud's queues as the identity that its site keeps for its peers.
  azure.caller = cloud === 'aws' ? 'peers' : 'app';
  const worker = workers.get(`${cloud} ${key}`);
  if (worker === undefined) throw new Error(`no function ${key} on ${cloud}`);
  return worker.handler;
}

async function call(
  cloud: Site,
  key: string,
  method: string,
  at: string,
  rest: Partial<Call> = {},
): Promise<Response> {
  const invoke = cloud === 'aws' ? invokeLambda : invokeFunction;
  const { status, headers, text } = await invoke(handlerOf(cloud, key), { method, path: at, ...rest });
  return { status, headers, json: JSON.parse(text || '{}') as Record<string, unknown> };
}

const operate = (cloud: Site, method: string, at: string, body?: object): Promise<Response> =>
  call(cloud, 'operations', method, `/replication/${at}`, {
    headers: { authorization: `Bearer ${KEY}` },
    ...(body && { body }),
  });

/** What Lambda's event source does with the function's role: asks, receives, invokes, deletes. */
async function pumpSqs(queue: string, key: string): Promise<number> {
  const client = new SQSClient({
    region: 'us-east-1',
    endpoint: sqsEndpoint,
    credentials: { accessKeyId: aws.roleOf.get(key) ?? '', secretAccessKey: 'local' },
  });
  try {
    const QueueUrl = `${sqsEndpoint}/000000000000/${queue}`;
    await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return 0;
    const deliveries = Messages.map(({ Body = '', MessageAttributes = {} }): Delivery => ({
      body: Body,
      attributes: Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]),
      ),
    }));
    const failed = await deliver('aws', handlerOf('aws', key), deliveries);
    const Entries = Messages.flatMap(({ ReceiptHandle }, i) =>
      failed.includes(`m${i}`) ? [] : [{ Id: String(i), ReceiptHandle }],
    );
    if (Entries.length > 0) await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.length;
  } finally {
    client.destroy();
  }
}

/** What the host's trigger does as the app. */
async function pumpServiceBus(queue: string, key: string): Promise<number> {
  azure.caller = 'app';
  const receiver = busClient.createReceiver(queue);
  try {
    const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 100 });
    if (messages.length === 0) return 0;
    await deliver('azure', handlerOf('azure', key), messages.map(deliveryOf));
    azure.caller = 'app';
    await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    return messages.length;
  } finally {
    await receiver.close();
  }
}

function deliveryOf({ body, applicationProperties = {} }: ServiceBusReceivedMessage): Delivery {
  return {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: Object.fromEntries(
      Object.entries(applicationProperties).map(([name, value]) => [name, String(value)]),
    ),
  };
}

const ON_AZURE = [
  ['tandem-out', 'forward'],
  ['tandem-in', 'apply'],
  ['tandem-verify', 'verify'],
  ['tandem-react', 'react'],
  ['tandem-objects', 'transfer'],
] as const;

/** Lets the triggers run until no queue has a message. */
async function settle(): Promise<void> {
  for (let round = 0; round < QUIET_ROUNDS_MAX; round += 1) {
    let moved = 0;
    for (const [queue, key] of aws.triggers)
      if (clouds.aws.waiting(queue) > 0) moved += await pumpSqs(queue, key);
    for (const [queue, key] of ON_AZURE)
      if (clouds.azure.waiting(queue) > 0) moved += await pumpServiceBus(queue, key);
    if (moved === 0) return;
  }
  throw new Error(`the queues are not empty after ${QUIET_ROUNDS_MAX} rounds`);
}

async function tick(cloud: Site, key: string): Promise<void> {
  await deliver(cloud, handlerOf(cloud, key), 'timer');
}

test('no function is refused a call, and every right is used', async () => {
  // Also a trigger whose queue is empty asks.
  for (const [queue, key] of aws.triggers) await pumpSqs(queue, key);
  await requests();
  await settle();
  await conflicts();
  await pauses();
  await deadLetters();
  await comparisons();
  await lostMessages();
  await packs();
  await secondAttempts();
  await reactions();
  await declaredReaction();
  await contents();
  await erasures();
  for (const cloud of BOTH) {
    const { json } = await operate(cloud, 'GET', 'queues');
    expect(json['site']).toBe(clouds[cloud].site);
  }
  const reads = azure.book.made.filter(({ action }) => action.endsWith('/queues/read'));
  expect(reads.map(({ who, resource }) => `${who} ${resource}`).sort()).toEqual(
    ['dead', 'in', 'objects', 'out', 'react', 'verify'].map((queue) => `app tandem-${queue}`),
  );
  // Needs no right that the function would not have without it.
  for (const cloud of BOTH) {
    const { json } = await operate(cloud, 'POST', 'first-check');
    const findings = json['findings'] as { probe: string; result: string; seen: string }[];
    expect(findings.length).toBeGreaterThan(10);
    expect(findings.filter(({ result }) => result === 'refused')).toEqual([]);
  }
  await settle();

  expect([...aws.book.denied, ...azure.book.denied]).toEqual([]);
  expect(unusedOnAws()).toEqual([]);
  const used = new Set(azure.book.made.map(({ action }) => action));
  expect(azure.storeActions.filter((action) => !used.has(action))).toEqual([]);
  const onQueues = new Set(
    azure.book.made.map(({ who, action, resource }) => `${who} ${action} ${resource}`),
  );
  expect(azure.queueRights.length).toBeGreaterThan(0);
  expect(azure.queueRights.filter((right) => !onQueues.has(right))).toEqual([]);
  expect(azure.objectRights.filter((right) => !onQueues.has(right))).toEqual(NOT_HERE.azure);
}, 900_000);

// After the other, which wants no refusal at all.
test('a call that a role does not allow is refused as the cloud would refuse it', async () => {
  const credentials = { accessKeyId: 'RegionRole', secretAccessKey: 'local' };
  const sqs = new SQSClient({ region: 'us-east-1', endpoint: sqsEndpoint, credentials });
  const QueueUrl = `${sqsEndpoint}/000000000000/tandem-in`;
  await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }))).rejects.toThrow(
    'RegionRole is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:123456789012:tandem-in',
  );
  sqs.destroy();
  const dynamo = new DynamoDBClient({ region: 'us-east-1', endpoint: dynamoEndpoint, credentials });
  const get = new GetItemCommand({ TableName: 'tandem', Key: { k: { S: 'item:of-aws' } } });
  await expect(dynamo.send(get)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  dynamo.destroy();
  azure.caller = 'peers';
  const cosmos = new CosmosClient({
    endpoint: cosmosEndpoint,
    key: clouds.azure.env['COSMOS_KEY'] ?? '',
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  const read = cosmos.database('tandem').container('records').item('a', 'a').read();
  await expect(read).rejects.toMatchObject({ code: 403 });
  cosmos.dispose();
  const sender = busClient.createSender('tandem-out');
  await expect(sender.sendMessages({ body: '{}' })).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  await sender.close();
  azure.caller = 'app';
  const { RESOURCE_MANAGER_ENDPOINT: manager = '', SERVICE_BUS_ID: id = '' } = clouds.azure.env;
  const proxy = await proxyResourceManager(manager, azure);
  const list = await fetch(`${proxy.endpoint}${id}/queues?api-version=2024-01-01`);
  expect([list.status, await list.json()]).toMatchObject([403, { error: { code: 'AuthorizationFailed' } }]);
  await proxy.close();
});

/** Every role with every action that it never used. */
function unusedOnAws(): string[] {
  const used = new Set(aws.book.made.map(({ who, action }) => `${who} ${action}`));
  // What custom routes do with their rights only their own tests know (tests/both/custom-routes.test.ts).
  const called = [...aws.roleOf].filter(
    ([key]) => !routes.some(({ name }) => functionOf(`/${name}`) === key),
  );
  return [...new Set(called.map(([, role]) => role))].flatMap((role) =>
    aws
      .actionsOf(role)
      // About no resource of ours: it is asked for by the federation between real clouds only.
      .filter((action) => action !== 'sts:GetWebIdentityToken')
      // Not called: S3 looks at it when it answers for what is not there.
      .filter((action) => action !== 's3:ListBucket')
      .map((action) => `${role} ${action}`)
      .filter((right) => !used.has(right) && !NOT_HERE.aws.includes(right)),
  );
}

/**
 * What only an inventory that finds something does, and the end of an upload whose source sent other bytes
 * (tests/contract/peer-objects.test.ts); and what a read of the own storage does when its connection breaks: it stays with its
 * version (tests/contract/objects.test.ts).
 */
const NOT_HERE = {
  aws: [
    ...[
      'AbortMultipartUpload',
      'DeleteObject',
      'DeleteObjectVersion',
      'ListBucketVersions',
      'GetObjectVersion',
    ].map((name) => `TransferRole s3:${name}`),
    'ObjectsRole s3:GetObjectVersion',
    'PicturesRole s3:GetObjectVersion',
    // How much a caller has asked, where callers are known and limited (tests/unit/http/caller-limits.test.ts).
    'StockRole dynamodb:PutItem',
    // The same; and none of their records is made here, so no list reads one.
    ...['OrderNotificationsRole', 'SuppressionsRole'].flatMap((role) =>
      ['PutItem', 'BatchGetItem'].map((action) => `${role} dynamodb:${action}`),
    ),
  ],
  azure: ['delete', 'deleteBlobVersion/action'].map(
    (name) => `app Microsoft.Storage/storageAccounts/blobServices/containers/blobs/${name} objects`,
  ),
};

async function requests(): Promise<void> {
  const made: { readonly cloud: Site; readonly entity: Entity; readonly path: string }[] = [];
  for (const cloud of BOTH) {
    expect((await call(cloud, 'region', 'GET', '/region')).status).toBe(200);
    // A busy machine's first answer may be later than a healthy site's.
    await waitUntil(
      `${cloud} is healthy`,
      async () => (await call(cloud, 'health', 'GET', '/health/deep')).status === 200 || undefined,
    );
    expect((await call(cloud, 'rebuilding', 'GET', '/health/deep')).status).toBe(503);
    expect((await call(cloud, 'fallback', 'GET', '/nowhere')).status).toBe(404);
    for (const entity of entities)
      if (isCreatable(entity)) made.push({ cloud, entity, path: await entityRequests(cloud, entity) });
      else await readings(cloud, entity);
    const item = { id: `of-${cloud}`, data: { n: 1 } };
    const written = await call(cloud, 'items', 'POST', '/write', { body: item });
    expect(written.status).toBe(201);
    const seen = { 'x-tandem-session': written.headers['x-tandem-session'] ?? '' };
    expect((await call(cloud, 'items', 'GET', `/items/of-${cloud}`, { headers: seen })).status).toBe(200);
    expect((await call(cloud, 'items', 'GET', '/items')).status).toBe(200);
    await tick(cloud, 'sweep');
    expect((await call(cloud, 'replication', 'GET', '/replication')).status).toBe(200);
  }
  for (const entity of entities) {
    for (const alias of entity.aliases) {
      const { body, creation: headers } = trialRecord(entity, 'alias');
      expect((await call('azure', functionOf(alias), 'POST', alias, { body, headers })).status).toBe(201);
    }
  }
  expect((await call('azure', 'write', 'POST', '/write', { body: { id: 'x', data: {} } })).status).toBe(201);
  await settle();
  for (const cloud of BOTH) {
    const other = cloud === 'aws' ? 'azure' : 'aws';
    expect((await call(cloud, 'items', 'GET', `/items/of-${other}`)).status).toBe(200);
    for (const { entity, path } of made.filter((one) => one.cloud === cloud && isRemovable(one.entity))) {
      const { headers } = trialRecord(entity, 'gone');
      const key = functionOf(`/${entity.collection}`);
      expect((await call(cloud, key, 'DELETE', path, { headers })).status).toBe(204);
    }
  }
}

/** Of what callers only read: a list, and one that is not there. Stock is what the shop's own route has made. */
async function readings(cloud: Site, entity: Entity): Promise<void> {
  const { collection } = entity;
  const { headers } = trialRecord(entity, `of-${cloud}`);
  const body = { book: 'dock', total: 3 };
  expect((await call(cloud, 'inventory', 'POST', '/inventory/tea/receipts', { body })).status).toBe(200);
  const key = functionOf(`/${collection}`);
  expect((await call(cloud, key, 'GET', `/${collection}/none`, { headers })).status).toBe(404);
  expect((await call(cloud, key, 'GET', `/${collection}`, { headers })).status).toBe(200);
}

/** Everything that the function of an entity does, but for the deletion at the end. Returns where the record is. */
async function entityRequests(cloud: Site, entity: Entity): Promise<string> {
  const { path: base, body, headers, creation, change } = trialRecord(entity, `of-${cloud}`);
  const key = functionOf(base);
  const created = await call(cloud, key, 'POST', base, {
    body: { ...(entity.ids === undefined && { [entity.idField]: `of-${cloud}` }), ...body },
    headers: { 'idempotency-key': `key-${cloud}`, ...creation },
  });
  expect(created.status).toBe(201);
  const path = `${base}/${String(created.json[entity.idField])}`;
  expect((await call(cloud, key, 'GET', path, { headers })).status).toBe(200);
  const session = { ...headers, 'x-tandem-session': created.headers['x-tandem-session'] ?? '' };
  expect((await call(cloud, key, 'GET', path, { headers: session })).status).toBe(200);
  expect((await call(cloud, key, 'GET', base, { headers: session })).status).toBe(200);
  if (change !== undefined)
    expect((await call(cloud, key, 'PATCH', path, { body: change, headers })).status).toBe(200);
  return path;
}

async function conflicts(): Promise<void> {
  const user = { userId: 'torn', name: 'Both', email: 'a@example.com' };
  expect((await call('aws', 'users', 'POST', '/users', { body: user })).status).toBe(201);
  await settle();
  for (const cloud of BOTH) {
    const body = { name: `of ${cloud}` };
    expect((await call(cloud, 'users', 'PATCH', '/users/torn', { body })).status).toBe(200);
  }
  await settle();
  for (const cloud of BOTH) {
    const { json } = await operate(cloud, 'GET', 'conflicts');
    const [entry] = json['items'] as { id: string }[];
    expect((await operate(cloud, 'GET', `conflicts/${entry?.id}`)).status).toBe(200);
    expect((await operate(cloud, 'POST', `conflicts/${entry?.id}/override`, { note: 'ours' })).status).toBe(
      200,
    );
    await settle();
  }
}

async function pauses(): Promise<void> {
  for (const cloud of BOTH) {
    const peer = clouds[cloud === 'aws' ? 'azure' : 'aws'].site;
    expect((await operate(cloud, 'PUT', `pauses/${peer}`, { reason: 'a test' })).status).toBe(200);
    expect((await operate(cloud, 'GET', 'pauses')).status).toBe(200);
    const item = { id: `paused-${cloud}`, data: {} };
    expect((await call(cloud, 'items', 'POST', '/write', { body: item })).status).toBe(201);
    await settle();
    expect((await operate(cloud, 'DELETE', `pauses/${peer}`)).status).toBe(200);
    await settle();
  }
}

async function deadLetters(): Promise<void> {
  const queues = ['tandem-in', 'tandem-objects', 'tandem-out', 'tandem-react', 'tandem-verify'];
  for (const cloud of BOTH) {
    for (const queue of queues) await sendUnseen(cloud, queue, '{"half":');
    await settle();
    const { json } = await operate(cloud, 'GET', 'dead-letters');
    const causes = json['causes'] as { source: string; ids: string[] }[];
    expect(causes.map(({ source }) => source).sort()).toEqual(queues);
    expect((await operate(cloud, 'GET', `dead-letters/${causes[0]?.ids[0]}`)).status).toBe(200);
    expect((await operate(cloud, 'POST', 'dead-letters/replay', { all: true })).json['settled']).toBe(5);
    await settle();
    expect((await operate(cloud, 'POST', 'dead-letters/discard', { all: true })).json['settled']).toBe(5);
  }
}

/** As nobody whose rights count. */
async function sendUnseen(cloud: Site, queue: string, body: string): Promise<void> {
  azure.caller = undefined;
  if (cloud === 'azure') {
    const sender = busClient.createSender(queue);
    await sender.sendMessages({ body });
    await sender.close();
    return;
  }
  const client = new SQSClient({
    region: 'us-east-1',
    endpoint: endpoint(clouds.aws, 'SQS'),
    credentials: { accessKeyId: 'test', secretAccessKey: 'local' },
  });
  const QueueUrl = new URL(`/000000000000/${queue}`, endpoint(clouds.aws, 'SQS')).href;
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  client.destroy();
}

/** A record as a site would hold it. @param deleted A tombstone, of the moment when it was written. */
async function recordOf(site: string, key: string, atMs: number, deleted: boolean): Promise<StoredRecord> {
  const source = new TestSite(site, []);
  source.nowMs = atMs;
  await source.write(key, { data: { n: 1 } });
  if (deleted) await source.write(key, { $deleted: true });
  return { ...source.held(key)!, pending: {} };
}

async function put(cloud: Site, record: StoredRecord): Promise<void> {
  await stores[cloud].putMany([{ record, expected: undefined }]);
}

/** Comparisons that find and repair a difference in either direction, and tombstones that every site has. */
async function comparisons(): Promise<void> {
  const old = Date.now() - 2 * horizonMs;
  for (const cloud of BOTH) {
    const { site } = clouds[cloud];
    await put(cloud, await recordOf(site, `item:only-${cloud}`, Date.now() - 60_000, false));
    const tombstone = await recordOf(site, `item:gone-${cloud}`, old, true);
    for (const holder of BOTH) await put(holder, tombstone);
  }
  for (const cloud of BOTH) {
    const peer = clouds[cloud === 'aws' ? 'azure' : 'aws'].site;
    expect((await operate(cloud, 'POST', 'verifications', { peer, repair: true })).status).toBe(202);
    await tick(cloud, 'verifyHourly');
  }
  // What differs is looked at again half a minute later: it may have been on its way.
  await waitUntil(
    'all comparisons have ended',
    async () => (await settle(), await allEnded()) || undefined,
    120_000,
  );
  for (const cloud of BOTH) {
    const held = await stores[cloud].getMany(BOTH.flatMap((one) => [`item:only-${one}`, `item:gone-${one}`]));
    expect([...held.keys()].sort()).toEqual(['item:only-aws', 'item:only-azure']);
  }
}

/** Whom it is about is hashed by a secret, where it is asked for and where it is searched. */
async function erasures(): Promise<void> {
  for (const cloud of BOTH) await tick(cloud, 'sweep');
  await settle();
  const asked = { subject: 'nobody', why: 'a test', by: 'a test' };
  for (const cloud of BOTH) {
    expect((await operate(cloud, 'POST', 'persons/erasures', asked)).status).toBe(202);
    await settle();
    const { json } = await operate(cloud, 'GET', 'persons/erasures');
    const [erasure] = json['erasures'] as { sites: Record<string, { searched?: number }> }[];
    expect(erasure?.sites[clouds[cloud].site]?.searched).toBeGreaterThan(0);
  }
}

async function allEnded(): Promise<boolean> {
  const responses = await Promise.all(BOTH.map((cloud) => operate(cloud, 'GET', 'verifications')));
  return responses.every(
    ({ status, json }) =>
      status === 200 && (json['verifications'] as { ended: boolean }[]).every(({ ended }) => ended),
  );
}

/** What fails for a passing reason is sent to its own queue again, by the function that had it. */
async function secondAttempts(): Promise<void> {
  const body = (id: string): Partial<Call> => ({ body: { id, data: {} } });
  expect((await call('azure', 'items', 'POST', '/write', body('again-in'))).status).toBe(201);
  expect(await pumpServiceBus('tandem-out', 'forward')).toBeGreaterThan(0);
  clouds.aws.storeFaults.set([{ kind: 'error', code: 'InternalServerError' }]);
  expect(await pumpSqs('tandem-in', 'apply')).toBeGreaterThan(0);
  clouds.aws.storeFaults.clear();
  expect((await call('aws', 'items', 'POST', '/write', body('again-out'))).status).toBe(201);
  clouds.azure.queueFaults.set([{ kind: 'error', operation: 'send' }]);
  expect(await pumpSqs('tandem-out', 'forward')).toBeGreaterThan(0);
  clouds.azure.queueFaults.clear();
  const sent = aws.book.made.filter(({ action }) => action === 'sqs:SendMessage');
  for (const [key, queue] of [
    ['apply', 'tandem-in'],
    ['forward', 'tandem-out'],
  ] as const) {
    const who = aws.roleOf.get(key);
    expect(sent.filter((made) => made.who === who && made.resource.endsWith(`:${queue}`))).toHaveLength(1);
  }
}

/** A reaction of a release that this one does not know is read, and put off. */
async function reactions(): Promise<void> {
  for (const cloud of BOTH) {
    const key = `item:reacting-${cloud}`;
    const record = await recordOf(clouds[cloud].site, key, Date.now() - 60_000, false);
    await put(cloud, { ...record, reactions: { mail: { effectId: 'of-another-release', dueMs: 1 } } });
    const { json } = await operate(cloud, 'GET', 'reactions');
    expect(json['waiting']).toEqual({ keys: 1, atLeast: false });
    await sendUnseen(cloud, 'tandem-react', JSON.stringify({ key }));
    await settle();
    const held = (await stores[cloud].get(key))?.record.reactions?.['mail'];
    expect(held).toMatchObject({ attempts: 1, effectId: 'of-another-release' });
  }
}

/** One that is declared: an operator asks for it, and its code reads a secret. */
async function declaredReaction(): Promise<void> {
  const entity = entities.find(
    ({ access, ids, removable }) => access.tenant === undefined && ids === undefined && removable !== false,
  );
  if (entity === undefined) throw new Error('no entity is declared');
  for (const cloud of BOTH) {
    const id = `reacting-${cloud}`;
    const { path: base, body: fields, creation: headers } = trialRecord(entity, id);
    const body = { [entity.idField]: id, ...fields };
    const created = await call(cloud, functionOf(base), 'POST', base, { body, headers });
    expect(created.status).toBe(201);
    const wanted = { entity: entity.name, reaction: REACTION };
    const { json } = await operate(cloud, 'POST', 'reactions/scan', wanted);
    expect(json).toMatchObject({ set: expect.any(Number), unusable: [] });
    const key = `${entity.name}:${id}`;
    await sendUnseen(cloud, 'tandem-react', JSON.stringify({ key }));
    await settle();
    const held = (await stores[cloud].get(key))?.record.reactions?.[REACTION];
    expect(held).toMatchObject({ done: expect.stringContaining(REACTION) });
  }
}

async function lostMessages(): Promise<void> {
  for (const cloud of BOTH) {
    const { site } = clouds[cloud];
    const peer = clouds[cloud === 'aws' ? 'azure' : 'aws'].site;
    const since = Date.now() - 10 * sweepGraceMs;
    const record = await recordOf(site, `item:lost-${cloud}`, since, false);
    await put(cloud, { ...record, pending: { [peer]: record.version ?? '' }, pendingSince: since });
    await tick(cloud, 'sweep');
    await settle();
    expect((await stores[cloud].get(record.key))?.record.pending).toEqual({});
  }
}

/** A backlog crosses in packs, through the queue of comparisons; what cannot be applied of one goes to the own inbox. */
async function packs(): Promise<void> {
  for (const cloud of BOTH) {
    const { site } = clouds[cloud];
    const other = cloud === 'aws' ? 'azure' : 'aws';
    const since = Date.now() - 10 * sweepGraceMs;
    const one = await recordOf(site, 'item:packed', since, false);
    const keys = Array.from({ length: sweepPageSize }, (_, i) => `item:packed-${cloud}-${i}`);
    const pending = { [clouds[other].site]: one.version ?? '' };
    for (const key of keys) await put(cloud, { ...one, key, pending, pendingSince: since });
    await tick(cloud, 'sweep');
    azure.caller = undefined;
    const waiting = await clouds[other].take('tandem-verify');
    const kinds = waiting.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);
    expect(kinds).toContain('pack');
    for (const { body } of waiting) await sendUnseen(other, 'tandem-verify', body);
    await settle();
    expect((await stores[other].getMany(keys)).size).toBe(keys.length);
    const held = await stores[cloud].getMany(keys);
    expect([...held.values()].filter(({ record }) => Object.keys(record.pending).length > 0)).toEqual([]);

    const body = JSON.stringify({ kind: 'pack', from: site, events: [{ specversion: '1.0' }] });
    await sendUnseen(other, 'tandem-verify', body);
    await settle();
    const { json } = await operate(other, 'POST', 'dead-letters/discard', { all: true });
    expect(json['settled']).toBe(1);
  }
}

/** Bytes that come with the request, and bytes that are sent to the storage, of one body and of two: all of them cross. */
async function contents(): Promise<void> {
  for (const entity of entities.filter(takesUploads)) await contentsOf(entity);
}

/** What a reaction has made of a content that is good: read, and listed where it is kept. */
async function variantsOf(cloud: Site, { collection, content }: Entity, id: string): Promise<void> {
  const { names = [], entity = '' } = content?.variants ?? {};
  for (const name of names)
    await waitUntil(`${name} of ${id}`, async () => {
      await settle();
      const { status } = await call(
        cloud,
        functionOf(`/${collection}`),
        'GET',
        `/${collection}/${id}/${name}`,
      );
      return status === 302 || undefined;
    });
  for (const made of entities.filter((one) => one.name === entity))
    expect((await call(cloud, functionOf(`/${made.collection}`), 'GET', `/${made.collection}`)).status).toBe(
      200,
    );
}

async function contentsOf(entity: Entity): Promise<void> {
  const [type = 'text/plain'] = entity.content?.types ?? [];
  const { body: fields } = trialRecord(entity, 'content');
  const base = `/${entity.collection}`;
  const key = functionOf(base);
  for (const cloud of BOTH) {
    const ids: string[] = [];
    const create = async (name: string, upload: object): Promise<Record<string, unknown>> => {
      const { status, json } = await call(cloud, key, 'POST', base, {
        body: { ...fields, name: `${cloud}/${name}`, upload },
      });
      expect([name, status]).toEqual([name, 201]);
      ids.push(String(json[entity.idField]));
      return json;
    };
    await create('small', { contentType: type, data: JPEG.toString('base64') });
    for (const bytes of [100_000, 17 * 1024 * 1024]) {
      const body = randomBytes(bytes);
      const { upload } = await create(`of ${bytes}`, {
        contentType: type,
        bytes,
        crc64: crc64Of(body),
      });
      const { id, url, method, headers } = upload as Record<'id' | 'url' | 'method', string> & {
        headers: Record<string, string>;
      };
      const { 'content-length': _, ...sent } = headers;
      const put = await fetch(url, { method, headers: sent, body: new Uint8Array(body) });
      expect([bytes, put.status < 300]).toEqual([bytes, true]);
      const completed = await call(cloud, key, 'POST', `${base}/${ids.at(-1)}/complete`, {
        body: { upload: id },
      });
      expect(completed.status).toBe(200);
    }
    for (const id of ids) {
      for (const at of BOTH) {
        // What a busy machine did not fetch in time is woken by the sweep.
        await waitUntil(`${id} held everywhere, as ${at} knows`, async () => {
          await settle();
          const { json } = await call(at, key, 'GET', `${base}/${id}`);
          if ((json['heldBy'] as string[]).length === BOTH.length) return true;
          for (const each of BOTH) await tick(each, 'sweep');
          return undefined;
        });
        expect((await call(at, key, 'GET', `${base}/${id}/content`)).status).toBe(302);
      }
    }
    await variantsOf(cloud, entity, ids[0] ?? '');
  }
}
