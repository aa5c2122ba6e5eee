/**
 * The local Azure host behaves as the Functions host does: HTTP, Service Bus and timers, with Microsoft's programming
 * models, the real Service Bus SDK and the emulator broker. Each host is a process.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { ServiceBusClient, type ServiceBusMessage } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type QueueOptions,
  type ServiceBusEmulator,
  startServiceBus,
} from '@tandem-clouds/emulators/service-bus/server';
import { type HostProcess, startHostProcess } from '../../../../tests/helpers/azure-host-process.ts';
import { waitUntil } from '../../../../tests/helpers/wait-until.ts';
import { BridgeSupervisor } from '../../src/azure-host/bridge-supervisor.ts';

let dir: string;
let closing: { close(): Promise<void> }[];

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'azure-host-')));
  closing = [];
});

afterEach(async () => {
  for (const open of closing.reverse()) await open.close();
  fs.rmSync(dir, { recursive: true, force: true });
});

const closeLater = <T extends { close(): Promise<void> }>(open: T): T => {
  closing.push(open);
  return open;
};

interface TestFunction {
  readonly trigger: object;
  /** JavaScript of an expression. */
  readonly code: string;
  /** Default: the HTTP response is what the function returns. */
  readonly output?: boolean;
}

/** An app of functions that share one file, which registers them (programming model v4). */
function writeApp(functions: Record<string, TestFunction>, hostJson: object = {}): void {
  const calls = Object.entries(functions).map(([name, { trigger, code, output = true }]) => {
    const result = output && 'route' in trigger ? `return: { type: 'http', name: '$return' },` : '';
    return `app.generic('${name}', { trigger: ${JSON.stringify(trigger)}, ${result} handler: ${code} });`;
  });
  writeMain([`const { app } = require(${JSON.stringify(LIBRARY)});`, HEAD, ...calls].join('\n'), hostJson);
}

/** Evaluated anew with each app, as when it is part of the app's bundle. */
const LIBRARY = './azure-functions.cjs';
const LIBRARY_FILE = createRequire(import.meta.url).resolve('@azure/functions');

function writeMain(code: string, hostJson: object = {}): void {
  writeHostJson(hostJson);
  fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ main: 'app.cjs' }));
  fs.copyFileSync(LIBRARY_FILE, path.join(dir, LIBRARY));
  fs.writeFileSync(path.join(dir, 'app.cjs'), `${code}\n`);
  fs.rmSync(path.join(dir, 'node_modules'), { force: true });
  fs.symlinkSync(path.join(import.meta.dirname, '../../../../node_modules'), path.join(dir, 'node_modules'));
}

function writeHostJson(more: object): void {
  const json = { version: '2.0', extensions: { http: { routePrefix: '' } }, ...more };
  fs.writeFileSync(path.join(dir, 'host.json'), JSON.stringify(json));
}

/** A function of the programming model before, with a function.json. */
function writeFolder(name: string, trigger: object, code: string): void {
  const bindings = [
    { direction: 'in', ...trigger },
    { type: 'http', direction: 'out', name: '$return' },
  ];
  fs.mkdirSync(path.join(dir, name), { recursive: true });
  const json = { bindings, scriptFile: '../v3.cjs', entryPoint: name };
  fs.writeFileSync(path.join(dir, name, 'function.json'), JSON.stringify(json));
  fs.appendFileSync(path.join(dir, 'v3.cjs'), `exports.${name} = ${code};\n`);
}

/** `note` appends to a file what a test wants to know about a function that nobody answers. */
const HEAD = `const fs = require('node:fs');
const note = (entry) => fs.appendFileSync(__dirname + '/notes.jsonl', JSON.stringify(entry) + '\\n');`;

