/** The AWS package as it is deployed, and the same definition under `sls offline`. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SqsEmulator, startSqs } from '@tandem-clouds/emulators/sqs/server';
import { announced } from '@tandem-clouds/local/run-registry';
import { unzip } from '@tandem-clouds/local/zip';
import { cleanEnvironment, copyAwsService, packageAws, sls } from '../helpers/aws-service.ts';
import { type DynaliteServer, startDynalite } from '../helpers/dynalite-server.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const INVOKE = fileURLToPath(new URL('../helpers/invoke-bundle.cjs', import.meta.url));
const entities = createRequire(import.meta.url)('../../infra/entities.json') as readonly {
  readonly collection: string;
  readonly function: string;
  readonly aliases: readonly { readonly path: string }[];
}[];
const routes = createRequire(import.meta.url)('../../infra/routes.json') as readonly {
  readonly name: string;
  readonly function: string;
}[];
const FUNCTIONS = [
  ...[...entities, ...routes].map((declared) => declared.function),
  'region',
  'health',
  'replication',
  'operations',
  'items',
  'fallback',
  'forward',
  'apply',
  'sweep',
  'react',
  'verify',
  'verifyHourly',
  // For an entity has content.
  'transfer',
];

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, never>;
  readonly DeletionPolicy?: string;
}
interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}
/** What of a CloudFormation resource is looked at here, whatever its type. */
interface Properties {
  readonly Handler: string;
  readonly Runtime: string;
  readonly Architectures: string[];
  readonly FunctionName: string;
  readonly Timeout: number;
  readonly RecursiveLoop?: 'Allow' | 'Terminate';
  readonly Environment: { Variables: Record<string, string | { Ref: string }> };
  readonly Role: { 'Fn::GetAtt': [string, string] };
  readonly Policies: { PolicyDocument: { Statement: Statement[] } }[];
  readonly EventSourceArn: { 'Fn::GetAtt': [string, string] };
  readonly BatchSize: number;
  readonly FunctionResponseTypes: string[];
  readonly VisibilityTimeout: number;
  readonly RetentionInDays: number;
  readonly RouteKey: string;
  readonly SqsManagedSseEnabled: boolean;
  readonly Queues: { Ref: string }[];
  readonly PolicyDocument: { Statement: (Statement & { Condition: unknown })[] };
}

let dir: string;
let artifacts: string;
let resources: Record<string, Resource>;
let sqs: SqsEmulator;
let client: SQSClient;

const clientFor = ({ endpoint }: { readonly endpoint: string }) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

const propertiesOf = (id: string) => resources[id]?.Properties as unknown as Properties;
const ofType = (type: string): [string, Properties][] =>
  Object.entries(resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id]) => [id, propertiesOf(id)]);
const lambdas = () => ofType('AWS::Lambda::Function');
const logicalId = (key: string) => `${key[0]?.toUpperCase() ?? ''}${key.slice(1)}LambdaFunction`;

beforeAll(async () => {
  dir = copyAwsService();
  sqs = await startSqs();
  client = new SQSClient(clientFor(sqs));
  artifacts = await packageAws(dir);
  const template = fs.readFileSync(path.join(artifacts, 'cloudformation-template-update-stack.json'), 'utf8');
  ({ Resources: resources } = JSON.parse(template) as { Resources: Record<string, Resource> });
});

afterAll(async () => {
  client.destroy();
  await sqs.close();
  fs.rmSync(dir, { recursive: true });
});

