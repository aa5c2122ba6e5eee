/**
 * Shared caches in front of a site: what they keep, and that a change purges it wherever it was made. Runs once per cloud, behind
 * that cloud's own cache and behind Cloudflare.
 */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startEmulators } from '@tandem-clouds/emulators';
import { startCloudflareCache } from '@tandem-clouds/emulators/cdn/cloudflare-cache';
import { startCloudFront } from '@tandem-clouds/emulators/cdn/cloudfront';
import { startFrontDoor } from '@tandem-clouds/emulators/cdn/front-door';
import type { Fault, HttpEmulator } from '@tandem-clouds/emulators/core/http-emulator';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { cloudName } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { indexes } from '../../src/shared/registry/indexes.ts';
import { openRuntime, openSiteStore } from '../../src/shared/runtime.ts';
import { invoke } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { completeBeats } from '../helpers/owned-entity.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';

const DISTRIBUTION = 'E2EXAMPLE12345';
const ENDPOINT =
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.Cdn/profiles/tandem/afdEndpoints/tandem';
const ZONE = 'a'.repeat(32);
const PASSING = ['X-Tandem-Session', 'Prefer'];

interface Cache {
  readonly url: string;
  readonly api: HttpEmulator;
  readonly purged: readonly string[];
  readonly hit: string;
}

let clouds: LinkedClouds;
let caches: readonly Cache[];
let peer: TestSite;
/** What the origin answers with in place of the site. */
let failing = false;
const handlers = new Map<string, unknown>();
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'caching-'));
  const secretsFile = path.join(folder, '.env');
  fs.writeFileSync(secretsFile, 'SECRET_CLOUDFLARE_PURGE_TOKEN=a-token\n');
  const [linked, vaults, origin] = await Promise.all([
    startLinkedClouds(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile, prefix: 'tandem' },
      keyvault: { secretsFile },
    }),
    startOrigin(),
  ]);
  clouds = linked;
  const flare = await startCloudflareCache({
    ...{ origin: origin.url, zone: ZONE, token: 'a-token', plan: 'enterprise' },
    ...{ pathsKept: ['/products'], headersPassing: PASSING },
  });
  const own = await startOwnCache(origin.url);
  caches = [
    { url: own.proxy.url, api: own.api, purged: own.purged, hit: own.hit },
    { url: flare.proxy.url, api: flare.api, purged: flare.purged, hit: 'HIT' },
  ];
  const restore = setEnvironment({
    ...vaults.env,
    ...linked.own.env,
    ...own.env,
    TANDEM_CDN_ZONE: ZONE,
    TANDEM_CDN_ZONE_URL: flare.api.url,
    TANDEM_TRUST_EVERYBODY: 'true',
  });
  closing.push(
    restore,
    () => own.close(),
    () => flare.close(),
    () => origin.close(),
    () => vaults.close(),
    () => linked.close(),
    () => fs.rmSync(folder, { recursive: true }),
  );
  const runtime = openRuntime();
  const beats = completeBeats(runtime.site, indexes);
  await openSiteStore(runtime).putMany(beats.map((record) => ({ record, expected: undefined })));
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void handlers.set(name, (await module).handler);
  await load('products', import('../../src/handlers/entities/products.ts'));
  await load('apply', import('../../src/bridge/apply.ts'));
  await load('react', import('../../src/bridge/react.ts'));
  peer = new TestSite(linked.peer.site, [linked.own.site]);
  peer.nowMs = Date.now();
});

afterAll(async () => {
  for (const close of closing) await close();
});

beforeEach(() => {
  failing = false;
});

