/** The contract of the HTTP API. Runs once per cloud with that cloud's adapters, over its emulators. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import { cloudName } from '#cloud';
import { bodyBytesMax } from '../../src/shared/bounds.ts';
import { type CallApi, openApi } from '../helpers/api.ts';
import type { Call } from '../helpers/call.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const PEER = {
  site: cloudName === 'aws' ? 'azure-eastus' : 'aws-us-east-1',
  cloud: 'aws',
  region: 'us-east-1',
  url: 'http://127.0.0.1:1',
  inbox: 'http://127.0.0.1:1/q',
  verify: 'http://127.0.0.1:1/v',
};

let cloud: TestCloud;
let restore: () => void;
let call: CallApi;

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  restore = setEnvironment({ ...cloud.env, TANDEM_PEERS: JSON.stringify([PEER]), TANDEM_LOG_LEVEL: 'error' });
  call = await openApi();
});

afterAll(async () => {
  restore();
  await cloud.close();
});

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com', metadata: { plan: 'pro', tags: ['x'] } };
const create = async (body: object = ADA): Promise<string> =>
  (await call('POST', '/users', { body })).json['userId'] as string;

describe(`on ${cloudName}`, () => {
  test('says which cloud, region and site answers', async () => {
    const { json, headers } = await call('GET', '/region');
    expect(json).toEqual({
      cloud: cloudName,
      region: cloud.env['TANDEM_REGION'],
      site: cloud.site,
      status: 'ok',
    });
    expect(headers['x-tandem-site']).toBe(cloud.site);
  });

  describe('health', () => {
    test('shallow health needs no dependency', async () => {
      cloud.storeFaults.set([{ kind: 'error' }]);
      expect((await call('GET', '/health')).status).toBe(200);
      cloud.storeFaults.clear();
    });

    test('a silent peer degrades the site and leaves it in rotation', async () => {
      const { status, json } = await call('GET', '/health/deep');
      expect([status, json['status']]).toEqual([200, 'degraded']);
      expect(json['checks']).toMatchObject({
        store: { ok: true },
        queue: { ok: true },
        peers: { [PEER.site]: { ok: false } },
      });
    });

    test('a failing store takes the site out of rotation', async () => {
      cloud.storeFaults.set([{ kind: 'error' }]);
      const { json } = await waitUntil('what was found before to be forgotten', async () => {
        const response = await call('GET', '/health/deep');
        return response.status === 503 ? response : undefined;
      });
      cloud.storeFaults.clear();
      expect(json['status']).toBe('unavailable');
    });
  });

  describe('users', () => {
    test('are created, read, changed and deleted', async () => {
      const created = await call('POST', '/users', { body: ADA });
      const id = created.json['userId'] as string;
      expect(created.status).toBe(201);
      expect(created.headers['location']).toBe(`/users/${id}`);
      expect(created.json).toMatchObject({ ...ADA, id });
      const read = await call('GET', `/users/${id}`);
      expect([read.json, read.headers['etag']]).toEqual([created.json, created.headers['etag']]);
      const changed = await call('PATCH', `/users/${id}`, { body: { name: 'Countess', metadata: null } });
      const { metadata: _, ...rest } = created.json;
      expect(changed.json).toEqual({ ...rest, name: 'Countess' });
      expect(changed.headers['etag']).not.toBe(created.headers['etag']);
      expect((await call('DELETE', `/users/${id}`)).status).toBe(204);
      expect((await call('GET', `/users/${id}`)).status).toBe(404);
      expect((await call('PATCH', `/users/${id}`, { body: { name: 'x' } })).status).toBe(404);
      expect((await call('DELETE', `/users/${id}`)).status).toBe(404);
    });

    test('have labels that are added and removed, and sign-ins that are counted', async () => {
      const created = await call('POST', '/users', { body: { ...ADA, labels: ['new'] } });
      expect(created.json).toMatchObject({ labels: ['new'], signIns: 0 });
      const path = `/users/${created.json['userId'] as string}`;
      const patch = async (body: object): Promise<unknown> => {
        const { json } = await call('PATCH', path, { body });
        return { labels: json['labels'], signIns: json['signIns'] };
      };
      expect(await patch({ labels: { add: ['beta'], remove: ['new'] }, signIns: { increment: 2 } })).toEqual({
        labels: ['beta'],
        signIns: 2,
      });
      expect(await patch({ labels: ['beta', 'pro'], signIns: { increment: -1 } })).toEqual({
        labels: ['beta', 'pro'],
        signIns: 1,
      });
      expect(await patch({ labels: null })).toEqual({ labels: [], signIns: 1 });
    });

    test('an increment with an Idempotency-Key counts once, however often it is sent', async () => {
      const id = await create(ADA);
      const send = (): ReturnType<typeof call> =>
        call('PATCH', `/users/${id}`, {
          body: { signIns: { increment: 1 } },
          headers: { 'idempotency-key': `sign-in-${id}` },
        });
      const [first, second] = [await send(), await send()];
      expect([first.json['signIns'], second.json['signIns']]).toEqual([1, 1]);
      expect(second.headers['idempotency-replayed']).toBe('true');
    });

    test.each([
      [{ signIns: 5 }, '/signIns'],
      [{ signIns: { increment: 1.5 } }, '/signIns/increment'],
      [{ labels: { put: ['x'] } }, '/labels'],
    ])('a change %j is refused with the field that is wrong', async (body, pointer) => {
      const id = await create(ADA);
      const { status, json } = await call('PATCH', `/users/${id}`, { body });
      expect(status).toBe(400);
      expect(JSON.stringify(json['errors'])).toContain(`"${pointer}`);
    });

    test('can be created at /user as well, under an id of the client', async () => {
      const { status, json } = await call('POST', '/user', { body: { ...ADA, userId: 'chosen-1' } });
      expect([status, json['userId']]).toEqual([201, 'chosen-1']);
    });

    test('a deleted id can be used again, without what it held before', async () => {
      const id = await create({ ...ADA, userId: 'again-1' });
      await call('DELETE', `/users/${id}`);
      const { status, json } = await call('POST', '/users', {
        body: { userId: id, name: 'New', email: 'n@example.com' },
      });
      expect(status).toBe(201);
      expect(json).not.toHaveProperty('metadata');
    });

    test('every write is published as an event of the schema, with its marker kept', async () => {
      while ((await cloud.take('tandem-out')).length > 0);
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const id = (await call('POST', '/users', { body: ADA, headers: { traceparent } })).json['id'] as string;
      const [message] = await cloud.take('tandem-out');
      const event = JSON.parse(message?.body ?? '') as ReplicationEvent;
      expect(event).toMatchObject({
        source: cloud.site,
        type: 'user.created',
        key: `user:${id}`,
        payload: ADA,
        traceparent,
      });
    });

    test('are listed in order, page by page, without those deleted', async () => {
      const ids = ['list-c', 'list-a', 'list-b', 'list-d', 'list-e'];
      for (const userId of ids) await create({ ...ADA, userId });
      await call('DELETE', '/users/list-c');
      const seen: string[] = [];
      let query = '?limit=2';
      for (let pages = 0; pages < 50; pages += 1) {
        const { json } = await call('GET', `/users${query}`);
        seen.push(...(json['items'] as { userId: string }[]).map(({ userId }) => userId));
        if (json['cursor'] === undefined) break;
        query = `?limit=2&cursor=${json['cursor'] as string}`;
      }
      expect(seen).toEqual([...seen].sort());
      expect(seen.filter((id) => id.startsWith('list-'))).toEqual(['list-a', 'list-b', 'list-d', 'list-e']);
    });
  });

  describe('items', () => {
    test('are created, replaced and read', async () => {
      const body = { id: 'greeting', data: { text: 'hello' } };
      const created = await call('POST', '/write', { body });
      expect([created.status, created.headers['location']]).toEqual([201, '/items/greeting']);
      const replaced = await call('POST', '/write', { body: { ...body, data: { n: 2 } } });
      expect([replaced.status, replaced.json['data']]).toEqual([200, { n: 2 }]);
      expect(replaced.json['createdAt']).toBe(created.json['createdAt']);
      expect((await call('GET', '/items/greeting')).json).toEqual(replaced.json);
    });

    test('hold every character there is, in values and in names', async () => {
      const text =
        '\u0000 \u0001 \u001F \u007F \u0085 \u2028 \uFDD0 \uFEFF \uFFFD \uFFFE \uFFFF \u{1F680} \u{1FFFE} \u{10FFFF}';
      const data = { [text]: [text, { [`deep ${text}`]: text }] };
      const { status, json } = await call('POST', '/write', { body: { data } });
      expect(status).toBe(201);
      expect((await call('GET', `/items/${json['id'] as string}`)).json['data']).toEqual(data);
    });

    test('with a time to live say when they expire', async () => {
      const { json } = await call('POST', '/write', { body: { data: {}, ttlSeconds: 3600 } });
      const leftMs = Date.parse(json['expiresAt'] as string) - Date.now();
      expect(leftMs).toBeGreaterThan(3_590_000);
      expect(leftMs).toBeLessThanOrEqual(3_601_000);
      expect((await call('GET', `/items/${json['id'] as string}`)).status).toBe(200);
    });

    test('are gone once they have expired, and the id is free again', async () => {
      await call('POST', '/write', { body: { id: 'brief', data: { first: true }, ttlSeconds: 1 } });
      await waitUntil('the item expires', async () =>
        (await call('GET', '/items/brief')).status === 404 ? true : undefined,
      );
      const again = await call('POST', '/write', { body: { id: 'brief', data: { second: true } } });
      expect([again.status, again.json]).toMatchObject([201, { data: { second: true } }]);
      expect(again.json).not.toHaveProperty('expiresAt');
    });

    test('are listed in the order of their ids, page by page, without what is gone', async () => {
      const ids = ['list-a', 'list-b', 'list-c', 'list-d'];
      for (const id of ids) await call('POST', '/write', { body: { id, data: { id } } });
      expect((await call('DELETE', '/items/list-b')).status).toBe(204);
      const listed: unknown[] = [];
      await waitUntil('the index to know them', async () => {
        listed.length = 0;
        for (let path = '/items?limit=2'; path !== '';) {
          const { status, json, headers } = await call('GET', path);
          expect(status).toBe(200);
          listed.push(...(json['items'] as { id: string }[]));
          path = /<([^>]+)>; rel="next"/.exec(headers['link'] ?? '')?.[1] ?? '';
        }
        const found = listed.map((item) => (item as { id: string }).id);
        return ['list-a', 'list-c', 'list-d'].every((id) => found.includes(id)) && !found.includes('list-b');
      });
      expect(listed).toContainEqual((await call('GET', '/items/list-c')).json);
      const found = listed.map((item) => (item as { id: string }).id);
      expect(found).toEqual([...new Set(found)].sort());
      expect((await call('GET', '/items?limit=0')).status).toBe(400);
    });

    test('are deleted in the state that the client saw, once, and the id is free again', async () => {
      const { headers } = await call('POST', '/write', { body: { id: 'gone', data: { n: 1 } } });
      await call('POST', '/write', { body: { id: 'gone', data: { n: 2 } } });
      const stale = { 'if-match': headers['etag'] ?? '' };
      expect((await call('DELETE', '/items/gone', { headers: stale })).status).toBe(412);
      const deleted = await call('DELETE', '/items/gone');
      expect([deleted.status, deleted.text]).toEqual([204, '']);
      expect(deleted.headers['x-tandem-session']).toBeDefined();
      for (const method of ['GET', 'DELETE']) expect((await call(method, '/items/gone')).status).toBe(404);
      expect((await call('DELETE', '/items/never')).status).toBe(404);
      expect((await call('POST', '/write', { body: { id: 'gone', data: { n: 3 } } })).status).toBe(201);
    });

    test('are not replaced when only a creation was asked for', async () => {
      const body = { id: 'once', data: {} };
      const headers = { 'if-none-match': '*' };
      expect((await call('POST', '/write', { body, headers })).status).toBe(201);
      expect((await call('POST', '/write', { body, headers })).status).toBe(412);
    });
  });

  describe('preconditions', () => {
    test('a stale If-Match changes nothing', async () => {
      const created = await call('POST', '/users', { body: ADA });
      const path = `/users/${created.json['id'] as string}`;
      const stale = { 'if-match': created.headers['etag'] ?? '' };
      const changed = await call('PATCH', path, { body: { name: 'B' }, headers: stale });
      expect(changed.status).toBe(200);
      expect((await call('PATCH', path, { body: { name: 'C' }, headers: stale })).status).toBe(412);
      expect((await call('DELETE', path, { headers: stale })).status).toBe(412);
      expect((await call('DELETE', path, { headers: { 'if-match': '*' } })).status).toBe(204);
    });

    test('a client that holds the state gets 304', async () => {
      const { json, headers } = await call('POST', '/users', { body: ADA });
      const read = await call('GET', `/users/${json['id'] as string}`, {
        headers: { 'if-none-match': headers['etag'] ?? '' },
      });
      expect([read.status, read.text, read.headers['etag']]).toEqual([304, '', headers['etag']]);
    });

    test('a malformed If-Match is the client’s mistake', async () => {
      const id = await create();
      expect((await call('DELETE', `/users/${id}`, { headers: { 'if-match': 'no-quotes' } })).status).toBe(
        400,
      );
    });
  });

  describe('bad input', () => {
    const status = async (
      method: string,
      path: string,
      rest?: Omit<Call, 'method' | 'path'>,
    ): Promise<number> => (await call(method, path, rest)).status;

    test('malformed JSON', async () => {
      const { status, json } = await call('POST', '/users', { body: '{"name":' });
      expect([status, json['code']]).toEqual([400, 'malformed']);
      expect(await call('POST', '/users', { body: '' })).toMatchObject({ status: 400 });
    });

    test('half of a surrogate pair, in a value or in a name, which is no Unicode text', async () => {
      const { status, json } = await call('POST', '/write', {
        body: '{"data":{"a":["ok","\\ud800"],"b":{"x\\udc00y":1},"c":"\\ud83d\\ude80"}}',
      });
      expect(status).toBe(400);
      expect(json).toMatchObject({
        code: 'invalid',
        errors: [
          { pointer: '/data/a/1', rule: 'unicode' },
          { pointer: '/data/b/x\uFFFDy', rule: 'unicode' },
        ],
      });
    });

    test('every broken rule is named at once', async () => {
      const body = { name: '', email: 'nobody', surname: 'x', metadata: 3, userId: '../etc' };
      const { status, json } = await call('POST', '/users', { body });
      expect([status, json['code']]).toEqual([400, 'invalid']);
      const rules = (json['errors'] as { pointer: string; rule: string }[]).map(
        ({ pointer, rule }) => `${pointer} ${rule}`,
      );
      expect(rules.sort()).toEqual([
        '/email format',
        '/metadata type',
        '/name minLength',
        '/surname additionalProperties',
        '/userId pattern',
      ]);
      expect(await call('POST', '/users', { body: {} })).toMatchObject({
        json: {
          errors: [
            { pointer: '/name', rule: 'required' },
            { pointer: '/email', rule: 'required' },
          ],
        },
      });
    });

    test('a body that is no object, and one that tries to reach a prototype', async () => {
      for (const body of [
        'null',
        '[]',
        '"x"',
        '3',
        '{"__proto__":{"admin":true},"name":"a","email":"a@b.co"}',
      ]) {
        expect(await status('POST', '/users', { body })).toBe(400);
      }
    });

    test('an empty change, and one of a field that must stay', async () => {
      const id = await create();
      expect(await status('PATCH', `/users/${id}`, { body: {} })).toBe(400);
      expect(await status('PATCH', `/users/${id}`, { body: { name: null } })).toBe(400);
      expect(await status('PATCH', `/users/${id}`, { body: { userId: 'other' } })).toBe(400);
    });

    test('unknown ids', async () => {
      for (const id of ['none', '%20', 'a%2Fb', '-x', 'é', 'x'.repeat(300)]) {
        expect(await status('GET', `/users/${id}`)).toBe(404);
      }
      expect(await status('GET', '/items/none')).toBe(404);
      expect(await status('GET', '/users/%E0%A4%A')).toBe(404);
    });

    test('unknown routes', async () => {
      for (const path of ['/', '/nothing', '/users/a/b', '/regions', '/items/a/b', '/__proto__']) {
        const { status: code, json } = await call('GET', path);
        expect([path, code, json['code']]).toEqual([path, 404, 'route_not_found']);
      }
    });

    test('wrong methods, with those allowed', async () => {
      const allow = async (method: string, path: string): Promise<string | undefined> => {
        const response = await call(method, path, method === 'PUT' ? { body: {} } : {});
        expect(response.status).toBe(405);
        return response.headers['allow'];
      };
      expect(await allow('PUT', '/users')).toBe('POST, GET, HEAD, OPTIONS');
      expect(await allow('POST', '/users/1')).toBe('GET, HEAD, PATCH, DELETE, OPTIONS');
      expect(await allow('DELETE', '/region')).toBe('GET, HEAD, OPTIONS');
      expect(await allow('GET', '/write')).toBe('POST, OPTIONS');
    });

    test('an id that is taken', async () => {
      await create({ ...ADA, userId: 'taken-1' });
      const { status: code, json } = await call('POST', '/users', { body: { ...ADA, userId: 'taken-1' } });
      expect([code, json['code']]).toEqual([409, 'conflict']);
    });

    test('a body over the limit', async () => {
      const data = { text: 'x'.repeat(bodyBytesMax) };
      expect(await status('POST', '/write', { body: { data } })).toBe(413);
      expect(await status('POST', '/write', { body: { data: { text: 'é'.repeat(bodyBytesMax / 2) } } })).toBe(
        413,
      );
    });

    test('a body that is not JSON by its type', async () => {
      for (const type of ['text/plain', 'application/xml', '', 'application/jsonx']) {
        expect(await status('POST', '/users', { body: ADA, headers: { 'content-type': type } })).toBe(415);
      }
      for (const type of [
        'application/json; charset=utf-8',
        'Application/JSON',
        'application/merge-patch+json',
      ]) {
        expect(await status('POST', '/users', { body: ADA, headers: { 'content-type': type } })).toBe(201);
      }
    });

    test('a wrong query', async () => {
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1.5', 'cursor=%21', 'sort=name']) {
        expect(await status('GET', `/users?${query}`)).toBe(400);
      }
    });

    test('a store that does not answer is 503 with a time to wait, and nothing of the inside', async () => {
      const id = await create();
      cloud.storeFaults.set([{ kind: 'error' }]);
      const responses = [
        await call('GET', `/users/${id}`),
        await call('POST', '/users', { body: ADA }),
        await call('PATCH', `/users/${id}`, { body: { name: 'x' } }),
        await call('GET', '/users'),
      ];
      cloud.storeFaults.clear();
      for (const { status: code, headers, text } of responses) {
        expect([code, headers['retry-after']]).toEqual([503, '2']);
        expect(text.replace(/urn:request:[0-9a-f-]+/, '')).not.toMatch(/dynamo|cosmos|throttl|429|\.ts/i);
      }
    });

    test('a queue that does not answer does not fail a write', async () => {
      cloud.queueFaults.set([{ kind: 'error' }]);
      const code = await status('POST', '/users', { body: ADA });
      cloud.queueFaults.clear();
      expect(code).toBe(201);
    });
  });

  describe('every answer', () => {
    test('carries the request id of the client when it is well formed, else its own', async () => {
      const mine = await call('GET', '/region', { headers: { 'x-request-id': 'abc-123' } });
      expect(mine.headers['x-request-id']).toBe('abc-123');
      const forged = await call('GET', '/region', { headers: { 'x-request-id': 'a b: "c"' } });
      expect(forged.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    });

    test('can be read by a browser page of another origin', async () => {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'PATCH' };
      const preflight = await call('OPTIONS', '/users/1', { headers });
      expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
      const failed = await call('GET', '/users/none', { headers: { origin: 'https://app.example' } });
      expect(failed.headers['access-control-allow-origin']).toBe('*');
      expect(failed.headers['access-control-expose-headers']).toContain('ETag');
    });

    test('HEAD answers as GET does, without the body', async () => {
      const id = await create();
      const [get, head] = [await call('GET', `/users/${id}`), await call('HEAD', `/users/${id}`)];
      expect([head.status, head.headers['etag'], head.text]).toEqual([200, get.headers['etag'], '']);
      expect((await call('HEAD', '/users/none')).status).toBe(404);
    });
  });
});
