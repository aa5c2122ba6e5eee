/** The caches of CloudFront, Front Door and Cloudflare: what they keep, for how long, and what they refuse. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CloudflareCache, startCloudflareCache } from '../../src/cdn/cloudflare-cache.ts';
import { type CloudFront, ITEMS_MAX, startCloudFront, WILDCARDS_MAX } from '../../src/cdn/cloudfront.ts';
import { type FrontDoor, startFrontDoor } from '../../src/cdn/front-door.ts';

const ID = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Cdn/profiles/p/afdEndpoints/e';
let nowMs = 1_800_000_000_000;
const now = () => nowMs;
const closing: (() => unknown)[] = [];

let origin: {
  url: string;
  headers: Record<string, string>;
  status: number;
  seen: http.IncomingHttpHeaders[];
};
let cloudFront: CloudFront;
let frontDoor: FrontDoor;
let cloudflare: CloudflareCache;

beforeAll(async () => {
  const server = http.createServer((request, response) => {
    origin.seen.push(request.headers);
    const isSame =
      origin.headers['etag'] !== undefined && request.headers['if-none-match'] === origin.headers['etag'];
    response.writeHead(origin.status === 200 && isSame ? 304 : origin.status, origin.headers);
    response.end(isSame ? '' : `answer ${origin.seen.length}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  origin = { url, headers: {}, status: 200, seen: [] };
  cloudFront = await startCloudFront({
    ...{ origin: url, distribution: 'E1', keyHeaders: ['X-Session'], tagHeader: 'Cache-Tag', now },
    progressMs: 1_000,
  });
  const rule = { origin: url, pathsKept: ['/kept'], headersPassing: ['X-Session'], now };
  frontDoor = await startFrontDoor({ ...rule, endpointId: ID, isToken: (token) => token === 't' });
  cloudflare = await startCloudflareCache({ ...rule, zone: 'z', token: 't', plan: 'free' });
  closing.push(
    () => cloudFront.close(),
    () => frontDoor.close(),
    () => cloudflare.close(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
});
afterAll(async () => {
  for (const close of closing) await close();
});
beforeEach(() => {
  nowMs += 86_400_000;
  Object.assign(origin, { headers: {}, status: 200, seen: [] });
  for (const { proxy } of [cloudFront, frontDoor, cloudflare]) proxy.purge(() => true);
});

const CACHES = ['CloudFront', 'Front Door', 'Cloudflare'] as const;
const cacheOf = (name: (typeof CACHES)[number]) =>
  ({ CloudFront: cloudFront, 'Front Door': frontDoor, Cloudflare: cloudflare })[name];
const get = async (name: (typeof CACHES)[number], at: string, headers: Record<string, string> = {}) => {
  const response = await fetch(new URL(at, cacheOf(name).proxy.url), { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe.each(CACHES)('%s', (name) => {
  test('answers from what it keeps for as long as the origin says, and revalidates it by its tag', async () => {
    origin.headers = { 'cache-control': 'public, max-age=0, s-maxage=10', etag: '"1"' };
    expect((await get(name, '/kept/a')).text).toBe('answer 1');
    nowMs += 9_999;
    expect((await get(name, '/kept/a')).text).toBe('answer 1');
    nowMs += 1;
    expect((await get(name, '/kept/a')).text).toBe('answer 1');
    expect(origin.seen.map((headers) => headers['if-none-match'])).toEqual([undefined, '"1"']);
    const again = await get(name, '/kept/a', { 'if-none-match': '"1"' });
    expect([again.status, again.headers.get('age')]).toEqual([304, '0']);
  });

  test.each(['no-store', 'no-cache', 'private, s-maxage=10', 'private, no-cache'])(
    'keeps nothing that is %s',
    async (control) => {
      origin.headers = { 'cache-control': control };
      await get(name, '/kept/b');
      expect((await get(name, '/kept/b')).text).toBe('answer 2');
    },
  );

  test('keeps no error, and answers another query string and another session by itself', async () => {
    origin.headers = { 'cache-control': 'public, s-maxage=10' };
    origin.status = 404;
    await get(name, '/kept/c');
    origin.status = 200;
    expect((await get(name, '/kept/c')).text).toBe('answer 2');
    expect((await get(name, '/kept/c?q=1')).text).toBe('answer 3');
    expect((await get(name, '/kept/c', { 'x-session': 's' })).text).toBe('answer 4');
    expect((await get(name, '/kept/c')).text).toBe('answer 2');
  });

  test('sends what is no GET to the origin', async () => {
    origin.headers = { 'cache-control': 'public, s-maxage=10' };
    const url = new URL('/kept/d', cacheOf(name).proxy.url);
    for (const method of ['POST', 'DELETE']) await fetch(url, { method });
    expect(origin.seen).toHaveLength(2);
  });
});

test.each([
  ['CloudFront', 's-maxage=10, stale-if-error=20', 200],
  ['Front Door', 's-maxage=10, stale-if-error=20', 503],
  // RFC 9111, section 5.2.2.10.
  ['Cloudflare', 's-maxage=10, stale-if-error=20', 503],
  ['Cloudflare', 'max-age=10, stale-if-error=20', 200],
] as const)('%s answers while the origin fails by %s: %s', async (name, control, status) => {
  origin.headers = { 'cache-control': `public, ${control}` };
  await get(name, '/kept/e');
  origin.status = 503;
  nowMs += 29_999;
  expect((await get(name, '/kept/e')).status).toBe(status);
  nowMs += 1;
  expect((await get(name, '/kept/e')).status).toBe(503);
});

test('Front Door keeps for days what says nothing, and nothing outside its rule', async () => {
  await get('Front Door', '/kept/f');
  nowMs += 2 * 86_400_000;
  expect((await get('Front Door', '/kept/f')).text).toBe('answer 1');
  await get('Front Door', '/other');
  expect((await get('Front Door', '/other')).text).toBe('answer 3');
});

test('Cloudflare goes by CDN-Cache-Control, and keeps tags to itself', async () => {
  origin.headers = { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=10', 'cache-tag': 'a,b' };
  const { headers } = await get('Cloudflare', '/kept/g');
  expect([headers.get('cf-cache-status'), headers.get('cache-tag')]).toEqual(['MISS', null]);
  expect((await get('Cloudflare', '/kept/g')).headers.get('cf-cache-status')).toBe('HIT');
});

describe('invalidations of CloudFront', () => {
  const invalidate = async (items: string[], { id = 'E1', reference = `r${nowMs}-${items.join()}` } = {}) => {
    const client = new CloudFrontClient({
      ...{ endpoint: cloudFront.api.url, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    try {
      const batch = { CallerReference: reference, Paths: { Quantity: items.length, Items: items } };
      const command = new CreateInvalidationCommand({ DistributionId: id, InvalidationBatch: batch });
      return (await client.send(command)).Invalidation?.Status;
    } catch (error) {
      return (error as Error).name;
    } finally {
      client.destroy();
    }
  };
  const keep = async (...paths: string[]) => {
    origin.headers = { 'cache-control': 's-maxage=100', 'cache-tag': 'Red,blue' };
    for (const path of paths) await get('CloudFront', path);
  };
  const kept = () => [...cloudFront.proxy.entries.values()].map(({ target }) => target);

  test('forget what has a tag, whatever its case, and paths to the letter', async () => {
    await keep('/a', '/a?q=1', '/b/c');
    expect(await invalidate(['/a'])).toBe('InProgress');
    expect(kept()).toEqual(['/a?q=1', '/b/c']);
    expect(await invalidate(['/b/*'])).toBe('InProgress');
    expect(kept()).toEqual(['/a?q=1']);
    expect(await invalidate(['#green'])).toBe('InProgress');
    expect(kept()).toEqual(['/a?q=1']);
    expect(await invalidate(['#RED'])).toBe('InProgress');
    expect(kept()).toEqual([]);
  });

  test('know fifty tags of an object', async () => {
    const tags = Array.from({ length: 51 }, (_, n) => `t${n}`);
    origin.headers = { 'cache-control': 's-maxage=100', 'cache-tag': tags.join(',') };
    await get('CloudFront', '/many');
    await invalidate(['#t50']);
    expect(kept()).toEqual(['/many']);
    await invalidate(['#t49']);
    expect(kept()).toEqual([]);
  });

  test.each<[string, string[], Parameters<typeof invalidate>[1], string]>([
    ['another distribution', ['/a'], { id: 'E2' }, 'NoSuchDistribution'],
    ['a path without a slash', ['a'], {}, 'InvalidArgument'],
    ['a tag with a comma', ['#a,b'], {}, 'InvalidArgument'],
    ['a tag of 257 characters', [`#${'x'.repeat(257)}`], {}, 'InvalidArgument'],
    [
      'more than are taken at a time',
      Array.from({ length: ITEMS_MAX + 1 }, (_, n) => `/${n}`),
      {},
      'BatchTooLarge',
    ],
    [
      'more wildcards than are in progress',
      Array.from({ length: WILDCARDS_MAX + 1 }, (_, n) => `/${n}/*`),
      {},
      'TooManyInvalidationsInProgress',
    ],
  ])('refuse %s', async (_, items, options, code) => {
    expect(await invalidate(items, options)).toBe(code);
  });

  test('are so many in progress, and a reference is of one batch', async () => {
    const most = Array.from({ length: ITEMS_MAX }, (_, n) => `#k${n}`);
    expect(await invalidate(most, { reference: 'one' })).toBe('InProgress');
    expect(await invalidate(['#k'])).toBe('TooManyInvalidationsInProgress');
    nowMs += 1_000;
    expect(await invalidate(['#k'], { reference: 'one' })).toBe('InvalidationBatchAlreadyExists');
    expect(await invalidate(['#k'])).toBe('InProgress');
  });
});

describe('purges of Front Door', () => {
  const purge = async (
    contentPaths: unknown,
    { token = 't', id = ID, version = '?api-version=2024-02-01' } = {},
  ) => {
    const response = await fetch(`${frontDoor.api.url}${id}/purge${version}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ contentPaths }),
    });
    const text = await response.text();
    return text === '' ? response.status : (JSON.parse(text) as { error: { code: string } }).error.code;
  };

  test('forget a path with every query string, in any case', async () => {
    origin.headers = { 'cache-control': 's-maxage=100' };
    for (const at of ['/kept', '/kept?q=1', '/kept/a']) await get('Front Door', at);
    expect(await purge(['/Kept'])).toBe(202);
    expect([...frontDoor.proxy.entries.keys()]).toEqual(['/kept/a']);
    expect(await purge(['/kept/*'])).toBe(202);
    expect(frontDoor.proxy.entries.size).toBe(0);
  });

  test.each<[string, unknown, Parameters<typeof purge>[1], string]>([
    ['a wrong token', ['/a'], { token: 'x' }, 'InvalidAuthenticationToken'],
    ['no version', ['/a'], { version: '' }, 'MissingApiVersionParameter'],
    ['another endpoint', ['/a'], { id: `${ID}2` }, 'ResourceNotFound'],
    ['no paths', [], {}, 'BadRequest'],
    ['101 paths', Array.from({ length: 101 }, (_, n) => `/${n}`), {}, 'BadRequest'],
  ])('refuse %s', async (_, paths, options, code) => {
    expect(await purge(paths, options)).toBe(code);
  });
});

describe('purges of Cloudflare', () => {
  const purge = async (body: object, token = 't') => {
    const response = await fetch(`${cloudflare.api.url}/client/v4/zones/z/purge_cache`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    await response.text();
    return [response.status, response.headers.get('retry-after')];
  };

  test('forget what has a tag, and refuse what they cannot take', async () => {
    origin.headers = { 'cache-control': 's-maxage=100', 'cache-tag': 'Red' };
    await get('Cloudflare', '/kept/a');
    expect(await purge({ tags: ['red'] })).toEqual([200, null]);
    expect(cloudflare.proxy.entries.size).toBe(0);
    expect(await purge({ tags: ['red'] }, 'x')).toEqual([403, null]);
    expect(await purge({ tags: [] })).toEqual([400, null]);
    expect(await purge({ tags: Array.from({ length: 101 }, (_, n) => `t${n}`) })).toEqual([400, null]);
  });

  test('are as many as the plan has, and then wait', async () => {
    for (let n = 0; n < 25; n += 1) expect(await purge({ tags: ['a'] })).toEqual([200, null]);
    expect(await purge({ tags: ['a'] })).toEqual([429, '12']);
    nowMs += 12_000;
    expect(await purge({ tags: ['a'] })).toEqual([200, null]);
  });
});
