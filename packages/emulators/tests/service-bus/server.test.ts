/**
 * The Service Bus emulator as the real `@azure/service-bus` client sees it. Every test has queues of its own.
 * The broker's clock runs with the wall clock plus `skewMs`, so a test passes a lock by moving it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  ServiceBusClient,
  type ServiceBusMessage,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
  type ServiceBusReceiverOptions,
  type ServiceBusSender,
} from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import rhea, { type Receiver } from 'rhea';
import { type QueueOptions, type ServiceBusEmulator, startServiceBus } from '../../src/service-bus/server.ts';

const RETRY = { maxRetries: 0, retryDelayInMs: 50, timeoutInMs: 5000 };
const WAIT_MS = 2000;
/** Long enough for a local round trip, short enough to conclude that nothing comes. */
const QUIET_MS = 150;

let skewMs = 0;
let bus: ServiceBusEmulator;
let client: ServiceBusClient;
let serial = 0;
let open: { close(): Promise<void> }[] = [];

const advance = (ms: number): void => {
  skewMs += ms;
  for (let i = 1; i <= serial; i += 1) bus.counts(`q-${i}`);
};

beforeAll(async () => {
  // Its budget of credits has a suite of its own (service-bus-limits.test.ts).
  bus = await startServiceBus({ now: () => Date.now() + skewMs, creditsPerSecond: Infinity });
  client = new ServiceBusClient(bus.endpoint, { retryOptions: RETRY });
});

afterEach(async () => {
  bus.faults.clear();
  await Promise.all(open.map((link) => link.close()));
  open = [];
});

afterAll(async () => {
  await client.close();
  await bus.close();
});

interface Links {
  readonly name: string;
  readonly sender: ServiceBusSender;
  readonly receiver: ServiceBusReceiver;
  readonly deadLetters: ServiceBusReceiver;
}

function newReceiver(name: string, options: ServiceBusReceiverOptions = {}): ServiceBusReceiver {
  const receiver = client.createReceiver(name, { maxAutoLockRenewalDurationInMs: 0, ...options });
  open.push(receiver);
  return receiver;
}

function newQueue(options: QueueOptions = {}): Links {
  serial += 1;
  const name = `q-${serial}`;
  bus.createQueue(name, options);
  const sender = client.createSender(name);
  open.push(sender);
  return {
    name,
    sender,
    receiver: newReceiver(name),
    deadLetters: newReceiver(name, { subQueueType: 'deadLetter' }),
  };
}

async function receive(
  receiver: Pick<ServiceBusReceiver, 'receiveMessages'>,
  count: number,
  waitMs = WAIT_MS,
): Promise<ServiceBusReceivedMessage[]> {
  const messages: ServiceBusReceivedMessage[] = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, { maxWaitTimeInMs: waitMs });
    if (more.length === 0) break;
    messages.push(...more);
  }
  return messages;
}

async function receiveOne(
  receiver: Pick<ServiceBusReceiver, 'receiveMessages'>,
): Promise<ServiceBusReceivedMessage> {
  const [message] = await receive(receiver, 1);
  if (message === undefined) throw new Error('expected a message, and none came');
  return message;
}

async function completeAll(
  receiver: ServiceBusReceiver,
  messages: readonly ServiceBusReceivedMessage[],
): Promise<void> {
  for (const message of messages) await receiver.completeMessage(message);
}

