import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PortsTakenError, reservePorts } from '../../src/ports.ts';

let server: net.Server;
let taken: number;

beforeEach(async () => {
  server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  taken = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

test('every 0 becomes a port of its own, and the order stays', async () => {
  const ports = await reservePorts(new Map([['edge', 0], ['aws-a', 0], ['aws-a.sqs', 0]])); // prettier-ignore
  expect([...ports.keys()]).toEqual(['edge', 'aws-a', 'aws-a.sqs']);
  expect(new Set(ports.values()).size).toBe(3);
  expect([...ports.values()].every((port) => port > 0)).toBe(true);
});

test('a taken port is named with what wants it and the option that changes it', async () => {
  const wanted = new Map([['edge', taken], ['aws-a.sqs', 0]]); // prettier-ignore
  await expect(reservePorts(wanted)).rejects.toThrow(PortsTakenError);
  await expect(reservePorts(wanted)).rejects.toThrow(
    new RegExp(`port ${taken}, wanted by the edge, is taken.*--port edge=`),
  );
});

test('all taken ports are reported at once', async () => {
  const wanted = new Map([['aws-a', taken], ['aws-a.sqs', taken]]); // prettier-ignore
  await expect(reservePorts(wanted)).rejects.toMatchObject({
    taken: [{ name: 'aws-a' }, { name: 'aws-a.sqs' }],
    message: expect.stringMatching(/the functions of aws-a[^]*the sqs emulator of aws-a/),
  });
});
