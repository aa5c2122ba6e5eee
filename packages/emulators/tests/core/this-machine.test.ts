/** Every server on the loopback address that controls something takes requests from this machine's user only. */
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEdge } from '@tandem-clouds/local/edge/proxy';
import { ZONE } from '../../../../tests/helpers/dns-zone.ts';
import { startCosmos } from '../../src/cosmos/server.ts';
import { startDnsServer } from '../../src/dns/server.ts';
import { startDynamo } from '../../src/dynamodb/server.ts';
import { startIssuer } from '../../src/oidc/server.ts';
import { startServiceBus } from '../../src/service-bus/server.ts';
import { startSqs } from '../../src/sqs/server.ts';

/** Base URL by server. */
const urls: Record<string, string> = {};
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const [sqs, dynamo, cosmos, broker, issuer, edge, dns] = await Promise.all([
    startSqs(),
    startDynamo(),
    startCosmos(),
    startServiceBus(),
    startIssuer(),
    startEdge({ origins: [{ site: 'aws', url: new URL('http://127.0.0.1:1') }] }),
    startDnsServer({ zone: { zone: ZONE, records: [] } }),
  ]);
  Object.assign(urls, {
    sqs: sqs.endpoint,
    dynamodb: dynamo.endpoint,
    cosmos: cosmos.endpoint,
    'service-bus-control': broker.controlUrl,
    issuer: issuer.url,
    edge: edge.url,
    dns: dns.controlUrl,
  });
  closing.push(...[sqs, dynamo, cosmos, broker, issuer, edge, dns].map((one) => () => one.close()));
});

afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `fetch` would not send another `Host`. @returns The status. */
function statusOf(server: string, { path, method = 'GET', headers = {}, body }: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(urls[server] ?? '');
    const request = http.request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', reject);
    request.end(body);
  });
}

const SURFACES: [string, string, Call][] = [
  ['faults of SQS', 'sqs', { path: '/_tandem/faults' }],
  ['clearing faults of SQS', 'sqs', { path: '/_tandem/faults', method: 'DELETE' }],
  ['usage of SQS', 'sqs', { path: '/_tandem/usage', method: 'DELETE' }],
  ['queues of SQS', 'sqs', { path: '/_tandem/queues' }],
  ['faults of DynamoDB', 'dynamodb', { path: '/_tandem/faults' }],
  ['faults of Cosmos DB', 'cosmos', { path: '/_tandem/faults' }],
  ['usage of Cosmos DB', 'cosmos', { path: '/_tandem/usage' }],
  ['faults of Service Bus', 'service-bus-control', { path: '/_tandem/faults' }],
  ['queues of Service Bus', 'service-bus-control', { path: '/_tandem/queues' }],
  [
    'a new queue of Service Bus',
    'service-bus-control',
    { path: '/_tandem/queues/q', method: 'PUT', body: '{}' },
  ],
  ['the status of the edge', 'edge', { path: '/_tandem/edge' }],
  [
    'a token of the issuer',
    'issuer',
    { path: '/oauth2/token', method: 'POST', body: 'grant_type=client_credentials' },
  ],
  ['the keys of the issuer', 'issuer', { path: '/_tandem/rotate', method: 'POST' }],
  ['the zone of the DNS server', 'dns', { path: '/v1/zone' }],
  ['the counters of the DNS server', 'dns', { path: '/v1/counters' }],
];

const DATA: [string, string, Call][] = [
  [
    'queues through the API of SQS',
    'sqs',
    { path: '/', method: 'POST', headers: { 'x-amz-target': 'AmazonSQS.ListQueues' }, body: '{}' },
  ],
  [
    'tables through the API of DynamoDB',
    'dynamodb',
    { path: '/', method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' }, body: '{}' },
  ],
  ['databases of Cosmos DB', 'cosmos', { path: '/', headers: { authorization: 'any' } }],
];

const portOf = (server: string): string => new URL(urls[server] ?? '').port;

describe.each([...SURFACES, ...DATA])('%s', (_title, server, call) => {
  const withHeaders = (headers: Record<string, string>): Promise<number> =>
    statusOf(server, { ...call, headers: { ...call.headers, ...headers } });

  test.each(['127.0.0.1', '127.0.0.2', 'localhost', 'LOCALHOST', '[::1]'])('is for %s', async (host) => {
    expect(await withHeaders({ host: `${host}:${portOf(server)}` })).toBe(200);
  });

  test.each(['http://127.0.0.1:5173', 'http://localhost', 'https://[::1]:8443'])(
    'is for a page of %s',
    async (origin) => {
      expect(await withHeaders({ origin })).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example@127.0.0.1',
    '10.0.0.1',
    '0.0.0.0',
  ])("is not for the host '%s'", async (name) => {
    expect(await withHeaders({ host: `${name}:${portOf(server)}` })).toBe(403);
  });

  test.each([
    'http://evil.example',
    'null',
    'http://127.0.0.1.evil.example',
    'file://',
    'http://localhost@evil.example',
  ])('is not for a page of %s', async (origin) => {
    expect(await withHeaders({ origin })).toBe(403);
  });
});

test.each(SURFACES)('%s is not for a host with another port', async (_title, server, call) => {
  expect(await statusOf(server, { ...call, headers: { host: '127.0.0.1:1' } })).toBe(403);
  expect(await statusOf(server, { ...call, headers: { host: '127.0.0.1' } })).toBe(403);
});