/** The sequence number of a message, which every received one has. */
function numberOf(
  message: ServiceBusReceivedMessage | undefined,
): NonNullable<ServiceBusReceivedMessage['sequenceNumber']> {
  if (message?.sequenceNumber === undefined) throw new Error('expected a message with a sequence number');
  return message.sequenceNumber;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Closes a client whose broker is gone. Before it has noticed, the SDK would wait for an answer for ever. */
async function closeDisconnected(lone: ServiceBusClient): Promise<void> {
  const { connection } = (lone as unknown as { _connectionContext: { connection: { isOpen(): boolean } } })
    ._connectionContext;
  await until(() => !connection.isOpen(), 'the client has noticed that the broker is gone');
  await lone.close();
}

const bodies = (messages: readonly ServiceBusReceivedMessage[]): unknown[] =>
  messages.map(({ body }) => body as unknown);
const texts = (...values: string[]): ServiceBusMessage[] => values.map((body) => ({ body }));
const inOneHour = (): Date => new Date(Date.now() + skewMs + 3_600_000);

describe('sending', () => {
  test('carries every property of a message', async () => {
    const { sender, receiver } = newQueue();
    const sent: ServiceBusMessage = {
      body: { text: 'héllo', list: [1, null] },
      messageId: 'id-1',
      correlationId: 'correlation-1',
      subject: 'subject',
      contentType: 'application/json',
      to: 'to',
      replyTo: 'reply-to',
      sessionId: 'session',
      replyToSessionId: 'reply-session',
      partitionKey: 'session',
      timeToLive: 60_000,
      applicationProperties: { text: 'x', real: 1.5, flag: true, whole: 2 ** 40, day: new Date(0) },
    };
    await sender.sendMessages(sent);
    const message = await receiveOne(receiver);
    await receiver.completeMessage(message);
    const { applicationProperties, ...rest } = sent;
    expect(message).toMatchObject(rest);
    expect(message.applicationProperties).toEqual({ ...applicationProperties, day: 0 });
    expect(message.deliveryCount).toBe(0);
    expect(message.state).toBe('active');
    expect(message.sequenceNumber?.toNumber()).toBe(1);
    expect(Math.abs(Date.now() + skewMs - (message.enqueuedTimeUtc?.getTime() ?? 0))).toBeLessThan(5000);
  });

  test('keeps AMQP types that JavaScript cannot tell apart', async () => {
    const { sender, receiver } = newQueue();
    await sender.sendMessages({
      body: 'x',
      messageAnnotations: { 'x-custom': 'mine', 'x-opt-sequence-number': 99 },
    });
    await sender.sendMessages({
      bodyType: 'value',
      body: 7,
      header: { priority: 7 },
      footer: { sum: 'abc' },
      messageAnnotations: { 'x-custom': 'mine', 'x-opt-sequence-number': 99 },
      properties: { messageId: 12, contentEncoding: 'gzip', groupSequence: 5 },
    });
    const [, message] = await receive(receiver, 2);
    const raw = message?._rawAmqpMessage;
    expect(raw?.properties).toMatchObject({ messageId: 12, contentEncoding: 'gzip', groupSequence: 5 });
    expect(raw?.messageAnnotations).toMatchObject({ 'x-custom': 'mine', 'x-opt-sequence-number': 2 });
    expect(raw?.header?.priority).toBe(7);
    expect(raw?.footer).toEqual({ sum: 'abc' });
    expect(raw?.bodyType).toBe('value');
  });

  test.each<{ title: string; message: ServiceBusMessage | Record<string, unknown>; body: unknown }>([
    { title: 'bytes', message: { body: Buffer.from([1, 2, 255]) }, body: Buffer.from([1, 2, 255]) },
    { title: 'null', message: { body: null }, body: null },
    { title: 'a value section', message: { body: { x: 1 }, bodyType: 'value' }, body: { x: 1 } },
    { title: 'a sequence section', message: { body: [[1, 'b']], bodyType: 'sequence' }, body: [[1, 'b']] },
  ])('carries a body of $title, sent alone and in a batch', async ({ message, body }) => {
    const { sender, receiver } = newQueue();
    await sender.sendMessages(message as ServiceBusMessage);
    await sender.sendMessages([message as ServiceBusMessage, message as ServiceBusMessage]);
    expect(bodies(await receive(receiver, 3))).toEqual([body, body, body]);
  });

  test('gives a message without an id one, and leaves the rest of it alone', async () => {
    const { sender, receiver } = newQueue();
    await sender.sendMessages({ body: 'x', subject: 'kept', applicationProperties: { kept: 1 } });
    const message = await receiveOne(receiver);
    expect(message.messageId).toMatch(/^[0-9a-f]{32}$/);
    expect(message).toMatchObject({ body: 'x', subject: 'kept', applicationProperties: { kept: 1 } });
  });

  test('fills a batch up to the limit of the tier and delivers all of it', async () => {
    const { name, sender } = newQueue();
    const batch = await sender.createMessageBatch();
    let count = 0;
    while (batch.tryAddMessage({ body: 'x'.repeat(1000), messageId: `m-${count}` })) count += 1;
    expect(batch.maxSizeInBytes).toBe(262_144);
    await sender.sendMessages(batch);
    expect(bus.counts(name).ready).toBe(count);
    const receiver = newReceiver(name, { receiveMode: 'receiveAndDelete' });
    const ids = (await receive(receiver, count)).map(({ messageId }) => messageId);
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => `m-${i}`));
  });

  test('refuses a message over the limit and stays usable', async () => {
    const { name, sender } = newQueue();
    const large = { body: Buffer.alloc(262_144) };
    await expect(sender.sendMessages(large)).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
    await expect(sender.scheduleMessages(large, inOneHour())).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
    await sender.sendMessages({ body: 'small' });
    expect(bus.counts(name)).toMatchObject({ ready: 1, scheduled: 0 });
  });

  test('tells concurrent senders apart: each learns its own outcome', async () => {
    const { name, sender } = newQueue();
    const large = { body: Buffer.alloc(262_144) };
    await sender.sendMessages({ body: 'opens the link' });
    const sends = [{ body: 'a' }, large, { body: 'b' }, large, { body: 'c' }].map((m) =>
      sender.sendMessages(m),
    );
    const results = (await Promise.allSettled(sends)).map(({ status }) => status);
    expect(results).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(bus.counts(name).ready).toBe(4);
  });

  test('drops a second message with the same id within the detection window, and only within it', async () => {
    const { name, sender, receiver } = newQueue({ duplicateDetectionMs: 60_000 });
    await sender.sendMessages([
      { body: 1, messageId: 'x' },
      { body: 2, messageId: 'x' },
      { body: 3, messageId: 'y' },
    ]);
    await sender.sendMessages({ body: 4, messageId: 'y' });
    expect(bus.counts(name).ready).toBe(2);
    advance(61_000);
    await sender.sendMessages({ body: 5, messageId: 'y' });
    expect(bodies(await receive(receiver, 3))).toEqual([1, 3, 5]);
  });

  test('answers for a queue that does not exist', async () => {
    const sender = client.createSender('nowhere');
    open.push(sender);
    await expect(sender.sendMessages({ body: 1 })).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
    const receiver = newReceiver('nowhere');
    await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: 500 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
  });
});

