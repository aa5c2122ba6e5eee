/** Tokens that are good, and every way in which one is not. */
import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import { httpEntry } from '../../src/shared/adapters/aws/entries.ts';
import type { JwtIssuer, ServiceKey } from '../../src/shared/config/config.ts';
import { forCallers } from '../../src/shared/http/authentication.ts';
import type { Caller, HttpRequest } from '../../src/shared/http/route.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { signingKeys } from '../../src/shared/http/signing-keys.ts';
import type { HttpClient } from '../../src/shared/ports/http-client.ts';
import { invokeLambda } from '../helpers/call.ts';

const ISSUER = 'https://issuer.example';
const HOUR_S = 3_600;

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

let keys: Record<'one' | 'two' | 'stranger', Key>;
/** What the issuer shows; undefined while it does not answer. */
let shown: readonly JWK[] | undefined;
let samples: number;
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
let served: number;
const logged: { readonly caller?: string }[] = [];

const client: HttpClient = ({ url }) => {
  samples += 1;
  expect(url.href).toBe(`${ISSUER}/.well-known/jwks.json`);
  return shown === undefined
    ? Promise.reject(new UnavailableError('no answer'))
    : Promise.resolve({ status: 200, headers: {}, body: JSON.stringify({ keys: shown }) });
};

