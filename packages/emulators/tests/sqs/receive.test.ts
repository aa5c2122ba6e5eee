import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Queue } from '../../src/sqs/queue.ts';
import { receiveMessages } from '../../src/sqs/receive.ts';
import { sendMessage } from '../../src/sqs/send.ts';
import { SqsStore } from '../../src/sqs/store.ts';

const NO_FAULT = { duplicate: false, reorderMs: 0 };

/** A queue that the test has created. */
function existing(from: SqsStore, name: string): Queue {
  const found = from.queues.get(name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
}

let store: SqsStore;
let queue: Queue;

beforeEach(() => {
  store = new SqsStore({
    file: undefined,
    region: 'us-east-1',
    account: '000000000000',
    now: () => 1_700_000_000_000,
  });
  store.create(
    'orders',
    {
      VisibilityTimeout: '30',
      ReceiveMessageWaitTimeSeconds: '0',
      MessageRetentionPeriod: '345600',
      MaximumMessageSize: '1048576',
      DelaySeconds: '0',
    },
    {},
  );
  queue = existing(store, 'orders');
});

test('a long poll of an empty queue waits no longer than the emulator lets it', async () => {
  const { signal } = new AbortController();
  expect(await receiveMessages(store, queue, { WaitTimeSeconds: 20 }, signal, 1)).toEqual({});
  sendMessage(store, queue, { MessageBody: 'x' }, NO_FAULT);
  const taken = await receiveMessages(store, queue, { WaitTimeSeconds: 20 }, signal, 0);
  expect(taken).toMatchObject({ Messages: [{ Body: 'x' }] });
});

describe('a long poll whose client goes away', () => {
  test('takes nothing when a message arrives afterwards', async () => {
    const client = new AbortController();
    const poll = receiveMessages(store, queue, { WaitTimeSeconds: 20 }, client.signal);
    client.abort();
    sendMessage(store, queue, { MessageBody: 'x' }, NO_FAULT);
    expect(await poll).toEqual({});
    expect(queue.counts(store.now())).toMatchObject({ visible: 1, inFlight: 0 });
  });

  test('takes nothing of what is already there when it was gone before', async () => {
    sendMessage(store, queue, { MessageBody: 'x' }, NO_FAULT);
    expect(await receiveMessages(store, queue, {}, AbortSignal.abort())).toEqual({});
    expect(queue.counts(store.now())).toMatchObject({ visible: 1, inFlight: 0 });
  });
});
