/**
 * The packaged AWS functions in AWS's own runtime, with our emulators of both clouds behind the SDKs: every function
 * answers an event of its trigger, from a cold start, with the handler, memory and time-out of the packaged template; and
 * what the runtime makes of errors and time-outs. `npm run test:peers` installs the runtime and says where it is.
 *
 * Where the emulator is not the service: it freezes nothing between two events, waits without a time-out of its own for
 * the load of a function, and gives no credentials but those of its environment.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { scheduledEvent } from '@tandem-clouds/local/aws-host/schedule';
import { toSqsEvent } from '@tandem-clouds/local/aws-host/sqs-event';
import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { type Resource, startGateway } from '@tandem-clouds/testkit/peers/lambda-gateway';
import { type LambdaPrograms, LambdaSandbox } from '@tandem-clouds/testkit/peers/lambda-sandbox';
import { contract } from '../../infra/rollout/contract.ts';
import { openStore } from '../../src/shared/adapters/aws/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { type Call, invokeLambda } from '../helpers/call.ts';
import { eventFrom } from '../helpers/event-from.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { type QueueName, setEnvironment } from '../helpers/sites.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const given = process.env['TANDEM_PEER_LAMBDA_RUNTIME'];
if (given === undefined) throw new Error('TANDEM_PEER_LAMBDA_RUNTIME is not set; run npm run test:peers');
const programs = JSON.parse(given) as LambdaPrograms;
const PACKAGES = path.join(import.meta.dirname, '../../.artifacts/aws');
const TEMPLATE = path.join(PACKAGES, 'cloudformation-template-update-stack.json');
const REGION = 'us-east-1';
const OPERATOR_KEY = 'operator-of-this-suite';
/** The store does not answer while a test that says so lasts. */
const SILENT = { kind: 'latency', latencyMs: 60_000 } as const;

interface PackagedFunction {
  readonly Handler: string;
  readonly Timeout: number;
  readonly MemorySize: number;
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

const { Resources: resources } = JSON.parse(fs.readFileSync(TEMPLATE, 'utf8')) as {
  Resources: Record<string, Resource>;
};
/** By their names in the service definition. */
const functions = new Map(
  Object.entries(resources)
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .map(([id, { Properties }]) => [nameOf(id), Properties as PackagedFunction]),
);

function nameOf(id: string): string {
  return `${id[0]?.toLowerCase() ?? ''}${id.slice(1).replace(/LambdaFunction$/, '')}`;
}

let clouds: LinkedClouds;
let store: Store;
let sqs: SQSClient;
let restore: () => void;

beforeAll(async () => {
  clouds = await startLinkedClouds('aws');
  restore = setEnvironment({ AWS_REGION: REGION });
  store = openStore(loadConfig('aws', clouds.env), noEntries);
  sqs = new SQSClient({ region: REGION });
});
afterAll(async () => {
  sqs.destroy();
  restore();
  await clouds.close();
});

interface Changes {
  readonly timeoutSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the template gives it, and what names the emulators in place of the services. */
function environmentOf({ Environment }: PackagedFunction): Record<string, string> {
  const declared = Object.entries(Environment.Variables).map(([name, value]) => [
    name,
    clouds.env[name] ?? (typeof value === 'string' ? value : ''),
  ]);
  const access = Object.entries(clouds.env).filter(([name]) => name.startsWith('AWS_'));
  return {
    ...(Object.fromEntries([...declared, ...access]) as Record<string, string>),
    TANDEM_OPERATOR_KEYS: createHash('sha256').update(OPERATOR_KEY).digest('hex'),
  };
}

const started = new Set<string>();

/** An execution environment for the function, which the caller closes. */
function startFunction(name: string, { timeoutSeconds, env }: Changes = {}): Promise<LambdaSandbox> {
  const packaged = functions.get(name);
  if (packaged === undefined) throw new Error(`the package has no function ${name}`);
  started.add(name);
  return LambdaSandbox.start(programs, {
    name,
    zip: path.join(PACKAGES, `${name}.zip`),
    handler: packaged.Handler,
    timeoutSeconds: timeoutSeconds ?? packaged.Timeout,
    memoryMb: packaged.MemorySize,
    env: { ...environmentOf(packaged), ...env },
  });
}

async function withFunction<Result>(
  name: string,
  work: (sandbox: LambdaSandbox) => Promise<Result>,
  changes?: Changes,
): Promise<Result> {
  const sandbox = await startFunction(name, changes);
  try {
    return await work(sandbox);
  } finally {
    await sandbox.close();
  }
}

async function request(sandbox: LambdaSandbox, call: Call) {
  const { status, headers, text } = await invokeLambda((event: unknown) => sandbox.invoke(event), call);
  return { status, headers, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** The event that Lambda makes of what is in a queue, which is then deleted. */
async function batchFrom(queue: QueueName, match: (body: string) => boolean) {
  const url = queueUrl(queue);
  const found = await waitUntil(
    `a message in ${queue}`,
    async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
        }),
      );
      for (const { ReceiptHandle } of Messages)
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      const matching = Messages.filter(({ Body = '' }) => match(Body));
      return matching.length > 0 ? matching : undefined;
    },
    30_000,
  );
  return eventOf(queue, found);
}