async function makeKey(kid: string, alg = 'RS256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

type Claims = { [Name in keyof JWTPayload]: JWTPayload[Name] | undefined };

const sign = (payload: Claims, key = keys.one, header: object = {}): Promise<string> =>
  new SignJWT({ iss: ISSUER, aud: 'tandem', scope: 'tandem/read', ...payload } as JWTPayload)
    .setProtectedHeader({ alg: 'RS256', kid: key.kid, ...header })
    .setExpirationTime(payload.exp ?? '1 h')
    .sign(key.privateKey);

type Query = (method: string, authorization?: string) => Promise<HttpResponse>;

function service(issuers: readonly JwtIssuer[], serviceKeys: readonly ServiceKey[] = []): Query {
  const handle = (): { status: number; body: object } => {
    served += 1;
    return { status: 200, body: {} };
  };
  const routes = forCallers({ jwtIssuers: issuers, serviceKeys }, client, [
    { method: 'GET', path: '/things', handle },
    { method: 'DELETE', path: '/things', handle },
  ]);
  const logger = { log: (...entry: unknown[]) => void logged.push(entry[2] as { caller?: string }) };
  const entry = httpEntry(httpService({ site: 'aws-us-east-1', routes, logger, elapsed: () => 0 }));
  return (method, authorization) =>
    invokeLambda(entry, {
      method,
      path: '/things',
      headers: authorization === undefined ? {} : { authorization },
    });
}

beforeAll(async () => {
  const [one, two, stranger] = await Promise.all(['one', 'two', 'stranger'].map((kid) => makeKey(kid)));
  keys = { one, two, stranger } as typeof keys;
});

beforeEach(() => {
  shown = [keys.one.jwk];
  samples = 0;
  served = 0;
  logged.length = 0;
});

const plain: JwtIssuer = { issuer: ISSUER, audience: 'tandem' };

describe('without issuers and keys', () => {
  test('everybody may, as ever', async () => {
    expect((await service([])('DELETE')).status).toBe(200);
    expect(samples).toBe(0);
  });
});

describe('the log', () => {
  const caller = async (authorization: string): Promise<string | undefined> => {
    await service([plain], [{ sha256: sha256('a-key'), scopes: ['tandem/read'] }])('DELETE', authorization);
    return logged.at(-1)?.caller;
  };

  test('names who is known, also when it may not', async () => {
    expect(await caller(`Bearer ${await sign({ sub: 'hedy' })}`)).toBe(`hedy of ${ISSUER}`);
    expect(await caller('Bearer a-key')).toBe(`service ${sha256('a-key').slice(0, 8)}`);
  });

  test('names nobody by a token that is not believed', async () => {
    expect(await caller(`Bearer ${await sign({ sub: 'hedy' }, keys.stranger)}`)).toBeUndefined();
  });
});

describe('who asks, as rules see it', () => {
  const OTHER = 'https://other.example';
  const seen = async (
    issuers: readonly JwtIssuer[],
    claims: Claims,
    serviceKeys: readonly ServiceKey[] = [],
    key?: string,
  ): Promise<Partial<Caller> | number> => {
    let caller: Caller | undefined;
    const handle = (request: HttpRequest): { status: number; body: object } => {
      caller = request.caller;
      return { status: 200, body: {} };
    };
    const routes = forCallers({ jwtIssuers: issuers, serviceKeys }, client, [
      { method: 'GET', path: '/things', handle },
    ]);
    const service = httpService({ site: 'a', routes, logger: { log: () => undefined }, elapsed: () => 0 });
    const authorization = `Bearer ${key ?? (await sign(claims))}`;
    const { status } = await invokeLambda(httpEntry(service), {
      method: 'GET',
      path: '/things',
      headers: { authorization },
    });
    return caller ?? status;
  };

  test('is the subject, and every claim as it was signed', async () => {
    expect(await seen([plain], { sub: 'hedy', org: 'acme', roles: ['x'] })).toMatchObject({
      subject: 'hedy',
      scopes: ['tandem/read', 'x'],
      claims: { sub: 'hedy', org: 'acme', iss: ISSUER },
    });
  });

  test.each([
    ['Cognito', { 'custom:org': 'acme', org: 'forged' }, 'custom:org'],
    ['Entra', { tid: 'acme' }, 'tid'],
  ])('has the tenant under one name, whatever %s calls it', async (_issuer, claims, theirs) => {
    const caller = await seen([{ ...plain, claimNames: { org: theirs } }], { sub: 'hedy', ...claims });
    expect((caller as Caller).claims['org']).toBe('acme');
  });

  test('has no claim by a name that the issuer uses for something else', async () => {
    const caller = await seen([{ ...plain, claimNames: { org: 'tid' } }], { sub: 'hedy', org: 'forged' });
    expect((caller as Caller).claims).not.toHaveProperty('org');
  });

  test('is not the subject of another issuer', async () => {
    const two = [plain, { issuer: OTHER, audience: 'tandem' }];
    expect(await seen(two, { sub: 'hedy' })).toMatchObject({ subject: `${ISSUER}|hedy` });
    const named = [
      { ...plain, subjects: '' },
      { issuer: OTHER, audience: 'tandem', subjects: 'shop' },
    ];
    expect(await seen(named, { sub: 'hedy' })).toMatchObject({ subject: 'hedy' });
    expect(await seen(named, { sub: 'shop|hedy' })).toBe(401);
    expect(await seen([plain], { sub: 'service|billing' })).toBe(401);
  });

  test('is a service by its name, which outlives its key, with the claims that it is given', async () => {
    const key = { sha256: sha256('a-key'), scopes: ['tandem/read', 'tandem/any-owner'] };
    const named = { ...key, name: 'billing', claims: { org: 'acme' } };
    expect(await seen([], {}, [named], 'a-key')).toMatchObject({
      subject: 'service|billing',
      scopes: key.scopes,
      claims: { org: 'acme' },
    });
    expect(await seen([], {}, [key], 'a-key')).toMatchObject({
      subject: `service|${key.sha256.slice(0, 32)}`,
      claims: {},
    });
  });
});

describe('a token', () => {
  test('with the scope to read may read, and not write', async () => {
    const query = service([plain]);
    const bearer = `Bearer ${await sign({})}`;
    expect((await query('GET', bearer)).status).toBe(200);
    const refused = await query('DELETE', bearer);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([
      403,
      'Bearer realm="tandem", error="insufficient_scope", scope="tandem/write"',
    ]);
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'forbidden' });
    expect(served).toBe(1);
  });

  test.each([
    ['scope, with others', { scope: 'openid tandem/write' }],
    ['scp, of Entra for people', { scope: '', scp: 'tandem/write' }],
    ['groups of Cognito', { scope: 'aws.cognito.signin.user.admin', 'cognito:groups': ['tandem/write'] }],
    ['roles, of Entra for programs', { scope: '', roles: ['tandem/write'] }],
  ])('says what it may in %s', async (_, claims) => {
    expect((await service([plain])('DELETE', `Bearer ${await sign(claims)}`)).status).toBe(200);
  });

  test('of Cognito is known by its client and its use, having no audience', async () => {
    const cognito: JwtIssuer = { issuer: ISSUER, clientIds: ['app'], claims: { token_use: 'access' } };
    const query = service([cognito]);
    const statusOf = async (claims: JWTPayload): Promise<number> =>
      (await query('GET', `Bearer ${await sign({ aud: undefined, ...claims })}`)).status;
    await expect(statusOf({ client_id: 'app', token_use: 'access' })).resolves.toBe(200);
    await expect(statusOf({ client_id: 'other', token_use: 'access' })).resolves.toBe(401);
    await expect(statusOf({ client_id: 'app', token_use: 'id' })).resolves.toBe(401);
    await expect(statusOf({ token_use: 'access' })).resolves.toBe(401);
  });

  test.each([
    ['client_id that is an object', { client_id: { toString: null } }, 401],
    ['client_id that is a list of the one', { client_id: ['app'] }, 401],
    ['sub that is an object', { client_id: 'app', sub: { toString: null } }, 200],
    ['roles that are objects', { client_id: 'app', roles: [{ toString: null }, 7] }, 200],
    ['scope that is an object', { client_id: 'app', scope: { toString: null } }, 403],
  ])('with a %s is judged by what is text in it', async (_, claims, status) => {
    const query = service([{ issuer: ISSUER, clientIds: ['app'] }]);
    expect((await query('GET', `Bearer ${await sign(claims as unknown as Claims)}`)).status).toBe(status);
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const hmacWith = async (secret: Uint8Array): Promise<string> =>
    new SignJWT({ iss: ISSUER, aud: 'tandem', scope: 'tandem/read' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setExpirationTime('1 h')
      .sign(secret);
  const withPayload = (token: string, change: object): string => {
    const [header, payload = '', signature] = token.split('.');
    const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload))) as object;
    return [header, base64url.encode(JSON.stringify({ ...claims, ...change })), signature].join('.');
  };

  test.each<[string, () => Promise<string> | string]>([
    ['signed by a stranger under a known key id', () => sign({}, { ...keys.stranger, kid: 'one' })],
    ['changed after it was signed', async () => withPayload(await sign({}), { scope: 'tandem/write' })],
    ['that expired', () => sign({ exp: now() - 60 })],
    [
      'without an end',
      async () =>
        new SignJWT({ iss: ISSUER, aud: 'tandem' })
          .setProtectedHeader({ alg: 'RS256', kid: 'one' })
          .sign(keys.one.privateKey),
    ],
    ['not valid yet', () => sign({ nbf: now() + HOUR_S })],
    ['made out to somebody else', () => sign({ aud: 'another' })],
    ['made out to nobody', () => sign({ aud: undefined })],
    ['of an issuer that nobody knows', () => sign({ iss: 'https://evil.example' })],
    ['of an issuer with a slash more', () => sign({ iss: `${ISSUER}/` })],
    [
      'without a signature',
      () => new UnsecuredJWT({ iss: ISSUER, aud: 'tandem' }).setExpirationTime('1 h').encode(),
    ],
    [
      'signed with the public key as a secret',
      async () => hmacWith(new TextEncoder().encode(await exportSPKI(keys.one.publicKey))),
    ],
    ['that brings its own key', async () => sign({}, keys.stranger, { jwk: keys.stranger.jwk })],
    [
      'that says where its key is',
      async () => sign({}, keys.stranger, { jku: 'https://evil.example/jwks.json' }),
    ],
    [
      'with an extension that must be understood',
      () => sign({}, keys.one, { crit: ['exp'] }).catch(() => 'a.b.c'),
    ],
    ['that is none', () => 'not-a-token'],
    ['of three empty parts', () => '..'],
  ])('%s is refused', async (_, make) => {
    const response = await service([plain])('GET', `Bearer ${await make()}`);
    expect([response.status, response.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="tandem", error="invalid_token"',
    ]);
    expect(served).toBe(0);
  });

  test.each([
    ['nothing', undefined],
    ['another scheme', 'Basic b25lOm9uZQ=='],
    ['no token', 'Bearer '],
    ['a token that is too long', `Bearer ${'a'.repeat(6_001)}`],
    ['two tokens', 'Bearer a b'],
  ])('is asked for from who presents %s', async (_, header) => {
    const response = await service([plain])('GET', header);
    expect([response.status, response.headers['www-authenticate']]).toEqual([401, 'Bearer realm="tandem"']);
    expect(served).toBe(0);
  });

  test('a little past its end is still good: clocks differ', async () => {
    expect((await service([plain])('GET', `Bearer ${await sign({ exp: now() - 5 })}`)).status).toBe(200);
  });

  test('of another algorithm is good only where the issuer is said to use it', async () => {
    const key = await makeKey('ed', 'EdDSA');
    shown = [key.jwk];
    const bearer = `Bearer ${await sign({}, key, { alg: 'EdDSA' })}`;
    expect((await service([plain])('GET', bearer)).status).toBe(401);
    expect(samples).toBe(0);
    expect((await service([{ ...plain, algorithms: ['EdDSA'] }])('GET', bearer)).status).toBe(200);
  });
});

