/** What handlers and reactions have beside records, by the examples of docs/handlers.md. Runs once per cloud. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { startEmulators } from '@tandem-clouds/emulators';
import { cloudName } from '#cloud';
import { ownSchema, readOwn } from '../../src/shared/config/own-setting.ts';
import { openServices } from '../../src/shared/open-services.ts';
import type { ProcessServices } from '../../src/shared/ports/services.ts';
import { openRuntime } from '../../src/shared/runtime.ts';
import { invoke } from '../helpers/api.ts';
import { charge, mySettings, openQuotes, sendMail } from '../helpers/handlers-examples.ts';
import { setEnvironment, startCloud } from '../helpers/sites.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** A provider that takes one key, and does what has one idempotency key once. */
class Provider {
  key = 'sk_number_one';
  readonly effects = new Map<string, string>();
  readonly requests: http.IncomingMessage[] = [];
  failures = 0;
  #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.#answer(request, response, Buffer.concat(chunks).toString()));
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse, body: string): void {
    this.requests.push(request);
    const { authorization, 'idempotency-key': effect } = request.headers;
    const reply = (status: number, json: unknown): unknown =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    if (request.url === '/charges' && authorization !== `Bearer ${this.key}`) return void reply(401, {});
    if (this.failures > 0) {
      this.failures -= 1;
      return void reply(503, {});
    }
    if (typeof effect === 'string') this.effects.set(effect, body);
    return void reply(200, { rate: '1.08' });
  }
}

let provider: Provider;
let url: string;
let envFile: string;
let services: ProcessServices;
let lines: string[];
let aheadMs = 0;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  envFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'services-')), '.env');
  fs.writeFileSync(envFile, 'SECRET_STRIPE_KEY=sk_number_one\n');
  const [cloud, emulators] = await Promise.all([
    startCloud(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile: envFile, prefix: 'tandem' },
      keyvault: { secretsFile: envFile },
    }),
  ]);
  closing.push(
    setEnvironment({ ...emulators.env, ...cloud.env, TANDEM_LOG_LEVEL: 'debug' }),
    () => cloud.close(),
    () => emulators.close(),
    () => fs.rmSync(path.dirname(envFile), { recursive: true }),
  );
});
afterAll(async () => {
  for (const close of closing) await close();
});

beforeEach(async () => {
  provider = new Provider();
  url = await provider.start();
  const { now } = Date;
  aheadMs = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  services = openServices(openRuntime());
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  provider.stop();
});

const logged = (): Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('services', () => {
  test('a key comes from the vault, and a new one is used as soon as the provider refuses the old one', async () => {
    const order = { id: 'order-1', amountMinor: 500 };
    expect((await charge(url, order, services)).status).toBe(200);
    provider.key = 'sk_number_two';
    fs.writeFileSync(envFile, 'SECRET_STRIPE_KEY=sk_number_two\n');
    // Beyond the pause between two reads for a refused value.
    aheadMs = 60_000;
    expect((await charge(url, { ...order, id: 'order-2' }, services)).status).toBe(200);
    expect([...provider.effects]).toEqual([
      ['order-1', '{"amount":500}'],
      ['order-2', '{"amount":500}'],
    ]);
    expect(lines.join('')).not.toContain('sk_number');
  });

  test('a mail is sent once however often it is tried, and is measured', async () => {
    provider.failures = 1;
    await sendMail(`${url}/mails`, { to: 'ada@example.com', text: 'Hello' }, 'effect-1', services);
    expect(provider.requests).toHaveLength(2);
    expect([...provider.effects.keys()]).toEqual(['effect-1']);
    const measured = logged().filter(({ message }) => message === 'own metric');
    expect(measured).toMatchObject([{ MailsSent: 1 }, { ProviderMs: expect.any(Number), provider: 'mail' }]);
    expect(logged()).toContainEqual(expect.objectContaining({ message: 'mail sent', effectId: 'effect-1' }));
  });

  test('a route calls another service with the trace of its request, and logs by its id', async () => {
    const response = await invoke(openQuotes(url), {
      method: 'GET',
      path: '/quotes/eur',
      headers: { traceparent: TRACEPARENT, 'x-request-id': 'request-1' },
    });
    expect([response.status, JSON.parse(response.text)]).toEqual([200, { rate: '1.08' }]);
    expect(provider.requests.map(({ headers, url: target }) => [target, headers['traceparent']])).toEqual([
      ['/rates/eur', TRACEPARENT],
    ]);
    expect(logged()).toContainEqual(
      expect.objectContaining({ message: 'quoted', requestId: 'request-1', currency: 'eur' }),
    );
    expect(logged()).toContainEqual(
      expect.objectContaining({
        message: 'call',
        level: 'debug',
        origin: url,
        status: 200,
        requestId: 'request-1',
      }),
    );
  });

  test('a service that is away is 503 to whoever asked for the route, without its name', async () => {
    provider.failures = 99;
    const response = await invoke(openQuotes(url), { method: 'GET', path: '/quotes/eur' });
    expect([response.status, JSON.parse(response.text)]).toMatchObject([503, { code: 'unavailable' }]);
    expect(response.text).not.toContain(url);
  });

  test('settings are read and judged as the page says', () => {
    const check = new Ajv({ allErrors: true }).compile(ownSchema(mySettings));
    expect(check(readOwn(mySettings, { MAILS_AT_ONCE: '5' }).own)).toBe(true);
    expect(check(readOwn(mySettings, {}).own)).toBe(false);
    expect(services.config).toEqual({});
  });
});

describe('docs/handlers.md', () => {
  test('has the examples to the letter', () => {
    const page = fs.readFileSync(path.join(ROOT, 'docs/handlers.md'), 'utf8');
    const source = fs.readFileSync(path.join(ROOT, 'tests/helpers/handlers-examples.ts'), 'utf8');
    const regions = Array.from(
      source.matchAll(/\/\/ #region \w+\n([\s\S]*?)\/\/ #endregion/g),
      ([, text]) => text,
    );
    const examples = Array.from(page.matchAll(/```ts\n([\s\S]*?)```/g), ([, text]) => text);
    expect(regions).toHaveLength(4);
    expect([...examples].sort()).toEqual([...regions].sort());
  });
});
