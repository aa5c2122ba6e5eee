/**
 * What a namespace of the tier Basic does not have, does not take, and closes, at the emulator, as the real
 * `@azure/service-bus` client sees it. The clock is the test's own; each rule cites its source where it is kept
 * (tiers.ts, credits.ts, idle-links.ts).
 */
import { ServiceBusClient, type ServiceBusSender } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import rhea from 'rhea';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import type { MessageDraft } from '../../src/service-bus/message.ts';
import { Queue } from '../../src/service-bus/queue.ts';
import { queueSettings } from '../../src/service-bus/queue-options.ts';
import { type ServiceBusEmulator, startServiceBus } from '../../src/service-bus/server.ts';

const MINUTE_MS = 60_000;
const DRAFT: MessageDraft = {
  id: 'x',
  sessionId: undefined,
  annotations: Buffer.alloc(0),
  bare: Buffer.alloc(0),
  priority: undefined,
  ttlMs: undefined,
  scheduledAt: undefined,
};

let nowMs: number;
let bus: ServiceBusEmulator;
let client: ServiceBusClient;

beforeEach(async () => {
  nowMs = 1_000_000_000;
  bus = await startServiceBus({ tier: 'Basic', now: () => nowMs });
  client = connect();
});

afterEach(async () => {
  await client.close();
  await bus.close();
});

const connect = (): ServiceBusClient =>
  new ServiceBusClient(bus.endpoint, {
    retryOptions: { maxRetries: 0, retryDelayInMs: 20, timeoutInMs: 5_000 },
  });

function newSender(
  name: string,
  options: Parameters<ServiceBusEmulator['createQueue']>[1] = {},
): ServiceBusSender {
  bus.createQueue(name, options);
  return client.createSender(name);
}

const until = (holds: () => boolean): Promise<true> =>
  waitUntil(holds.toString(), () => holds() || undefined);

const later = (ms: number): void => {
  nowMs += ms;
  bus.tick();
};

describe('the tier Basic', () => {
  test.each([
    ['sessions', { requiresSession: true }, /requiresSession: not in the Basic tier/],
    ['duplicate detection', { duplicateDetectionMs: 1_000 }, /duplicateDetectionMs: not in the Basic tier/],
    ['messages of more than 14 days', { defaultTtlMs: 15 * 24 * 3_600_000 }, /at most 14 days/],
    ['queues of odd sizes', { maxSizeInMegabytes: 100 }, /one of 1024/],
  ])('has no %s', (_, options, why) => {
    expect(() => bus.createQueue('q', options)).toThrow(why);
  });

  test('has scheduled messages', async () => {
    const sender = newSender('q');
    await sender.sendMessages({ body: 'x', scheduledEnqueueTimeUtc: new Date(nowMs + 30_000) });
    expect(bus.counts('q')).toMatchObject({ scheduled: 1, active: 0 });
    later(30_000);
    expect(bus.counts('q')).toMatchObject({ scheduled: 0, active: 1 });
  });
});

describe('credits', () => {
  test('a send without any is refused, changes nothing and names the code', async () => {
    const sender = newSender('q');
    await sender.sendMessages(Array.from({ length: 1_000 }, (_, n) => ({ body: n })));
    await expect(sender.sendMessages({ body: 'one more' })).rejects.toMatchObject({
      code: 'ServiceBusy',
      message: expect.stringContaining('50009') as unknown,
    });
    expect(bus.counts('q').active).toBe(1_000);
    nowMs += 1_000;
    await sender.sendMessages({ body: 'one more' });
    expect(bus.credits).toEqual({ spent: 1_001, throttled: 1 });
  });

  test('a peek takes one for each message that it shows', async () => {
    const sender = newSender('q');
    await sender.sendMessages(Array.from({ length: 100 }, (_, n) => ({ body: n })));
    const { spent } = bus.credits;
    await client.createReceiver('q').peekMessages(250);
    expect(bus.credits.spent - spent).toBe(100);
  });

  test('a delivery without any waits', async () => {
    const sender = newSender('q');
    await sender.sendMessages(Array.from({ length: 1_000 }, (_, n) => ({ body: n })));
    const receiver = client.createReceiver('q');
    const received = receiver.receiveMessages(1, { maxWaitTimeInMs: 4_000 });
    await until(() => bus.credits.throttled > 0);
    expect(bus.counts('q').locked).toBe(0);
    nowMs += 1_000;
    expect(await received).toHaveLength(1);
  });
});