describe('the keys of an issuer', () => {
  test('are fetched once for all who come at the same time, and kept', async () => {
    const query = service([plain]);
    const bearer = `Bearer ${await sign({})}`;
    const responses = await Promise.all([1, 2, 3].map(() => query('GET', bearer)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    await query('GET', bearer);
    expect(samples).toBe(1);
  });

  test('that are not to be had mean 503 with Retry-After, never the record', async () => {
    shown = undefined;
    const query = service([plain]);
    const bearer = `Bearer ${await sign({})}`;
    const response = await query('GET', bearer);
    expect([response.status, response.headers['retry-after'], served]).toEqual([503, '2', 0]);
    shown = [keys.one.jwk];
    expect((await query('GET', bearer)).status).toBe(200);
  });

  test('that are no key set mean 503', async () => {
    const query = service([{ ...plain }]);
    shown = 'nonsense' as unknown as JWK[];
    expect((await query('GET', `Bearer ${await sign({})}`)).status).toBe(503);
  });
});

describe('the keys of an issuer, over time', () => {
  /** The check of one key id at a moment; the wall clock stands behind jose's own pauses. */
  function harness() {
    let nowMs = Date.now();
    const resolve = signingKeys(plain, client, () => nowMs);
    return async (afterMs: number, kid: string): Promise<boolean> => {
      nowMs += afterMs;
      try {
        await resolve({ alg: 'RS256', kid }, { payload: '', signature: '' });
        return true;
      } catch {
        return false;
      }
    };
  }
  const TEN_MINUTES_MS = 600_000;

  test('that it has taken back are forgotten after ten minutes', async () => {
    const knows = harness();
    await expect(knows(0, 'one')).resolves.toBe(true);
    shown = [keys.two.jwk];
    await expect(knows(TEN_MINUTES_MS - 1_000, 'one')).resolves.toBe(true);
    await expect(knows(1_000, 'one')).resolves.toBe(false);
    await expect(knows(0, 'two')).resolves.toBe(true);
  });

  test('stay good for a day while it does not answer, and no longer', async () => {
    const knows = harness();
    await expect(knows(0, 'one')).resolves.toBe(true);
    shown = undefined;
    await expect(knows(TEN_MINUTES_MS, 'one')).resolves.toBe(true);
    const requestedBefore = samples;
    await expect(knows(10_000, 'one')).resolves.toBe(true);
    expect(samples).toBe(requestedBefore);
    await expect(knows(24 * 3_600_000 - TEN_MINUTES_MS - 20_000, 'one')).resolves.toBe(true);
    await expect(knows(20_000, 'one')).resolves.toBe(false);
  });

  test('are looked at again when a token comes that a new one has signed, at most every five seconds', async () => {
    const knows = harness();
    await knows(0, 'one');
    shown = [keys.one.jwk, keys.two.jwk];
    await expect(knows(0, 'two')).resolves.toBe(false);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 5_000);
    await expect(Promise.all([knows(0, 'two'), knows(0, 'two')])).resolves.toEqual([true, true]);
    clock.mockRestore();
    await expect(knows(0, 'one')).resolves.toBe(true);
    expect(samples).toBe(2);
  });

  test('are not asked for again by every token with an invented key id', async () => {
    const knows = harness();
    await knows(0, 'one');
    for (const kid of ['x', 'y', 'z']) await expect(knows(0, kid)).resolves.toBe(false);
    expect(samples).toBe(1);
  });
});

describe('a service key', () => {
  const older = { sha256: sha256('older'), scopes: ['tandem/read'] };
  const newer = { sha256: sha256('newer'), scopes: ['tandem/read', 'tandem/write'] };

  test('works beside another while it is being replaced, each with its scopes', async () => {
    const query = service([], [older, newer]);
    const statuses = await Promise.all(
      ['older', 'newer', 'other'].flatMap((key) => [
        query('GET', `Bearer ${key}`),
        query('DELETE', `Bearer ${key}`),
      ]),
    );
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 200, 200, 401, 401]);
  });

  test('works beside tokens', async () => {
    const query = service([plain], [newer]);
    expect((await query('DELETE', 'Bearer newer')).status).toBe(200);
    expect((await query('GET', `Bearer ${await sign({})}`)).status).toBe(200);
  });

  test('is not its digest', async () => {
    expect((await service([], [newer])('GET', `Bearer ${newer.sha256}`)).status).toBe(401);
  });
});

describe('headers', () => {
  test('that are too large, all together, are refused before anything is looked at', async () => {
    const response = await service([plain])('GET', `Bearer ${'a'.repeat(10_241)}`);
    expect(response.status).toBe(431);
    expect(JSON.parse(response.text)).toMatchObject({ code: 'headers_too_large' });
    expect(samples).toBe(0);
  });
});
