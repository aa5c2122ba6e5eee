/** What a rehearsed command connects to: the emulator, or nothing. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const PRELOAD = path.join(import.meta.dirname, '../../scripts/rehearse/loopback.cjs');
/** Of a network that is for documentation only (RFC 5737). */
const ELSEWHERE = '192.0.2.1';

let server: http.Server;
beforeAll(async () => {
  server = http.createServer((request, response) =>
    response.end(`emulator for ${request.headers.host ?? ''}`),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Runs a script with the preload and returns what it printed. */
async function run(script: string): Promise<string> {
  const env = { REHEARSE_PORT: String((server.address() as AddressInfo).port), REHEARSE_UNKNOWN: 'nowhere' };
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', PRELOAD, '-e', script], {
    env,
  });
  return stdout.trim();
}

const reported = (call: string): string =>
  `const tell = (error) => console.log(error.cause?.message ?? error.message); ${call}`;
const read = `(answer) => answer.on('data', (chunk) => console.log(String(chunk)))`;

test.each([
  ['node:https', `require('node:https').get('https://management.azure.com/x', ${read}).on('error', tell)`],
  ['fetch', `fetch('https://management.azure.com/x').then((a) => a.text()).then(console.log, tell)`],
])('%s with TLS reaches the emulator under the name that was meant', async (_title, call) => {
  expect(await run(reported(call))).toBe('emulator for management.azure.com');
});

test('a host that is unknown is not found', async () => {
  const call = `require('node:https').get('https://s3.nowhere.amazonaws.com/').on('error', tell)`;
  expect(await run(reported(call))).toBe('getaddrinfo ENOTFOUND s3.nowhere.amazonaws.com');
});

test.each([
  ['node:http', `require('node:http').get('http://${ELSEWHERE}/a?b').on('error', tell)`],
  [
    'an agent that keeps connections',
    `const http = require('node:http');
     http.get({ hostname: '${ELSEWHERE}', path: '/a', agent: new http.Agent({ keepAlive: true }) }).on('error', tell)`,
  ],
  ['fetch', `fetch('http://${ELSEWHERE}/').catch(tell)`],
  ['a socket', `require('node:net').connect(80, '${ELSEWHERE}').on('error', tell)`],
])('without TLS nothing leaves this machine: %s', async (_title, call) => {
  expect(await run(reported(call))).toBe(`connect ECONNREFUSED ${ELSEWHERE}`);
});