/** The site as caches see it: its function behind a server. */
async function startOrigin(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = http.createServer((request, response) => {
    void (async () => {
      const headers = request.headers as Record<string, string>;
      if (failing) response.writeHead(503).end();
      else {
        const answer = await invoke(handlers.get('products'), {
          ...{ method: request.method ?? '', path: request.url ?? '', headers },
        });
        response.writeHead(answer.status, answer.headers as Record<string, string>).end(answer.text);
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function startOwnCache(origin: string) {
  if (cloudName === 'aws') {
    const keyHeaders = ['Authorization', 'Origin', 'Prefer', 'X-Tandem-Session', 'X-Tandem-Read-Through'];
    const front = await startCloudFront({
      ...{ origin, distribution: DISTRIBUTION, keyHeaders, tagHeader: 'Cache-Tag' },
    });
    const env = { TANDEM_CDN_DISTRIBUTION: DISTRIBUTION, AWS_ENDPOINT_URL_CLOUDFRONT: front.api.url };
    return { ...front, purged: front.invalidated, hit: 'Hit from cloudfront', env };
  }
  const door = await startFrontDoor({
    ...{ origin, endpointId: ENDPOINT, pathsKept: ['/products'], headersPassing: PASSING },
    isToken: (token) => token === 'token-of-the-local-app',
  });
  return {
    ...door,
    hit: 'TCP_HIT',
    env: { TANDEM_CDN_ENDPOINT: ENDPOINT, TANDEM_CDN_ENDPOINT_URL: door.api.url },
  };
}

interface Seen {
  readonly status: number;
  readonly isHit: boolean;
  readonly session: string;
  readonly json: Readonly<Record<string, unknown>> & { readonly items?: readonly { readonly sku: string }[] };
}

async function get(cache: Cache, at: string, headers: Record<string, string> = {}): Promise<Seen> {
  const response = await fetch(new URL(at, cache.url), { headers });
  const text = await response.text();
  return {
    status: response.status,
    isHit: (response.headers.get('cf-cache-status') ?? response.headers.get('x-cache')) === cache.hit,
    session: response.headers.get('x-tandem-session') ?? '',
    json: text.startsWith('{') ? (JSON.parse(text) as Seen['json']) : {},
  };
}

const write = async (method: string, at: string, body?: object): Promise<number> =>
  (await invoke(handlers.get('products'), { method, path: at, ...(body !== undefined && { body }) })).status;

/** What the site has been woken for, done. */
async function react(): Promise<void> {
  const messages = await clouds.own.take('tandem-react');
  await deliver(cloudName, handlers.get('react'), messages);
}

/** Written at the other cloud, and arrived here. */
async function writeElsewhere(key: string, fields: Changes): Promise<void> {
  peer.nowMs = Date.now();
  await peer.write(key, fields);
  const messages = peer.outboxDeliveries().slice(-1);
  expect(await deliver(cloudName, handlers.get('apply'), messages)).toEqual([]);
}

const TEA = { name: 'Tea', priceMinor: 490, currency: 'EUR', category: 'tea' };
const each = <T>(check: (cache: Cache) => Promise<T>): Promise<T[]> => Promise.all(caches.map(check));

describe(`caches in front of ${cloudName}`, () => {
  test('keep a record until it changes at this site', async () => {
    expect(await write('POST', '/products', { sku: 'here', ...TEA })).toBe(201);
    await react();
    expect((await each((cache) => get(cache, '/products/here'))).map(({ isHit }) => isHit)).toEqual([
      false,
      false,
    ]);
    expect((await each((cache) => get(cache, '/products/here'))).map(({ isHit }) => isHit)).toEqual([
      true,
      true,
    ]);
    expect(await write('PATCH', '/products/here', { priceMinor: 500 })).toBe(200);
    await react();
    for (const { isHit, json } of await each((cache) => get(cache, '/products/here')))
      expect([isHit, json['priceMinor']]).toEqual([false, 500]);
  });

  test('keep a record and its list until it changes at the other cloud', async () => {
    await writeElsewhere('product:there', { ...TEA, category: 'there', createdAt: new Date().toISOString() });
    await react();
    const list = '/products?category=there';
    for (const at of ['/products/there', list]) {
      await each((cache) => get(cache, at));
      for (const { isHit } of await each((cache) => get(cache, at))) expect(isHit).toBe(true);
    }
    await writeElsewhere('product:there', { priceMinor: 777 });
    // Applied, and not yet purged: this is what is bounded and measured.
    for (const { json } of await each((cache) => get(cache, '/products/there')))
      expect(json['priceMinor']).toBe(490);
    await react();
    for (const { json } of await each((cache) => get(cache, '/products/there')))
      expect(json['priceMinor']).toBe(777);
    for (const { json } of await each((cache) => get(cache, list)))
      expect(json.items).toMatchObject([{ sku: 'there', priceMinor: 777 }]);
  });

  test('forget a record that is deleted, and the lists that it was in', async () => {
    await write('POST', '/products', { sku: 'gone', ...TEA, category: 'going' });
    await react();
    const list = '/products?category=going';
    await each((cache) => get(cache, '/products/gone'));
    await each((cache) => get(cache, list));
    expect(await write('DELETE', '/products/gone')).toBe(204);
    await react();
    for (const { status } of await each((cache) => get(cache, '/products/gone'))) expect(status).toBe(404);
    for (const { json } of await each((cache) => get(cache, list))) expect(json.items).toEqual([]);
  });

  test('keep lists by other values where they know keys, and forget all lists where they know paths', async () => {
    await write('POST', '/products', { sku: 'cup', ...TEA, category: 'cups' });
    await write('POST', '/products', { sku: 'pan', ...TEA, category: 'pans' });
    await react();
    await each((cache) => get(cache, '/products?category=cups'));
    await write('PATCH', '/products/pan', { priceMinor: 5 });
    await react();
    const hits = (await each((cache) => get(cache, '/products?category=cups'))).map(({ isHit }) => isHit);
    expect(hits).toEqual([cloudName === 'aws', true]);
  });

  test('never show a session what is older than itself', async () => {
    await write('POST', '/products', { sku: 'mine', ...TEA });
    await react();
    await each((cache) => get(cache, '/products/mine'));
    const changed = await invoke(handlers.get('products'), {
      ...{ method: 'PATCH', path: '/products/mine', body: { priceMinor: 1_000 } },
    });
    const session = { 'x-tandem-session': changed.headers['x-tandem-session'] ?? '' };
    // Nothing is purged yet.
    for (const { isHit, json } of await each((cache) => get(cache, '/products/mine', session)))
      expect([isHit, json['priceMinor']]).toEqual([false, 1_000]);
    await react();
  });

  test('are purged once they take purges again, and are asked for one request by many changes', async () => {
    await write('POST', '/products', { sku: 'late', ...TEA });
    await react();
    await each((cache) => get(cache, '/products/late'));
    const faults = caches.map(({ api }): Fault => {
      const fault: Fault = { matches: () => true, response: { status: 503, body: 'busy' }, times: 100 };
      api.faults.push(fault);
      return fault;
    });
    for (const price of [1, 2, 3]) await write('PATCH', '/products/late', { priceMinor: price });
    await react();
    for (const { json } of await each((cache) => get(cache, '/products/late')))
      expect(json['priceMinor']).toBe(490);
    for (const fault of faults) fault.times = 0;
    const before = caches.map(({ api }) => api.requested.length);
    const store = openSiteStore(openRuntime());
    const { reactions } = (await store.get('product:late'))!.record;
    expect(reactions?.['cdn']).toMatchObject({ attempts: 1, detail: expect.any(String) });
    // A new state is a new reason, which is due at once.
    await write('PATCH', '/products/late', { priceMinor: 4 });
    await write('POST', '/products', { sku: 'later', ...TEA });
    await react();
    for (const { json } of await each((cache) => get(cache, '/products/late')))
      expect(json['priceMinor']).toBe(4);
    expect(caches.map(({ api }, index) => api.requested.length - (before[index] ?? 0))).toEqual([1, 1]);
  });

  test('answer while the site fails, where they know how', async () => {
    await write('POST', '/products', { sku: 'steady', ...TEA });
    await react();
    await each((cache) => get(cache, '/products/steady'));
    failing = true;
    for (const { status } of await each((cache) => get(cache, '/products/steady'))) expect(status).toBe(200);
    for (const { status } of await each((cache) => get(cache, '/products/unread'))) expect(status).toBe(503);
  });
});

test('without a cache in its configuration a site purges nothing', () => {
  const { TANDEM_CDN_ZONE: _, ...env } = process.env;
  const bare = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TANDEM_CDN_')));
  expect(loadConfig(cloudName, bare).cdn).toBeUndefined();
  expect(() => loadConfig(cloudName, { ...bare, TANDEM_CDN_ZONE: 'no-zone' })).toThrow('TANDEM_CDN_ZONE');
});
