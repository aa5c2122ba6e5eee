/** The smoke test against a site that is made to misbehave. The one that works is in the local rollout. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { smoke } from '../../../infra/rollout/smoke.ts';
import { defineRoutes } from '../../../src/shared/domain/routes/define-routes.ts';
import { user } from '../../../src/shared/entities/user.ts';

const SITE = 'aws-test';
const HEADERS = {
  'x-request-id': 'r',
  'x-tandem-site': SITE,
  'strict-transport-security': 'max-age=1',
  'x-content-type-options': 'nosniff',
};

type Reply = readonly [status: number, body?: object | undefined, headers?: Readonly<Record<string, string>>];

let server: http.Server | undefined;
let requested: string[];

/** A site that works, but for what `broken` answers to `METHOD /path`. */
async function startSite(broken: Readonly<Record<string, Reply>> = {}): Promise<string> {
  requested = [];
  let user: User | undefined;
  const replies: Readonly<Record<string, (body: string) => Reply>> = {
    'GET /health': () => [200, { status: 'ok', site: SITE, version: '2.0.0' }],
    'GET /health/deep': () => [200, { status: 'ok', site: SITE }],
    'GET /region': () => [200, { cloud: 'aws', region: 'test', site: SITE }],
    'POST /users': (body) => [201, { userId: 'u1', ...(user = JSON.parse(body) as User) }, etagOf(user)],
    'PATCH /users/u1': (body) => [200, (user = { ...user, ...(JSON.parse(body) as User) }), etagOf(user)],
    'GET /users/u1': () => (user === undefined ? [404, {}] : [200, user, etagOf(user)]),
    'DELETE /users/u1': () => {
      user = undefined;
      return [204];
    },
  };
  server = http.createServer((request, response) => {
    const what = `${request.method ?? ''} ${request.url ?? ''}`;
    requested.push(what);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [status, json, headers = HEADERS] = broken[what] ?? replies[what]?.(body) ?? [404];
      response.writeHead(status, headers).end(json === undefined ? undefined : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface User {
  readonly name?: string;
}

const etagOf = ({ name = '' }: User) => ({ ...HEADERS, etag: `"${name}"` });

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** Only of what the product comes with: that is what the site here has. */
const EXPECTED = {
  site: SITE,
  version: '2.0.0',
  replicatedWithinMs: 300,
  declared: { entities: [user], routes: [] },
};

describe('a smoke test', () => {
  test('finds nothing wrong with a site that works, and leaves nothing behind', async () => {
    const { failed, passed } = await smoke({ url: await startSite(), ...EXPECTED });
    expect(failed).toEqual([]);
    expect(passed).toHaveLength(5);
    expect(requested).toContain('DELETE /users/u1');
  });

  test.each<[string, Record<string, Reply>, RegExp]>([
    [
      'another release',
      { 'GET /health': [200, { site: SITE, version: '1.0.0' }] },
      /version is 1\.0\.0 instead of 2\.0\.0/,
    ],
    [
      'another site',
      { 'GET /region': [200, { site: 'azure-test' }] },
      /site is azure-test instead of aws-test/,
    ],
    ['a store that is away', { 'GET /health/deep': [503, {}] }, /deep health: .*503 instead of 200/],
    ['headers that are missing', { 'GET /region': [200, { site: SITE }, {}] }, /x-request-id.* missing/],
    ['a write that fails', { 'POST /users': [500] }, /POST \/users: 500 instead of 201/],
    [
      'a read that shows something else',
      { 'GET /users/u1': [200, { name: 'x' }] },
      /name is x instead of smoke-/,
    ],
    ['a change that fails', { 'PATCH /users/u1': [500] }, /PATCH \/users\/u1: 500 instead of 200/],
  ])('names %s', async (_what, broken, reason) => {
    const { failed } = await smoke({ url: await startSite(broken), ...EXPECTED });
    expect(failed.join('\n')).toMatch(reason);
  });

  test('deletes what it wrote when something fails after that', async () => {
    await smoke({ url: await startSite({ 'PATCH /users/u1': [500] }), ...EXPECTED });
    expect(requested.at(-1)).toBe('DELETE /users/u1');
  });

  test('says when the record does not reach the peer, and deletes it', async () => {
    const peer = await startSite({ 'GET /users/u1': [404, {}] });
    const other = server;
    const { failed } = await smoke({ url: await startSite(), peer, ...EXPECTED, replicatedWithinMs: 100 });
    other?.closeAllConnections();
    other?.close();
    expect(failed.join('\n')).toMatch(/\/users\/u1 at http.*: not within 100 ms/);
    expect(requested.at(-1)).toBe('DELETE /users/u1');
  });

  test.each<[string, Reply, RegExp | undefined]>([
    ['answers for its methods', [204, undefined, { ...HEADERS, allow: 'GET, HEAD, OPTIONS' }], undefined],
    ['is not deployed', [404, {}], /hellos: .*OPTIONS \/hellos\/smoke: 404 instead of 204/],
    ['has another method', [204, undefined, { ...HEADERS, allow: 'PUT' }], /GET is not among PUT/],
  ])('finds out whether a custom route %s, and calls none', async (_what, reply, reason) => {
    const hellos = defineRoutes({
      name: 'hellos',
      description: 'Says hello',
      operations: {
        hello: { method: 'GET', path: '/hellos/{who}', summary: 'Hello', handle: () => undefined },
      },
    });
    const url = await startSite({ 'OPTIONS /hellos/smoke': reply });
    const { failed } = await smoke({ url, ...EXPECTED, declared: { entities: [], routes: [hellos] } });
    if (reason === undefined) expect(failed).toEqual([]);
    else expect(failed.join('\n')).toMatch(reason);
    expect(requested.filter((what) => what.includes('hellos'))).toEqual(['OPTIONS /hellos/smoke']);
  });

  test('writes nothing when it may only read', async () => {
    const { failed } = await smoke({ url: await startSite(), ...EXPECTED, readOnly: true });
    expect(failed).toEqual([]);
    expect(requested.every((what) => what.startsWith('GET '))).toBe(true);
  });

  test('says who does not answer', async () => {
    const url = await startSite();
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const { failed } = await smoke({ url, ...EXPECTED });
    expect(failed[0]).toBe(`health: GET ${url}/health: ECONNREFUSED`);
  });
});