const queueUrl = (queue: QueueName): string =>
  clouds.env[`TANDEM_${queue.replace('tandem-', '').toUpperCase()}_URL`] ?? '';
const eventOf = (queue: QueueName, messages: readonly Message[]) =>
  toSqsEvent(messages, { queueArn: `arn:aws:sqs:${REGION}:000000000000:${queue}`, region: REGION });
const scheduled = (rule: string) => scheduledEvent({ region: REGION, rule, now: new Date() });

/** A message of an SQS batch, as it is received. */
const message = (id: string, body: string): Message => ({
  MessageId: id,
  ReceiptHandle: id,
  Body: body,
  Attributes: { ApproximateReceiveCount: '1' },
});

describe("the packaged functions in AWS's own runtime", () => {
  it.each<[string, Call, number, Record<string, unknown>]>([
    ['region', { method: 'GET', path: '/region' }, 200, { site: 'aws-us-east-1' }],
    ['health', { method: 'GET', path: '/health' }, 200, { site: 'aws-us-east-1' }],
    ['replication', { method: 'GET', path: '/replication' }, 200, { site: 'aws-us-east-1' }],
    ['items', { method: 'POST', path: '/write', body: { data: { n: 1 } } }, 201, { data: { n: 1 } }],
    ['fallback', { method: 'GET', path: '/nowhere' }, 404, { code: 'route_not_found' }],
    [
      'operations',
      { method: 'GET', path: '/replication/pauses', headers: { authorization: `Bearer ${OPERATOR_KEY}` } },
      200,
      {},
    ],
  ])('%s answers the request %j', async (name, call, status, response) => {
    await withFunction(name, async (sandbox) => {
      const { json, ...rest } = await request(sandbox, call);
      expect({ ...rest, json }).toMatchObject({ status, json: response });
      expect(sandbox.coldStarts).toBe(1);
    });
  });

  it('users stores, and forward carries what is in the queue to the other cloud', async () => {
    const user = { userId: 'lambda-hedy', name: 'Hedy Lamarr', email: 'hedy@example.com' };
    await withFunction('users', async (sandbox) => {
      expect(await request(sandbox, { method: 'POST', path: '/users', body: user })).toMatchObject({
        status: 201,
      });
      const read = await request(sandbox, { method: 'GET', path: '/users/lambda-hedy' });
      expect(read).toMatchObject({ status: 200, json: user });
      expect(sandbox.coldStarts).toBe(1);
    });
    const batch = await batchFrom('tandem-out', (body) => body.includes('lambda-hedy'));
    await withFunction('forward', async (sandbox) => {
      expect(await sandbox.invoke(batch)).toEqual({ batchItemFailures: [] });
    });
    const [arrived] = await clouds.peer.take('tandem-in');
    expect(JSON.parse(arrived?.body ?? '')).toMatchObject({
      key: 'user:lambda-hedy',
      payload: { name: 'Hedy Lamarr' },
    });
    expect((await store.get('user:lambda-hedy'))?.record.pending).toEqual({});
  });

  it('apply merges a batch and dead-letters, with its reason, what it never can', async () => {
    const records = [
      message('1', JSON.stringify(eventFrom('azure-eastus', 'user:lambda-ada'))),
      message('2', 'no event at all'),
      message('3', JSON.stringify(eventFrom('azure-eastus', 'user:lambda-grace'))),
    ];
    await withFunction('apply', async (sandbox) => {
      expect(await sandbox.invoke(eventOf('tandem-in', records))).toEqual({ batchItemFailures: [] });
    });
    for (const key of ['user:lambda-ada', 'user:lambda-grace'])
      expect((await store.get(key))?.record.state.fields['name']?.[1]).toBe('Ada');
    const dead = await clouds.own.take('tandem-dead');
    expect(dead).toMatchObject([{ body: 'no event at all' }]);
  });

  it('sweep sends, on its schedule, what was left behind, and itself five ticks, and none on a tick', async () => {
    const key = 'user:lambda-left';
    const sinceMs = Date.now() - 600_000;
    const version = encodeStamp(sinceMs, 0, 'aws-us-east-1');
    const record = {
      key,
      state: { fields: { name: [version, 'Ada'] as const }, vector: { 'aws-us-east-1': version } },
      version,
      pending: { 'azure-eastus': version },
      pendingSince: sinceMs,
      operations: [],
    };
    await store.putMany([{ record, expected: undefined }]);
    await withFunction('sweep', async (sandbox) => {
      const response = await sandbox.invoke(scheduled('sweep'));
      expect(response).not.toHaveProperty('errorType');
      const tick = eventOf('tandem-tick', [message('tick', 'tick')]);
      expect(await sandbox.invoke(tick)).not.toHaveProperty('errorType');
    });
    expect(await delayedTicks()).toBe('5');
    await waitUntil(`${key} at the peer`, async () =>
      (await clouds.peer.take('tandem-in')).some(({ body }) => body.includes(key)),
    );
  });

  it('verifyHourly begins a comparison on its schedule, and verify takes its step', async () => {
    await withFunction('verifyHourly', async (sandbox) => {
      expect(await sandbox.invoke(scheduled('verify-hourly'))).toBe(false);
    });
    const [step] = await clouds.own.take('tandem-verify');
    expect(step?.body).toContain('azure-eastus');
    await withFunction('verify', async (sandbox) => {
      const batch = eventOf('tandem-verify', [message('1', step?.body ?? '')]);
      expect(await sandbox.invoke(batch)).toEqual({ batchItemFailures: [] });
    });
    expect(await clouds.peer.take('tandem-verify')).not.toEqual([]);
  });

  it('answer as openapi.yaml says, behind the routes of the package', async () => {
    const sandboxes = new Map<string, LambdaSandbox>();
    const gateway = await startGateway(resources, async (id, call) => {
      const name = nameOf(id);
      const sandbox = sandboxes.get(name) ?? (await startFunction(name));
      sandboxes.set(name, sandbox);
      return invokeLambda((event: unknown) => sandbox.invoke(event), call);
    });
    try {
      const { checked, broken } = await contract(gateway.url);
      expect(broken).toEqual([]);
      expect(checked).toBeGreaterThan(20);
    } finally {
      await gateway.close();
      for (const sandbox of sandboxes.values()) await sandbox.close();
    }
  });

  it('are all among those that have answered', () => {
    expect([...started].sort()).toEqual([...functions.keys()].sort());
  });

  async function delayedTicks(): Promise<string | undefined> {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl('tandem-tick'),
        AttributeNames: ['ApproximateNumberOfMessagesDelayed'],
      }),
    );
    return Attributes?.['ApproximateNumberOfMessagesDelayed'];
  }
});