describe('peek-lock', () => {
  test('completes a message for good', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages(texts('a', 'b', 'c'));
    const messages = await receive(receiver, 3);
    expect(bodies(messages)).toEqual(['a', 'b', 'c']);
    expect(bus.counts(name)).toMatchObject({ active: 3, ready: 0, locked: 3 });
    await completeAll(receiver, messages);
    expect(bus.counts(name)).toMatchObject({ active: 0, oldestEnqueuedAt: undefined });
  });

  test('brings an abandoned message back in its place, counted and with its modified properties', async () => {
    const { sender, receiver } = newQueue();
    await sender.sendMessages([
      { body: 'first', applicationProperties: { kept: 1, old: 'x' } },
      { body: 'second' },
    ]);
    await receiver.abandonMessage(await receiveOne(receiver), { old: 'y', added: true });
    const again = await receiveOne(receiver);
    expect(again).toMatchObject({
      body: 'first',
      deliveryCount: 1,
      applicationProperties: { kept: 1, old: 'y', added: true },
    });
    expect((await receiveOne(receiver)).body).toBe('second');
  });

  test('dead-letters a message that failed as often as the queue allows', async () => {
    const { name, sender, receiver, deadLetters } = newQueue({ maxDeliveryCount: 3 });
    await sender.sendMessages({ body: 'poison' });
    for (let i = 0; i < 3; i += 1) await receiver.abandonMessage(await receiveOne(receiver));
    expect(bus.counts(name)).toMatchObject({ active: 0, deadLetter: 1 });
    const dead = await receiveOne(deadLetters);
    expect(dead).toMatchObject({
      body: 'poison',
      deliveryCount: 3,
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: name,
    });
    await deadLetters.completeMessage(dead);
    expect(bus.counts(name).deadLetter).toBe(0);
  });

  test('dead-letters on request with reason, description and properties', async () => {
    const { name, sender, receiver, deadLetters } = newQueue();
    await sender.sendMessages({ body: 'bad', applicationProperties: { kept: 1 } });
    await receiver.deadLetterMessage(await receiveOne(receiver), {
      deadLetterReason: 'schema',
      deadLetterErrorDescription: 'field missing',
      extra: 'x',
    });
    const dead = await receiveOne(deadLetters);
    expect(dead).toMatchObject({
      body: 'bad',
      deadLetterReason: 'schema',
      deadLetterErrorDescription: 'field missing',
      applicationProperties: { kept: 1, extra: 'x' },
    });
    await expect(deadLetters.deadLetterMessage(dead)).rejects.toMatchObject({ name: 'ServiceBusError' });
    expect(bus.counts(name).deadLetter).toBe(1);
  });

  test('defers a message until it is asked for by number', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages(texts('a', 'b'));
    const [first, second] = await receive(receiver, 2);
    await receiver.deferMessage(first!, { why: 'later' });
    await receiver.deferMessage(second!);
    expect(await receive(receiver, 1, QUIET_MS)).toEqual([]);
    expect(bus.counts(name)).toMatchObject({ active: 0, deferred: 2 });

    const numbers = [first, second].map(numberOf);
    const [deferredFirst, deferredSecond] = await receiver.receiveDeferredMessages(numbers);
    expect(deferredFirst).toMatchObject({
      body: 'a',
      state: 'deferred',
      applicationProperties: { why: 'later' },
    });
    await receiver.completeMessage(deferredFirst!);
    await receiver.abandonMessage(deferredSecond!);
    expect(bus.counts(name)).toMatchObject({ active: 0, deferred: 1 });

    const [again] = await receiver.receiveDeferredMessages(numbers[1]!);
    expect(again?.deliveryCount).toBe(1);
    await receiver.deadLetterMessage(again!, {
      deadLetterReason: 'r',
      deadLetterErrorDescription: 'd',
    });
    expect(bus.counts(name)).toMatchObject({ deferred: 0, deadLetter: 1 });
    await expect(receiver.receiveDeferredMessages(numbers[0]!)).rejects.toMatchObject({
      code: 'MessageNotFound',
    });
  });

  test('redelivers after the lock expired, and refuses the late settlement', async () => {
    const { sender, receiver, name } = newQueue({ lockDurationMs: 10_000 });
    await sender.sendMessages({ body: 'slow' });
    const late = await receiveOne(receiver);
    advance(10_001);
    expect(bus.counts(name)).toMatchObject({ ready: 1, locked: 0 });
    await expect(receiver.completeMessage(late)).rejects.toMatchObject({ code: 'MessageLockLost' });
    const again = await receiveOne(receiver);
    expect(again).toMatchObject({ body: 'slow', deliveryCount: 1 });
    await receiver.completeMessage(again);
    expect(bus.counts(name).active).toBe(0);
  });

  test('keeps a lock that is renewed', async () => {
    const { sender, receiver, name } = newQueue({ lockDurationMs: 10_000 });
    await sender.sendMessages({ body: 'long' });
    const message = await receiveOne(receiver);
    advance(9000);
    const lockedUntil = await receiver.renewMessageLock(message);
    expect(lockedUntil.getTime() - (Date.now() + skewMs)).toBeGreaterThan(9000);
    advance(9000);
    await receiver.completeMessage(message);
    expect(bus.counts(name).active).toBe(0);
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  test("keeps a lock alive through the SDK's own renewal", async () => {
    // The SDK renews by the wall clock, so this broker runs on it too.
    const own = await startServiceBus({ queues: { work: { lockDurationMs: 400 } } });
    const ownClient = new ServiceBusClient(own.endpoint, { retryOptions: RETRY });
    await ownClient.createSender('work').sendMessages({ body: 'long' });
    const receiver = ownClient.createReceiver('work', { maxAutoLockRenewalDurationInMs: 60_000 });
    const message = await receiveOne(receiver);
    const end = Date.now() + 1000;
    await until(() => Date.now() > end, 'two lock durations have passed');
    await receiver.completeMessage(message);
    expect(own.counts('work').active).toBe(0);
    await ownClient.close();
    await own.close();
  });

  test('settles after its receiver was closed, through the management node', async () => {
    const { sender, receiver, name } = newQueue();
    const closing = newReceiver(name);
    await sender.sendMessages(texts('a', 'b', 'c', 'd'));
    const [a, b, c, d] = (await receive(closing, 4)) as [
      ServiceBusReceivedMessage,
      ServiceBusReceivedMessage,
      ServiceBusReceivedMessage,
      ServiceBusReceivedMessage,
    ];
    await closing.close();
    await receiver.completeMessage(a);
    await receiver.deferMessage(b);
    await receiver.deadLetterMessage(c, { deadLetterReason: 'r', deadLetterErrorDescription: 'd' });
    await receiver.abandonMessage(d);
    expect(bus.counts(name)).toMatchObject({ active: 1, deferred: 1, deadLetter: 1 });
  });

  test('takes a message off the queue at once in receive-and-delete mode', async () => {
    const { sender, name } = newQueue();
    await sender.sendMessages(texts('a', 'b'));
    const receiver = newReceiver(name, { receiveMode: 'receiveAndDelete' });
    const messages = await receive(receiver, 2);
    expect(bodies(messages)).toEqual(['a', 'b']);
    expect(messages[0]?.lockToken).toBeUndefined();
    expect(bus.counts(name).active).toBe(0);
  });

  test('returns without a message when its wait is over', async () => {
    const { receiver } = newQueue();
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 300 })).toEqual([]);
  });

  test('answers a drain request that a message used up the last credit of', async () => {
    const { sender, name } = newQueue();
    await sender.sendMessages({ body: 'x' });
    const container = rhea.create_container();
    const connection = container.connect({ host: '127.0.0.1', port: bus.port, reconnect: false });
    const events: string[] = [];
    container.on('message', () => events.push('message'));
    container.on('receiver_drained', () => events.push('drained'));
    container.once('receiver_open', ({ receiver }: { receiver: Receiver }) => {
      receiver.add_credit(1);
      receiver.drain_credit();
    });
    connection.open_receiver({ source: name, credit_window: 0, autoaccept: false });
    await until(() => events.includes('drained'), 'the drain is answered');
    expect(events).toEqual(['message', 'drained']);
    const closed = once(connection, 'connection_close');
    connection.close();
    await closed;
  });

  test('delivers more messages over one link than rhea keeps places for', async () => {
    const { sender, receiver, name } = newQueue();
    const total = 4500;
    for (let sent = 0; sent < total; sent += 500) {
      await sender.sendMessages(Array.from({ length: 500 }, (_, i) => ({ body: sent + i })));
    }
    let done = 0;
    while (done < total) {
      const messages = await receiver.receiveMessages(500, { maxWaitTimeInMs: WAIT_MS });
      if (messages.length === 0) break;
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
      done += messages.length;
    }
    expect(done).toBe(total);
    expect(bus.counts(name).active).toBe(0);
  });

  test('pauses at the window of a client that holds one message for long, and carries on afterwards', async () => {
    const { sender, receiver, name } = newQueue();
    const total = 2200;
    for (let sent = 0; sent < total; sent += 550) {
      await sender.sendMessages(Array.from({ length: 550 }, (_, i) => ({ body: sent + i })));
    }
    const held = await receiveOne(receiver);
    const completeSome = async (): Promise<number> => {
      const messages = await receiver.receiveMessages(500, { maxWaitTimeInMs: 300 });
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
      return messages.length;
    };
    let done = 1;
    for (let count = await completeSome(); count > 0; count = await completeSome()) done += count;
    // The SDK's session keeps 2,048 places from its oldest unsettled message on.
    expect(done).toBeLessThanOrEqual(2048);
    await receiver.completeMessage(held);
    for (let count = await completeSome(); count > 0; count = await completeSome()) done += count;
    expect(done).toBe(total);
    expect(bus.counts(name).active).toBe(0);
  });

  test('shares the messages of a queue among its receivers', async () => {
    const { sender, receiver, name } = newQueue();
    const other = newReceiver(name);
    await sender.sendMessages(texts('a', 'b', 'c', 'd'));
    const [mine, theirs] = await Promise.all([receive(receiver, 2), receive(other, 2)]);
    expect([...bodies(mine), ...bodies(theirs)].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('peeking', () => {
  test('shows messages in every state without locking them', async () => {
    const { sender, receiver, name } = newQueue();
    await sender.sendMessages(texts('a', 'b', 'c'));
    await sender.scheduleMessages({ body: 'd' }, inOneHour());
    await receiver.deferMessage(await receiveOne(receiver));
    await receiveOne(receiver);
    const peeker = newReceiver(name);
    const first = await peeker.peekMessages(3);
    expect(first.map(({ body, state }) => [body as string, state])).toEqual([
      ['a', 'deferred'],
      ['b', 'active'],
      ['c', 'active'],
    ]);
    const third = numberOf(first[2]);
    expect((await peeker.peekMessages(3)).map(({ body, state }) => [body as string, state])).toEqual([
      ['d', 'scheduled'],
    ]);
    expect(await peeker.peekMessages(3)).toEqual([]);
    expect(bodies(await peeker.peekMessages(5, { fromSequenceNumber: third }))).toEqual(['c', 'd']);
    expect(bus.counts(name)).toMatchObject({ ready: 1, locked: 1, deferred: 1, scheduled: 1 });
  });
});

describe('time', () => {
  test('makes a scheduled message available when its time has come', async () => {
    const { sender, receiver, name } = newQueue();
    const [first, second] = await sender.scheduleMessages(texts('a', 'b'), inOneHour());
    await sender.sendMessages({ body: 'c', scheduledEnqueueTimeUtc: inOneHour() });
    await sender.cancelScheduledMessages(second!);
    expect(bus.counts(name)).toMatchObject({ active: 0, scheduled: 2, oldestEnqueuedAt: undefined });
    await expect(sender.cancelScheduledMessages(second!)).rejects.toMatchObject({
      code: 'MessageNotFound',
    });
    advance(3_601_000);
    const messages = await receive(receiver, 2);
    expect(bodies(messages)).toEqual(['a', 'c']);
    expect(messages[0]?.sequenceNumber?.toNumber()).toBe(first?.toNumber());
    expect(messages[0]?.state).toBe('active');
  });

  test('wakes a waiting receiver for a scheduled message by itself', async () => {
    const { sender, receiver } = newQueue();
    await sender.scheduleMessages({ body: 'soon' }, new Date(Date.now() + skewMs + 300));
    expect((await receiveOne(receiver)).body).toBe('soon');
  });

  test('drops a message that outlived its time to live', async () => {
    const { sender, receiver, name } = newQueue();
    await sender.sendMessages([{ body: 'short', timeToLive: 5000 }, { body: 'long' }]);
    advance(5001);
    expect(bus.counts(name)).toMatchObject({ active: 1, deadLetter: 0 });
    expect((await receiveOne(receiver)).body).toBe('long');
  });

  test("dead-letters expired messages where the queue says so, by the queue's own time to live", async () => {
    const { sender, deadLetters, name } = newQueue({ defaultTtlMs: 5000, deadLetterOnExpiry: true });
    await sender.sendMessages({ body: 'asks for more than it gets', timeToLive: 60_000 });
    advance(5001);
    expect(bus.counts(name)).toMatchObject({ active: 0, deadLetter: 1 });
    expect((await receiveOne(deadLetters)).deadLetterReason).toBe('TTLExpiredException');
  });

  test('does not expire a message under its lock', async () => {
    const { sender, receiver, name } = newQueue({ lockDurationMs: 20_000 });
    await sender.sendMessages({ body: 'x', timeToLive: 5000 });
    const message = await receiveOne(receiver);
    advance(6000);
    await receiver.completeMessage(message);
    expect(bus.counts(name).active).toBe(0);
  });

  test('tells how old the oldest active message is', async () => {
    const { sender, receiver, name } = newQueue();
    const before = Date.now() + skewMs;
    await sender.sendMessages({ body: 'old' });
    advance(60_000);
    await sender.sendMessages({ body: 'new' });
    const oldest = bus.counts(name).oldestEnqueuedAt ?? 0;
    expect(oldest).toBeGreaterThanOrEqual(before);
    expect(oldest).toBeLessThan(before + 30_000);
    await receiver.completeMessage(await receiveOne(receiver));
    expect(bus.counts(name).oldestEnqueuedAt).toBeGreaterThan(before + 59_000);
  });
});

describe('subscribe()', () => {
  test('completes what the handler finished, concurrently', async () => {
    const { sender, name } = newQueue();
    await sender.sendMessages(Array.from({ length: 200 }, (_, i) => ({ body: i })));
    const receiver = newReceiver(name);
    const seen = new Set<unknown>();
    const errors: unknown[] = [];
    receiver.subscribe(
      {
        processMessage: async ({ body }) => {
          seen.add(body);
          await Promise.resolve();
        },
        processError: async ({ error }) => {
          errors.push(error);
          await Promise.resolve();
        },
      },
      { maxConcurrentCalls: 8 },
    );
    await until(() => bus.counts(name).active === 0, 'the queue is empty');
    expect(seen.size).toBe(200);
    expect(errors).toEqual([]);
  });

  test('abandons what the handler failed, until the queue dead-letters it', async () => {
    const { name, sender, deadLetters } = newQueue({ maxDeliveryCount: 3 });
    let calls = 0;
    newReceiver(name).subscribe({
      processMessage: () => {
        calls += 1;
        return Promise.reject(new Error('handler failed'));
      },
      processError: () => Promise.resolve(),
    });
    await sender.sendMessages({ body: 'thrower' });
    expect((await receiveOne(deadLetters)).body).toBe('thrower');
    expect(calls).toBe(3);
  });

  test('iterates', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages(texts('a', 'b'));
    const seen: unknown[] = [];
    for await (const message of receiver.getMessageIterator()) {
      seen.push(message.body);
      await receiver.completeMessage(message);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['a', 'b']);
    expect(bus.counts(name).active).toBe(0);
  });
});

describe('sessions', () => {
  const session = (sessionId: string, ...values: string[]): ServiceBusMessage[] =>
    values.map((body) => ({ body, sessionId }));

  test('gives one receiver the messages of its session, in order, and its state', async () => {
    const { name, sender } = newQueue({ requiresSession: true });
    await sender.sendMessages([...session('A', 'a1', 'a2'), ...session('B', 'b1')]);
    const a = await client.acceptSession(name, 'A');
    await a.setSessionState({ step: 1 });
    expect(await a.getSessionState()).toEqual({ step: 1 });
    expect((await a.renewSessionLock()).getTime()).toBeGreaterThan(Date.now() + skewMs);
    const messages = await receive(a, 2);
    expect(bodies(messages)).toEqual(['a1', 'a2']);
    await expect(client.acceptSession(name, 'A')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
    for (const message of messages) await a.completeMessage(message);
    await a.close();

    const next = await client.acceptNextSession(name);
    expect(next.sessionId).toBe('B');
    expect(bodies(await receive(next, 1))).toEqual(['b1']);
    await next.close();
    expect(bus.counts(name)).toMatchObject({ ready: 1, locked: 0 });

    const again = await client.acceptSession(name, 'A');
    expect(await again.getSessionState()).toEqual({ step: 1 });
    await again.setSessionState(null);
    expect(await again.getSessionState()).toBeFalsy();
    await again.close();
  });

  test('does not count a delivery when the session is closed, and counts it when its lock expires', async () => {
    const { name, sender } = newQueue({ requiresSession: true, lockDurationMs: 30_000 });
    const options = { maxAutoLockRenewalDurationInMs: 0 };
    await sender.sendMessages(session('A', 'x'));
    const first = await client.acceptSession(name, 'A', options);
    await receiveOne(first);
    await first.close();
    const second = await client.acceptSession(name, 'A', options);
    const message = await receiveOne(second);
    expect(message.deliveryCount).toBe(0);
    advance(30_001);
    // The receiver learns of it on its next call; the SDK leaves a settlement that was under way unanswered.
    await expect(second.receiveMessages(1, { maxWaitTimeInMs: QUIET_MS })).rejects.toMatchObject({
      code: 'SessionLockLost',
    });
    await expect(second.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' });
    await second.close();
    const third = await client.acceptSession(name, 'A', options);
    expect((await receiveOne(third)).deliveryCount).toBe(1);
    await third.close();
  });

  test('lets a receiver wait for the next session', async () => {
    const { name, sender } = newQueue({ requiresSession: true });
    const waiting = client.acceptNextSession(name);
    await sender.sendMessages(session('Z', 'late'));
    const receiver = await waiting;
    expect(receiver.sessionId).toBe('Z');
    const message = await receiveOne(receiver);
    await receiver.deferMessage(message);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    await receiver.completeMessage(deferred!);
    expect(bodies(await receiver.peekMessages(1))).toEqual([]);
    await receiver.close();
    expect(bus.counts(name)).toMatchObject({ active: 0, deferred: 0 });
  });

  test('gives up waiting for a session in time', async () => {
    const { name } = newQueue({ requiresSession: true });
    const impatient = new ServiceBusClient(bus.endpoint, { retryOptions: { ...RETRY, timeoutInMs: 400 } });
    await expect(impatient.acceptNextSession(name)).rejects.toMatchObject({ name: 'ServiceBusError' });
    await impatient.close();
  });

  test('refuses a message without a session, and a receiver without one', async () => {
    const { sender, receiver, name } = newQueue({ requiresSession: true });
    await expect(sender.sendMessages({ body: 'x' })).rejects.toMatchObject({ name: 'ServiceBusError' });
    await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: 300 })).rejects.toMatchObject({
      name: 'ServiceBusError',
    });
    const plain = newQueue();
    await expect(client.acceptSession(plain.name, 'A')).rejects.toMatchObject({ name: 'ServiceBusError' });
    expect(bus.counts(name).active).toBe(0);
  });
});

describe('faults', () => {
  test('error on send: refused as busy, and nothing is stored', async () => {
    const { name, sender } = newQueue();
    bus.faults.set([{ kind: 'error', operation: 'send', resource: name, times: 1 }]);
    await expect(sender.sendMessages({ body: 'x' })).rejects.toMatchObject({ code: 'ServiceBusy' });
    expect(bus.counts(name).active).toBe(0);
    await sender.sendMessages({ body: 'x' });
    expect(bus.counts(name).active).toBe(1);
  });

  test('error on send with a code: refused with that code', async () => {
    const { name, sender } = newQueue();
    bus.faults.set([
      { kind: 'error', operation: 'send', resource: name, code: 'amqp:resource-limit-exceeded' },
    ]);
    await expect(sender.sendMessages({ body: 'x' })).rejects.toMatchObject({ code: 'QuotaExceeded' });
  });

  test('a probability mixes outcomes that stay with their own messages', async () => {
    const { name, sender } = newQueue();
    await sender.sendMessages({ body: 'opens the link' });
    bus.faults.set([{ kind: 'error', operation: 'send', resource: name, probability: 0.5 }]);
    const sends = Array.from({ length: 60 }, (_, i) => sender.sendMessages({ body: `m-${i}` }));
    const results = await Promise.allSettled(sends);
    const stored = bodies(await newReceiver(name).peekMessages(100));
    const accepted = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [`m-${i}`] : []));
    expect(stored.slice(1)).toEqual(accepted);
    expect(accepted.length).toBeGreaterThan(5);
    expect(accepted.length).toBeLessThan(55);
  });

  test('duplicate on send: enqueued twice', async () => {
    const { name, sender, receiver } = newQueue();
    bus.faults.set([{ kind: 'duplicate', operation: 'send', resource: name, times: 1 }]);
    await sender.sendMessages({ body: 'x', messageId: 'same' });
    expect((await receive(receiver, 2)).map(({ messageId }) => messageId)).toEqual(['same', 'same']);
  });

  test('reorder on send: scheduled for a moment of its own', async () => {
    const { name, sender, receiver } = newQueue();
    bus.faults.set([{ kind: 'reorder', operation: 'send', resource: name, latencyMs: 3_600_000, times: 1 }]);
    const sent = Array.from({ length: 20 }, (_, i) => `m${i}`);
    await sender.sendMessages(texts(...sent));
    expect(bus.counts(name)).toMatchObject({ scheduled: 20 });
    advance(3_600_000);
    expect(bus.counts(name)).toMatchObject({ scheduled: 0, active: 20 });
    expect(bodies(await receive(receiver, 20)).toSorted()).toEqual(sent.toSorted());
  });

  test('drop-ack on send: stored, and the sender cannot know', async () => {
    const { name } = newQueue();
    const separate = new ServiceBusClient(bus.endpoint, { retryOptions: { ...RETRY, timeoutInMs: 500 } });
    const sender = separate.createSender(name);
    bus.faults.set([{ kind: 'drop-ack', operation: 'send', resource: name, times: 1 }]);
    await expect(sender.sendMessages({ body: 'x' })).rejects.toBeInstanceOf(Error);
    expect(bus.counts(name).active).toBe(1);
    await sender.sendMessages({ body: 'x' });
    expect(bus.counts(name).active).toBe(2);
    await separate.close();
  });

  test('latency on send and on receive: the operation takes at least that long', async () => {
    const { name, sender, receiver } = newQueue();
    bus.faults.set([
      { kind: 'latency', operation: 'send', resource: name, latencyMs: 150, times: 1 },
      { kind: 'latency', operation: 'receive', resource: name, latencyMs: 150, times: 1 },
    ]);
    let started = performance.now();
    await sender.sendMessages(texts('a', 'b'));
    expect(performance.now() - started).toBeGreaterThan(145);
    started = performance.now();
    expect(bodies(await receive(receiver, 2))).toEqual(['a', 'b']);
    expect(performance.now() - started).toBeGreaterThan(145);
  });

  test('error on receive: the receiver is detached as busy, and recovers', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages({ body: 'x' });
    bus.faults.set([{ kind: 'error', operation: 'receive', resource: name, times: 1 }]);
    await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: WAIT_MS })).rejects.toMatchObject({
      code: 'ServiceBusy',
    });
    expect((await receiveOne(newReceiver(name))).deliveryCount).toBe(0);
  });

  test('duplicate on receive: delivered again while the first receiver still works on it', async () => {
    const { name, sender, receiver } = newQueue();
    bus.faults.set([{ kind: 'duplicate', operation: 'receive', resource: name, times: 1 }]);
    await sender.sendMessages({ body: 'x' });
    const first = await receiveOne(receiver);
    const second = await receiveOne(newReceiver(name));
    expect(second.deliveryCount).toBe(1);
    await expect(receiver.completeMessage(first)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  test('drop-ack on receive: locked for a client that never saw it', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages({ body: 'x' });
    bus.faults.set([{ kind: 'drop-ack', operation: 'receive', resource: name, times: 1 }]);
    await receiver.receiveMessages(1, { maxWaitTimeInMs: 300 }).catch(() => []);
    await until(() => bus.counts(name).locked === 1, 'the message is locked');
    advance(30_001);
    expect((await receiveOne(newReceiver(name))).deliveryCount).toBe(1);
  });

  test('error on complete: without effect, so the message comes back when its lock expires', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages({ body: 'x' });
    bus.faults.set([{ kind: 'error', operation: 'complete', resource: name, times: 1 }]);
    const message = await receiveOne(receiver);
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    expect(bus.counts(name).locked).toBe(1);
    advance(30_001);
    expect((await receiveOne(receiver)).deliveryCount).toBe(1);
  });

  test('drop-ack on complete: completed, and the client sees a failure', async () => {
    const { name, sender } = newQueue();
    await sender.sendMessages({ body: 'x' });
    const separate = new ServiceBusClient(bus.endpoint, { retryOptions: { ...RETRY, timeoutInMs: 500 } });
    const receiver = separate.createReceiver(name, { maxAutoLockRenewalDurationInMs: 0 });
    const message = await receiveOne(receiver);
    bus.faults.set([{ kind: 'drop-ack', operation: 'complete', resource: name, times: 1 }]);
    await expect(receiver.completeMessage(message)).rejects.toBeInstanceOf(Error);
    expect(bus.counts(name).active).toBe(0);
    await separate.close();
  });

  test.each([
    {
      operation: 'abandon',
      settle: (r: ServiceBusReceiver, m: ServiceBusReceivedMessage) => r.abandonMessage(m),
    },
    {
      operation: 'deadLetter',
      settle: (r: ServiceBusReceiver, m: ServiceBusReceivedMessage) => r.deadLetterMessage(m),
    },
    {
      operation: 'renewLock',
      settle: (r: ServiceBusReceiver, m: ServiceBusReceivedMessage) => r.renewMessageLock(m),
    },
  ])('error on $operation: the lock is reported lost, once', async ({ operation, settle }) => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages({ body: 'x' });
    const message = await receiveOne(receiver);
    bus.faults.set([{ kind: 'error', operation, resource: name, times: 1 }]);
    await expect(settle(receiver, message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    expect(bus.counts(name)).toMatchObject({ locked: 1, deadLetter: 0 });
    expect(bus.faults.rules).toEqual([]);
  });
});

