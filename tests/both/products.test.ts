/** What a shop shows, and who may change it, with the local issuer. Runs once per cloud. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AUDIENCE } from '@tandem-clouds/emulators/oidc/protocol';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { type Issuer, startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { cloudName } from '#cloud';
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
});

afterAll(async () => {
  restore();
  await Promise.all([cloud.close(), issuer.close()]);
});

interface Answer {
  readonly status: number;
  readonly json: {
    readonly code?: string;
    readonly items?: readonly unknown[];
    readonly errors?: readonly { readonly pointer: string; readonly rule: string }[];
  };
}

async function call(
  method: string,
  path: string,
  { token, body }: { readonly token?: string; readonly body?: object } = {},
): Promise<Answer> {
  const [, name = ''] = path.split(/[/?]/);
  const { status, text } = await invoke(handlers.get(name), {
    method,
    path,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });
  return { status, json: JSON.parse(text || '{}') as Answer['json'] };
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
