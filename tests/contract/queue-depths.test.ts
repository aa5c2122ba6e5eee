/**
 * The depths of a site's queues: what asking costs, and what is reported. Resource Manager and the app's identity endpoint
 * are the emulator's, with the rules that packages/emulators/src/service-bus/resource-manager.ts cites.
 */
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NAMESPACE_ID, resourceManagerSettings } from '@tandem-clouds/emulators/service-bus/resource-manager';
import { type ServiceBusEmulator, startServiceBus } from '@tandem-clouds/emulators/service-bus/server';
import { openQueueDepths } from '../../src/shared/adapters/azure/cloud.ts';
import { measureServiceBus } from '../../src/shared/adapters/azure/queue-depths.ts';
import { fetchClient } from '../../src/shared/adapters/fetch-client.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { HttpResponse } from '../../src/shared/ports/http-client.ts';
import { setEnvironment } from '../helpers/sites.ts';

const QUEUES = {
  out: 'tandem-out',
  in: 'tandem-in',
  verify: 'tandem-verify',
  react: 'tandem-react',
  objects: 'tandem-objects',
  dead: 'tandem-dead',
};

let nowMs: number;
let bus: ServiceBusEmulator;
let client: ServiceBusClient;
let env: Record<string, string>;
let restore: () => void;

beforeEach(async () => {
  nowMs = 1_000_000_000;
  bus = await startServiceBus({
    tier: 'Basic',
    now: () => nowMs,
    queues: Object.fromEntries(Object.values(QUEUES).map((name) => [name, {}])),
  });
  client = new ServiceBusClient(bus.endpoint, { retryOptions: { maxRetries: 0, timeoutInMs: 5_000 } });
  env = {
    TANDEM_SITE: 'azure-eastus',
    TANDEM_REGION: 'eastus',
    COSMOS_ENDPOINT: 'http://127.0.0.1:1',
    COSMOS_KEY: 'none',
    COSMOS_DATABASE: 'tandem',
    COSMOS_CONTAINER: 'records',
    SERVICE_BUS_CONNECTION: bus.endpoint,
    ...resourceManagerSettings(`http://127.0.0.1:${bus.port}`),
  };
  restore = setEnvironment(env);
});

afterEach(async () => {
  restore();
  await client.close();
  await bus.close();
});

async function fill(queue: string, count: number, options: { deadLetter?: boolean } = {}): Promise<void> {
  nowMs += 1_000;
  await client.createSender(queue).sendMessages(Array.from({ length: count }, (_, n) => ({ body: n })));
  if (options.deadLetter !== true) return;
  const receiver = client.createReceiver(queue);
  const messages = await receiver.receiveMessages(count, { maxWaitTimeInMs: 2_000 });
  for (const message of messages) await receiver.deadLetterMessage(message);
  await receiver.close();
}

describe('asking for the depths', () => {
  test('costs 60 credits however many messages there are, and counts every one', async () => {
    for (const queue of Object.values(QUEUES)) {
      await fill(queue, 3, { deadLetter: true });
      await fill(queue, 300);
    }
    const later = new Date(nowMs + 60_000);
    await client.createSender(QUEUES.in).sendMessages({ body: 'x', scheduledEnqueueTimeUtc: later });
    nowMs += 1_000;
    const { spent } = bus.credits;
    expect(await openQueueDepths(loadConfig('azure', env))()).toEqual({
      out: { messages: 300, atLeast: false },
      in: { messages: 301, atLeast: false },
      dead: { messages: 300 + 6 * 3, atLeast: false },
    });
    expect(bus.credits.spent - spent).toBe(60);
  });

  test.each([
    ['a right is missing', { kind: 'error', operation: 'getQueue', code: 'amqp:unauthorized-access' }],
    ['it is busy', { kind: 'error', operation: 'getQueue' }],
  ] as const)('is an error that passes when %s', async (_, fault) => {
    bus.faults.set([fault]);
    const measuring = openQueueDepths(loadConfig('azure', env))();
    await expect(measuring).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  test('is an error that passes when there is no token, and no queue is asked for', async () => {
    const { spent } = bus.credits;
    const access = {
      endpoint: env['RESOURCE_MANAGER_ENDPOINT'] ?? '',
      namespaceId: NAMESPACE_ID,
      http: fetchClient,
      token: () => Promise.reject(new Error('no identity')),
    };
    await expect(measureServiceBus(access, QUEUES)).rejects.toMatchObject({ code: 'unavailable' });
    expect(bus.credits.spent).toBe(spent);
  });

  test.each<[string, Partial<HttpResponse>]>([
    ['no JSON', { body: '<html>' }],
    ['no counts', { body: '{"properties":{}}' }],
    ['no numbers', { body: '{"properties":{"countDetails":{"activeMessageCount":"3"}}}' }],
    ['a negative number', { body: '{"properties":{"countDetails":{"activeMessageCount":-1}}}' }],
    ['no queue', { status: 404, body: '{}' }],
  ])('is an error that passes when the answer has %s', async (_, response) => {
    const access = {
      endpoint: 'https://management.azure.com',
      namespaceId: NAMESPACE_ID,
      http: () => Promise.resolve({ status: 200, headers: {}, body: '', ...response }),
      token: () => Promise.resolve('token'),
    };
    await expect(measureServiceBus(access, QUEUES)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('Resource Manager at the emulator', () => {
  const VERSION = 'api-version=2024-01-01';
  const origin = (): string => env['RESOURCE_MANAGER_ENDPOINT'] ?? '';
  const identity = (header: string, query: string): Promise<Response> =>
    fetch(`${env['IDENTITY_ENDPOINT']}?${query}`, { headers: { 'x-identity-header': header } });
  async function tokenOf(): Promise<string> {
    const response = await identity('local', `resource=${origin()}&api-version=2019-08-01`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  test.each([
    ['another header', 'x', 'resource=a&api-version=2019-08-01', 401],
    ['no resource', 'local', 'api-version=2019-08-01', 400],
    ['an old version', 'local', 'resource=a&api-version=2017-09-01', 400],
  ])('gives no token for %s', async (_, header, query, status) => {
    expect((await identity(header, query)).status).toBe(status);
  });

  test.each([
    ['no token', 'GET', `/queues/tandem-in?${VERSION}`, '', 401],
    ['another token', 'GET', `/queues/tandem-in?${VERSION}`, 'Bearer another', 401],
    ['no version', 'GET', '/queues/tandem-in', undefined, 400],
    ['no such queue', 'GET', `/queues/nowhere?${VERSION}`, undefined, 404],
    ['a list', 'GET', `/queues?${VERSION}`, undefined, 405],
    ['a change', 'PUT', `/queues/tandem-in?${VERSION}`, undefined, 405],
  ])('refuses %s', async (_, method, at, authorization, status) => {
    const headers = { authorization: authorization ?? `Bearer ${await tokenOf()}` };
    expect((await fetch(`${origin()}${NAMESPACE_ID}${at}`, { method, headers })).status).toBe(status);
  });

  test('refuses when the namespace has no credits left', async () => {
    await fill(QUEUES.out, 1_000);
    const headers = { authorization: `Bearer ${await tokenOf()}` };
    const read = `${origin()}${NAMESPACE_ID}/queues/tandem-in?${VERSION}`;
    expect((await fetch(read, { headers })).status).toBe(503);
    nowMs += 1_000;
    expect((await fetch(read, { headers })).status).toBe(200);
  });
});
