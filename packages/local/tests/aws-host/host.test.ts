/**
 * The trigger process of the AWS host behaves as Lambda's event source mappings and EventBridge's rules do,
 * against the SQS emulator, with the real vendor SDK, as a process of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SQSEvent } from 'aws-lambda';
import { type SqsEmulator, startSqs } from '@tandem-clouds/emulators/sqs/server';
import { BridgeSupervisor } from '../../src/aws-host/bridge-supervisor.ts';
import { localizeEnvironment } from '../../src/aws-host/local-environment.ts';
import type { BridgePlan } from '../../src/aws-host/plan.ts';
import { ratePeriodMs, type ServiceDefinition, triggersOf } from '../../src/aws-host/service-model.ts';
import { batchVerdict } from '../../src/aws-host/sqs-event.ts';

const require = createRequire(import.meta.url);
const PARENT = fileURLToPath(new URL('../../../../tests/helpers/bridge-parent.ts', import.meta.url));
const BOUND_MS = 120_000;

/**
 * The function under the triggers: writes down what it is called with, then does what the bodies say.
 * `version` tells apart what was loaded.
 */
const functionSource = (version: number): string => `
const fs = require('node:fs');
exports.handler = async (event) => {
  const bodies = (event.Records ?? []).map((record) => record.body);
  fs.appendFileSync(process.env.SEEN, JSON.stringify({ version: ${version}, pid: process.pid, event }) + '\\n');
  if (bodies.includes('throw')) throw new Error('as asked');
  if (bodies.includes('hang')) await new Promise(() => {});
  if (bodies.includes('unknown')) return { batchItemFailures: [{ itemIdentifier: 'nobody' }] };
  const failed = (event.Records ?? []).filter((record) => record.body === 'fail');
  return { batchItemFailures: failed.map((record) => ({ itemIdentifier: record.messageId })) };
};`;

interface Seen {
  readonly version: number;
  readonly pid: number;
  readonly event: SQSEvent & Record<string, unknown>;
}

let dir: string;
let sqs: SqsEmulator;
let client: SQSClient;
let printed: string[];
let supervisor: BridgeSupervisor;

const seenFile = () => path.join(dir, 'seen.jsonl');
const bundle = () => path.join(dir, 'function.cjs');

function seen(): Seen[] {
  if (!fs.existsSync(seenFile())) return [];
  const lines = fs.readFileSync(seenFile(), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Seen);
}

