/** What a shop shows, and who may change it, with the local issuer. Runs once per cloud. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AUDIENCE } from '@tandem-clouds/emulators/oidc/protocol';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { type Issuer, startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { INDEXES_FIELD, indexesField } from '@tandem-clouds/replication/index-phases';
import { cloudName } from '#cloud';
import { indexes } from '../../src/shared/registry/indexes.ts';
import { openReplica, openRuntime } from '../../src/shared/runtime.ts';
import { invoke } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

let cloud: TestCloud;
let issuer: Issuer;
let restore: () => void;
let staff: string;
let somebody: string;
const handlers = new Map<string, unknown>();

beforeAll(async () => {
  [cloud, issuer] = await Promise.all([startCloud(cloudName), startIssuer()]);
  restore = setEnvironment({
    ...cloud.env,
    TANDEM_JWT_ISSUERS: JSON.stringify([{ issuer: issuer.url, audience: AUDIENCE }]),
  });
  staff = await queryToken(issuer.url, 'shop/catalogue shop/stock');
  somebody = await queryToken(issuer.url);
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void handlers.set(name, (await module).handler);
  await load('products', import('../../src/handlers/entities/products.ts'));
  await load('pictures', import('../../src/handlers/entities/pictures.ts'));
  await load('inventory', import('../../src/handlers/routes/inventory.ts'));
  await load('availability', import('../../src/handlers/routes/availability.ts'));
  await openIndexes();
});

/** As the sweep notes it, once all records are in them. */
async function openIndexes(): Promise<void> {
  const runtime = openRuntime();
  const states = Object.fromEntries(indexes.map(({ id }) => [id, { phase: 'open' as const, sinceMs: 1 }]));
  await openReplica(runtime).write({
    key: heartbeatKey(runtime.site.site),
    decide: () => ({ [INDEXES_FIELD]: indexesField(states) }),
  });
}

