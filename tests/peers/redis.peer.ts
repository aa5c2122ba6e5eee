/**
 * The cache beside the store on Redis itself: what the adapter relies on, one fault after the other, and a stack of its own whose
 * sites use it. `npm run test:peers -- redis` says where the server is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { type RedisServer, startRedis } from '@tandem-clouds/testkit/peers/redis';
import { GuardedCache } from '../../src/shared/adapters/redis/guarded-cache.ts';
import { openRedis } from '../../src/shared/adapters/redis/open-redis.ts';
import { cacheCallMs, cacheFailuresMax } from '../../src/shared/bounds.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const program = process.env['TANDEM_PEER_REDIS'];
if (program === undefined) throw new Error('TANDEM_PEER_REDIS is not set; run npm run test:peers');

const START_MS = 240_000;
const versioned = (version: number, text: string): string => `${String(version).padStart(40, '0')}${text}`;

describe('the adapter', () => {
  let server: RedisServer;
  let direct: Redis;
  let cache: ReturnType<typeof openRedis>;

  beforeAll(async () => {
    server = await startRedis(program);
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    direct = new Redis(server.url);
    cache = openRedis(server.url);
  });
  afterEach(async () => {
    server.resume();
    direct.disconnect();
    await cache.close();
  });

  test('gives back what it keeps, in order, and forgets it after its time', async () => {
    await cache.keep([
      { name: 'a', text: versioned(1, 'first'), ttlMs: 60_000 },
      { name: 'b', text: versioned(1, 'second'), ttlMs: 60_000 },
    ]);
    expect(await cache.getMany(['b', 'none', 'a'])).toEqual([
      versioned(1, 'second'),
      undefined,
      versioned(1, 'first'),
    ]);
    expect(await direct.pttl('a')).toBeGreaterThan(0);
    await cache.drop(['a', 'none']);
    expect(await cache.getMany(['a'])).toEqual([undefined]);
    await cache.keep([{ name: 'brief', text: versioned(1, ''), ttlMs: 1 }]);
    await waitUntil('the end of its time', async () =>
      (await cache.getMany(['brief']))[0] === undefined ? true : undefined,
    );
  });

  test.each([
    ['an earlier one', 1, 2, 2],
    ['the same one', 2, 2, 2],
    ['a later one', 3, 2, 3],
  ])('of two texts keeps the later one: %s comes', async (_, comes, held, kept) => {
    await cache.keep([{ name: 'v', text: versioned(held, 'held'), ttlMs: 60_000 }]);
    await cache.keep([{ name: 'v', text: versioned(comes, 'comes'), ttlMs: 60_000 }]);
    expect((await direct.get('v'))?.slice(0, 40)).toBe(versioned(kept, ''));
    await cache.drop(['v']);
  });

  test('a late text among many at once changes nothing', async () => {
    const texts = Array.from({ length: 200 }, (_, n) => ({
      ...{ name: 'busy', text: versioned((n * 37) % 200, ''), ttlMs: 60_000 },
    }));
    await Promise.all(texts.map((text) => cache.keep([text])));
    expect(await direct.get('busy')).toBe(versioned(199, ''));
  });

  test.each(['', 'garbage', 'x'.repeat(100), '٣'.repeat(40)])(
    'puts its own in place of what is none: %j',
    async (held) => {
      await direct.set('g', held);
      await cache.keep([{ name: 'g', text: versioned(1, 'ours'), ttlMs: 60_000 }]);
      expect(await direct.get('g')).toBe(versioned(1, 'ours'));
    },
  );

  test('drops what a server that is full cannot replace', async () => {
    await cache.keep([{ name: 'full', text: versioned(1, 'old'), ttlMs: 60_000 }]);
    await direct.config('SET', 'maxmemory', '1');
    try {
      await expect(cache.keep([{ name: 'full', text: versioned(2, 'new'), ttlMs: 60_000 }])).rejects.toThrow(
        'OOM',
      );
      expect(await cache.getMany(['full'])).toEqual([undefined]);
    } finally {
      await direct.config('SET', 'maxmemory', '0');
    }
  });

  test('is not waited for while the server stands still, nor asked after a few times, and comes back', async () => {
    let opened = 0;
    let elapsedMs = 0;
    const guarded = new GuardedCache(cache, {
      ...{ sleep, elapsed: () => performance.now() + elapsedMs, opened: () => (opened += 1) },
    });
    await guarded.keep([{ name: 'slow', text: versioned(1, ''), ttlMs: 60_000 }]);
    server.freeze();
    const beganMs = performance.now();
    for (let n = 0; n < cacheFailuresMax; n += 1)
      expect(await guarded.getMany(['slow'])).toEqual([undefined]);
    expect(opened).toBe(1);
    // Not more than its time each, and nothing once nobody asks.
    const askedMs = performance.now() - beganMs;
    expect(askedMs).toBeGreaterThanOrEqual(cacheFailuresMax * (cacheCallMs - 5));
    await guarded.getMany(['slow']);
    server.resume();
    elapsedMs += 3_600_000;
    await waitUntil('the answer', async () =>
      (await guarded.getMany(['slow']))[0] === undefined ? undefined : true,
    );
  });

  test('fails at once while there is no server, and works again when there is one', async () => {
    await cache.keep([{ name: 'gone', text: versioned(1, ''), ttlMs: 60_000 }]);
    await server.stop();
    await expect(cache.getMany(['gone'])).rejects.toThrow();
    await server.start();
    await waitUntil('the server', async () => {
      const [found] = await cache.getMany(['gone']).catch(() => ['failed']);
      return found === undefined ? true : undefined;
    });
  });
});

describe('a stack whose sites use it', () => {
  let server: RedisServer;
  let direct: Redis;
  let stack: OwnStack;
  let urls: string[];

  beforeAll(async () => {
    server = await startRedis(program);
    direct = new Redis(server.url);
    process.env['TANDEM_CACHE_URL'] = server.url;
    stack = await startOwnStack('--ephemeral', '--types', 'off');
    urls = stack.describe().sites.map(({ url }) => url);
  }, START_MS);
  afterAll(async () => {
    Reflect.deleteProperty(process.env, 'TANDEM_CACHE_URL');
    direct.disconnect();
    await stack.stop();
    await server.stop();
  }, START_MS);

  const TEA = { name: 'Tea', priceMinor: 490, currency: 'EUR', category: 'tea' };
  const write = (at: number, method: string, path: string, body: object) =>
    fetch(`${urls[at]}${path}`, {
      method,
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      body: JSON.stringify(body),
    });
  const priceAt = async (at: number, sku: string, headers: Record<string, string> = {}): Promise<unknown> =>
    ((await (await fetch(`${urls[at]}/products/${sku}`, { headers })).json()) as { priceMinor?: unknown })
      .priceMinor;

  test(
    'every write of a site is in it before it is answered, and every merge soon after',
    async () => {
      expect((await write(0, 'POST', '/products', { sku: 'cached', ...TEA })).status).toBe(201);
      for (let price = 1; price <= 50; price += 1) {
        await write(0, 'PATCH', '/products/cached', { priceMinor: price });
        expect(await priceAt(0, 'cached')).toBe(price);
      }
      await waitUntil(
        'the last price elsewhere',
        async () => ((await priceAt(1, 'cached')) === 50 ? true : undefined),
        30_000,
      );
      const names = await direct.keys('tandem:*');
      expect(names.map((name) => name.split(':')[1]).sort()).toEqual(['aws-us-east-1', 'azure-eastus']);
      expect(names.join()).not.toContain('product');
    },
    START_MS,
  );

  test(
    'a session sees its write at the other site, whatever is kept there',
    async () => {
      await priceAt(1, 'cached');
      for (let price = 100; price < 110; price += 1) {
        const changed = await write(0, 'PATCH', '/products/cached', { priceMinor: price });
        const session = { 'x-tandem-session': changed.headers.get('x-tandem-session') ?? '' };
        expect(await priceAt(1, 'cached', session)).toBe(price);
      }
    },
    START_MS,
  );

  test(
    'reads and writes go on while it stands still, is garbled, and is gone',
    async () => {
      server.freeze();
      expect((await write(0, 'PATCH', '/products/cached', { priceMinor: 7 })).status).toBe(200);
      server.resume();
      for (const name of await direct.keys('tandem:*')) await direct.set(name, 'garbage');
      expect(await priceAt(0, 'cached')).toBe(7);
      await server.stop();
      expect((await write(0, 'PATCH', '/products/cached', { priceMinor: 8 })).status).toBe(200);
      expect(await priceAt(0, 'cached')).toBe(8);
    },
    START_MS,
  );
});
