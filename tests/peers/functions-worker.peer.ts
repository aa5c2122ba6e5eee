/**
 * The packaged Azure app, as it is in its zip, under Microsoft's own worker, with our emulators of both clouds behind the
 * SDKs: its registrations, and an input of its trigger for every function. What loading takes: `npm run bench -- worker`.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  toBatchInput,
  toBatchMetadata,
  toSingleInput,
  toSingleMetadata,
} from '@tandem-clouds/local/azure-host/service-bus-data';
import { unzip } from '@tandem-clouds/local/zip';
import {
  FunctionsHost,
  type HttpResponse,
  type InvocationResult,
} from '@tandem-clouds/testkit/peers/functions-host';
import { eventFrom } from '../helpers/event-from.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import type { QueueName } from '../helpers/sites.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const checkout = process.env['TANDEM_PEER_FUNCTIONS_WORKER'];
if (checkout === undefined) {
  throw new Error('TANDEM_PEER_FUNCTIONS_WORKER is not set; run npm run test:peers -- functions-worker');
}
const ZIP = path.join(import.meta.dirname, '../../.artifacts/azure/tandem.zip');
/** First part of a path → its function, where that has another name. */
const FUNCTION_OF: Readonly<Record<string, string>> = { nowhere: 'fallback' };
const OPERATOR_KEY = 'operator-of-this-suite';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const TIMER = { json: JSON.stringify({ isPastDue: false, schedule: {}, scheduleStatus: null }) };