describe('the size of a queue', () => {
  test('is a gigabyte unless set; a full one refuses until something is taken out', () => {
    const deps = { now: () => nowMs, newToken: () => 'x', record: () => undefined, changed: () => undefined };
    const queue = new Queue('q', queueSettings({}), deps);
    // The same bytes each time: a gigabyte that nobody has to send, or to hold.
    const bare = Buffer.alloc(256 * 1024);
    const send = (): unknown => queue.enqueue([{ ...DRAFT, bare }]);
    for (let sent = 0; sent < 4 * 1024; sent += 1) send();
    expect(queue.sizeInBytes).toBe(1024 * 1024 * 1024);
    expect(send).toThrow(/1073741824/);
    queue.receiveAndDelete();
    send();
    expect(send).toThrow(/1073741824/);
  });

  test('a client reads of a full one that it is full, and sends again when there is room', async () => {
    await client.close();
    await bus.close();
    // The tier that takes any size.
    bus = await startServiceBus({ tier: 'Premium', now: () => nowMs });
    client = connect();
    const sender = newSender('q', { maxSizeInMegabytes: 1 });
    const body = Buffer.alloc(250 * 1024);
    for (let sent = 0; sent < 5; sent += 1) await sender.sendMessages({ body });
    const refused = { code: 'QuotaExceeded', message: expect.stringContaining('1048576') as unknown };
    await expect(sender.sendMessages({ body })).rejects.toMatchObject(refused);
    const receiver = client.createReceiver('q', { receiveMode: 'receiveAndDelete' });
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 4_000 })).toHaveLength(1);
    await sender.sendMessages({ body: 'there is room again' });
  });
});

describe('what is idle', () => {
  test('a link that nothing used for ten minutes is detached, and the next send opens another', async () => {
    const sender = newSender('q');
    await sender.sendMessages({ body: 1 });
    const detached = detachments();
    later(10 * MINUTE_MS - 1);
    expect(detached()).toEqual([]);
    later(1);
    expect(detached()).toEqual(['amqp:link:detach-forced']);
    // A round trip on the same connection: the client has seen it.
    await client.createReceiver('q').peekMessages(1);
    await sender.sendMessages({ body: 2 });
    expect(bus.counts('q').active).toBe(2);
  });

  test('a receiver that waits is detached as well, and one that is used is not', async () => {
    const sender = newSender('q');
    const bodies: unknown[] = [];
    const receiver = client.createReceiver('q');
    receiver.subscribe({
      processMessage: ({ body }) => Promise.resolve(void bodies.push(body)),
      processError: () => Promise.resolve(),
    });
    const settled = (count: number) => until(() => bodies.length === count && bus.counts('q').active === 0);
    await sender.sendMessages({ body: 1 });
    await settled(1);
    const detached = detachments();
    later(9 * MINUTE_MS);
    await sender.sendMessages({ body: 2 });
    await settled(2);
    later(9 * MINUTE_MS);
    expect(detached()).toEqual([]);
    later(MINUTE_MS);
    // The sender and the receiver.
    expect(detached()).toEqual(['amqp:link:detach-forced', 'amqp:link:detach-forced']);
    await client.createReceiver('q').peekMessages(1);
    await sender.sendMessages({ body: 3 });
    await settled(3);
  });

  test('a connection without links is closed: after one minute when it never had any, after five otherwise', async () => {
    bus.createQueue('q');
    const container = rhea.create_container();
    const events: string[] = [];
    container.on('connection_close', ({ connection }) => {
      const { condition, description } = connection.error as { condition: string; description: string };
      events.push(`${condition} ${/past (\d+) milliseconds/.exec(description)?.[1] ?? ''}`);
    });
    const open = (): Promise<rhea.Connection> =>
      new Promise((resolve) => {
        const connection = container.connect({
          port: bus.port,
          host: '127.0.0.1',
          reconnect: false,
          username: 'anonymous',
        });
        connection.once('connection_open', () => resolve(connection));
      });
    const never = await open();
    later(MINUTE_MS);
    await until(() => events.length === 1);
    const once = await open();
    const link = once.open_sender('q');
    await new Promise((resolve) => once.once('sendable', resolve));
    link.close();
    await new Promise((resolve) => once.once('sender_close', resolve));
    later(5 * MINUTE_MS - 1);
    later(1);
    await until(() => events.length === 2);
    expect(events).toEqual(['amqp:connection:forced 60000', 'amqp:connection:forced 300000']);
    never.close();
    once.close();
  });

  /** What the broker has detached from now on. */
  function detachments(): () => string[] {
    const seen: string[] = [];
    bus.onDetach = ({ condition }) => seen.push(condition);
    return () => seen;
  }
});