describe('the template', () => {
  test('has every function on Node.js 24 and arm64, each with a role of its own', () => {
    expect(
      lambdas()
        .map(([id]) => id)
        .sort(),
    ).toEqual(FUNCTIONS.map(logicalId).sort());
    for (const [, { Runtime, Architectures }] of lambdas()) {
      expect([Runtime, Architectures]).toEqual(['nodejs24.x', ['arm64']]);
    }
    const roles = lambdas().map(([, { Role }]) => Role['Fn::GetAtt'][0]);
    expect(new Set(roles).size).toBe(FUNCTIONS.length);
    expect(roles.sort()).toEqual(
      ofType('AWS::IAM::Role')
        .map(([id]) => id)
        .sort(),
    );
  });

  test('is refused for a function without a role of its own', async () => {
    const copy = copyAwsService();
    try {
      const file = path.join(copy, 'serverless.aws.yml');
      const definition = fs.readFileSync(file, 'utf8');
      const changed = definition
        .replace('      role: RegionRole\n', '')
        .replace('role: ItemsRole', 'role: HealthRole')
        .replace('role: FallbackRole', 'role: NobodysRole');
      fs.writeFileSync(file, changed);
      await expect(packageAws(copy)).rejects.toThrow(
        /the function region has no role; the functions health and items share the role HealthRole; the role NobodysRole of the function fallback is not declared\. [^]*Nothing was packaged/,
      );
    } finally {
      fs.rmSync(copy, { recursive: true });
    }
  });

  test('lets only those functions trigger themselves without end that have a bound of their own', () => {
    const allowed = lambdas().filter(([, { RecursiveLoop }]) => RecursiveLoop === 'Allow');
    // verify: `compareHopsMax`, packages/replication/tests/compare.test.ts "that has taken more steps than any needs".
    // transfer: one for each part of an object, packages/replication/tests/pull.test.ts.
    expect(allowed.map(([id]) => id).sort()).toEqual([logicalId('transfer'), logicalId('verify')]);
  });

  test('has no wildcard in an action or a resource of any role', () => {
    const roles = ofType('AWS::IAM::Role');
    expect(roles).toHaveLength(FUNCTIONS.length);
    for (const [id, { Policies }] of roles) {
      const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      expect(statements.length).toBeGreaterThan(0);
      // What CloudFormation leaves out: the right to SMS of a site that sends none.
      const made = statements.filter((statement) => !('Ref' in statement));
      for (const { Effect, Action, Resource } of made) {
        expect([id, Effect]).toEqual([id, 'Allow']);
        // Whoever reads secrets reads those of the prefix (infra/aws/secrets.cjs), and objects those of the bucket.
        const named = JSON.stringify([id, Action, Resource])
          .replace(/:secret:[\w-]+\/\*"/, '"')
          .replaceAll(/(\$\{ObjectsBucket\.Arn\}(?:\/content)?)\/\*/g, '$1');
        expect(named).not.toContain('*');
      }
    }
  });

  test('lets every event source mapping read its queue, and hides a message for six time-outs', () => {
    const mappings = ofType('AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(6);
    for (const [id, mapping] of mappings) {
      const queue = mapping.EventSourceArn['Fn::GetAtt'][0];
      const name = (mapping as unknown as { FunctionName: { 'Fn::GetAtt': [string, string] } }).FunctionName;
      const lambda = propertiesOf(name['Fn::GetAtt'][0]);
      const statements = propertiesOf(lambda.Role['Fn::GetAtt'][0]).Policies.flatMap(
        (p) => p.PolicyDocument.Statement,
      );
      const onQueue = statements.filter(
        (s) => JSON.stringify(s.Resource) === JSON.stringify(mapping.EventSourceArn),
      );
      expect(onQueue.flatMap((s) => s.Action)).toEqual(
        expect.arrayContaining(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']),
      );
      expect(propertiesOf(queue).VisibilityTimeout).toBeGreaterThanOrEqual(6 * lambda.Timeout);
      expect([id, mapping.FunctionResponseTypes]).toEqual([id, ['ReportBatchItemFailures']]);
      // Lambda refuses a larger one without a batching window.
      expect(mapping.BatchSize).toBeLessThanOrEqual(10);
    }
  });

  test('encrypts every queue and refuses access to it without TLS', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(queues.map(([id]) => id).sort()).toEqual([
      'DeadQueue',
      'InQueue',
      'ObjectsQueue',
      'OutQueue',
      'ReactQueue',
      'TickQueue',
      'VerifyQueue',
    ]);
    const policies = ofType('AWS::SQS::QueuePolicy');
    for (const [id, { SqsManagedSseEnabled }] of queues) {
      expect(SqsManagedSseEnabled).toBe(true);
      const policy = policies.find(([, { Queues }]) => Queues.some(({ Ref }) => Ref === id));
      const refusals = policy?.[1].PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Deny');
      expect(refusals).toEqual([
        expect.objectContaining({
          Effect: 'Deny',
          Resource: { 'Fn::GetAtt': [id, 'Arn'] },
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ]);
    }
  });

  test('keeps the table when the stack goes, and the logs for a month', () => {
    expect(resources['Table']?.DeletionPolicy).toBe('Retain');
    const groups = ofType('AWS::Logs::LogGroup');
    // And the API's access log.
    expect(groups).toHaveLength(FUNCTIONS.length + 1);
    for (const [, { RetentionInDays }] of groups) expect(RetentionInDays).toBe(30);
  });

  test('routes everything, in every method, to our code', () => {
    expect(
      ofType('AWS::ApiGatewayV2::Route')
        .map(([, { RouteKey }]) => RouteKey)
        .sort(),
    ).toEqual(
      [
        '$default',
        'ANY /health',
        'ANY /health/{proxy+}',
        'ANY /items',
        'ANY /items/{proxy+}',
        'ANY /region',
        'ANY /replication',
        'ANY /replication/{proxy+}',
        'ANY /write',
        ...entities.flatMap(({ collection, aliases }) => [
          `ANY /${collection}`,
          `ANY /${collection}/{proxy+}`,
          ...aliases.map(({ path: alias }) => `ANY ${alias}`),
        ]),
        ...routes.flatMap(({ name }) => [`ANY /${name}`, `ANY /${name}/{proxy+}`]),
      ].sort(),
    );
  });
});

describe('a bundle', () => {
  /** Invokes it with the environment that the template declares and nothing else of ours. */
  async function invoke(
    key: string,
    event: unknown,
  ): Promise<{ response?: Record<string, unknown>; error?: string }> {
    const { Environment, Handler } = propertiesOf(logicalId(key));
    const urls: Record<string, string> = {
      Table: 'tandem',
      OutQueue: sqs.queueUrlOf('tandem-out'),
      InQueue: sqs.queueUrlOf('tandem-in'),
      DeadQueue: sqs.queueUrlOf('tandem-dead'),
      TickQueue: sqs.queueUrlOf('tandem-tick'),
      VerifyQueue: sqs.queueUrlOf('tandem-verify'),
      ReactQueue: sqs.queueUrlOf('tandem-react'),
      ObjectsQueue: sqs.queueUrlOf('tandem-objects'),
      ObjectsBucket: 'tandem-objects',
    };
    const declared = Object.entries(Environment.Variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : urls[value.Ref],
    ]);
    const env = cleanEnvironment({
      ...(Object.fromEntries(declared) as Record<string, string>),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SQS: sqs.endpoint,
      // Nobody listens there: what these tests invoke needs no table.
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
    });
    const dot = Handler.lastIndexOf('.');
    const file = `${Handler.slice(0, dot)}.cjs`;
    const unpacked = path.join(dir, 'unpacked', key, path.basename(file));
    fs.mkdirSync(path.dirname(unpacked), { recursive: true });
    fs.writeFileSync(unpacked, unzip(path.join(artifacts, `${key}.zip`)).get(file) ?? '');
    const text = await new Promise<string>((resolve, reject) => {
      const child = execFile(
        process.execPath,
        [INVOKE, unpacked, Handler.slice(dot + 1)],
        { env },
        (error, stdout) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${key} ended`, { cause: error }));
        },
      );
      child.stdin?.end(JSON.stringify(event));
    });
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as {
      response?: Record<string, unknown>;
      error?: string;
    };
  }

  const httpEvent = (method: string, rawPath: string, body?: string) => ({
    version: '2.0',
    routeKey: `ANY ${rawPath}`,
    rawPath,
    rawQueryString: '',
    headers: { host: 'abc123.execute-api.us-east-1.amazonaws.com', 'content-type': 'application/json' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: `ANY ${rawPath}`,
      stage: '$default',
      time: '10/Mar/2026:05:16:23 +0000',
      timeEpoch: 1_773_119_783_390,
    },
    isBase64Encoded: false,
    ...(body === undefined ? {} : { body }),
  });

  const sqsEvent = (queue: string, ...bodies: string[]) => ({
    Records: bodies.map((body, index) => ({
      messageId: `00000000-0000-4000-8000-00000000000${index}`,
      receiptHandle: 'AQEB',
      body,
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: '1773119783000',
        SenderId: 'AIDAEXAMPLE',
        ApproximateFirstReceiveTimestamp: '1773119783001',
      },
      messageAttributes: {},
      md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:123456789012:${queue}`,
      awsRegion: 'us-east-1',
    })),
  });

  async function createQueues(...names: string[]): Promise<void> {
    await Promise.all(names.map((QueueName) => client.send(new CreateQueueCommand({ QueueName }))));
  }

  test.each(FUNCTIONS)('of %s is the only file of its package', (key) => {
    const { Handler } = propertiesOf(logicalId(key));
    expect([...unzip(path.join(artifacts, `${key}.zip`)).keys()]).toEqual([
      Handler.replace(/\.handler$/, '.cjs'),
    ]);
  });

  test.each([
    ['region', 'GET', '/region', undefined, 200],
    ['region', 'POST', '/region', '{}', 405],
    ['health', 'GET', '/health', undefined, 200],
    ['replication', 'PUT', '/replication', '{}', 405],
    ['operations', 'GET', '/replication/pauses', undefined, 403],
    ['users', 'POST', '/users', 'not JSON', 400],
    ['items', 'DELETE', '/write', undefined, 405],
    ['fallback', 'GET', '/nowhere', undefined, 404],
  ])('of %s answers %s %s as API Gateway calls it', async (key, method, rawPath, body, status) => {
    const { response } = await invoke(key, httpEvent(method, rawPath, body));
    expect(response).toMatchObject({ statusCode: status });
    const content = JSON.parse(String(response?.['body'])) as Record<string, unknown>;
    expect(content).toMatchObject(status === 200 ? { site: 'aws-us-east-1' } : { status });
  });

  test.each([
    ['forward', 'tandem-out'],
    ['apply', 'tandem-in'],
    ['verify', 'tandem-verify'],
    ['react', 'tandem-react'],
    ['transfer', 'tandem-objects'],
  ])('of %s sets a message of an SQS batch aside that it can never handle', async (key, queue) => {
    await createQueues('tandem-dead');
    expect(await invoke(key, sqsEvent(queue, `no event at all, for ${key}`))).toEqual({
      response: { batchItemFailures: [] },
    });
    const dead = await client.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrlOf('tandem-dead') }));
    expect(JSON.stringify(dead.Messages)).toContain(`for ${key}`);
  });

  test('of sweep sends itself a tick every ten seconds of its minute', async () => {
    await createQueues('tandem-tick');
    await invoke('sweep', {
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      detail: {},
    });
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: sqs.queueUrlOf('tandem-tick'),
        AttributeNames: ['ApproximateNumberOfMessagesDelayed'],
      }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessagesDelayed: '5' });
  });
});