/** Unpacks the zip, as the platform does. */
function unpackTo(folder: string): void {
  for (const [name, content] of unzip(ZIP)) {
    fs.mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
}

describe("the packaged app under Microsoft's worker", () => {
  let folder: string;
  let clouds: LinkedClouds;
  let bus: ServiceBusClient;
  let host: FunctionsHost;
  const invoked = new Set<string>();

  beforeAll(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-app-')));
    unpackTo(folder);
    clouds = await startLinkedClouds('azure');
    bus = new ServiceBusClient(clouds.env['SERVICE_BUS_CONNECTION'] ?? '');
    host = await FunctionsHost.start({
      checkout,
      appDir: folder,
      env: { ...clouds.env, TANDEM_OPERATOR_KEYS: sha256(OPERATOR_KEY) },
    });
  });
  afterAll(async () => {
    await host.close();
    await bus.close();
    await clouds.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const invoke = (name: string, input: object, metadata: object = {}): Promise<InvocationResult> => {
    invoked.add(name);
    return host.invoke(name, { ...input }, { ...metadata });
  };
  const request = async (method: string, target: string, headers: Record<string, string> = {}, body = '') => {
    const [, name = '', ...more] = target.split('/');
    const nullableHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, { value }]),
    );
    const http = { method, url: `https://tandem.example${target}`, nullableHeaders };
    return invoke(name === 'replication' && more.length > 0 ? 'operations' : (FUNCTION_OF[name] ?? name), {
      http: { ...http, ...(body !== '' && { body: { bytes: Buffer.from(body) } }) },
    });
  };
  const responseOf = ({
    result,
    returnValue,
  }: InvocationResult): { http: HttpResponse; json: Record<string, unknown> } => {
    expect(result).toMatchObject({ status: 'Success' });
    const http = returnValue?.http;
    if (!http) throw new Error('no HTTP answer');
    const text = Buffer.from(http.body?.bytes ?? http.body?.string ?? '').toString();
    return { http, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };

  it('registers every function, without HTTP streams', () => {
    const names = host.functions.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['users', 'fallback', 'forward', 'apply', 'sweep', 'verify']),
    );
    expect(host.capabilities).not.toHaveProperty('HttpUri');
  });

  it('answers a request with a problem document', async () => {
    const { http, json } = responseOf(
      await request('POST', '/users', { 'content-type': 'application/json' }, '{'),
    );
    expect(http).toMatchObject({
      statusCode: '400',
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(json).toMatchObject({ code: 'malformed' });
  });

  it('answers 411 to a body of which nothing arrives', async () => {
    const chunked = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const { http } = responseOf(await request('POST', '/users', chunked));
    expect(http.statusCode).toBe('411');
  });

  it('answers without a body where there is none', async () => {
    const { http } = responseOf(await request('OPTIONS', '/users/A'));
    expect(http.statusCode).toBe('204');
  });

  it.each([
    ['GET', '/region', 200],
    ['GET', '/health', 200],
    ['GET', '/replication', 200],
    ['GET', '/nowhere', 404],
    ['DELETE', '/write', 405],
    ['GET', '/items', 200],
    ['DELETE', '/user', 405],
  ])('answers %s %s with %d', async (method, target, status) => {
    expect(responseOf(await request(method, target)).http.statusCode).toBe(String(status));
  });

  /** What is in a queue of the site, taken off it. */
  const messagesFrom = async (queue: QueueName): Promise<readonly ServiceBusReceivedMessage[]> => {
    const receiver = bus.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
    try {
      return await waitUntil(`a message in ${queue}`, async () => {
        const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 1_000 });
        return messages.length > 0 ? messages : undefined;
      });
    } finally {
      await receiver.close();
    }
  };
  const sendTo = async (queue: QueueName, ...bodies: string[]): Promise<void> => {
    const sender = bus.createSender(queue);
    await sender.sendMessages(bodies.map((body) => ({ body: Buffer.from(body) })));
    await sender.close();
  };
  const invokeWithBatch = (
    name: string,
    messages: readonly ServiceBusReceivedMessage[],
  ): Promise<InvocationResult> => invoke(name, toBatchInput(messages, 'binary'), toBatchMetadata(messages));
  const succeeded = { result: { status: 'Success' } };

  it('users stores, and forward carries what is in the queue to the other cloud', async () => {
    const body = JSON.stringify({ userId: 'worker-hedy', name: 'Hedy', email: 'hedy@example.com' });
    const created = await request('POST', '/users', { 'content-type': 'application/json' }, body);
    expect(responseOf(created).http.statusCode).toBe('201');
    expect(responseOf(await request('GET', '/users/worker-hedy')).json).toMatchObject({ name: 'Hedy' });
    expect(await invokeWithBatch('forward', await messagesFrom('tandem-out'))).toMatchObject(succeeded);
    const [arrived] = await clouds.peer.take('tandem-in');
    expect(JSON.parse(arrived?.body ?? '')).toMatchObject({
      key: 'user:worker-hedy',
      payload: { name: 'Hedy' },
    });
  });

  it('apply merges a batch and dead-letters, with its reason, what it never can', async () => {
    await sendTo(
      'tandem-in',
      JSON.stringify(eventFrom('aws-us-east-1', 'user:worker-ada')),
      'no event at all',
    );
    expect(await invokeWithBatch('apply', await messagesFrom('tandem-in'))).toMatchObject(succeeded);
    expect(responseOf(await request('GET', '/users/worker-ada')).json).toMatchObject({ name: 'Ada' });
    expect(await clouds.own.take('tandem-dead')).toMatchObject([{ body: 'no event at all' }]);
  });

  it('apply fails its batch, which is delivered again, when nothing answers', async () => {
    await sendTo('tandem-in', JSON.stringify(eventFrom('aws-us-east-1', 'user:worker-later')));
    const batch = await messagesFrom('tandem-in');
    clouds.own.storeFaults.set([{ kind: 'error', code: '503' }]);
    clouds.own.queueFaults.set([{ kind: 'error', operation: 'send' }]);
    const result = await invokeWithBatch('apply', batch);
    clouds.own.storeFaults.clear();
    clouds.own.queueFaults.clear();
    expect(result.result.status).toBe('Failure');
    expect(await invokeWithBatch('apply', batch)).toMatchObject(succeeded);
    expect(responseOf(await request('GET', '/users/worker-later')).json).toMatchObject({ name: 'Ada' });
  });

  it('sweep sends a heartbeat on its schedule', async () => {
    expect(await invoke('sweep', TIMER)).toMatchObject(succeeded);
    expect(await invokeWithBatch('forward', await messagesFrom('tandem-out'))).toMatchObject(succeeded);
    await waitUntil('a heartbeat at the peer', async () =>
      (await clouds.peer.take('tandem-in')).find(({ body }) => body.includes('azure-eastus')),
    );
  });

  it('verifyHourly runs on its schedule', async () => {
    expect(await invoke('verifyHourly', TIMER)).toMatchObject(succeeded);
  });

  it('operations begins a comparison for an operator, and verify takes its step', async () => {
    const json = { 'content-type': 'application/json' };
    const begin = (headers: Record<string, string>): Promise<InvocationResult> =>
      request('POST', '/replication/verifications', headers, '{"peer":"aws-us-east-1","repair":false}');
    expect(responseOf(await begin(json)).http.statusCode).toBe('401');
    const begun = await begin({ ...json, authorization: `Bearer ${OPERATOR_KEY}` });
    expect(responseOf(begun).http.statusCode).toBe('202');
    const [step] = await messagesFrom('tandem-verify');
    if (step === undefined) throw new Error('no step');
    const result = await invoke('verify', toSingleInput(step, 'binary'), toSingleMetadata(step));
    expect(result).toMatchObject(succeeded);
    expect(await clouds.own.take('tandem-dead')).toEqual([]);
    expect(await clouds.peer.take('tandem-verify')).not.toEqual([]);
  });

  it('has no function but those that were invoked here', () => {
    expect([...invoked].sort()).toEqual(host.functions.map(({ name }) => name).sort());
  });

  // Why docs/limits.md names them: they fail before our code.
  it.each([
    ['TRACE', {}],
    ['GET', { 'x-name': '\u65e5' }],
  ])('fails %s with headers %j at once', async (method, headers) => {
    expect((await request(method, '/users/A', headers)).result.status).toBe('Failure');
  });
});
