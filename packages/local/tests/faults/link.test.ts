import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { Link } from '../../src/faults/link.ts';

let server: net.Server;
let link: Link;
let port: number;
let heard: string;
const clients: net.Socket[] = [];

/** Answers everything with itself in brackets. */
beforeEach(async () => {
  heard = '';
  server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      socket.write(`(${chunk.toString()})`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  link = new Link();
  port = await link.listen();
  link.targetPort = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await link.close();
  await new Promise((resolve) => server.close(resolve));
});

function connect(): { socket: net.Socket; read: () => string } {
  const socket = net.connect({ host: '127.0.0.1', port });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined);
  clients.push(socket);
  return { socket, read: () => text };
}

async function responded(read: () => string, text: string): Promise<void> {
  await waitUntil(`the answer ${text}`, () => (read() === text ? true : undefined));
}

describe('a link', () => {
  test('passes everything on while it is open, in order, also when it is slow', async () => {
    const { socket, read } = connect();
    socket.write('one');
    await responded(read, '(one)');
    link.delayMs = 30;
    socket.write('two');
    await responded(read, '(one)(two)');
  });

  test('holds everything back while it is stalled, and delivers it late', async () => {
    const { socket, read } = connect();
    socket.write('one');
    await responded(read, '(one)');
    link.mode = 'stalled';
    socket.write('two');
    // A connection of another link proves that there was time enough.
    const other = net.connect({ host: '127.0.0.1', port: link.targetPort ?? 0 });
    clients.push(other);
    other.write('x');
    await once(other, 'data');
    expect(heard).toBe('onex');
    link.mode = 'open';
    await responded(read, '(one)(two)');
  });

  test('is heard and gets no answer while it is deaf', async () => {
    const { socket, read } = connect();
    socket.write('one');
    await responded(read, '(one)');
    link.mode = 'deaf';
    socket.write('two');
    await waitUntil('it is heard', () => (heard === 'onetwo' ? true : undefined));
    expect(read()).toBe('(one)');
    link.mode = 'open';
    await responded(read, '(one)(two)');
  });

  test('drops connections and takes none while it refuses', async () => {
    const { socket, read } = connect();
    socket.write('one');
    await responded(read, '(one)');
    link.mode = 'refused';
    await waitUntil('it is dropped', () => (socket.closed ? true : undefined));
    const again = connect();
    await waitUntil('it is refused', () => (again.socket.closed ? true : undefined));
    expect(heard).toBe('one');
    link.mode = 'open';
    const third = connect();
    third.socket.write('three');
    await responded(third.read, '(three)');
  });
});
