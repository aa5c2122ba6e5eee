/**
 * The first send after a while in which nobody sent, from a process that may have been frozen meanwhile, as Lambda does
 * with its functions: the broker has closed the link, or what lies between has forgotten the connection.
 */
import net from 'node:net';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ServiceBusEmulator, startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { ServiceBusSender } from '../../src/shared/adapters/azure/queue.ts';

const MINUTE_MS = 60_000;

/** Between the sender and the broker: can forget its connections without a word, as a NAT does. */
interface Middlebox {
  readonly port: number;
  readonly accepted: number;
  forget(): void;
  close(): Promise<void>;
}

async function startMiddlebox(target: number): Promise<Middlebox> {
  const pairs = new Set<readonly [net.Socket, net.Socket]>();
  let accepted = 0;
  const server = net.createServer((near) => {
    accepted += 1;
    const far = net.connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    pairs.add([near, far]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    get accepted() {
      return accepted;
    },
    forget() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.resume();
        far.resume();
      }
    },
    async close() {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the first send after an idle time', () => {
  let nowMs: number;
  let calls: number;
  let bus: ServiceBusEmulator;
  let middlebox: Middlebox;
  let queue: ServiceBusSender;

  beforeEach(async () => {
    nowMs = 1_000_000_000;
    calls = 0;
    bus = await startServiceBus({ tier: 'Basic', now: () => nowMs, queues: { q: {} } });
    middlebox = await startMiddlebox(bus.port);
    const endpoint = bus.endpoint.replace(String(bus.port), String(middlebox.port));
    // One attempt: a send that needs another one was lost, or nobody knows what became of it.
    const connect = (): ServiceBusClient =>
      new ServiceBusClient(endpoint, { retryOptions: { maxRetries: 0, timeoutInMs: 1_500 } });
    queue = new ServiceBusSender(connect, 'q', () => nowMs);
  });

  afterEach(async () => {
    await queue.close();
    await bus.close();
    await middlebox.close();
  });

  const send = (): ReturnType<ServiceBusSender['send']> =>
    queue.send([{ id: '1', body: `{"n":${++calls}}` }]);

  test('arrives at once, and once, when the broker has just closed the link', async () => {
    expect(await send()).toEqual([undefined]);
    nowMs += 10 * MINUTE_MS;
    // The frame is on its way, and the sender has not read it when it sends.
    bus.tick();
    expect(await send()).toEqual([undefined]);
    expect(bus.counts('q').active).toBe(2);
  });

  test('arrives when the connection is gone and nobody has said so', async () => {
    expect(await send()).toEqual([undefined]);
    nowMs += 4 * MINUTE_MS;
    middlebox.forget();
    expect(await send()).toEqual([undefined]);
    expect(bus.counts('q').active).toBe(2);
  });

  test('does not pay for a new connection when the last send was a moment ago', async () => {
    await send();
    nowMs += 30_000;
    await send();
    expect(middlebox.accepted).toBe(1);
  });

  test('what nobody knows the end of is not sent again over the same connection', async () => {
    await send();
    middlebox.forget();
    const [result] = await send();
    expect(result).toMatchObject({ code: 'ambiguous' });
    expect(await send()).toEqual([undefined]);
    expect(middlebox.accepted).toBe(2);
  });
});
