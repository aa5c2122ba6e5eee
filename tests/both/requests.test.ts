/** What a client can ask of one request. Runs once per cloud, with the other cloud as its peer. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { durabilityWaitMs, sessionWaitMs } from '@tandem-clouds/replication/bounds';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import { user } from '../../src/shared/entities/user.ts';
import { keyedRequest } from '../../src/shared/http/idempotency.ts';
import { sessionToken } from '../../src/shared/http/session.ts';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { deliver, type Delivery } from '../helpers/call.ts';
import { checkUser } from '../helpers/check-user.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { TestSite } from '../helpers/test-site.ts';

let clouds: LinkedClouds;
let call: CallApi;
let apply: unknown;
let forward: unknown;
let store: Store;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  store = openStore(loadConfig(cloudName, clouds.env), noEntries);
  call = await openApi();
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
  ({ handler: forward } = await import('../../src/bridge/forward.ts'));
});

afterAll(() => clouds.close());

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };

let key = '';
beforeEach(() => {
  key = randomUUID();
});

/** The other site, in memory: what it writes reaches this one when `cross` is called. */
function peerSite(): { users: EntityService; site: TestSite; cross: () => Promise<void> } {
  const site = new TestSite(clouds.peer.site, [clouds.own.site]);
  site.nowMs = Date.now();
  const cross = async (): Promise<void> => {
    const messages: Delivery[] = site.outbox.sent.splice(0).map(({ body }) => ({ body }));
    expect(await deliver(cloudName, apply, messages)).toEqual([]);
  };
  return { users: new EntityService(user, site.replica(), checkUser), site, cross };
}

const keyed = (): { 'idempotency-key': string } => ({ 'idempotency-key': key });
/** The same request as the HTTP layer of the other site would read it. */
const keyedAtPeer = (body: object): ReturnType<typeof keyedRequest> =>
  keyedRequest('user', { headers: keyed(), body } as unknown as Parameters<typeof keyedRequest>[1]);