async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + BOUND_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${BOUND_MS} ms: ${what}\n${printed.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function planOf(changes: Partial<BridgePlan> = {}): BridgePlan {
  return {
    site: 'aws-test',
    region: 'us-east-1',
    functions: {
      work: {
        name: 'work',
        bundle: bundle(),
        exportName: 'handler',
        timeoutMs: 5_000,
        memoryMb: 128,
        recursiveLoop: 'Terminate',
      },
    },
    queues: [{ functionKey: 'work', queue: 'Jobs', batchSize: 10, concurrency: 2, partialFailures: true }],
    schedules: [],
    resources: {
      region: 'us-east-1',
      tables: [],
      queues: [
        { id: 'Dead', name: 'dead', attributes: {}, redrive: undefined },
        {
          id: 'Jobs',
          name: 'jobs',
          attributes: { VisibilityTimeout: '600' },
          redrive: { deadLetterQueue: 'Dead', maxReceiveCount: 3 },
        },
      ],
    },
    environment: { SEEN: seenFile() },
    ...changes,
  };
}

const send = (...bodies: string[]) =>
  client.send(
    new SendMessageBatchCommand({
      QueueUrl: sqs.queueUrlOf('jobs'),
      Entries: bodies.map((body, index) => ({
        Id: String(index),
        MessageBody: body,
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
      })),
    }),
  );

/** Messages that nobody has, and messages that a receiver has. */
async function depth(): Promise<{ visible: number; inFlight: number }> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({
      QueueUrl: sqs.queueUrlOf('jobs'),
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    visible: Number(Attributes['ApproximateNumberOfMessages']),
    inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible']),
  };
}

const leftInFlight = (count: number) =>
  until(`${count} messages in flight`, async () => {
    const { visible, inFlight } = await depth();
    return visible === 0 && inFlight === count;
  });

/** Also true for nothing but a zombie, which only waits for init to collect it. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return fs.existsSync(`/proc/${pid}/stat`) && fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(' Z ');
  } catch {
    return true;
  }
}

const environment = () => ({
  ...process.env,
  AWS_ENDPOINT_URL_SQS: sqs.endpoint,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
});

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'aws-host-'));
  fs.writeFileSync(bundle(), functionSource(1));
  sqs = await startSqs();
  client = new SQSClient({
    endpoint: sqs.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  printed = [];
  supervisor = new BridgeSupervisor({ env: environment(), print: (line) => printed.push(line) });
});

afterEach(async () => {
  await supervisor.stop();
  client.destroy();
  await sqs.close();
  fs.rmSync(dir, { recursive: true });
});

describe('queue triggers', () => {
  test('hand over the event that Lambda builds, and delete what was handled', async () => {
    await supervisor.start(planOf());
    await send('hello');
    const [{ event }] = (await until('an event', () => seen().length > 0 && seen())) as [Seen];
    expect(event.Records).toEqual([
      {
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: 'hello',
        attributes: expect.objectContaining({
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
        }),
        messageAttributes: {
          kind: { stringValue: 'test', stringListValues: [], binaryListValues: [], dataType: 'String' },
        },
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: sqs.arnOf('jobs'),
        awsRegion: 'us-east-1',
      },
    ]);
    await leftInFlight(0);
  });

  test('keep only the messages that the function reports as failed', async () => {
    await supervisor.start(planOf());
    await send('a', 'fail', 'b');
    await leftInFlight(1);
    expect(
      seen()
        .flatMap(({ event }) => event.Records.map(({ body }) => body))
        .sort(),
    ).toEqual(['a', 'b', 'fail']);
  });

  test.each([
    ['the function throws', 'throw', 'as asked'],
    ['the answer names a message that is not in the batch', 'unknown', 'nobody is not in the batch'],
    ['the function takes longer than its time-out', 'hang', 'timed out after 0.2 seconds'],
  ])('keep the whole batch when %s', async (_title, body, why) => {
    const plan = planOf();
    const functions = { work: { ...plan.functions['work'], timeoutMs: 200 } } as BridgePlan['functions'];
    // Sent before there is a poller, so that it is one batch.
    await supervisor.start({ ...plan, functions, queues: [] });
    await send('a', body, 'b');
    await supervisor.stop();
    supervisor = new BridgeSupervisor({ env: environment(), print: (line) => printed.push(line) });
    await supervisor.start({ ...plan, functions });
    await until('the reason', () => printed.some((line) => line.includes(why)));
    expect(seen()[0]?.event.Records).toHaveLength(3);
    expect(await depth()).toEqual({ visible: 0, inFlight: 3 });
  });

  test('go on by themselves after the queue server has restarted empty', async () => {
    await supervisor.start(planOf());
    const { port } = sqs;
    await sqs.close();
    await until('the failure to be noticed', () => printed.some((line) => line.includes('receive failed')));
    sqs = await startSqs({ port });
    await until('the queue to be created again', async () => {
      await send('after').catch(() => undefined);
      return seen().some(({ event }) => event.Records.some(({ body }) => body === 'after'));
    });
  });

  test('load a function again when its bundle has changed', async () => {
    await supervisor.start(planOf());
    fs.writeFileSync(bundle(), functionSource(2));
    void supervisor.reload();
    await until('the new version', async () => {
      await send('x');
      return seen().some(({ version }) => version === 2);
    });
  });
});

describe('a function that sends to the queue that triggers it', () => {
  /** Sends `n + 1` for every `n` up to 40, with the SDK that the product uses. */
  const looping = (): string => `
    const { SQSClient, SendMessageBatchCommand } = require(${JSON.stringify(require.resolve('@aws-sdk/client-sqs'))});
    const fs = require('node:fs');
    const client = new SQSClient({ region: 'us-east-1' });
    exports.handler = async ({ Records = [] }) => {
      for (const { body, attributes } of Records) {
        fs.appendFileSync(process.env.SEEN, JSON.stringify({ body, trace: attributes.AWSTraceHeader }) + '\\n');
        if (Number(body) >= 40) continue;
        const Entries = [{ Id: '0', MessageBody: String(Number(body) + 1) }];
        await client.send(new SendMessageBatchCommand({ QueueUrl: process.env.JOBS, Entries }));
      }
    };`;

  const hops = (): { body: string; trace?: string }[] =>
    seen() as unknown as { body: string; trace?: string }[];

  async function start(recursiveLoop: 'Allow' | 'Terminate'): Promise<void> {
    fs.writeFileSync(bundle(), looping());
    const plan = planOf();
    const functions = { work: { ...plan.functions['work'], recursiveLoop } } as BridgePlan['functions'];
    const queues = plan.resources.queues.map((queue) =>
      queue.id === 'Jobs' ? { ...queue, attributes: { VisibilityTimeout: '1' } } : queue,
    );
    await supervisor.start({
      ...plan,
      functions,
      resources: { ...plan.resources, queues },
      environment: { SEEN: seenFile(), JOBS: sqs.queueUrlOf('jobs') },
    });
    await send('1');
  }

  test('is invoked 16 times in one chain; then its message is refused until it is dead-lettered', async () => {
    await start('Terminate');
    await until('the message to be dead-lettered', () => sqs.queues()['dead']?.visible === 1);
    expect(hops().map(({ body }) => Number(body))).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    expect(hops()[0]?.trace).toBeUndefined();
    expect(hops()[15]?.trace).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:14$/,
    );
    expect(printed.join('\n')).toContain('RecursiveInvocationException: Lambda has detected');
  });

  test('is invoked as often as it likes when its recursive loops are allowed', async () => {
    await start('Allow');
    await until('the last of 40 hops', () => hops().some(({ body }) => body === '40'));
    expect(sqs.queues()['dead']?.visible).toBe(0);
  });
});