function notes(): Record<string, unknown>[] {
  const file = path.join(dir, 'notes.jsonl');
  if (!fs.existsSync(file)) return [];
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const notesOf = (count: number) =>
  waitUntil(`${count} notes`, () => (notes().length >= count ? notes() : undefined));

const httpTrigger = (route: string, methods?: string[]) => ({
  type: 'httpTrigger',
  name: 'req',
  route,
  methods,
});

const ECHO = `async (req, context) => ({ jsonBody: {
  method: req.method, url: req.url, headers: Object.fromEntries(req.headers), params: req.params,
  query: Object.fromEntries(req.query), bytes: Buffer.from(await req.arrayBuffer()).toString('hex'),
  trace: context.traceContext.traceParent, route: context.functionName,
} })`;

describe('HTTP', () => {
  const start = async (functions: Parameters<typeof writeApp>[0], settings: Record<string, string> = {}) => {
    writeApp(functions);
    return closeLater(await startHostProcess({ appDir: dir, include: 'http', settings }));
  };
  const echo = async (host: HostProcess, target: string, init: RequestInit = {}) =>
    (await (await fetch(host.url + target, init)).json()) as Record<string, never>;

  test('a function sees method, address, query, route parameters and body', async () => {
    const host = await start({ echo: { trigger: httpTrigger('things/{id}/{*rest}'), code: ECHO } });
    const seen = await echo(host, '/things/7/a/b?x=1&y=a%20b&x=2&empty=', { method: 'PUT', body: '{"n":1}' });
    expect(seen).toMatchObject({
      method: 'PUT',
      url: `${host.url}/things/7/a/b?x=1&y=a%20b&x=2&empty=`,
      params: { id: '7', rest: 'a/b' },
      query: { x: '1,2', y: 'a b', empty: '' },
      bytes: Buffer.from('{"n":1}').toString('hex'),
    });
  });

  test('several headers of one name are joined by a comma', async () => {
    const host = await start({ echo: { trigger: httpTrigger('echo'), code: ECHO } });
    const request = http.get(`${host.url}/echo`, { headers: { 'x-many': ['a', 'b'], cookie: 'a=1; b=2' } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks = (await response.toArray()) as Buffer[];
    const { headers } = JSON.parse(Buffer.concat(chunks).toString()) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ 'x-many': 'a,b', cookie: 'a=1; b=2' });
  });

  test('bytes go in and out unchanged', async () => {
    const code = `async (req) => ({ headers: { 'content-type': 'image/png' }, body: await req.arrayBuffer() })`;
    const host = await start({ mirror: { trigger: httpTrigger('mirror'), code } });
    const sent = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const response = await fetch(`${host.url}/mirror`, { method: 'POST', body: sent });
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(sent);
  });

  // As Azure/azure-functions-host, GrpcMessageConversionExtensions.cs: a body is read where `ContentLength > 0`.
  test('a body of no stated length is not handed over', async () => {
    const host = await start({ echo: { trigger: httpTrigger('echo'), code: ECHO } });
    const request = http.request(`${host.url}/echo`, { method: 'POST' });
    request.write('{"n":');
    request.end('1}');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const chunks = (await response.toArray()) as Buffer[];
    const seen = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    expect(seen).toMatchObject({ method: 'POST', bytes: '', headers: { 'transfer-encoding': 'chunked' } });
  });

  test('the most specific route answers, and a catch-all answers the rest, the root included', async () => {
    const host = await start({
      fallback: { trigger: httpTrigger('{*path}'), code: ECHO },
      user: { trigger: httpTrigger('users/{id}'), code: ECHO },
      me: { trigger: httpTrigger('users/me'), code: ECHO },
    });
    const routes = await Promise.all(['/users/me', '/users/1', '/users', '/'].map((at) => echo(host, at)));
    expect(routes.map(({ route }) => route)).toEqual(['me', 'user', 'fallback', 'fallback']);
  });

  test('the route prefix of host.json precedes every route', async () => {
    writeApp({ echo: { trigger: httpTrigger('echo'), code: ECHO } }, { extensions: {} });
    const host = closeLater(await startHostProcess({ appDir: dir, include: 'http' }));
    expect((await fetch(`${host.url}/api/echo`)).status).toBe(200);
    expect((await fetch(`${host.url}/echo`)).status).toBe(404);
  });

  test('HEAD has the headers and no body', async () => {
    const code = `async () => ({ headers: { etag: '"1"' }, body: 'text' })`;
    const host = await start({ page: { trigger: httpTrigger('page', ['get', 'head']), code } });
    const response = await fetch(`${host.url}/page`, { method: 'HEAD' });
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([200, '"1"', '']);
  });

  test('no route, or a route with other methods, is a bare 404', async () => {
    const host = await start({ page: { trigger: httpTrigger('page', ['get']), code: ECHO } });
    for (const [method, at] of [
      ['GET', '/other'],
      ['POST', '/page'],
    ] as const) {
      const response = await fetch(host.url + at, { method });
      expect([response.status, await response.text()]).toEqual([404, '']);
    }
  });

  test.each([
    ['throws', `async () => { throw new Error('as asked'); }`],
    ['returns what is no response', `async () => 'text'`],
    ['returns a header that HTTP cannot carry', `async () => ({ headers: { 'x-bad': 'a\\nb' } })`],
  ])('a function that %s is a bare 500, and the next request is served', async (_title, code) => {
    const host = await start({
      bad: { trigger: httpTrigger('bad'), code },
      good: { trigger: httpTrigger('good'), code: ECHO },
    });
    const response = await fetch(`${host.url}/bad`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect((await fetch(`${host.url}/good`)).status).toBe(200);
  });

  test('nothing returned is an empty 204, with an HTTP output or without', async () => {
    const host = await start({
      quiet: { trigger: httpTrigger('quiet'), code: 'async () => {}' },
      mute: { trigger: httpTrigger('mute'), code: 'async () => {}', output: false },
    });
    const responses = await Promise.all(['/quiet', '/mute'].map((at) => fetch(host.url + at)));
    expect(responses.map(({ status }) => status)).toEqual([204, 204]);
    expect(await responses[0]?.text()).toBe('');
  });

  test('each cookie is a header of its own', async () => {
    const code = `async () => ({ cookies: [
      { name: 'a', value: '1 2', httpOnly: true, secure: true, sameSite: 'Strict', maxAge: 60 },
      { name: 'b', value: '2', path: '/x' },
    ] })`;
    const host = await start({ cookies: { trigger: httpTrigger('cookies'), code } });
    const response = await fetch(`${host.url}/cookies`);
    expect(response.headers.getSetCookie()).toEqual([
      'a=1%202; max-age=60; path=/; secure; samesite=strict; httponly',
      'b=2; path=/x',
    ]);
  });

  test('a body of more than 100 MB is refused', async () => {
    const host = await start({ echo: { trigger: httpTrigger('echo'), code: ECHO } });
    const request = http.request(`${host.url}/echo`, {
      method: 'POST',
      headers: { 'content-length': 104_857_601 },
    });
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    request.on('error', () => undefined).destroy();
    expect(response.statusCode).toBe(413);
  });

  test('settings are there before a function is loaded', async () => {
    const code = `((loadedWith) => async () => ({ body: loadedWith }))(process.env.GREETING)`;
    const host = await start({ greet: { trigger: httpTrigger('greet'), code } }, { GREETING: 'hello' });
    expect(await (await fetch(`${host.url}/greet`)).text()).toBe('hello');
  });

  test('an invocation continues the trace of its request', async () => {
    const host = await start({ echo: { trigger: httpTrigger('echo'), code: ECHO } });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { trace } = await echo(host, '/echo', { headers: { traceparent } });
    expect(trace).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(trace).not.toBe(traceparent);
  });

  test('a reload answers with new code, and one that fails keeps the old', async () => {
    const response = (text: string) => ({
      trigger: httpTrigger('v'),
      code: `async () => ({ body: '${text}' })`,
    });
    const host = await start({ version: response('one') });
    const query = async () => (await fetch(`${host.url}/v`)).text();
    expect(await query()).toBe('one');
    writeApp({ version: response('two') });
    await host.reload();
    expect(await query()).toBe('two');
    fs.writeFileSync(path.join(dir, 'app.cjs'), 'this is no JavaScript');
    await expect(host.reload()).rejects.toThrow();
    expect(await query()).toBe('two');
  });

  test('what a function logs comes out, with its name', async () => {
    const code = `async (req, context) => { context.warn('low on %s', 'tea'); return {}; }`;
    const host = await start({ tea: { trigger: httpTrigger('tea'), code } });
    await fetch(`${host.url}/tea`);
    await waitUntil('the line', () => host.lines.find((line) => line === '[tea] warning: low on tea'));
  });
});

describe('what cannot work is refused at the start', () => {
  test.each([
    [
      'an unknown trigger',
      { type: 'queueTrigger', name: 'item' },
      'async () => {}',
      /does not know queueTrigger/,
    ],
    [
      'no connection',
      { type: 'serviceBusTrigger', name: 'm', queueName: 'q', connection: 'Nowhere' },
      'async () => {}',
      /set Nowhere or Nowhere__fullyQualifiedNamespace/,
    ],
    [
      'a schedule that is none',
      { type: 'timerTrigger', name: 't', schedule: 'hourly' },
      'async () => {}',
      /six fields/,
    ],
  ])('%s', async (_title, trigger, code, message) => {
    writeApp({ wrong: { trigger, code } });
    await expect(startHostProcess({ appDir: dir, include: 'all' })).rejects.toThrow(message);
  });
});

// As the worker and the host do: startApp.ts, registerFunction.ts and WorkerFunctionMetadataProvider.cs.
describe('the functions of an app', () => {
  const start = async () => closeLater(await startHostProcess({ appDir: dir, include: 'http' }));
  const HANDLER = `async () => ({ body: 'registered' })`;

  test('are those that its entry point registers, and a function.json beside it is ignored', async () => {
    writeApp({ page: { trigger: httpTrigger('page'), code: HANDLER } });
    writeFolder('other', httpTrigger('other'), `async () => ({ body: 'declared' })`);
    const host = await start();
    expect(host.functions).toEqual(['page']);
    expect((await fetch(`${host.url}/other`)).status).toBe(404);
    expect(host.lines.join('\n')).toContain(
      'Detected mixed function app. Some functions may not be indexed - other',
    );
  });

  test('are those with a function.json where it registers none', async () => {
    writeMain('module.exports = {};');
    writeFolder('page', httpTrigger('page'), `async (context, req) => ({ body: req.method })`);
    const host = await start();
    expect(await (await fetch(`${host.url}/page`)).text()).toBe('GET');
  });

  test('see a request with the methods and texts that a `Request` takes, and no other', async () => {
    writeApp({ page: { trigger: httpTrigger('page'), code: HANDLER } });
    const host = await start();
    const status = async (options: http.RequestOptions): Promise<number | undefined> => {
      const request = http.request(`${host.url}/page`, options).end();
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    expect(await status({ method: 'PROPFIND' })).toBe(200);
    expect(await status({ method: 'TRACE' })).toBe(500);
    // Kestrel reads headers as UTF-8, and what is not Latin-1 is no value of a header of `Request`.
    expect(await status({ headers: { 'x-name': Buffer.from('\u65e5', 'utf8').toString('latin1') } })).toBe(
      500,
    );
  });

  const REGISTER = `require(${JSON.stringify(LIBRARY)}).app`;
  test.each([
    ['that fails', `throw new Error('as asked')`, 'unable to load entry point "app.cjs": as asked'],
    [
      'that registers a name twice',
      `for (let i = 0; i < 2; i += 1) ${REGISTER}.timer('tick', { schedule: '* * * * * *', handler() {} });`,
      'A function with id "tick" has already been registered.',
    ],
    [
      'that registers what is no name',
      `${REGISTER}.timer('1st', { schedule: '* * * * * *', handler() {} });`,
      'function 1st: this is no name of a function',
    ],
    ['that wants HTTP streams', `${REGISTER}.setup({ enableHttpStream: true });`, 'HTTP streaming requires'],
  ])('are refused with an entry point %s', async (_title, code, message) => {
    writeMain(code);
    await expect(start()).rejects.toThrow(message);
  });

  test('are refused when the entry point, or what a function.json names, is not there', async () => {
    writeMain('');
    fs.rmSync(path.join(dir, 'app.cjs'));
    await expect(start()).rejects.toThrow('unable to load entry point "app.cjs": File does not exist');
    fs.rmSync(path.join(dir, 'package.json'));
    writeFolder('page', httpTrigger('page'), 'undefined');
    await expect(start()).rejects.toThrow(/exports no function 'page'/);
  });
});

describe('Service Bus', () => {
  let bus: ServiceBusEmulator;
  let client: ServiceBusClient;

  beforeEach(async () => {
    bus = closeLater(await startServiceBus({ dataDir: path.join(dir, 'bus') }));
    client = closeLater(new ServiceBusClient(bus.endpoint));
  });

  const NOTE = `async (messages, context) => { note({ at: Date.now(), messages, data: context.triggerMetadata });
    if ([messages].flat().includes('fail')) throw new Error('as asked'); }`;

  const start = async (
    options: { trigger?: object; code?: string; queue?: QueueOptions; hostJson?: object } = {},
    send: readonly ServiceBusMessage[] = [],
  ) => {
    bus.createQueue('work', options.queue);
    const trigger = {
      type: 'serviceBusTrigger',
      name: 'messages',
      queueName: 'work',
      connection: 'ServiceBus',
      cardinality: 'many',
      dataType: 'string',
      ...options.trigger,
    };
    if (send.length > 0) await client.createSender('work').sendMessages([...send]);
    writeApp({ work: { trigger, code: options.code ?? NOTE } }, options.hostJson);
    return closeLater(
      await startHostProcess({ appDir: dir, include: 'triggers', settings: { ServiceBus: bus.endpoint } }),
    );
  };
  const batchesOf = (size: number) => ({
    extensions: { serviceBus: { prefetchCount: 100, maxMessageBatchSize: size } },
  });
  const settled = (expected: { dead?: number } = {}) =>
    waitUntil('the queue to settle', () => {
      const { active, deadLetter } = bus.counts('work');
      return active === 0 && deadLetter === (expected.dead ?? 0) ? true : undefined;
    });

  test('a batch has its text, and its metadata in arrays', async () => {
    // What has arrived is one batch. How much that is depends on the machine, unless the one batch that runs at a time is
    // held up while the two of this test arrive.
    const released = path.join(dir, 'released');
    const code = `async (messages, context) => { note({ messages, data: context.triggerMetadata });
      while (messages.includes('hold') && !require('node:fs').existsSync(${JSON.stringify(released)}))
        await new Promise((resolve) => setTimeout(resolve, 5)); }`;
    await start({ code });
    const sender = client.createSender('work');
    await sender.sendMessages({ body: Buffer.from('hold') });
    await notesOf(1);
    await sender.sendMessages([
      {
        body: Buffer.from('{"n":1}'),
        messageId: 'm-1',
        contentType: 'application/json',
        applicationProperties: { Kind: 'a' },
      },
      { body: Buffer.from('no JSON'), messageId: 'm-2' },
    ]);
    await waitUntil('both to arrive', () => bus.counts('work').locked === 3 || undefined);
    fs.writeFileSync(released, '');
    const { messages, data } = (await notesOf(2))[1] ?? {};
    // The model itself parses texts; those of a data type 'binary' it leaves alone.
    expect(messages).toEqual([{ n: 1 }, 'no JSON']);
    expect(data).toMatchObject({
      messageIdArray: ['m-1', 'm-2'],
      deliveryCountArray: [1, 1],
      sequenceNumberArray: ['2', '3'],
      // The model writes all names with a small first letter.
      applicationPropertiesArray: [{ kind: 'a' }, {}],
      userPropertiesArray: [{ kind: 'a' }, {}],
      // Empty entries are left out, so this array is shorter than the batch.
      contentTypeArray: ['application/json'],
      correlationIdArray: [],
      lockTokenArray: [expect.any(String), expect.any(String)],
      enqueuedTimeUtcArray: [expect.stringMatching(/^\d{4}-.*Z$/), expect.stringMatching(/^\d{4}-.*Z$/)],
      expiresAtUtcArray: ['9999-12-31T23:59:59.9999999Z', '9999-12-31T23:59:59.9999999Z'],
    });
    await settled();
  });

  test('without a data type the batch is parsed, and a malformed message fails it unseen', async () => {
    const trigger = { dataType: undefined };
    await start({ trigger, queue: { maxDeliveryCount: 1 } }, [{ body: Buffer.from('{"n":1}') }]);
    expect((await notesOf(1))[0]?.['messages']).toEqual([{ n: 1 }]);
    await client.createSender('work').sendMessages({ body: Buffer.from('no JSON') });
    await settled({ dead: 1 });
    expect(notes()).toHaveLength(1);
  });

  test('a function with cardinality one gets a message and its metadata', async () => {
    await start({ trigger: { cardinality: 'one' } }, [{ body: Buffer.from('"a"'), messageId: 'm-1' }]);
    const [{ messages, data } = {}] = await notesOf(1);
    // The model itself parses a single text.
    expect(messages).toBe('a');
    expect(data).toMatchObject({
      messageId: 'm-1',
      deliveryCount: 1,
      sequenceNumber: 1,
      applicationProperties: {},
    });
  });

  test('messages that wait come in batches of at most the size of host.json', async () => {
    const messages = Array.from({ length: 25 }, (_, i) => ({ body: Buffer.from(String(i)) }));
    await start({ hostJson: batchesOf(10) }, messages);
    await settled();
    const sizes = notes().map((entry) => (entry['messages'] as string[]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(sizes.length).toBeLessThan(25);
    expect(new Set(notes().flatMap((entry) => entry['messages'])).size).toBe(25);
  });

  test('a message is handed over at once', async () => {
    await start();
    const sender = client.createSender('work');
    const delays: number[] = [];
    for (let i = 1; i <= 20; i += 1) {
      const sentAt = Date.now();
      await sender.sendMessages({ body: Buffer.from(String(i)) });
      delays.push(Number((await notesOf(i))[i - 1]?.['at']) - sentAt);
    }
    // A receiver that waits for a fuller batch does so for a second; how much sooner it is depends on the machine.
    delays.sort((a, b) => a - b);
    expect(delays[10]).toBeLessThan(900);
  });

  test('a batch that fails is delivered again, counted, and dead-lettered by the queue at its limit', async () => {
    await start({ queue: { maxDeliveryCount: 3 } }, [{ body: Buffer.from('fail') }]);
    await settled({ dead: 1 });
    const counts = notes().map(
      ({ data }) => (data as { deliveryCountArray: number[] }).deliveryCountArray[0],
    );
    expect(counts).toEqual([1, 2, 3]);
  });

  test('batches with different outcomes that end together keep their own', async () => {
    const bodies = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 'fail' : `ok-${i}`));
    await start(
      { hostJson: batchesOf(1), queue: { maxDeliveryCount: 1 } },
      bodies.map((body) => ({ body: Buffer.from(body) })),
    );
    await settled({ dead: 20 });
    const dead = await client.createReceiver('work', { subQueueType: 'deadLetter' }).receiveMessages(40, {
      maxWaitTimeInMs: 500,
    });
    expect(new Set(dead.map(({ body }) => String(body)))).toEqual(new Set(['fail']));
  });

  test('a function is run for one batch at a time, as by the extension of the host', async () => {
    const code = `async () => { globalThis.now = (globalThis.now ?? 0) + 1; note({ now: globalThis.now });
      await new Promise((resolve) => setTimeout(resolve, 50)); globalThis.now -= 1; }`;
    const messages = Array.from({ length: 20 }, (_, i) => ({ body: Buffer.from(String(i)) }));
    await start({ code, hostJson: batchesOf(1) }, messages);
    await settled();
    expect(notes()).toHaveLength(20);
    expect(Math.max(...notes().map(({ now }) => Number(now)))).toBe(1);
  });

  test('the lock of a batch is not renewed: what takes longer than it is delivered again, and at last dead-lettered', async () => {
    const released = path.join(dir, 'released-late');
    const code = `async (context, messages) => { note({ messages });
      while (!require('node:fs').existsSync(${JSON.stringify(released)}))
        await new Promise((resolve) => setTimeout(resolve, 5)); }`;
    await start({ code, queue: { lockDurationMs: 300, maxDeliveryCount: 2 } }, [
      { body: Buffer.from('slow') },
    ]);
    await notesOf(1);
    await waitUntil('its lock to be lost twice', () => bus.counts('work').deadLetter === 1 || undefined);
    fs.writeFileSync(released, '');
    await settled({ dead: 1 });
  });

  test('the lock of a single message is renewed while it runs', async () => {
    const released = path.join(dir, 'released-single');
    const code = `async (context, message) => { note({ message });
      while (!require('node:fs').existsSync(${JSON.stringify(released)}))
        await new Promise((resolve) => setTimeout(resolve, 5)); }`;
    const renewed = bus.faults;
    let renewals = 0;
    const hit = renewed.hit.bind(renewed);
    renewed.hit = (operation, resource) => {
      if (operation === 'renewLock') renewals += 1;
      return hit(operation, resource);
    };
    await start(
      { code, trigger: { cardinality: 'one' }, queue: { lockDurationMs: 300, maxDeliveryCount: 2 } },
      [{ body: Buffer.from('slow') }],
    );
    await notesOf(1);
    await waitUntil('three renewals', () => renewals >= 3 || undefined);
    renewed.hit = hit;
    expect(bus.counts('work')).toMatchObject({ locked: 1, deadLetter: 0 });
    fs.writeFileSync(released, '');
    await settled();
    expect(notes()).toHaveLength(1);
  });

  test('messages flow again after the broker was restarted', async () => {
    await start();
    await client.createSender('work').sendMessages({ body: Buffer.from('before') });
    // The function notes the message before the host completes it. A broker that ends in between has to deliver it
    // again (at least once), and then that would be the second note.
    await settled();
    const { port } = bus;
    await bus.close();
    bus = closeLater(await startServiceBus({ port, dataDir: path.join(dir, 'bus') }));
    const later = closeLater(new ServiceBusClient(bus.endpoint));
    await later.createSender('work').sendMessages({ body: Buffer.from('after') });
    await notesOf(2);
    await settled();
    expect(notes().map(({ messages }) => messages)).toEqual([['before'], ['after']]);
  });

  test('what had not begun when the host closes goes back to the queue', async () => {
    const code = `async (messages, context) => { note({ messages });
      await new Promise((resolve) => setTimeout(resolve, 200)); }`;
    const messages = Array.from({ length: 30 }, (_, i) => ({ body: Buffer.from(String(i)) }));
    const host = await start({ code, hostJson: batchesOf(1) }, messages);
    await notesOf(1);
    await host.close();
    const { ready, locked } = bus.counts('work');
    expect({ ready, locked }).toEqual({ ready: 30 - notes().length, locked: 0 });
  });

  test('the trigger process is restarted alone when it dies, and its death is reported', async () => {
    await start().then((host) => host.close());
    const printed: string[] = [];
    const supervisor = new BridgeSupervisor({
      appDir: dir,
      env: { ...process.env, ServiceBus: bus.endpoint, TANDEM_SITE: 'azure-test', TANDEM_RUN_DIR: dir },
      print: (line) => printed.push(line),
    });
    closing.push({ close: () => supervisor.stop() });
    const announced = path.join(dir, 'azure-test.bridge.json');
    const pid = () =>
      waitUntil('the bridge', () =>
        fs.existsSync(announced)
          ? (JSON.parse(fs.readFileSync(announced, 'utf8')) as { pid: number }).pid
          : undefined,
      );
    supervisor.start();
    const first = await pid();
    fs.rmSync(announced);
    process.kill(first, 'SIGKILL');
    const ended = await waitUntil('the report', () =>
      printed.find((line) => line.includes('ended (SIGKILL)')),
    );
    expect(ended).toContain('restarting');
    const second = await pid();
    expect(second).not.toBe(first);
    await client.createSender('work').sendMessages({ body: Buffer.from('still here') });
    await settled();
    await supervisor.stop();
    expect(() => process.kill(second, 0)).toThrow('ESRCH');
  });
});

describe('a timer', () => {
  const timer = (code: string, schedule = '* * * * * *') => ({
    tick: { trigger: { type: 'timerTrigger', name: 'timer', schedule }, code },
  });

  test('runs on its schedule with the object that the host gives', async () => {
    writeApp(timer('async (timer) => note({ at: Date.now(), timer })'));
    closeLater(await startHostProcess({ appDir: dir, include: 'triggers' }));
    const [first, second] = await notesOf(2);
    interface Run {
      readonly at: number;
      readonly timer: { readonly scheduleStatus: { readonly last: string; readonly next: string } };
    }
    const { timer: object, at } = second as unknown as Run;
    // When it is late is up to the machine; early it is never.
    const due = Date.parse((first as unknown as Run).timer.scheduleStatus.next);
    expect(due % 1_000).toBe(0);
    expect(at).toBeGreaterThanOrEqual(due);
    expect(object).toMatchObject({ isPastDue: false, schedule: { adjustForDST: true } });
    expect(Date.parse(object.scheduleStatus.next) - Date.parse(object.scheduleStatus.last)).toBeGreaterThan(
      999,
    );
  });

  test('does not run twice at once, and goes on after a run that failed', async () => {
    writeApp(
      timer(`async () => { note({ start: Date.now() });
        await new Promise((resolve) => setTimeout(resolve, 1200)); note({ end: Date.now() });
        throw new Error('as asked'); }`),
    );
    closeLater(await startHostProcess({ appDir: dir, include: 'triggers' }));
    const kinds = (await notesOf(4)).slice(0, 4).map((entry) => Object.keys(entry)[0]);
    expect(kinds).toEqual(['start', 'end', 'start', 'end']);
  });

  test('can be run by hand', async () => {
    writeApp(timer('async (timer) => note({ timer })', '0 0 0 1 1 *'));
    const host = closeLater(await startHostProcess({ appDir: dir, include: 'triggers' }));
    await host.invoke('tick', { input: { json: '{"IsPastDue":false}' } });
    expect(notes()).toEqual([{ timer: { isPastDue: false } }]);
    await expect(host.invoke('tock', { input: {} })).rejects.toThrow('there is no function tock');
  });
});