describe(`idempotent requests on ${cloudName}`, () => {
  test.each([
    ['/users', ADA],
    ['/user', ADA],
    ['/write', { data: { n: 1 } }],
  ])('POST %s sent twice creates once and answers as the first time', async (path, body) => {
    const first = await call('POST', path, { body, headers: keyed() });
    const again = await call('POST', path, { body, headers: keyed() });
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect([again.json, again.headers['location']]).toEqual([first.json, first.headers['location']]);
    expect(first.json['id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('retries at the same time create one thing', async () => {
    const responses = await Promise.all(
      Array.from({ length: 6 }, () => call('POST', '/users', { body: ADA, headers: keyed() })),
    );
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 201));
    expect(new Set(responses.map(({ text }) => text)).size).toBe(1);
    const first = responses.filter(({ headers }) => headers['idempotency-replayed'] === undefined);
    expect(first).toHaveLength(1);
  });

  test('the order of the names in a body makes no difference, another value does', async () => {
    await call('POST', '/users', { body: ADA, headers: keyed() });
    const swapped = { email: ADA.email, name: ADA.name };
    expect((await call('POST', '/users', { body: swapped, headers: keyed() })).status).toBe(201);
    const other = await call('POST', '/users', { body: { ...ADA, name: 'Grace' }, headers: keyed() });
    expect([other.status, other.json['code']]).toEqual([422, 'idempotency_mismatch']);
  });

  test('a key in quotes is the same key, and another path is another request', async () => {
    const quoted = { 'idempotency-key': `"${key}"` };
    const bare = await call('POST', '/users', { body: ADA, headers: keyed() });
    const again = await call('POST', '/users', { body: ADA, headers: quoted });
    expect([again.headers['idempotency-replayed'], again.json['id']]).toEqual(['true', bare.json['id']]);
    const item = await call('POST', '/write', { body: { data: {} }, headers: keyed() });
    expect([item.status, item.json['id'] === bare.json['id']]).toEqual([201, false]);
  });

  test.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
    ['with a space', 'a b'],
    ['outside ASCII', 'clé'],
    ['with a quote too few', '"abc'],
  ])('a key that is %s is refused', async (_, bad) => {
    const { status, json } = await call('POST', '/users', { body: ADA, headers: { 'idempotency-key': bad } });
    expect([status, json['code']]).toEqual([400, 'malformed']);
  });

  test('a retry after a change answers with the record as it is now', async () => {
    const { json } = await call('POST', '/users', { body: ADA, headers: keyed() });
    await call('PATCH', `/users/${json['id'] as string}`, { body: { name: 'Countess' } });
    const again = await call('POST', '/users', { body: ADA, headers: keyed() });
    expect([again.status, again.json['name']]).toEqual([201, 'Countess']);
  });

  test('a retry after a delete does not bring it back', async () => {
    const { json } = await call('POST', '/users', { body: ADA, headers: keyed() });
    const path = `/users/${json['id'] as string}`;
    await call('DELETE', path);
    const again = await call('POST', '/users', { body: ADA, headers: keyed() });
    expect([again.status, again.json['code']]).toEqual([410, 'gone']);
    expect((await call('GET', path)).status).toBe(404);
  });

  test('a write under an id of the client is repeated as what it was: creation or replacement', async () => {
    const id = `own-${key}`;
    const create = { body: { id, data: { n: 1 } }, headers: keyed() };
    const replace = { body: { id, data: { n: 2 } }, headers: { 'idempotency-key': `${key}-2` } };
    const statuses: number[] = [];
    for (const request of [create, replace, create, replace]) {
      statuses.push((await call('POST', '/write', request)).status);
    }
    expect(statuses).toEqual([201, 200, 201, 200]);
    expect((await call('GET', `/items/${id}`)).json['data']).toEqual({ n: 2 });
  });

  test('what the other site has created is not created again here', async () => {
    const { users, cross } = peerSite();
    const { record } = await users.create(ADA, { request: keyedAtPeer(ADA) });
    await cross();
    const here = await call('POST', '/users', { body: ADA, headers: keyed() });
    expect([here.status, here.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(`user:${here.json['id'] as string}`).toBe(record.key);
    const other = await call('POST', '/users', { body: { ...ADA, name: 'Grace' }, headers: keyed() });
    expect(other.status).toBe(422);
  });

  test('created at both sites before either has crossed, it is one record afterwards', async () => {
    const { users, cross } = peerSite();
    const here = await call('POST', '/users', { body: ADA, headers: keyed() });
    const { record } = await users.create(ADA, { request: keyedAtPeer(ADA) });
    await cross();
    const held = (await store.get(record.key))?.record;
    expect(Object.keys(held?.state.vector ?? {}).sort()).toEqual([clouds.own.site, clouds.peer.site].sort());
    const again: Response = await call('POST', '/users', { body: ADA, headers: keyed() });
    expect([again.status, again.json['id']]).toEqual([201, here.json['id']]);
  });
});

describe(`the session guarantee on ${cloudName}`, () => {
  const token = ({ headers }: Response): { 'x-tandem-session': string } => ({
    'x-tandem-session': headers['x-tandem-session'] ?? '',
  });

  test('every write answers with a token, and a read at the same site heeds it at once', async () => {
    const created = await call('POST', '/users', { body: ADA });
    const path = `/users/${created.json['id'] as string}`;
    const changed = await call('PATCH', path, { body: { name: 'Countess' } });
    expect((await call('GET', path, { headers: token(changed) })).json).toEqual(changed.json);
    const deleted = await call('DELETE', path);
    expect((await call('GET', path, { headers: token(deleted) })).status).toBe(404);
    const item = await call('POST', '/write', { body: { data: {} } });
    const read = await call('GET', `/items/${item.json['id'] as string}`, { headers: token(item) });
    expect([read.status, token(read)]).toEqual([200, token(item)]);
  });

  test('a read waits for what the other site has written, and answers when it is applied', async () => {
    const { users, cross } = peerSite();
    const { record } = await users.create({ ...ADA, userId: `wait-${key}` }, {});
    const headers = { 'x-tandem-session': sessionToken(record) };
    const read = call('GET', `/users/wait-${key}`, { headers });
    const list = call('GET', `/users?limit=100`, { headers });
    expect((await call('GET', `/users/wait-${key}`)).status).toBe(404);
    await cross();
    expect([(await read).status, (await read).json]).toMatchObject([200, ADA]);
    expect((await list).json['items']).toContainEqual((await read).json);
  });

  test('a read of what never arrives is refused in bounded time, with a time to wait', async () => {
    const { users } = peerSite();
    const { record } = await users.create({ ...ADA, userId: `never-${key}` }, {});
    const headers = { 'x-tandem-session': sessionToken(record) };
    const startMs = performance.now();
    const responses = await Promise.all([
      call('GET', `/users/never-${key}`, { headers }),
      call('GET', '/users', { headers }),
    ]);
    for (const { status, json, headers: responded } of responses) {
      expect([status, json['code'], responded['retry-after']]).toEqual([503, 'not_yet_here', '2']);
    }
    expect(performance.now() - startMs).toBeLessThan(2 * sessionWaitMs);
  });

  test('a token that no site can have given out is refused at once', async () => {
    const forged = (site: string, ms: number): string => {
      const text = `user:forged-${key} ${encodeStamp(ms, 0, site)}`;
      return Buffer.from(text).toString('base64url');
    };
    const startMs = performance.now();
    for (const token of [
      forged(clouds.peer.site, Date.now() + 30 * 86_400_000),
      forged('gcp-europe', Date.now()),
    ]) {
      for (const path of [`/users/forged-${key}`, '/users']) {
        const { status, json } = await call('GET', path, { headers: { 'x-tandem-session': token } });
        expect([path, status, json['code']]).toEqual([path, 400, 'malformed']);
      }
    }
    expect(performance.now() - startMs).toBeLessThan(sessionWaitMs / 2);
  });

  test('a malformed token is the client’s mistake', async () => {
    for (const path of ['/users', '/users/none', '/items/none']) {
      expect((await call('GET', path, { headers: { 'x-tandem-session': 'no token' } })).status).toBe(400);
    }
  });

  test('a browser page may read and send the token', async () => {
    const headers = { origin: 'https://app.example' };
    const response = await call('GET', '/users', { headers });
    expect(response.headers['access-control-expose-headers']).toContain('X-Tandem-Session');
    const preflight = await call('OPTIONS', '/users', {
      headers: { ...headers, 'access-control-request-method': 'GET' },
    });
    expect(preflight.headers['access-control-allow-headers']).toContain('X-Tandem-Session');
  });
});