afterAll(async () => {
  restore();
  await Promise.all([cloud.close(), issuer.close()]);
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly json: {
    readonly code?: string;
    readonly items?: readonly unknown[];
    readonly errors?: readonly { readonly pointer: string; readonly rule: string }[];
  };
}

async function call(
  method: string,
  path: string,
  {
    token,
    body,
    ...given
  }: {
    readonly token?: string;
    readonly body?: object;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  const [, name = ''] = path.split(/[/?]/);
  const { status, text, headers } = await invoke(handlers.get(name), {
    method,
    path,
    headers: { ...given.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body }),
  });
  return { status, headers, json: JSON.parse(text || '{}') as Answer['json'] };
}

const TEA = { name: 'Tea', priceMinor: 490, currency: 'EUR', category: 'tea' };
const write = (body: object): Promise<Answer> => call('POST', '/products', { token: staff, body });

describe('who may', () => {
  test('everybody reads products, pictures and whether there is some, without a token', async () => {
    expect((await write({ sku: 'open', ...TEA })).status).toBe(201);
    expect((await call('GET', '/products/open')).status).toBe(200);
    expect((await call('GET', '/products?limit=1')).status).toBe(200);
    expect((await call('GET', '/pictures?limit=1')).status).toBe(200);
    expect((await call('GET', '/availability?sku=open')).status).toBe(200);
  });

  test.each([
    ['nobody', 401, () => undefined],
    ['somebody who may write other records', 403, () => somebody],
  ])('%s changes nothing, and reads no picture as it was sent', async (_, status, tokenOf) => {
    const token = tokenOf();
    const as = { ...(token !== undefined && { token }) };
    await write({ sku: 'kept', ...TEA });
    await call('POST', '/pictures', { token: staff, body: { pictureId: 'kept', sku: 'kept' } });
    expect((await call('POST', '/products', { ...as, body: TEA })).status).toBe(status);
    expect((await call('PATCH', '/products/kept', { ...as, body: { priceMinor: 1 } })).status).toBe(status);
    expect((await call('DELETE', '/products/kept', as)).status).toBe(status);
    expect((await call('POST', '/pictures', { ...as, body: { sku: 'kept', pictureId: 'p' } })).status).toBe(
      status,
    );
    expect((await call('POST', '/pictures/kept/check', as)).status).toBe(status);
    expect((await call('GET', '/pictures/kept/content', as)).status).toBe(status);
    expect((await call('GET', '/pictures/kept/content', { token: staff })).json.code).toBe('not_found');
  });
});

describe('what is refused of a product, by field and rule', () => {
  test.each([
    ['a price of nothing', { priceMinor: 0 }, '/priceMinor', 'minimum'],
    ['a price below nothing', { priceMinor: -1 }, '/priceMinor', 'minimum'],
    ['a price that is no whole number', { priceMinor: 1.5 }, '/priceMinor', 'type'],
    ['a price that cannot be counted', { priceMinor: 2 ** 53 }, '/priceMinor', 'maximum'],
    ['a currency in words', { currency: 'euro' }, '/currency', 'pattern'],
    ['a long description', { description: 'x'.repeat(2_001) }, '/description', 'maxLength'],
    ['no name', { name: '' }, '/name', 'minLength'],
    ['a language in words', { translations: { german: { name: 'Tee' } } }, '/translations', 'propertyNames'],
    ['a translation without a name', { translations: { de: {} } }, '/translations/de/name', 'required'],
    [
      'nine pictures',
      { pictures: Array.from({ length: 9 }, (_, index) => `p${index}`) },
      '/pictures',
      'maxItems',
    ],
    ['one picture twice', { pictures: ['a', 'a'] }, '/pictures', 'uniqueItems'],
    ['a key for the search of its own', { nameKey: 'a' }, '/nameKey', 'additionalProperties'],
  ])('%s', async (_, body, pointer, rule) => {
    const { status, json } = await write({ ...TEA, ...body });
    expect(status).toBe(400);
    expect(json.errors).toEqual(expect.arrayContaining([expect.objectContaining({ pointer, rule })]));
  });

  test('nothing of what is text: markup is kept as it is', async () => {
    const markup = `<img src=x onerror="alert(1)">{{7*7}}'; DROP TABLE products;--\u202e`;
    const body = {
      ...{ sku: 'markup', ...TEA },
      ...{ name: markup, description: markup, category: markup.slice(0, 60) },
      translations: { de: { name: markup, description: markup } },
    };
    expect((await write(body)).status).toBe(201);
    expect((await call('GET', '/products/markup')).json).toMatchObject(body);
  });
});

describe('what caches may keep', () => {
  const KEPT = 'public, max-age=0, s-maxage=60, stale-if-error=300';
  const cachingOf = ({ headers }: Answer) => ({
    control: headers['cache-control'],
    cdn: headers['cdn-cache-control'],
    tags: headers['cache-tag']?.split(','),
    keys: headers['surrogate-key']?.split(' '),
  });
  const NOTHING = { control: 'private, no-cache', cdn: undefined, tags: undefined, keys: undefined };

  test('is a record and lists of it, under keys that a list by its category shares with it', async () => {
    await write({ sku: 'cached', ...TEA, category: 'cached' });
    const record = cachingOf(await call('GET', '/products/cached'));
    expect(record).toMatchObject({
      control: KEPT,
      cdn: 'public, max-age=60, stale-if-error=300',
      tags: [expect.any(String)],
    });
    const all = cachingOf(await call('GET', '/products?limit=5'));
    expect(all).toMatchObject({ control: KEPT, tags: [expect.any(String)] });
    const byCategory = cachingOf(await call('GET', '/products?category=cached'));
    expect(byCategory.tags).toEqual([expect.any(String), ...(record.tags ?? [])]);
    expect(byCategory.keys).toEqual(byCategory.tags);
    expect(cachingOf(await call('GET', '/products?currency=EUR&limit=5')).tags).toEqual(all.tags);
  });

  test('has the tag of its state, by which it is asked for anew', async () => {
    const { headers } = await call('GET', '/products/cached');
    const again = await call('GET', '/products/cached', {
      headers: { 'if-none-match': headers['etag'] ?? '' },
    });
    expect([again.status, cachingOf(again)]).toEqual([304, cachingOf({ status: 200, headers, json: {} })]);
  });

  test.each([
    ['asked by a session', '/products/cached', { 'x-tandem-session': '' }],
    ['asked to wait', '/products/cached', { prefer: 'wait=0' }],
    ['of another address', '/products/cached/', {}],
    ['with a query that means nothing', '/products/cached?a=1', {}],
    ['of another entity', '/pictures?limit=1', {}],
  ])('is nothing that is %s', async (_, path, headers) => {
    const { headers: first } = await call('GET', '/products/cached');
    const session = { 'x-tandem-session': first['x-tandem-session'] ?? '' };
    const sent = 'x-tandem-session' in headers ? session : headers;
    const answer = await call('GET', path, { headers: sent });
    expect([answer.status, cachingOf(answer)]).toEqual([200, NOTHING]);
  });

  test('is no answer to a write, and none that says what is wrong', async () => {
    const changed = await call('PATCH', '/products/cached', { token: staff, body: { priceMinor: 5 } });
    expect(cachingOf(changed)).toEqual(NOTHING);
    expect(cachingOf(await call('GET', '/products/nobody'))).toEqual({ ...NOTHING, control: 'no-store' });
    expect(cachingOf(await call('GET', '/products?limit=0'))).toEqual({ ...NOTHING, control: 'no-store' });
  });
});

describe('availability', () => {
  test('is of all of them in the order in which they were asked for, and says neither how much nor where', async () => {
    for (const [sku, total] of [
      ['plenty', 6],
      ['rare', 5],
    ] as const) {
      const body = { book: 'b', total };
      expect((await call('POST', `/inventory/${sku}/receipts`, { token: staff, body })).status).toBe(200);
    }
    expect((await call('GET', '/availability?sku=rare&sku=unknown&sku=plenty')).json).toEqual({
      items: [
        { sku: 'rare', availability: 'few' },
        { sku: 'unknown', availability: 'none' },
        { sku: 'plenty', availability: 'in_stock' },
      ],
    });
  });

  test.each([
    ['none', '', '/query/sku', 'required'],
    ['an empty one', '?sku=', '/query/sku', 'minItems'],
    ['one twice', '?sku=a&sku=a', '/query/sku', 'uniqueItems'],
    ['a pattern', '?sku=a*', '/query/sku/0', 'pattern'],
    ['51', `?${Array.from({ length: 51 }, (_, i) => `sku=s${i}`).join('&')}`, '/query/sku', 'maxItems'],
  ])('refuses %s', async (_, query, pointer, rule) => {
    const { status, json } = await call('GET', `/availability${query}`);
    expect([status, json.errors?.[0]]).toEqual([400, expect.objectContaining({ pointer, rule })]);
  });

  test('takes fifty', async () => {
    const skus = Array.from({ length: 50 }, (_, i) => `sku=s${i}`).join('&');
    expect((await call('GET', `/availability?${skus}`)).json.items).toHaveLength(50);
  });
});
