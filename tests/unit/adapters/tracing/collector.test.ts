/** A site whose collector is away, hangs or refuses, by its own HTTP client. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { startCollector } from '@tandem-clouds/emulators/otlp/server';
import { siteTracing } from '../../../../src/shared/adapters/tracing/site-tracing.ts';
import { otlpBounds } from '../../../../src/shared/bounds.ts';
import { loadConfig } from '../../../../src/shared/config/config.ts';
import type { HttpHandler } from '../../../../src/shared/ports/cloud.ts';

const AZURE = {
  TANDEM_SITE: 'azure-eastus',
  TANDEM_REGION: 'eastus',
  COSMOS_ENDPOINT: 'http://127.0.0.1:1',
  COSMOS_DATABASE: 'tandem',
  COSMOS_CONTAINER: 'records',
  SERVICE_BUS_CONNECTION: 'Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b',
};
const ANSWER = { statusCode: 201, body: '{"id":"1"}' };
const EVENT = {
  headers: {},
  rawPath: '/write',
  requestContext: { http: { method: 'POST' } },
} as unknown as APIGatewayProxyEventV2;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function handlerOf(url: string): HttpHandler {
  const config = loadConfig('azure', { ...AZURE, TANDEM_TRACES_URL: url, TANDEM_TRACES_RATIO: '1' });
  const tracing = siteTracing(config, 'azure', { log: () => undefined });
  return tracing.http(() => Promise.resolve(ANSWER));
}

async function serverOf(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each<[string, () => Promise<string>]>([
  ['is away', () => Promise.resolve('http://127.0.0.1:1')],
  ['hangs', () => serverOf(() => undefined)],
  ['begins to answer and hangs', () => serverOf((_, response) => void response.write('{'))],
  ['breaks off', () => serverOf((request) => void request.socket.destroy())],
  ['refuses with 503', () => serverOf((_, response) => void response.writeHead(503).end())],
  ['refuses with 413', () => serverOf((_, response) => void response.writeHead(413).end())],
])('a collector that %s changes no answer, and soon costs no time', async (_, open) => {
  const handler = handlerOf(await open());
  const call = async (): Promise<number> => {
    const begunAtMs = performance.now();
    expect(await handler(EVENT, { awsRequestId: 'r' })).toEqual(ANSWER);
    return performance.now() - begunAtMs;
  };
  for (let i = 0; i < otlpBounds.failuresMax; i += 1)
    // A busy machine adds to it.
    expect(await call()).toBeLessThan(otlpBounds.waitMs + 1_500);
  const restingMs: number[] = [];
  for (let i = 0; i < 20; i += 1) restingMs.push(await call());
  expect(Math.min(...restingMs)).toBeLessThan(20);
});

test('a collector that is there has the span when the answer is given', async () => {
  const collector = await startCollector();
  closing.push(() => collector.close());
  expect(await handlerOf(collector.url)(EVENT, { awsRequestId: 'r' })).toEqual(ANSWER);
  const [trace] = collector.traces.list({ limit: 1 });
  expect(trace).toMatchObject({ name: 'POST', spans: 1, sites: ['azure-eastus'], failed: false });
});
