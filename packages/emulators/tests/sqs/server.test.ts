import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  type Message,
  PurgeQueueCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { type EmulatorProcess, spawnEmulator } from '../../../../tests/helpers/emulator-process.ts';
import { FAULTS_PATH } from '../../src/core/control.ts';
import { QUEUES_PATH, type SqsEmulator, startSqs } from '../../src/sqs/server.ts';

const START = 1_700_000_000_000;
let clock = START;
let sqs: SqsEmulator;
let client: SQSClient;
const onEnd = closeAfterEach();

function newClient(endpoint: string, maxAttempts = 1): SQSClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new SQSClient({ endpoint, region: 'us-east-1', credentials, maxAttempts });
}

function newDataDir(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sqs-contract-'));
  onEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(dataDir: string): Promise<SqsEmulator> {
  const emulator = await startSqs({ dataDir, now: () => clock });
  onEnd(() => emulator.close());
  return emulator;
}

async function spawn(dataDir: string): Promise<EmulatorProcess> {
  const server = await spawnEmulator('sqs', dataDir);
  onEnd(() => server.kill());
  return server;
}

function clientOf({ endpoint }: { readonly endpoint: string }, maxAttempts = 1): SQSClient {
  const other = newClient(endpoint, maxAttempts);
  onEnd(() => other.destroy());
  return other;
}

beforeAll(async () => {
  sqs = await startSqs({ now: () => clock });
  client = newClient(sqs.endpoint);
});

afterEach(() => sqs.faults.clear());

afterAll(async () => {
  client.destroy();
  await sqs.close();
});

let queueNumber = 0;

async function createQueue(attributes: Record<string, string> = {}, suffix = ''): Promise<string> {
  queueNumber += 1;
  const command = new CreateQueueCommand({ QueueName: `q${queueNumber}${suffix}`, Attributes: attributes });
  return (await client.send(command)).QueueUrl ?? '';
}

const createFifo = (attributes: Record<string, string> = {}): Promise<string> =>
  createQueue({ FifoQueue: 'true', ...attributes }, '.fifo');

/** A queue with a dead-letter queue behind it. */
async function createPair(
  maxReceiveCount: number,
  attributes: Record<string, string> = {},
): Promise<{ main: string; dead: string }> {
  const suffix = attributes['FifoQueue'] === 'true' ? '.fifo' : '';
  const dead = await createQueue(attributes, suffix);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arnOf(dead), maxReceiveCount });
  return { dead, main: await createQueue({ ...attributes, RedrivePolicy }, suffix) };
}

const nameOf = (url: string): string => url.split('/').at(-1) ?? '';
const arnOf = (url: string): string => sqs.arnOf(nameOf(url));

function send(url: string, body: string, more: Partial<SendMessageCommandInput> = {}, by = client) {
  return by.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...more }));
}

async function receive(
  url: string,
  more: Partial<ReceiveMessageCommandInput> = {},
  by = client,
): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
    ...more,
  });
  return (await by.send(command)).Messages ?? [];
}

const bodiesOf = (messages: readonly Message[]): (string | undefined)[] => messages.map(({ Body }) => Body);

function remove(url: string, message: Message | undefined, by = client) {
  return by.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
}

async function attributesOf(url: string, ...names: string[]): Promise<Record<string, string>> {
  const AttributeNames = (names.length === 0 ? ['All'] : names) as QueueAttributeName[];
  return (
    (await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames }))).Attributes ?? {}
  );
}

async function countsOf(url: string): Promise<readonly [visible: string, inFlight: string, delayed: string]> {
  const attributes = await attributesOf(url);
  return [
    attributes['ApproximateNumberOfMessages'] ?? '',
    attributes['ApproximateNumberOfMessagesNotVisible'] ?? '',
    attributes['ApproximateNumberOfMessagesDelayed'] ?? '',
  ];
}

