/** A read whose session is ahead of this site, answered by the site that is ahead. Runs once per cloud. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sessionWaitMs } from '@tandem-clouds/replication/bounds';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { cloudName } from '#cloud';
import { readThroughBytesMax, readThroughMs } from '../../src/shared/bounds.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import { user } from '../../src/shared/entities/user.ts';
import { userCreate, userPatch } from '../../src/shared/generated/validators.js';
import { entityRoutes } from '../../src/shared/http/entity-routes.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { sessionToken } from '../../src/shared/http/session.ts';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { invokeLambda } from '../helpers/call.ts';
import { checkUser } from '../helpers/check-user.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { startOrigin, type TestOrigin } from '../helpers/origin.ts';
import { TestSite } from '../helpers/test-site.ts';

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com' };
const PEER = cloudName === 'aws' ? 'azure-eastus' : 'aws-us-east-1';

let origin: TestOrigin;
let clouds: LinkedClouds;
let call: CallApi;
let site: TestSite;
let users: EntityService;
/** What reached the peer: `x-tandem-read-through` of each request. */
let guards: unknown[] = [];
let handle: TestOrigin['handle'];
let id = '';

/** The peer: the same service over a store in memory, behind HTTP. Nothing of it crosses to this site. */
beforeAll(async () => {
  origin = await startOrigin(PEER);
  clouds = await startLinkedClouds(cloudName, origin.url.href);
  site = new TestSite(PEER, [clouds.own.site]);
  site.nowMs = Date.now();
  users = new EntityService(user, site.replica(), checkUser);
  const routes = entityRoutes(user, users, { create: userCreate, patch: userPatch, actions: {} });
  const logger = { log: () => undefined };
  const service = httpService({ site: PEER, routes, logger, elapsed: () => performance.now() });
  handle = (request, response) => {
    const { method = '', url: path = '', headers } = request;
    guards.push(headers['x-tandem-read-through']);
    void invokeLambda(service, { method, path, headers: headers as Record<string, string> }).then(
      ({ status, headers: responded, text }) => response.writeHead(status, responded).end(text),
    );
  };
  call = await openApi();
});

beforeEach(() => {
  id = `ahead-${randomUUID()}`;
  guards = [];
  origin.handle = handle;
});

afterEach(async () => {
  await origin.kill();
  await origin.revive();
});

afterAll(async () => {
  await origin.kill();
  await clouds.close();
});

const carrying = (record: StoredRecord): { 'x-tandem-session': string } => ({
  'x-tandem-session': sessionToken(record),
});

async function createdAtPeer(): Promise<StoredRecord> {
  return (await users.create({ ...ADA, userId: id }, {})).record;
}

function expectRefused({ status, json, headers }: Response): void {
  expect([status, json['code'], headers['retry-after']]).toEqual([503, 'not_yet_here', '2']);
  expect(headers['x-tandem-origin']).toBeUndefined();
}

describe(`reading through on ${cloudName}`, () => {
  test('while nothing crosses, a session reads at this site what it wrote at the other', async () => {
    const record = await createdAtPeer();
    const headers = carrying(record);
    const path = `/users/${id}`;
    const etag = `"${Object.values(record.state.vector).join()}"`;
    const [read, head, known, list] = await Promise.all([
      call('GET', path, { headers }),
      call('HEAD', path, { headers }),
      call('GET', path, { headers: { ...headers, 'if-none-match': etag } }),
      call('GET', '/users?limit=100', { headers }),
    ]);
    expect([read.status, read.json, read.headers['etag']]).toMatchObject([200, { id, ...ADA }, etag]);
    expect([head.status, head.text, head.headers['etag']]).toEqual([200, '', etag]);
    expect([known.status, known.text]).toEqual([304, '']);
    expect(list.json['items']).toContainEqual(read.json);
    for (const { headers: responded } of [read, head, known, list]) {
      expect(responded).toMatchObject({ 'x-tandem-origin': PEER, 'x-tandem-site': clouds.own.site });
    }
    expect(guards).toEqual([read, head, known, list].map(() => clouds.own.site));
    const bare = await call('GET', path);
    expect([bare.status, bare.headers['x-tandem-origin']]).toEqual([404, undefined]);
  });

  test('no write of the session is decided here without what it wrote at the other', async () => {
    const headers = carrying(await createdAtPeer());
    const [change, removal] = await Promise.all([
      call('PATCH', `/users/${id}`, { body: { name: 'Countess' }, headers }),
      call('DELETE', `/users/${id}`, { headers }),
    ]);
    for (const response of [change, removal]) expectRefused(response);
    // It is not passed on either: a write belongs to the site that takes it.
    expect(guards).toEqual([]);
    expect((await call('PATCH', `/users/${id}`, { body: { name: 'Countess' } })).status).toBe(404);
  });

  test('what the session has deleted there is not found here', async () => {
    await createdAtPeer();
    const headers = carrying(await users.remove(id, {}));
    const { status, json, headers: responded } = await call('GET', `/users/${id}`, { headers });
    expect([status, json['code'], responded['x-tandem-origin']]).toEqual([404, 'not_found', PEER]);
  });

  test('a browser page may read where the answer is from', async () => {
    const response = await call('GET', '/users', { headers: { origin: 'https://app.example' } });
    expect(response.headers['access-control-expose-headers']).toContain('X-Tandem-Origin');
  });

  test('an origin that is dead is a refusal with a time to wait', async () => {
    const headers = carrying(await createdAtPeer());
    await origin.kill();
    expectRefused(await call('GET', `/users/${id}`, { headers }));
    await origin.revive();
  });

  test('a request that was passed on is not passed on again', async () => {
    const headers = { ...carrying(await createdAtPeer()), 'x-tandem-read-through': PEER };
    expectRefused(await call('GET', `/users/${id}`, { headers }));
    expect(guards).toEqual([]);
  });

  test('an origin that has lost it too refuses, and so does this site', async () => {
    const headers = carrying(await createdAtPeer());
    site.store.items.delete(`user:${id}`);
    expectRefused(await call('GET', `/users/${id}`, { headers }));
    expect(guards).toHaveLength(1);
  });

  test('an origin that is slow, endless, elsewhere or not the site itself is refused in bounded time', async () => {
    const headers = carrying(await createdAtPeer());
    const own = { 'x-tandem-site': PEER };
    const responses: TestOrigin['handle'][] = [
      () => undefined,
      (_, response) => void response.writeHead(200, own).write('{'),
      (_, response) => void response.writeHead(200, own).end(Buffer.alloc(readThroughBytesMax + 1)),
      (_, response) => void response.writeHead(302, { ...own, location: '/health' }).end(),
      (_, response) => void response.writeHead(404).end('{"message":"Not Found"}'),
    ];
    const left = [...responses];
    origin.handle = (request, response) => left.pop()?.(request, response);
    const startMs = performance.now();
    const refused = await Promise.all(responses.map(() => call('GET', `/users/${id}`, { headers })));
    refused.forEach(expectRefused);
    expect(left).toEqual([]);
    expect(performance.now() - startMs).toBeLessThan(sessionWaitMs + readThroughMs + 2_000);
  });
});