describe('what fails', () => {
  it('a wrong configuration fails the load, and every variable is named', async () => {
    const env = { TANDEM_SITE: '', TANDEM_PEERS: '[{}]' };
    await withFunction(
      'region',
      async (sandbox) => {
        const response = await sandbox.invoke({});
        expect(response).toMatchObject({
          errorType: 'InvalidError',
          errorMessage: expect.stringMatching(/TANDEM_SITE[^]*TANDEM_PEERS/),
        });
      },
      { env },
    );
  });

  it('an error that is thrown fails the event, and the same environment takes the next one', async () => {
    await withFunction('verifyHourly', async (sandbox) => {
      clouds.own.queueFaults.set([{ kind: 'error' }]);
      const response = await sandbox.invoke(scheduled('verify-hourly'));
      clouds.own.queueFaults.clear();
      expect(response).toMatchObject({ errorType: expect.any(String), errorMessage: expect.any(String) });
      expect(await sandbox.invoke(scheduled('verify-hourly'))).toBe(false);
      expect(sandbox.coldStarts).toBe(1);
    });
  });

  it('a time-out ends the process, and the next event finds a new one', async () => {
    await withFunction(
      'verifyHourly',
      async (sandbox) => {
        clouds.own.storeFaults.set([SILENT]);
        const response = await sandbox.invoke(scheduled('verify-hourly'));
        clouds.own.storeFaults.clear();
        expect(response).toBe('Task timed out after 1.00 seconds');
        expect(await sandbox.invoke(scheduled('verify-hourly'))).toBe(false);
        expect(sandbox.coldStarts).toBe(2);
      },
      { timeoutSeconds: 1 },
    );
  });

  it('a write that runs out of time is answered 503 before that, and takes effect once when it is repeated', async () => {
    const headers = { 'idempotency-key': 'lambda-out-of-time' };
    const write = { method: 'POST', path: '/write', headers, body: { data: { n: 2 } } };
    await withFunction(
      'items',
      async (sandbox) => {
        clouds.own.storeFaults.set([{ ...SILENT, operation: 'PutItem', times: 1 }]);
        const late = await request(sandbox, write);
        clouds.own.storeFaults.clear();
        expect(late).toMatchObject({ status: 503, json: { code: 'ambiguous' } });
        const first = await request(sandbox, write);
        const second = await request(sandbox, write);
        expect([first.status, second.status]).toEqual([201, 201]);
        expect(second.json['id']).toBe(first.json['id']);
        expect(sandbox.coldStarts).toBe(1);
      },
      { timeoutSeconds: 2 },
    );
  });

  it('a store that is silent is answered 503 before the time-out of the function', async () => {
    await withFunction('items', async (sandbox) => {
      clouds.own.storeFaults.set([SILENT]);
      const response = await request(sandbox, { method: 'GET', path: '/items/any' });
      clouds.own.storeFaults.clear();
      expect(response).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
      expect(sandbox.coldStarts).toBe(1);
    });
  });

  it('apply ends a batch before its time-out while the store is silent, and sends it again', async () => {
    const event = eventFrom('azure-eastus', 'user:lambda-silent-store');
    await silenced(clouds.own.storeFaults, { name: 'apply', queue: 'tandem-in', event });
  });

  it('forward ends a batch before its time-out while the peer is silent, and sends it again', async () => {
    const event = eventFrom('aws-us-east-1', 'user:lambda-silent-peer');
    await silenced(clouds.peer.queueFaults, { name: 'forward', queue: 'tandem-out', event });
  });

  async function silenced(
    faults: Faults,
    { name, queue, event }: { name: string; queue: QueueName; event: ReplicationEvent },
  ): Promise<void> {
    await withFunction(name, async (sandbox) => {
      faults.set([SILENT]);
      const response = await sandbox.invoke(eventOf(queue, [message('1', JSON.stringify(event))]));
      faults.clear();
      expect(response).toEqual({ batchItemFailures: [] });
      // For later, as a message that counts its attempts.
      const again = await batchFrom(queue, (body) => body.includes(event.key));
      expect(again.Records).toMatchObject([{ messageAttributes: { tandemAttempts: { stringValue: '1' } } }]);
      expect(sandbox.coldStarts).toBe(1);
    });
  }
});