/** Asks again until the answer is right; fails after five seconds. */
async function eventually<T>(query: () => Promise<T> | T, isRight: (response: T) => boolean): Promise<T> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const response = await query();
    if (isRight(response)) return response;
    if (performance.now() > deadline) throw new Error(`still not right: ${JSON.stringify(response)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Arms a rule without effect; once a receive has used it up, the poll is being served. */
function expectPoll(url: string): void {
  sqs.faults.add({ kind: 'latency', operation: 'ReceiveMessage', resource: nameOf(url), times: 1 });
}

async function pollHasArrived(): Promise<void> {
  await eventually(
    () => sqs.faults.rules.length,
    (rules) => rules === 0,
  );
}

describe('queues', () => {
  test('creating a queue again with the same attributes returns the same queue', async () => {
    const url = await createQueue({ VisibilityTimeout: '5' });
    const again = new CreateQueueCommand({ QueueName: nameOf(url), Attributes: { VisibilityTimeout: '5' } });
    expect((await client.send(again)).QueueUrl).toBe(url);
    const different = new CreateQueueCommand({
      QueueName: nameOf(url),
      Attributes: { VisibilityTimeout: '6' },
    });
    await expect(client.send(different)).rejects.toMatchObject({ name: 'QueueNameExists' });
  });

  test('a missing queue is refused with its modelled error and the older code', async () => {
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'nowhere' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      Code: 'AWS.SimpleQueueService.NonExistentQueue',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('new queues have the published defaults', async () => {
    expect(await attributesOf(await createQueue())).toMatchObject({
      VisibilityTimeout: '30',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      DelaySeconds: '0',
      ReceiveMessageWaitTimeSeconds: '0',
      ApproximateNumberOfMessages: '0',
    });
  });

  test.each([
    ['an unknown attribute', { Nonsense: '1' }, 'InvalidAttributeName'],
    ['a visibility timeout above 12 hours', { VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    ['a message size above 1 MiB', { MaximumMessageSize: '1048577' }, 'InvalidAttributeValue'],
    ['a FIFO attribute on a standard queue', { ContentBasedDeduplication: 'true' }, 'InvalidAttributeName'],
    [
      'a dead-letter queue that does not exist',
      {
        RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:no","maxReceiveCount":1}',
      },
      'InvalidParameterValue',
    ],
  ])('%s is refused', async (_title, attributes, name) => {
    await expect(createQueue(attributes as Record<string, string>)).rejects.toMatchObject({ name });
  });

  test('CloudWatch metrics are not queue attributes', async () => {
    const url = await createQueue();
    await expect(attributesOf(url, 'ApproximateAgeOfOldestMessage')).rejects.toMatchObject({
      name: 'InvalidAttributeName',
    });
  });

  test('attributes can be changed and a policy removed', async () => {
    const { main } = await createPair(3);
    const Attributes = { VisibilityTimeout: '7', RedrivePolicy: '' };
    await client.send(new SetQueueAttributesCommand({ QueueUrl: main, Attributes }));
    const attributes = await attributesOf(main);
    expect(attributes['VisibilityTimeout']).toBe('7');
    expect(attributes).not.toHaveProperty('RedrivePolicy');
  });

  test('queues are listed by prefix, page by page', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) {
      await client.send(new CreateQueueCommand({ QueueName: name }));
    }
    const list = (NextToken?: string) =>
      client.send(new ListQueuesCommand({ QueueNamePrefix: 'page-', MaxResults: 2, NextToken }));
    const first = await list();
    const second = await list(first.NextToken);
    expect([first.QueueUrls, second.QueueUrls].map((urls) => urls?.map(nameOf))).toEqual([
      ['page-a', 'page-b'],
      ['page-c'],
    ]);
    expect(second.NextToken).toBeUndefined();
  });

  test('tags are set, listed and removed', async () => {
    const QueueUrl = await createQueue();
    await client.send(new TagQueueCommand({ QueueUrl, Tags: { team: 'a', cost: 'b' } }));
    await client.send(new UntagQueueCommand({ QueueUrl, TagKeys: ['cost'] }));
    expect((await client.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ team: 'a' });
  });

  test('purging empties a queue, in flight and delayed messages included', async () => {
    const url = await createQueue();
    await send(url, 'in flight');
    await receive(url);
    await send(url, 'visible');
    await send(url, 'delayed', { DelaySeconds: 60 });
    expect(await countsOf(url)).toEqual(['1', '1', '1']);
    await client.send(new PurgeQueueCommand({ QueueUrl: url }));
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });

  test('a deleted queue is gone, and a long poll on it ends', async () => {
    const url = await createQueue();
    expectPoll(url);
    const poll = receive(url, { WaitTimeSeconds: 20 });
    const ended = expect(poll).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await pollHasArrived();
    await client.send(new DeleteQueueCommand({ QueueUrl: url }));
    await ended;
    await expect(send(url, 'x')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});

describe('sending and receiving', () => {
  test('body, attributes and their digests survive the trip', async () => {
    const url = await createQueue();
    const attributes = {
      text: { DataType: 'String', StringValue: 'ä' },
      number: { DataType: 'Number.int', StringValue: '5' },
      bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2]) },
    };
    const sent = await send(url, 'hello', { MessageAttributes: attributes });
    const [received] = await receive(url);
    expect(received).toMatchObject({
      Body: 'hello',
      MessageId: sent.MessageId,
      MessageAttributes: attributes,
    });
    expect(received?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
    // Computed by the published algorithm in a separate program, so that both ends cannot be wrong together.
    expect(sent.MD5OfMessageAttributes).toBe('6a1dc97c4b8bbe13d307653c364a98ae');
  });

  test('only the attributes asked for are returned, by name or by prefix', async () => {
    const url = await createQueue({ VisibilityTimeout: '0' });
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    await send(url, 'x', { MessageAttributes: { 'a.one': text('1'), 'a.two': text('2'), b: text('3') } });
    const namesOf = async (...requested: string[]): Promise<string[]> =>
      Object.keys(
        (await receive(url, { MessageAttributeNames: requested }))[0]?.MessageAttributes ?? {},
      ).sort();
    expect(await namesOf('b')).toEqual(['b']);
    expect(await namesOf('a.*')).toEqual(['a.one', 'a.two']);
    expect(await namesOf()).toEqual([]);
  });

  test('system attributes tell when and how often', async () => {
    const url = await createQueue({ VisibilityTimeout: '0' });
    await send(url, 'x', {
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } },
    });
    clock += 1_000;
    await receive(url);
    clock += 1_000;
    const [message] = await receive(url);
    expect(message?.Attributes).toMatchObject({
      SentTimestamp: String(clock - 2_000),
      ApproximateFirstReceiveTimestamp: String(clock - 1_000),
      ApproximateReceiveCount: '2',
      AWSTraceHeader: 'Root=1-2-3',
    });
  });

  test('a long poll returns as soon as a message arrives', async () => {
    const url = await createQueue();
    const started = performance.now();
    expectPoll(url);
    const poll = receive(url, { WaitTimeSeconds: 20 });
    await pollHasArrived();
    await send(url, 'awaited');
    expect(bodiesOf(await poll)).toEqual(['awaited']);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('a long poll ends empty after its wait', async () => {
    const url = await createQueue();
    const started = performance.now();
    expect(await receive(url, { WaitTimeSeconds: 1 })).toEqual([]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  test('of many competing polls exactly one gets a message', async () => {
    const url = await createQueue();
    const polls = Array.from({ length: 5 }, () => receive(url, { WaitTimeSeconds: 1 }));
    await send(url, 'x');
    expect((await Promise.all(polls)).flat()).toHaveLength(1);
  });

  test('a delayed message is counted and shown when its delay is over', async () => {
    const url = await createQueue();
    await send(url, 'x', { DelaySeconds: 10 });
    expect(await countsOf(url)).toEqual(['0', '0', '1']);
    clock += 9_999;
    expect(await receive(url)).toEqual([]);
    clock += 1;
    expect(bodiesOf(await receive(url))).toEqual(['x']);
  });

  test('the delay of the queue applies to messages without one', async () => {
    const url = await createQueue({ DelaySeconds: '5' });
    await send(url, 'x');
    expect(await receive(url)).toEqual([]);
    clock += 5_000;
    expect(await receive(url)).toHaveLength(1);
  });

  test('messages older than the retention period disappear', async () => {
    const url = await createQueue({ MessageRetentionPeriod: '60' });
    await send(url, 'old');
    clock += 30_000;
    await send(url, 'young');
    clock += 30_000;
    expect(bodiesOf(await receive(url))).toEqual(['young']);
  });

  test.each([
    ['an empty body', '', {}, 'MissingParameter'],
    ['a control character', 'a\u0001b', {}, 'InvalidMessageContents'],
    ['a code point that is no character', '\uFFFE', {}, 'InvalidMessageContents'],
    [
      'an attribute with such a code point',
      'x',
      { MessageAttributes: { a: { DataType: 'String', StringValue: 'b\uFFFF' } } },
      'InvalidParameterValue',
    ],
    ['a body of more than 1 MiB', 'x'.repeat(1_048_577), {}, 'InvalidParameterValue'],
    [
      'a body and attributes of more than 1 MiB together',
      'x'.repeat(1_048_570),
      { MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } },
      'InvalidParameterValue',
    ],
    ['a delay of more than 15 minutes', 'x', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    [
      'more than ten attributes',
      'x',
      {
        MessageAttributes: Object.fromEntries(
          Array.from({ length: 11 }, (_, i) => [`a${i}`, { DataType: 'String', StringValue: '1' }]),
        ),
      },
      'InvalidParameterValue',
    ],
  ])('%s is refused', async (_title, body, more, name) => {
    const url = await createQueue();
    await expect(send(url, body, more)).rejects.toMatchObject({ name });
  });

  test('a message of exactly 1 MiB is accepted', async () => {
    const url = await createQueue();
    await send(url, 'x'.repeat(1_048_576));
    expect((await receive(url))[0]?.Body).toHaveLength(1_048_576);
  });

  test('a throttled request can be retried by the SDK', async () => {
    const url = await createQueue();
    sqs.faults.add({ kind: 'error', operation: 'SendMessage', times: 1 });
    const retrying = clientOf(sqs, 3);
    await send(url, 'x', {}, retrying);
    expect(await receive(url)).toHaveLength(1);
  });
});

describe('visibility', () => {
  test('a received message is invisible until its timeout ends, and its count rises', async () => {
    const url = await createQueue({ VisibilityTimeout: '30' });
    await send(url, 'x');
    await receive(url);
    expect(await receive(url)).toEqual([]);
    expect(await countsOf(url)).toEqual(['0', '1', '0']);
    clock += 30_000;
    expect((await receive(url))[0]?.Attributes?.ApproximateReceiveCount).toBe('2');
  });

  test('the timeout can be extended, and ended at once', async () => {
    const url = await createQueue({ VisibilityTimeout: '1' });
    await send(url, 'x');
    const [message] = await receive(url);
    const change = (VisibilityTimeout: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: url,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout,
        }),
      );
    await change(60);
    clock += 59_999;
    expect(await receive(url)).toEqual([]);
    await change(0);
    expect(await receive(url)).toHaveLength(1);
  });

  test('the visibility of a message that is not in flight cannot be changed', async () => {
    const url = await createQueue({ VisibilityTimeout: '1' });
    await send(url, 'x');
    const [message] = await receive(url);
    clock += 1_000;
    const command = new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout: 5,
    });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'MessageNotInflight' });
  });

  test('a handle goes on to delete after the timeout, until the message is received again', async () => {
    const url = await createQueue({ VisibilityTimeout: '1' });
    await send(url, 'x');
    const [first] = await receive(url);
    clock += 1_000;
    await remove(url, first);
    expect(await countsOf(url)).toEqual(['0', '0', '0']);

    await send(url, 'y');
    const [stale] = await receive(url);
    clock += 1_000;
    const [latest] = await receive(url);
    await remove(url, stale);
    expect(await countsOf(url)).toEqual(['0', '1', '0']);
    await remove(url, latest);
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });

  test('deleting twice is no error; a handle of another queue is', async () => {
    const [url, other] = [await createQueue(), await createQueue()];
    await send(url, 'x');
    const [message] = await receive(url);
    await remove(url, message);
    await remove(url, message);
    await expect(remove(other, message)).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
    await expect(remove(url, { ReceiptHandle: 'nonsense' })).rejects.toMatchObject({
      name: 'ReceiptHandleIsInvalid',
    });
  });
});

describe('batches', () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ Id: `e${i}`, MessageBody: `b${i}` }));
  const sendBatch = (url: string, Entries: readonly { Id: string; MessageBody: string }[]) =>
    client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: [...Entries] }));

  test('ten messages are sent, received, hidden and deleted together', async () => {
    const url = await createQueue();
    expect((await sendBatch(url, entries(10))).Successful).toHaveLength(10);
    const messages = await receive(url);
    expect(messages).toHaveLength(10);
    const handles = messages.map(({ ReceiptHandle }, i) => ({ Id: `d${i}`, ReceiptHandle }));
    const hidden = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: url,
        Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
      }),
    );
    expect(hidden.Successful).toHaveLength(10);
    const deleted = await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries: handles }));
    expect(deleted.Successful).toHaveLength(10);
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });

  test('an entry that is refused does not take its neighbours along', async () => {
    const url = await createQueue();
    const response = await sendBatch(url, [
      { Id: 'good', MessageBody: 'x' },
      { Id: 'bad', MessageBody: '\u0001' },
    ]);
    expect(response.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(response.Failed).toEqual([
      expect.objectContaining({ Id: 'bad', SenderFault: true, Code: 'InvalidMessageContents' }),
    ]);

    const [message] = await receive(url);
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
          { Id: 'bad', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(deleted.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(deleted.Failed?.map(({ Code }) => Code)).toEqual(['ReceiptHandleIsInvalid']);
  });

  const half = 'x'.repeat(600_000);
  test.each([
    ['no entry', [], 'EmptyBatchRequest'],
    ['eleven entries', entries(11), 'TooManyEntriesInBatchRequest'],
    [
      'an id twice',
      [
        { Id: 'a', MessageBody: 'x' },
        { Id: 'a', MessageBody: 'y' },
      ],
      'BatchEntryIdsNotDistinct',
    ],
    ['an id with a space', [{ Id: 'a b', MessageBody: 'x' }], 'InvalidBatchEntryId'],
    [
      'more than 1 MiB in all',
      [
        { Id: 'a', MessageBody: half },
        { Id: 'b', MessageBody: half },
      ],
      'BatchRequestTooLong',
    ],
  ])('a batch with %s is refused as a whole', async (_title, list, name) => {
    const url = await createQueue();
    await expect(sendBatch(url, list)).rejects.toMatchObject({ name });
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });
});

describe('FIFO queues', () => {
  const inGroup = (MessageGroupId: string, MessageDeduplicationId?: string) => ({
    MessageGroupId,
    MessageDeduplicationId,
  });

  test('keep the order within a group and lock a group while one of its messages is in flight', async () => {
    const url = await createFifo({ ContentBasedDeduplication: 'true' });
    for (const [body, group] of [
      ['a1', 'A'],
      ['a2', 'A'],
      ['b1', 'B'],
    ] as const) {
      await send(url, body, inGroup(group));
    }
    const first = await receive(url, { MaxNumberOfMessages: 1 });
    expect(bodiesOf(first)).toEqual(['a1']);
    expect(bodiesOf(await receive(url))).toEqual(['b1']);
    expect(await receive(url)).toEqual([]);
    await remove(url, first[0]);
    expect(bodiesOf(await receive(url))).toEqual(['a2']);
  });

  test('hand out a group in order within one receive', async () => {
    const url = await createFifo({ ContentBasedDeduplication: 'true' });
    const Entries = Array.from({ length: 10 }, (_, i) => ({
      Id: `e${i}`,
      MessageBody: `b${i}`,
      MessageGroupId: 'g',
    }));
    await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    const messages = await receive(url);
    expect(bodiesOf(messages)).toEqual(Entries.map(({ MessageBody }) => MessageBody));
    const numbers = messages.map(({ Attributes }) => Attributes?.SequenceNumber ?? '');
    expect(numbers).toEqual([...numbers].sort());
  });

  test('suppress a repeated send for five minutes and answer as the first time', async () => {
    const url = await createFifo();
    const first = await send(url, 'x', inGroup('g', 'd'));
    const again = await send(url, 'x', inGroup('g', 'd'));
    expect([again.MessageId, again.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
    expect(await countsOf(url)).toEqual(['1', '0', '0']);
    clock += 300_000;
    await send(url, 'x', inGroup('g', 'd'));
    expect(await countsOf(url)).toEqual(['2', '0', '0']);
  });

  test('deduplicate per group when asked to', async () => {
    const url = await createFifo({
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
    });
    await send(url, 'x', inGroup('g', 'd'));
    await send(url, 'x', inGroup('h', 'd'));
    expect(await countsOf(url)).toEqual(['2', '0', '0']);
  });

  test.each([
    ['no group', {}, 'MissingParameter'],
    ['no deduplication id', inGroup('g'), 'InvalidParameterValue'],
    ['a delay of its own', { ...inGroup('g', 'd'), DelaySeconds: 1 }, 'InvalidParameterValue'],
  ])('refuse a message with %s', async (_title, more, name) => {
    const url = await createFifo();
    await expect(send(url, 'x', more)).rejects.toMatchObject({ name });
  });

  test('refuse a delete after the visibility timeout', async () => {
    const url = await createFifo({ VisibilityTimeout: '1' });
    await send(url, 'x', inGroup('g', 'd'));
    const [message] = await receive(url);
    clock += 1_000;
    await expect(remove(url, message)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('need the name to end in .fifo', async () => {
    await expect(createQueue({ FifoQueue: 'true' })).rejects.toThrow();
    await expect(createQueue({}, '.fifo')).rejects.toThrow();
  });

  test('a standard queue takes a group too, for fair queues', async () => {
    const url = await createQueue();
    await send(url, 'x', { MessageGroupId: 'tenant' });
    expect((await receive(url))[0]?.Attributes?.MessageGroupId).toBe('tenant');
  });
});

describe('dead letters', () => {
  test('a message received too often moves, with its id, its age and its count', async () => {
    const { main, dead } = await createPair(2, { VisibilityTimeout: '0' });
    const { MessageId } = await send(main, 'poison');
    const sentAt = clock;
    clock += 1_000;
    expect(await receive(main)).toHaveLength(1);
    expect(await receive(main)).toHaveLength(1);
    expect(await receive(main)).toEqual([]);
    const [message] = await receive(dead);
    expect(message).toMatchObject({ Body: 'poison', MessageId });
    expect(message?.Attributes).toMatchObject({
      DeadLetterQueueSourceArn: arnOf(main),
      SentTimestamp: String(sentAt),
      ApproximateReceiveCount: '3',
    });
  });

  test('a dead letter does not take its neighbours along', async () => {
    const { main, dead } = await createPair(1, { VisibilityTimeout: '0' });
    await send(main, 'poison');
    await receive(main);
    await send(main, 'healthy');
    expect(bodiesOf(await receive(main))).toEqual(['healthy']);
    expect(bodiesOf(await receive(dead))).toEqual(['poison']);
  });

  test('a FIFO dead-letter queue keeps the group and takes the message id for deduplication', async () => {
    const { main, dead } = await createPair(1, { FifoQueue: 'true', VisibilityTimeout: '0' });
    const { MessageId } = await send(main, 'x', { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    await receive(main);
    await receive(main);
    expect((await receive(dead))[0]?.Attributes).toMatchObject({
      MessageGroupId: 'g',
      MessageDeduplicationId: MessageId,
    });
  });

  test('a dead-letter queue knows its sources', async () => {
    const { main, dead } = await createPair(1);
    const response = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
    expect(response.queueUrls).toEqual([main]);
  });

  const tasksOf = async (dead: string) =>
    (await client.send(new ListMessageMoveTasksCommand({ SourceArn: arnOf(dead), MaxResults: 10 })))
      .Results ?? [];

  async function deadLetters(count: number): Promise<{ main: string; dead: string }> {
    const pair = await createPair(1, { VisibilityTimeout: '0' });
    for (let i = 0; i < count; i += 1) await send(pair.main, `m${i}`);
    for (const expected of [count, 0]) expect(await receive(pair.main)).toHaveLength(expected);
    return pair;
  }

  test('a move task brings dead letters back as new messages', async () => {
    const { main, dead } = await deadLetters(3);
    const before = (await receive(dead)).map(({ MessageId }) => MessageId);
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf(dead) }));
    const [task] = await eventually(
      () => tasksOf(dead),
      ([latest]) => latest?.Status === 'COMPLETED',
    );
    expect(task).toMatchObject({
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      SourceArn: arnOf(dead),
    });
    expect(task?.TaskHandle).toBeUndefined();
    const back = await receive(main);
    expect(bodiesOf(back)).toEqual(['m0', 'm1', 'm2']);
    expect(back.map(({ Attributes }) => Attributes?.ApproximateReceiveCount)).toEqual(['1', '1', '1']);
    expect(back.some(({ MessageId }) => before.includes(MessageId))).toBe(false);
  });

  test('a move task can go elsewhere, at a rate, one at a time, and be cancelled', async () => {
    const { dead } = await deadLetters(4);
    const elsewhere = await createQueue();
    const start = new StartMessageMoveTaskCommand({
      SourceArn: arnOf(dead),
      DestinationArn: arnOf(elsewhere),
      MaxNumberOfMessagesPerSecond: 2,
    });
    const { TaskHandle } = await client.send(start);
    await expect(client.send(start)).rejects.toMatchObject({ name: 'UnsupportedOperation' });
    clock += 1_000;
    await eventually(
      () => countsOf(elsewhere),
      ([visible]) => visible === '2',
    );
    expect(await tasksOf(dead)).toEqual([expect.objectContaining({ Status: 'RUNNING', TaskHandle })]);
    const cancelled = await client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    expect(cancelled.ApproximateNumberOfMessagesMoved).toBe(2);
    clock += 10_000;
    expect(await tasksOf(dead)).toEqual([expect.objectContaining({ Status: 'CANCELLED' })]);
    expect(await countsOf(dead)).toEqual(['2', '0', '0']);
  });

  test('a move task that cannot deliver says why', async () => {
    const { main, dead } = await deadLetters(1);
    const other = await createQueue({ RedrivePolicy: (await attributesOf(main))['RedrivePolicy'] ?? '' });
    await client.send(new DeleteQueueCommand({ QueueUrl: main }));
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: arnOf(dead) }));
    await eventually(
      () => tasksOf(dead),
      ([latest]) => latest?.Status === 'FAILED' && latest.FailureReason === 'CouldNotDetermineMessageSource',
    );
    expect(await countsOf(dead)).toEqual(['1', '0', '0']);
    await client.send(new DeleteQueueCommand({ QueueUrl: other }));
  });

  test('only a dead-letter queue can be redriven', async () => {
    const SourceArn = arnOf(await createQueue());
    await expect(client.send(new StartMessageMoveTaskCommand({ SourceArn }))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
    const missing = new StartMessageMoveTaskCommand({ SourceArn: sqs.arnOf('nowhere') });
    await expect(client.send(missing)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('faults', () => {
  test('an error has no effect and is throttling unless the rule says otherwise', async () => {
    const url = await createQueue();
    sqs.faults.set([{ kind: 'error', operation: 'SendMessage', resource: nameOf(url), times: 1 }]);
    await expect(send(url, 'x')).rejects.toMatchObject({ name: 'ThrottlingException' });
    sqs.faults.set([{ kind: 'error', operation: 'SendMessage', code: 'RequestThrottled', times: 1 }]);
    await expect(send(url, 'x')).rejects.toMatchObject({
      name: 'RequestThrottled',
      $metadata: { httpStatusCode: 403 },
    });
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });

  test('a lost answer to a send leaves the message in the queue', async () => {
    const url = await createQueue();
    sqs.faults.set([{ kind: 'drop-ack', operation: 'SendMessageBatch', resource: nameOf(url) }]);
    const batch = new SendMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: 'a', MessageBody: 'x' }] });
    await expect(client.send(batch)).rejects.toThrow('socket hang up');
    expect(bodiesOf(await receive(url))).toEqual(['x']);
  });

  test('a lost answer to a receive hides the message until its timeout', async () => {
    const url = await createQueue({ VisibilityTimeout: '30' });
    await send(url, 'x');
    sqs.faults.set([{ kind: 'drop-ack', operation: 'ReceiveMessage', times: 1 }]);
    await expect(receive(url)).rejects.toThrow();
    expect(await receive(url)).toEqual([]);
    clock += 30_000;
    expect((await receive(url))[0]?.Attributes?.ApproximateReceiveCount).toBe('2');
  });

  test('a duplicated send is delivered twice under one id, and deleted copy by copy', async () => {
    const url = await createQueue();
    sqs.faults.set([{ kind: 'duplicate', operation: 'SendMessage', times: 1 }]);
    const { MessageId } = await send(url, 'x');
    const copies = await receive(url);
    expect(copies.map((copy) => [copy.Body, copy.MessageId])).toEqual([
      ['x', MessageId],
      ['x', MessageId],
    ]);
    await remove(url, copies[0]);
    expect(await countsOf(url)).toEqual(['0', '1', '0']);
    await remove(url, copies[1]);
    expect(await countsOf(url)).toEqual(['0', '0', '0']);
  });

  test('a copy that survives its delete is delivered again', async () => {
    const url = await createQueue({ VisibilityTimeout: '30' });
    await send(url, 'x');
    sqs.faults.set([{ kind: 'duplicate', operation: 'DeleteMessage', times: 1 }]);
    await remove(url, (await receive(url))[0]);
    clock += 30_000;
    expect(bodiesOf(await receive(url))).toEqual(['x']);
  });

  test('a FIFO queue is not duplicated', async () => {
    const url = await createFifo();
    sqs.faults.set([{ kind: 'duplicate' }]);
    await send(url, 'x', { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    expect(await receive(url)).toHaveLength(1);
  });

  test('reordered messages become visible each after a time of its own', async () => {
    const url = await createQueue({ VisibilityTimeout: '120' });
    sqs.faults.set([{ kind: 'reorder', operation: 'SendMessage', latencyMs: 60_000 }]);
    const sent = Array.from({ length: 20 }, (_, i) => `m${i}`);
    for (const body of sent) await send(url, body);
    const order: (string | undefined)[] = [];
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 500) {
      clock += 500;
      order.push(...bodiesOf(await receive(url)));
    }
    expect(order.toSorted()).toEqual(sent.toSorted());
    expect(order).not.toEqual(sent);
  });

  test('latency delays the operation', async () => {
    const url = await createQueue();
    sqs.faults.set([{ kind: 'latency', operation: 'SendMessage', latencyMs: 150 }]);
    const started = performance.now();
    await send(url, 'x');
    expect(performance.now() - started).toBeGreaterThanOrEqual(145);
  });
});

describe('control requests', () => {
  test('set, show and clear the faults', async () => {
    const url = await createQueue();
    const rules = [{ kind: 'error', operation: 'SendMessage', resource: nameOf(url) }];
    const put = await fetch(sqs.endpoint + FAULTS_PATH, { method: 'PUT', body: JSON.stringify(rules) });
    expect(await put.json()).toEqual(rules);
    await expect(send(url, 'x')).rejects.toThrow();
    await fetch(sqs.endpoint + FAULTS_PATH, { method: 'DELETE' });
    await expect(send(url, 'x')).resolves.toBeDefined();
  });

  test('tell depth, in flight, delayed and oldest age of every queue', async () => {
    const url = await createQueue();
    await send(url, 'a');
    clock += 4_000;
    await receive(url);
    await send(url, 'b');
    await send(url, 'c', { DelaySeconds: 60 });
    clock += 1_000;
    const all = (await (await fetch(sqs.endpoint + QUEUES_PATH)).json()) as Record<string, unknown>;
    expect(all[nameOf(url)]).toEqual({ visible: 1, inFlight: 1, delayed: 1, oldestAgeMs: 5_000 });
    expect(sqs.queues()[nameOf(url)]).toEqual(all[nameOf(url)]);
  });

  test('show the bodies of a queue, whatever their state, and take none', async () => {
    const url = await createQueue();
    await send(url, 'a');
    await receive(url);
    await send(url, 'b');
    await send(url, 'c', { DelaySeconds: 60 });
    const response = await fetch(`${sqs.endpoint}${QUEUES_PATH}/${nameOf(url)}/bodies`);
    expect(await response.json()).toEqual(['a', 'b', 'c']);
    expect(await countsOf(url)).toEqual(['1', '1', '1']);
    expect((await fetch(`${sqs.endpoint}${QUEUES_PATH}/nobodys/bodies`)).status).toBe(404);
  });

  test('an action that is not there is refused, not ignored', async () => {
    const response = await fetch(sqs.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.AddPermission' },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'com.amazonaws.sqs#UnsupportedOperation' });
  });
});

describe('persistence', () => {
  test('queues, messages, tags and running move tasks outlive a restart', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);
    let other = clientOf(first);
    const create = async (QueueName: string, Attributes: Record<string, string> = {}) =>
      (await other.send(new CreateQueueCommand({ QueueName, Attributes, tags: { team: 'a' } }))).QueueUrl ??
      '';
    await create('dead');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: first.arnOf('dead'), maxReceiveCount: 1 });
    const main = await create('main', { VisibilityTimeout: '0', RedrivePolicy });
    for (const body of ['one', 'two']) await send(main, body, {}, other);
    await receive(main, {}, other);
    await receive(main, {}, other);
    const SourceArn = first.arnOf('dead');
    await other.send(new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond: 1 }));
    await first.close();

    const second = await start(dataDir);
    other = clientOf(second);
    const url = second.queueUrlOf('main');
    expect((await other.send(new ListQueueTagsCommand({ QueueUrl: url }))).Tags).toEqual({ team: 'a' });
    clock += 2_000;
    const depth = await eventually(
      () => second.queues(),
      ({ main: counts }) => counts?.visible === 2,
    );
    expect(depth['dead']).toMatchObject({ visible: 0 });
    expect(bodiesOf(await receive(url, {}, other))).toEqual(['one', 'two']);
  });

  test('what was acknowledged survives SIGKILL, in its state', async () => {
    const dataDir = newDataDir();
    const first = await spawn(dataDir);
    let other = clientOf(first);
    const url = (await other.send(new CreateQueueCommand({ QueueName: 'main' }))).QueueUrl ?? '';
    for (const body of ['deleted', 'in flight', 'short', 'visible']) await send(url, body, {}, other);
    const take = async (VisibilityTimeout: number): Promise<Message | undefined> =>
      (await receive(url, { MaxNumberOfMessages: 1, VisibilityTimeout }, other))[0];
    await remove(url, await take(60), other);
    await take(600);
    await take(1);
    await first.kill();

    const second = await spawn(dataDir);
    other = clientOf(second);
    const again = `${second.endpoint}/000000000000/main`;
    const back = await eventually(
      async () => await receive(again, { VisibilityTimeout: 0, WaitTimeSeconds: 1 }, other),
      (messages) => messages.some(({ Body }) => Body === 'short'),
    );
    expect(bodiesOf(back).sort()).toEqual(['short', 'visible']);
    const short = back.find(({ Body }) => Body === 'short');
    expect(Number(short?.Attributes?.ApproximateReceiveCount)).toBeGreaterThanOrEqual(2);
    const counts = (await (await fetch(second.endpoint + QUEUES_PATH)).json()) as Record<string, unknown>;
    expect(counts['main']).toMatchObject({ inFlight: 1 });
  });

  test('a second process on the same folder is refused by name', async () => {
    const dataDir = newDataDir();
    const owner = await spawn(dataDir);
    await expect(start(dataDir)).rejects.toThrow(`in use by process ${owner.pid}`);
    await owner.kill();
    await start(dataDir);
  });
});
