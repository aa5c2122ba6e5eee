import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Queue } from '../../src/sqs/queue.ts';
import { sendMessage } from '../../src/sqs/send.ts';
import { SqsStore } from '../../src/sqs/store.ts';

const NO_FAULT = { duplicate: false, reorderMs: 0 };

const START = 1_700_000_000_000;
let folder: string;
let now: number;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sqs-store-'));
  now = START;
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const ATTRIBUTES = {
  VisibilityTimeout: '30',
  MessageRetentionPeriod: '345600',
  MaximumMessageSize: '1048576',
  DelaySeconds: '0',
};

function open(): SqsStore {
  const file = path.join(folder, 'sqs.jsonl');
  return new SqsStore({ file, region: 'us-east-1', account: '000000000000', now: () => now });
}

function queueOf(store: SqsStore, name: string): Queue {
  if (!store.queues.has(name)) store.create(name, ATTRIBUTES, {});
  const queue = store.queues.get(name);
  if (queue === undefined) throw new Error(`no queue ${name}`);
  return queue;
}

/** Opens the journal a second time, as after a kill. */
function reopened(store: SqsStore): SqsStore {
  store.close();
  return open();
}

function receiveFirst(store: SqsStore, queue: Queue, receipt: string, visibilityMs: number): number {
  const key = queue.visible[0]?.key ?? -1;
  store.receive(queue, [{ key, receipt, at: now, until: now + visibilityMs }]);
  return key;
}

describe('the queue store', () => {
  test('finds queues, messages and receive counts again', () => {
    let store = open();
    const queue = queueOf(store, 'orders');
    sendMessage(store, queue, { MessageBody: 'one' }, NO_FAULT);
    receiveFirst(store, queue, 'r', 1_000);

    store = reopened(store);
    const found = queueOf(store, 'orders');
    expect([...found.messages()]).toEqual([
      expect.objectContaining({ body: 'one', receiveCount: 1, hidden: 'in-flight' }),
    ]);
    now += 1_000;
    store.settle(found);
    expect(found.visible).toHaveLength(1);
    store.close();
  });

  test('never brings back a deleted message', () => {
    let store = open();
    const queue = queueOf(store, 'orders');
    sendMessage(store, queue, { MessageBody: 'one' }, NO_FAULT);
    store.delete(queue, [receiveFirst(store, queue, 'r', 1_000)]);
    store = reopened(store);
    now += 10_000;
    store.settle(queueOf(store, 'orders'));
    expect(queueOf(store, 'orders').size).toBe(0);
    store.close();
  });

  test('does not bring back an expired message when the retention period was raised later', () => {
    let store = open();
    const queue = queueOf(store, 'orders');
    store.configure(queue, { ...ATTRIBUTES, MessageRetentionPeriod: '60' });
    sendMessage(store, queue, { MessageBody: 'one' }, NO_FAULT);
    now += 60_000;
    store.settle(queue);
    store.configure(queue, ATTRIBUTES);
    store = reopened(store);
    store.settle(queueOf(store, 'orders'));
    expect(queueOf(store, 'orders').size).toBe(0);
    store.close();
  });

  test('suppresses a repeated FIFO send after a restart, though the first message was deleted', () => {
    let store = open();
    const request = { MessageBody: 'one', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
    const first = sendMessage(store, queueOf(store, 'orders.fifo'), request, NO_FAULT);
    const queue = queueOf(store, 'orders.fifo');
    store.delete(queue, [receiveFirst(store, queue, 'r', 1_000)]);

    store = reopened(store);
    const again = sendMessage(store, queueOf(store, 'orders.fifo'), request, NO_FAULT);
    expect(again).toEqual(first);
    expect(queueOf(store, 'orders.fifo').size).toBe(0);
    store.close();
  });

  test('accepts a repeated FIFO send once five minutes have passed', () => {
    const store = open();
    const queue = queueOf(store, 'orders.fifo');
    const request = { MessageBody: 'one', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
    sendMessage(store, queue, request, NO_FAULT);
    now += 300_000;
    sendMessage(store, queue, request, NO_FAULT);
    expect(queue.size).toBe(2);
    store.close();
  });

  test('compacts a long journal without losing a message or the order of arrival', () => {
    let store = open();
    const queue = queueOf(store, 'orders');
    sendMessage(store, queue, { MessageBody: 'kept' }, NO_FAULT);
    for (let round = 0; round < 6_000; round += 1) {
      sendMessage(store, queue, { MessageBody: 'passing' }, NO_FAULT);
      store.delete(queue, [queue.visible.at(-1)?.key ?? -1]);
    }
    const lines = fs.readFileSync(path.join(folder, 'sqs.jsonl'), 'utf8').split('\n').length;
    expect(lines).toBeLessThan(12_000);

    const keyBefore = store.takeKey();
    store = reopened(store);
    expect([...queueOf(store, 'orders').messages()].map(({ body }) => body)).toEqual(['kept']);
    expect(store.takeKey()).toBeGreaterThanOrEqual(keyBefore - 1);
    sendMessage(store, queueOf(store, 'orders'), { MessageBody: 'later' }, NO_FAULT);
    expect(queueOf(store, 'orders').visible.map(({ body }) => body)).toEqual(['kept', 'later']);
    store.close();
  });
});
