/** Who may read and write records, with the local issuer. Runs once per cloud: the answers are the same. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AUDIENCE } from '@tandem-clouds/emulators/oidc/protocol';
import { queryToken } from '@tandem-clouds/emulators/oidc/request-token';
import { type Issuer, ROTATE_PATH, startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { cloudName } from '#cloud';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

let cloud: TestCloud;
let issuer: Issuer;
let call: CallApi;
let restore: () => void;
const SERVICE_KEY = 'a-service-key';
const OTHER_KEY = 'another-service-key';

beforeAll(async () => {
  [cloud, issuer] = await Promise.all([startCloud(cloudName), startIssuer()]);
  const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
  restore = setEnvironment({
    ...cloud.env,
    TANDEM_JWT_ISSUERS: JSON.stringify([{ issuer: issuer.url, audience: AUDIENCE }]),
    TANDEM_SERVICE_KEYS: JSON.stringify([
      { sha256: sha256(SERVICE_KEY), scopes: ['tandem/read'] },
      { sha256: sha256(OTHER_KEY), scopes: ['tandem/write'] },
    ]),
  });
  call = await openApi();
});

afterAll(async () => {
  restore();
  await Promise.all([cloud.close(), issuer.close()]);
});

const as = async (
  token: Promise<string> | string,
  method: string,
  path: string,
  body?: object,
): Promise<Response> =>
  call(method, path, {
    headers: { authorization: `Bearer ${await token}` },
    ...(body !== undefined && { body }),
  });

describe('where issuers are configured', () => {
  test('a token with the scopes writes and reads, at every route', async () => {
    const token = await queryToken(issuer.url);
    const user = { userId: 'hedy', name: 'Hedy', email: 'hedy@example.com' };
    expect((await as(token, 'POST', '/users', user)).status).toBe(201);
    expect((await as(token, 'GET', '/users/hedy')).status).toBe(200);
    expect((await as(token, 'POST', '/write', { id: 'a', data: {} })).status).toBe(201);
    expect((await as(token, 'GET', '/items/a')).status).toBe(200);
  });

  test('without one, nothing is read and nothing written', async () => {
    for (const [method, path, body] of [
      ['GET', '/users', undefined],
      ['HEAD', '/users/hedy', undefined],
      ['POST', '/user', { name: 'X' }],
      ['PATCH', '/users/hedy', { name: 'X' }],
      ['DELETE', '/users/hedy', undefined],
      ['POST', '/write', { id: 'b', data: {} }],
      ['GET', '/items/a', undefined],
    ] as const) {
      const response = await call(method, path, { ...(body && { body }) });
      expect([method, path, response.status, response.headers['www-authenticate']]).toEqual([
        method,
        path,
        401,
        'Bearer realm="tandem"',
      ]);
    }
  });

  test('a scope is for what it says', async () => {
    const reader = queryToken(issuer.url, 'tandem/read');
    expect((await as(reader, 'GET', '/items/a')).status).toBe(200);
    const refused = await as(reader, 'POST', '/write', { id: 'c', data: {} });
    expect([refused.status, refused.json['code'], refused.headers['www-authenticate']]).toEqual([
      403,
      'forbidden',
      'Bearer realm="tandem", error="insufficient_scope", scope="tandem/write"',
    ]);
  });

  test('a service key is known by its digest', async () => {
    expect((await as(SERVICE_KEY, 'GET', '/items/a')).status).toBe(200);
    expect((await as(SERVICE_KEY, 'DELETE', '/users/hedy')).status).toBe(403);
  });

  test('an Idempotency-Key belongs to its caller', async () => {
    const body = { data: { of: 'the issuer' } };
    const keyed = async (bearer: string): Promise<Response> =>
      call('POST', '/write', {
        body,
        headers: { authorization: `Bearer ${bearer}`, 'idempotency-key': 'k' },
      });
    const token = await queryToken(issuer.url);
    const [first, again, others] = [await keyed(token), await keyed(token), await keyed(OTHER_KEY)];
    expect([first.status, again.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(again.json['id']).toBe(first.json['id']);
    expect([others.status, others.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect(others.json['id']).not.toBe(first.json['id']);
  });

  test('a forged token is refused before its body is looked at', async () => {
    const [header, payload] = (await queryToken(issuer.url)).split('.');
    const response = await call('POST', '/users', {
      headers: { authorization: `Bearer ${header ?? ''}.${payload ?? ''}.AAAA` },
      body: 'no JSON',
    });
    expect([response.status, response.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="tandem", error="invalid_token"',
    ]);
  });

  test('tokens of before and after a change of keys are both good', async () => {
    const before = await queryToken(issuer.url);
    await fetch(issuer.url + ROTATE_PATH, { method: 'POST' });
    const statuses = await Promise.all(
      [1, 2, 3].map(async () => (await as(before, 'GET', '/items/a')).status),
    );
    expect(statuses).toEqual([200, 200, 200]);
  });

  test('health, region and a preflight ask for nothing', async () => {
    for (const path of ['/health', '/region']) expect((await call('GET', path)).status).toBe(200);
    expect((await call('OPTIONS', '/users', { headers: { origin: 'https://app.example' } })).status).toBe(
      204,
    );
  });

  test('more headers than the narrower gateway takes are refused', async () => {
    const response = await call('GET', '/health', { headers: { 'x-large': 'a'.repeat(10_240) } });
    expect([response.status, response.json['code']]).toEqual([431, 'headers_too_large']);
  });
});