describe(`durability per request on ${cloudName}`, () => {
  const PREFER = { prefer: 'durability=all' };

  /** Lets the site's own queue be emptied by `forward`, as its trigger does, while `act` runs. */
  async function forwarding<T>(act: () => Promise<T>): Promise<T> {
    let running = true;
    const pump = async (): Promise<void> => {
      while (running) {
        const messages = await clouds.own.take('tandem-out');
        if (messages.length > 0) await deliver(cloudName, forward, messages);
      }
    };
    const pumping = pump();
    try {
      return await act();
    } finally {
      running = false;
      await pumping;
    }
  }

  test('every kind of write is confirmed once the other cloud’s queue has it', async () => {
    const {
      user: created,
      changed,
      deleted,
      item,
    } = await forwarding(async () => {
      const user = await call('POST', '/users', { body: ADA, headers: PREFER });
      const path = `/users/${user.json['id'] as string}`;
      return {
        user,
        changed: await call('PATCH', path, { body: { name: 'Countess' }, headers: PREFER }),
        deleted: await call('DELETE', path, { headers: PREFER }),
        item: await call('POST', '/write', { body: { data: {} }, headers: PREFER }),
      };
    });
    const responses = [created, changed, deleted, item];
    expect(responses.map(({ status }) => status)).toEqual([201, 200, 204, 201]);
    for (const { headers } of responses) expect(headers['preference-applied']).toBe('durability=all');
    const record = (await store.get(`item:${item.json['id'] as string}`))?.record;
    expect(record?.pending).toEqual({});
  });

  test('a write that the other cloud does not take in time stands, and the answer is 202', async () => {
    clouds.peer.queueFaults.set([{ kind: 'error' }]);
    const startMs = performance.now();
    const response = await forwarding(() => call('POST', '/users', { body: ADA, headers: PREFER }));
    clouds.peer.queueFaults.clear();
    expect([response.status, response.headers['preference-applied']]).toEqual([202, undefined]);
    expect(performance.now() - startMs).toBeLessThan(durabilityWaitMs + 10_000);
    expect((await call('GET', `/users/${response.json['id'] as string}`)).json).toEqual(response.json);
  });

  test('a write that does not ask is answered without waiting', async () => {
    const headers = { prefer: 'respond-async, durability=local' };
    const response = await call('POST', '/users', { body: ADA, headers });
    expect([response.status, response.headers['preference-applied']]).toEqual([201, undefined]);
    expect((await store.get(`user:${response.json['id'] as string}`))?.record.pending).not.toEqual({});
  });
});
