import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../../tests/helpers/cleanup.ts';
import { guardServers } from '../../src/aws-host/guard-servers.ts';

const onEnd = closeAfterEach();
/** As hapi gets it. */
const required = createRequire(import.meta.url)('node:http') as typeof http;

async function listening(): Promise<http.Server> {
  const server = required.createServer();
  server.on('request', (_request: http.IncomingMessage, response: http.ServerResponse) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

function statusOf(server: http.Server, headers: Record<string, string> = {}): Promise<number | undefined> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .once('error', reject);
  });
}

test('a server that is opened beside the routes takes requests of this machine only', async () => {
  const servers: http.Server[] = [];
  await guardServers(
    async () => {
      servers.push(await listening(), await listening());
    },
    (server) => server === servers[0],
  );
  const [routes, invoke] = servers as [http.Server, http.Server];
  expect(await statusOf(invoke)).toBe(200);
  expect(await statusOf(invoke, { origin: 'http://evil.example' })).toBe(403);
  expect(await statusOf(invoke, { host: 'evil.example' })).toBe(403);
  expect(await statusOf(routes, { host: 'api.example', origin: 'http://app.example' })).toBe(200);
  const later = await listening();
  expect(await statusOf(later, { host: 'evil.example' })).toBe(200);
});
