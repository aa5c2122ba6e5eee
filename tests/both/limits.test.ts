/**
 * Every bound of a request, at the bound and one beyond: `docs/limits.md` says which limit of a vendor each of them covers.
 * Runs once per cloud.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventBytesMax } from '@tandem-clouds/replication/bounds';
import { cloudName } from '#cloud';
import {
  bodyBytesMax,
  headerBytesMax,
  pageBytesMax,
  pageSizeMax,
  sessionTokensMax,
  urlBytesMax,
} from '../../src/shared/bounds.ts';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

let cloud: TestCloud;
let restore: () => void;
let call: CallApi;

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  const peers = ['azure-westeurope', 'aws-eu-west-1'].map((site) => ({
    site,
    cloud: 'aws',
    region: 'eu-west-1',
    url: 'http://127.0.0.1:1',
    inbox: 'http://127.0.0.1:1/q',
    verify: 'http://127.0.0.1:1/v',
  }));
  restore = setEnvironment({ ...cloud.env, TANDEM_PEERS: JSON.stringify(peers), TANDEM_LOG_LEVEL: 'error' });
  call = await openApi();
});

afterAll(async () => {
  restore();
  await cloud.close();
});

/** Three sites share one message. */
const SHARE_BYTES = Math.floor(eventBytesMax / 3);
const TTL_SECONDS_MAX = 10 * 366 * 24 * 3600;
const ADA = { name: 'Ada', email: 'a@b.co' };

const write = (body: object | string): Promise<Response> => call('POST', '/write', { body });
const read = (headers: Record<string, string>): Promise<Response> => call('GET', '/users', { headers });
/** Several tokens of a state that is there. */
const sessions = async (count: number): Promise<string> => {
  const { headers } = await call('POST', '/users', { body: ADA });
  return Array.from({ length: count }, () => headers['x-tandem-session'] ?? '').join();
};

describe(`the bounds of a request on ${cloudName}`, () => {
  test.each<[string, number, (size: number) => Promise<Response>, number, number]>([
    ['bytes of a body', bodyBytesMax, (size) => write(`{"data":{}${' '.repeat(size - 11)}}`), 201, 413],
    [
      'bytes of a body that comes in base64',
      bodyBytesMax,
      (size) =>
        call('POST', '/write', {
          body: `{"data":{}${' '.repeat(size - 11)}}`,
          headers: { 'content-type': 'application/merge-patch+json' },
        }),
      201,
      413,
    ],
    ['characters of an id', 128, (size) => write({ id: 'x'.repeat(size), data: {} }), 201, 400],
    ['characters of an id in a path', 128, (size) => call('GET', `/items/${'x'.repeat(size)}`), 200, 404],
    ['seconds to live', TTL_SECONDS_MAX, (size) => write({ data: {}, ttlSeconds: size }), 201, 400],
    ['members of an item', 1_000, (size) => write({ data: members(size) }), 201, 400],
    [
      'members of metadata',
      100,
      (size) => call('POST', '/users', { body: { ...ADA, metadata: members(size) } }),
      201,
      400,
    ],
    ['records of a page', pageSizeMax, (size) => call('GET', `/users?limit=${size}`), 200, 400],
    [
      'session tokens',
      sessionTokensMax,
      async (size) => read({ 'x-tandem-session': await sessions(size) }),
      200,
      400,
    ],
    [
      'bytes of path and query',
      urlBytesMax,
      (size) => call('GET', `/region?${'x'.repeat(size - 8)}=`),
      200,
      414,
    ],
    [
      'bytes of headers',
      headerBytesMax,
      (size) => call('GET', '/region', { headers: { x: 'x'.repeat(size - 7) } }),
      200,
      431,
    ],
    [
      'characters of an Idempotency-Key',
      255,
      (size) => call('POST', '/users', { body: ADA, headers: { 'idempotency-key': 'k'.repeat(size) } }),
      201,
      400,
    ],
  ])('%s: %i', async (_, bound, send, taken, refused) => {
    expect((await send(bound)).status).toBe(taken);
    expect((await send(bound + 1)).status).toBe(refused);
  });

  test('what the platform adds to the headers counts for nothing', async () => {
    const added =
      cloudName === 'aws' ? ['x-amzn-trace-id', 'via'] : ['x-original-url', 'x-waws-unencoded-url'];
    const more = Object.fromEntries([...added, 'x-forwarded-for'].map((name) => [name, 'x'.repeat(4_000)]));
    const send = (size: number): Promise<Response> =>
      call('GET', '/region', { headers: { x: 'x'.repeat(size - 7), ...more } });
    expect((await send(headerBytesMax)).status).toBe(200);
    expect((await send(headerBytesMax + 1)).status).toBe(431);
  });

  test('a record with its stamps: its share of a message', async () => {
    const put = (text: number): Promise<Response> => write({ id: 'share', data: { text: 'x'.repeat(text) } });
    while ((await cloud.take('tandem-out')).length > 0);
    await put(0);
    const [message] = await cloud.take('tandem-out');
    // A replacement has one reserved field less, or the same: the first write says how much goes beside the text.
    const besides = Buffer.byteLength(message?.body ?? '');
    const fits = SHARE_BYTES - besides;
    const statuses = [(await put(fits)).status, (await put(fits + 1)).status];
    expect(statuses).toEqual([200, 413]);
  });
});

describe(`a page on ${cloudName}`, () => {
  test('ends early at its bound in bytes, and its successor goes on there', async () => {
    const text = 'x'.repeat(70_000);
    const ids = Array.from({ length: 40 }, (_, i) => `page-${String(i).padStart(2, '0')}`);
    for (const userId of ids) await call('POST', '/users', { body: { ...ADA, userId, metadata: { text } } });
    const seen: string[] = [];
    const sizes: number[] = [];
    let query = '?limit=100';
    for (let pages = 0; pages < 10; pages += 1) {
      const { json, text: response } = await call('GET', `/users${query}`);
      sizes.push(Buffer.byteLength(response));
      seen.push(...(json['items'] as { userId: string }[]).map(({ userId }) => userId));
      if (json['cursor'] === undefined) break;
      query = `?limit=100&cursor=${json['cursor'] as string}`;
    }
    expect(seen.filter((id) => id.startsWith('page-'))).toEqual(ids);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(pageBytesMax);
  });
});

function members(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i]));
}