test('a schedule runs soon after the start, with the event of an EventBridge rule', async () => {
  await supervisor.start(planOf({ queues: [], schedules: [{ functionKey: 'work', periodMs: 60_000 }] }));
  const [{ event }] = (await until('a run', () => seen().length > 0 && seen())) as [Seen];
  expect(event).toEqual({
    version: '0',
    id: expect.any(String),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    region: 'us-east-1',
    resources: [expect.stringMatching(/^arn:aws:events:us-east-1:\d+:rule\/work$/)],
    detail: {},
  });
});

describe('the trigger process', () => {
  test('is running again after its death, and its last lines are told', async () => {
    await supervisor.start(planOf());
    await send('throw');
    await until('a line', () => printed.some((line) => line.includes('as asked')));
    const dead = supervisor.pid ?? 0;
    process.kill(dead, 'SIGKILL');
    const next = await until(
      'a new process',
      () => supervisor.pid !== undefined && supervisor.pid !== dead && supervisor.pid,
    );
    const reported = printed.findIndex((line) => line.includes('SIGKILL'));
    expect(printed.slice(reported).join('\n')).toContain('as asked');
    await send('again');
    await until('the message to be handled', () => seen().some(({ pid }) => pid === next));
  });

  test('that is alive and does not serve is ended and started again', async () => {
    const mark = JSON.stringify(path.join(dir, 'hung'));
    // The first process stops for ever while it loads; the second finds the mark.
    const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
    fs.writeFileSync(
      bundle(),
      `if (!require('node:fs').existsSync(${mark})) { require('node:fs').writeFileSync(${mark}, ''); ${hang}; }
       ${functionSource(1)}`,
    );
    supervisor = new BridgeSupervisor({
      env: environment(),
      print: (line) => printed.push(line),
      readyWithinMs: 5_000,
    });
    await supervisor.start(planOf());
    expect(printed.join('\n')).toContain('[aws bridge] does not serve after 5 s');
  });

  test('ends when its parent is killed', async () => {
    fs.writeFileSync(path.join(dir, 'plan.json'), JSON.stringify(planOf()));
    const parent = spawn(process.execPath, [PARENT, path.join(dir, 'plan.json')], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const child = Number(line);
    expect(isGone(child)).toBe(false);
    parent.kill('SIGKILL');
    await until('the end of the process', () => isGone(child));
  });
});

describe('what Lambda makes of an answer', () => {
  const ids = new Set(['a', 'b']);
  test.each([
    ['nothing', undefined, []],
    ['null', null, []],
    ['an empty object', {}, []],
    ['a null list', { batchItemFailures: null }, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['one failure', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
  ])('%s is success but for what it names', (_title, response, failed) => {
    expect(batchVerdict(response, ids)).toEqual({ kind: 'handled', failed: new Set(failed) });
  });

  test.each([
    ['a list that is not one', { batchItemFailures: 'a' }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['another key', { batchItemFailures: [{ messageId: 'a' }] }],
    ['a stranger', { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'c' }] }],
  ])('%s fails the whole batch', (_title, response) => {
    expect(batchVerdict(response, ids).kind).toBe('refused');
  });
});

describe('the service definition', () => {
  const service = (): ServiceDefinition => ({
    provider: { region: 'eu-west-1', environment: { TANDEM_SITE: 'aws-eu-west-1' } },
    functions: {
      one: {
        name: 'one',
        handler: 'one.handler',
        events: [
          { sqs: { arn: { 'Fn::GetAtt': ['Jobs', 'Arn'] }, batchSize: 5 } },
          { schedule: 'rate(2 minutes)' },
        ],
        environment: { TANDEM_OUT_URL: { Ref: 'Jobs' }, QUEUE: { 'Fn::GetAtt': ['Jobs', 'Arn'] } },
      },
      two: { name: 'two', handler: 'two.handler', events: [{ httpApi: '*' }], environment: {} },
    },
  });
  const resolution = {
    region: 'eu-west-1',
    resources: new Map([['Jobs', { ref: 'http://127.0.0.1/jobs', arn: 'arn:aws:sqs:eu-west-1:0:jobs' }]]),
  };

  test('says which queues and schedules trigger which function', () => {
    expect(triggersOf(service())).toEqual({
      queues: [{ functionKey: 'one', queue: 'Jobs', batchSize: 5, concurrency: 5, partialFailures: false }],
      schedules: [{ functionKey: 'one', periodMs: 120_000 }],
    });
  });

  test('refuses a schedule that it cannot run', () => {
    expect(() => ratePeriodMs('cron(0 10 * * ? *)')).toThrow('only rate(…) runs locally');
  });

  test('gets local values for references, and values from outside first', () => {
    const local = service();
    expect(localizeEnvironment(local, resolution, { TANDEM_SITE: 'aws-drill', PATH: '/bin' })).toEqual({
      TANDEM_SITE: 'aws-drill',
      TANDEM_OUT_URL: 'http://127.0.0.1/jobs',
      QUEUE: 'arn:aws:sqs:eu-west-1:0:jobs',
    });
    expect(local.functions['two']?.environment).toEqual({ TANDEM_SITE: 'aws-drill' });
  });

  test('names the variable that has no local value', () => {
    expect(() => localizeEnvironment(service(), { ...resolution, resources: new Map() }, {})).toThrow(
      /one\.TANDEM_OUT_URL: Ref Jobs/,
    );
  });

  test('refuses two functions that disagree, because they share one process', () => {
    const local = service();
    (local.functions['two'] as { environment: object }).environment = { TANDEM_OUT_URL: 'other' };
    expect(() => localizeEnvironment(local, resolution, {})).toThrow(/two\.TANDEM_OUT_URL/);
  });
});