describe('sls offline', () => {
  const SITE = 'aws-offline-test';
  let run: string;
  let base: string;
  let bridgePid: number;
  let started: ReturnType<typeof sls>;
  let local: SqsEmulator;
  let dynamo: DynaliteServer;

  beforeAll(async () => {
    run = path.join(dir, 'run');
    fs.mkdirSync(run);
    local = await startSqs();
    dynamo = await startDynalite();
    const env = cleanEnvironment({
      AWS_ENDPOINT_URL_SQS: local.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
      TANDEM_SITE: SITE,
      TANDEM_HTTP_PORT: '0',
      TANDEM_RUN_DIR: run,
    });
    started = sls(dir, ['offline', '-c', 'serverless.aws.yml'], env);
    const said = (): string => started.output.join('');
    const find = (name: string) => () => announced(run).find((entry) => entry.name === name);
    base = (await waitUntil(said, find(SITE))).urls['http'] ?? '';
    bridgePid = (await waitUntil(said, find(`${SITE}.bridge`))).pid;
  });

  afterAll(async () => {
    if (started.child.exitCode === null) {
      started.child.kill('SIGTERM');
      await once(started.child, 'close');
    }
    await Promise.all([local.close(), dynamo.close()]);
  });

  test('creates the queues of the definition, with their redrive', async () => {
    expect(Object.keys(local.queues()).sort()).toEqual([
      'tandem-dead',
      'tandem-in',
      'tandem-objects',
      'tandem-out',
      'tandem-react',
      'tandem-tick',
      'tandem-verify',
    ]);
    const at = new SQSClient(clientFor(local));
    const { Attributes } = await at.send(
      new GetQueueAttributesCommand({
        QueueUrl: local.queueUrlOf('tandem-in'),
        AttributeNames: ['RedrivePolicy'],
      }),
    );
    at.destroy();
    expect(JSON.parse(String(Attributes?.['RedrivePolicy']))).toEqual({
      deadLetterTargetArn: local.arnOf('tandem-dead'),
      maxReceiveCount: 1_000,
    });
  });

  test('creates the table of the definition, with its indexes and its time to live', async () => {
    const at = new DynamoDBClient(clientFor(dynamo));
    const { Table } = await at.send(new DescribeTableCommand({ TableName: 'tandem' }));
    at.destroy();
    expect(Table?.KeySchema).toEqual([{ AttributeName: 'k', KeyType: 'HASH' }]);
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName).sort()).toEqual([
      'by_type',
      'by_x1',
      'by_x2',
      'by_x3',
      'by_x4',
      'due',
      'pending',
    ]);
    expect(dynamo.timeToLive).toEqual([
      { TableName: 'tandem', TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } },
    ]);
  });

  test('runs the schedule of the definition soon after the start', async () => {
    await waitUntil('five ticks wait', () => local.queues()['tandem-tick']?.delayed === 5 || undefined);
  });

  test('serves the handlers on the loopback address, for the site that is named outside', async () => {
    expect(new URL(base).hostname).toBe('127.0.0.1');
    const response = await fetch(`${base}/region`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ cloud: 'aws', region: 'us-east-1', site: SITE });
    expect((await fetch(`${base}/region`, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${base}/no/such/path`)).status).toBe(404);
  });

  test("leaves CORS to the handlers: the answer to a request with an origin is the handlers' own", async () => {
    const preflight = await fetch(`${base}/region`, {
      method: 'OPTIONS',
      headers: { origin: 'https://shop.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
    const response = await fetch(`${base}/region`, { headers: { origin: 'https://shop.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('runs the queue triggers of the definition', async () => {
    const at = new SQSClient(clientFor(local));
    await at.send(
      new SendMessageCommand({ QueueUrl: local.queueUrlOf('tandem-in'), MessageBody: 'no event at all' }),
    );
    await waitUntil('a dead letter', () => local.queues()['tandem-dead']?.visible === 1 || undefined);
    at.destroy();
  });

  test('serves a handler as it is after its source has changed', async () => {
    const source = path.join(dir, 'src/handlers/region.ts');
    fs.writeFileSync(source, fs.readFileSync(source, 'utf8').replace("status: 'ok'", "status: 'changed'"));
    await waitUntil('the changed handler', async () => {
      const { status } = (await (await fetch(`${base}/region`)).json()) as { status: string };
      return status === 'changed' || undefined;
    });
  });

  test('ends on SIGTERM and leaves no trigger process', async () => {
    started.child.kill('SIGTERM');
    const [code] = (await once(started.child, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(() => process.kill(bridgePid, 0)).toThrow();
  });
});