test('a client may ask the management node more often than one session holds deliveries', async () => {
  const { receiver } = newQueue();
  for (let requested = 0; requested < 4_500; requested += 500) {
    const responses = await Promise.all(Array.from({ length: 500 }, () => receiver.peekMessages(1)));
    expect(responses).toHaveLength(500);
  }
});

describe('control', () => {
  const call = async (
    method: string,
    url: string,
    body?: unknown,
  ): Promise<[number, Record<string, unknown>]> => {
    const response = await fetch(`${bus.controlUrl}${url}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [response.status, (await response.json()) as Record<string, unknown>];
  };

  test('creates a queue, updates it, and counts what every queue holds', async () => {
    const { name, sender } = newQueue();
    await sender.sendMessages(texts('a', 'b'));
    const [created] = await call('PUT', '/_tandem/queues/by-http', { lockDurationMs: 5000 });
    expect(created).toBe(200);
    await call('PUT', '/_tandem/queues/by-http', { maxDeliveryCount: 4 });
    const [status, queues] = await call('GET', '/_tandem/queues');
    expect(status).toBe(200);
    expect(queues[name]).toMatchObject({
      active: 2,
      ready: 2,
      locked: 0,
      scheduled: 0,
      deferred: 0,
      deadLetter: 0,
    });
    expect(queues['by-http']).toMatchObject({ settings: { lockDurationMs: 30_000, maxDeliveryCount: 4 } });
  });

  test('shows the bodies of a queue and of its dead letters, and takes none', async () => {
    const { name, sender, receiver } = newQueue();
    await sender.sendMessages([{ body: Buffer.from('bytes') }, { body: { key: 'value' } }]);
    await receiver.deadLetterMessage(await receiveOne(receiver));
    const response = await fetch(`${bus.controlUrl}/_tandem/queues/${name}/bodies`);
    expect(await response.json()).toEqual(['{"key":"value"}', 'bytes']);
    expect(bus.counts(name)).toMatchObject({ active: 1, deadLetter: 1 });
    expect((await call('GET', '/_tandem/queues/nobodys/bodies'))[0]).toBe(404);
  });

  test.each([
    { title: 'an unknown field', path: 'x', body: { locks: 1 }, message: 'options.locks: unknown field' },
    {
      title: 'a wrong type',
      path: 'x',
      body: { requiresSession: 'yes' },
      message: 'options.requiresSession',
    },
    { title: 'no duration', path: 'x', body: { lockDurationMs: 0 }, message: 'options.lockDurationMs' },
    { title: 'a name of its own nodes', path: '%24cbs', body: {}, message: 'name' },
    { title: 'something other than an object', path: 'x', body: [], message: 'options' },
  ])('refuses $title, naming the field', async ({ path: name, body, message }) => {
    const [status, response] = await call('PUT', `/_tandem/queues/${name}`, body);
    expect(status).toBe(400);
    expect(response['message']).toContain(message);
  });

  test('turns faults on and off, and knows what it does not know', async () => {
    const rule = { kind: 'error', operation: 'send', resource: 'q' };
    expect(await call('PUT', '/_tandem/faults', [rule])).toEqual([200, [rule]]);
    expect(bus.faults.rules).toEqual([rule]);
    expect((await call('DELETE', '/_tandem/faults'))[0]).toBe(200);
    expect((await call('DELETE', '/_tandem/queues'))[0]).toBe(405);
    expect((await call('GET', '/elsewhere'))[0]).toBe(404);
  });
});

describe('persistence', () => {
  let dataDir: string;

  beforeAll(() => {
    dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'service-bus-'));
  });

  afterAll(() => {
    fs.rmSync(dataDir, { recursive: true, force: true });
  });

  async function withBus<T>(
    folder: string,
    work: (bus: ServiceBusEmulator, client: ServiceBusClient) => Promise<T>,
    queues: Record<string, QueueOptions> = {},
  ): Promise<T> {
    const own = await startServiceBus({ dataDir: path.join(dataDir, folder), queues });
    const ownClient = new ServiceBusClient(own.endpoint, { retryOptions: RETRY });
    try {
      return await work(own, ownClient);
    } finally {
      // The broker goes first: nothing of what the client would say at its end reaches it.
      await own.close();
      await closeDisconnected(ownClient);
    }
  }

  test('brings every message back as it was, unlocked, and none that was completed', async () => {
    const queues = {
      work: { maxDeliveryCount: 5, duplicateDetectionMs: 60_000 },
      flow: { requiresSession: true },
    };
    const deferredNumber = await withBus(
      'all',
      async (own, ownClient) => {
        const sender = ownClient.createSender('work');
        const receiver = ownClient.createReceiver('work', { maxAutoLockRenewalDurationInMs: 0 });
        await sender.sendMessages([
          { body: 'completed', messageId: 'completed' },
          { body: 'deferred' },
          { body: 'dead' },
          { body: Buffer.from([0, 255]), applicationProperties: { kept: 1 }, timeToLive: 600_000 },
          { body: 'locked' },
        ]);
        await sender.scheduleMessages({ body: 'scheduled' }, new Date(Date.now() + 60_000));
        const [completed, deferred, dead, abandoned] = (await receive(receiver, 5)) as [
          ServiceBusReceivedMessage,
          ServiceBusReceivedMessage,
          ServiceBusReceivedMessage,
          ServiceBusReceivedMessage,
        ];
        await receiver.completeMessage(completed);
        await receiver.deferMessage(deferred);
        await receiver.deadLetterMessage(dead, {
          deadLetterReason: 'reason',
          deadLetterErrorDescription: 'd',
        });
        await receiver.abandonMessage(abandoned, { modified: true });
        const flow = ownClient.createSender('flow');
        await flow.sendMessages({ body: 'f', sessionId: 'S' });
        const session = await ownClient.acceptSession('flow', 'S');
        await session.setSessionState({ at: 3 });
        expect(own.counts('work')).toMatchObject({ locked: 1, deferred: 1, scheduled: 1, deadLetter: 1 });
        return deferred.sequenceNumber!;
      },
      queues,
    );

    await withBus('all', async (own, ownClient) => {
      expect(own.counts('work')).toMatchObject({
        ready: 2,
        locked: 0,
        deferred: 1,
        scheduled: 1,
        deadLetter: 1,
      });
      const receiver = ownClient.createReceiver('work', { maxAutoLockRenewalDurationInMs: 0 });
      const [abandoned, locked] = await receive(receiver, 2);
      expect(abandoned).toMatchObject({
        body: Buffer.from([0, 255]),
        deliveryCount: 1,
        applicationProperties: { kept: 1, modified: true },
        timeToLive: 600_000,
      });
      expect(locked).toMatchObject({ body: 'locked', deliveryCount: 0 });
      expect(bodies(await receiver.receiveDeferredMessages(deferredNumber))).toEqual(['deferred']);
      const dead = await receiveOne(ownClient.createReceiver('work', { subQueueType: 'deadLetter' }));
      expect(dead).toMatchObject({ body: 'dead', deadLetterReason: 'reason', deadLetterSource: 'work' });
      const session = await ownClient.acceptSession('flow', 'S');
      expect(await session.getSessionState()).toEqual({ at: 3 });
      expect(bodies(await receive(session, 1))).toEqual(['f']);

      const sender = ownClient.createSender('work');
      await sender.sendMessages({ body: 'sent again', messageId: 'completed' });
      expect(own.counts('work').ready).toBe(0);
      await sender.sendMessages({ body: 'new' });
      expect((await receiveOne(receiver)).sequenceNumber?.toNumber()).toBe(7);
    });
  });

  test('loses nothing that was acknowledged when its process is killed', async () => {
    const folder = path.join(dataDir, 'killed');
    const server = new URL('../../src/service-bus/server.ts', import.meta.url).href;
    const program = `
      const { startServiceBus } = await import(${JSON.stringify(server)});
      const bus = await startServiceBus({ dataDir: ${JSON.stringify(folder)}, queues: { work: {} } });
      console.log(bus.endpoint);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const ownClient = new ServiceBusClient(line.toString().trim(), {
      retryOptions: { ...RETRY, timeoutInMs: 1000 },
    });
    const sender = ownClient.createSender('work');
    const receiver = ownClient.createReceiver('work', { maxAutoLockRenewalDurationInMs: 0 });
    const acknowledged: string[] = [];
    const sending = (async (): Promise<void> => {
      for (let i = 0; ; i += 1) {
        await sender.sendMessages({ body: `m-${i}`, messageId: `m-${i}` });
        acknowledged.push(`m-${i}`);
      }
    })().catch(() => undefined);
    await until(() => acknowledged.length >= 50, 'fifty sends are acknowledged');
    const completed = await receive(receiver, 10);
    await completeAll(receiver, completed);
    child.kill('SIGKILL');
    await Promise.all([exited, sending]);
    await closeDisconnected(ownClient);

    const gone = new Set(completed.map(({ messageId }) => messageId));
    const left = acknowledged.filter((id) => !gone.has(id));
    await withBus('killed', async (own, secondClient) => {
      const ready = own.counts('work').ready;
      const found = await receive(
        secondClient.createReceiver('work', { receiveMode: 'receiveAndDelete' }),
        ready,
      );
      const ids = found.map(({ messageId }) => messageId as string);
      expect(ids.filter((id) => gone.has(id))).toEqual([]);
      // The send that was under way may or may not have arrived; everything acknowledged has, once.
      expect(ids.slice(0, left.length)).toEqual(left);
      expect(ids.length - left.length).toBeLessThanOrEqual(1);
    });
  });
});

describe('restart', () => {
  test('lets a subscriber and a sender carry on when the broker comes back on its port', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'service-bus-restart-'));
    const first = await startServiceBus({ dataDir, queues: { work: {} } });
    const own = new ServiceBusClient(first.endpoint, {
      retryOptions: { maxRetries: 20, retryDelayInMs: 100, timeoutInMs: 2000 },
    });
    const seen: unknown[] = [];
    own.createReceiver('work').subscribe({
      processMessage: ({ body }) => {
        seen.push(body);
        return Promise.resolve();
      },
      processError: () => Promise.resolve(),
    });
    const sender = own.createSender('work');
    await sender.sendMessages({ body: 'before' });
    await until(() => seen.length === 1, 'the first message is handled');
    await first.close();
    const second = await startServiceBus({ dataDir, port: first.port });
    await sender.sendMessages({ body: 'after' });
    await until(() => seen.includes('after'), 'the second message is handled');
    await own.close();
    await second.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
});
