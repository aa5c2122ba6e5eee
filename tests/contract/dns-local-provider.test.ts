/** The local provider against the server that it is for. */
import http from 'node:http';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type DnsServer, startDnsServer } from '@tandem-clouds/emulators/dns/server';
import { type Change, checkKey } from '@tandem-clouds/zone/model';
import { LocalProvider } from '../../dns/providers/local/provider.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { addressesOf, decode, QTYPE, query, queryUdp } from '../helpers/dns-packets.ts';
import { API, checkOf, plain, routed, target, ZONE } from '../helpers/dns-zone.ts';
import { startOrigin } from '../helpers/origin.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const onEnd = closeAfterEach();
const first = plain(API, 'A', '127.0.0.2');
const second = plain(API, 'A', '127.0.0.3');
let server: DnsServer;
let provider: LocalProvider;

beforeEach(async () => {
  server = await startDnsServer({ zone: { zone: ZONE, records: [first] } });
  onEnd(() => server.close());
  provider = new LocalProvider({ zone: ZONE, controlUrl: server.controlUrl });
});

async function addresses(): Promise<string[]> {
  return addressesOf(decode(await queryUdp(server.port, query(API, QTYPE.A))));
}

const change = (before: Change['before'], after: Change['after']): Change => ({
  ...(before && { before }),
  ...(after && { after }),
});

test('reads what it has applied, and the server answers with it', async () => {
  const done: Change[] = [];
  const txt = plain(`note.${ZONE}`, 'TXT', 'two', 'one');
  const changes = [change(first, second), change(undefined, txt)];
  await provider.apply(changes, (one) => done.push(one));
  expect(done).toEqual(changes);
  expect(await addresses()).toEqual(['127.0.0.3']);
  expect((await provider.read()).records).toEqual([second, { ...txt, values: ['one', 'two'] }]);
  await provider.apply([change(second, undefined)], () => undefined);
  expect(await addresses()).toEqual([]);
});

test('what was prepared reads back as the same', async () => {
  const { records, refusals } = provider.prepare([
    routed('weighted', [
      target('b', '127.0.0.3', { weight: 30, check: { protocol: 'https', host: 'b.example', port: 443, path: '/', intervalSeconds: 10, failureThreshold: 3 } }), // prettier-ignore
      target('a', '127.0.0.2', { weight: 70 }),
    ]),
    routed('geolocation', [{ site: 'a', values: ['::1'], location: { continents: ['EU'], countries: ['US', 'CH'], default: true } }], { type: 'AAAA' }), // prettier-ignore
  ]);
  expect(refusals).toEqual([]);
  await provider.apply([change(first, records[0]), change(undefined, records[1])], () => undefined);
  expect((await provider.read()).records).toEqual(records);
});

test('what the server would refuse is refused beforehand, by name', () => {
  const long = 'x'.repeat(5_000);
  const { refusals } = provider.prepare([first, plain(`sub.${ZONE}`, 'TXT', long)]);
  expect(refusals.join()).toMatch(/^sub\.tandem\.test TXT: local: \/values\/0 must NOT have more than/);
});

test('a list with one wrong change changes nothing', async () => {
  const done: Change[] = [];
  const outside = plain('example.org', 'A', '127.0.0.1');
  const apply = provider.apply([change(first, second), change(undefined, outside)], (one) => done.push(one));
  await expect(apply).rejects.toMatchObject({
    fault: 'rejected',
    message: expect.stringMatching(/example\.org/),
  });
  expect(done).toEqual([]);
  expect(await addresses()).toEqual(['127.0.0.2']);
});

test('a change of what is no longer there is refused', async () => {
  await expect(provider.apply([change(second, first)], () => undefined)).rejects.toMatchObject({
    fault: 'rejected',
  });
  await expect(provider.apply([change(undefined, second)], () => undefined)).rejects.toMatchObject({
    fault: 'rejected',
  });
});

test('of two who make the same change at once, one is refused', async () => {
  const apply = () => provider.apply([change(first, second)], () => undefined);
  const results = await Promise.allSettled([apply(), apply(), apply()]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
});

describe('the lock', () => {
  const ours = { owner: 'me', nonce: '1', expiresAtMs: 1_000 };
  const theirs = { owner: 'you', nonce: '2', expiresAtMs: 2_000 };

  test('is taken by one, given back, and no record', async () => {
    expect(await provider.readLock()).toBeUndefined();
    const taken = await Promise.all([
      provider.swapLock(undefined, ours),
      provider.swapLock(undefined, theirs),
    ]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    const lock = await provider.readLock();
    expect(await provider.swapLock(undefined, theirs)).toBe(false);
    expect((await provider.read()).records).toEqual([first]);
    expect(await provider.swapLock(lock, undefined)).toBe(true);
    expect(await provider.readLock()).toBeUndefined();
  });

  test('stays when records change', async () => {
    await provider.swapLock(undefined, ours);
    await provider.apply([change(first, second)], () => undefined);
    expect(await provider.readLock()).toEqual(ours);
  });
});

test('says which checks pass, once they have said so', async () => {
  const origin = await startOrigin('aws');
  onEnd(() => origin.kill());
  const checks = [checkOf(origin), checkOf(origin, { path: '/elsewhere' })] as const;
  origin.handle = (_request, response) => void response.writeHead(500).end();
  const targets = checks.map((check, index) => target(`s${index}`, '127.0.0.2', { check }));
  await provider.apply([change(first, routed('weighted', targets))], () => undefined);
  const health = await waitUntil('both checks', async () => {
    const found = await provider.health();
    return found.size === 2 ? found : undefined;
  });
  expect(checks.map((check) => health.get(checkKey(check)))).toEqual([true, false]);
});

describe('a server that is not there', () => {
  test('is unavailable, and where it was looked for is said', async () => {
    await server.close();
    await expect(provider.read()).rejects.toMatchObject({
      fault: 'unavailable',
      message: expect.stringMatching(server.controlUrl),
    });
  });

  test('with another zone is not found', async () => {
    const other = new LocalProvider({ zone: 'other.test', controlUrl: server.controlUrl });
    await expect(other.read()).rejects.toMatchObject({ fault: 'not-found' });
  });

  test('or did not answer a change that it made: the change counts', async () => {
    const proxy = http.createServer((request, response) => {
      const forward = http.request(
        server.controlUrl + (request.url ?? ''),
        { method: request.method, headers: { ...request.headers, host: new URL(server.controlUrl).host } },
        (answer) => {
          if (request.method === 'PUT') request.socket.destroy();
          else answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers));
        },
      );
      request.pipe(forward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onEnd(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    const { port } = proxy.address() as { port: number };
    const done: Change[] = [];
    const through = new LocalProvider({ zone: ZONE, controlUrl: `http://127.0.0.1:${port}` });
    await through.apply([change(first, second)], (one) => done.push(one));
    expect(done).toHaveLength(1);
    expect(await addresses()).toEqual(['127.0.0.3']);
  });
});

describe('the control interface refuses', () => {
  const put = (body: string, headers: Record<string, string>) =>
    fetch(`${server.controlUrl}/v1/zone`, { method: 'PUT', body, headers });
  const json = { 'content-type': 'application/json' };
  const zone = JSON.stringify({ zone: ZONE, records: [] });

  test.each([
    ['a change that is based on no revision', zone, json, 428],
    ['a change that is based on another revision', zone, { ...json, 'if-match': '"0"' }, 412],
    ['what is not JSON by its type', zone, { 'content-type': 'text/plain', 'if-match': '"1"' }, 415],
    ['what is not JSON', '{', { ...json, 'if-match': '"1"' }, 400],
    ['a zone that cannot be served', '{"zone":"x"}', { ...json, 'if-match': '"1"' }, 422],
  ])('%s', async (_title, body, headers: Record<string, string>, status) => {
    const response = await put(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status, title: expect.any(String) });
    expect((await provider.read()).records).toEqual([first]);
  });

  test('a page that found its way here by another name', async () => {
    const { port } = new URL(server.controlUrl);
    const status = await new Promise((resolve) => {
      http.get(
        { port, host: '127.0.0.1', path: '/v1/zone', headers: { host: 'evil.example' } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
    });
    expect(status).toBe(403);
  });

  test('what it does not have', async () => {
    expect((await fetch(`${server.controlUrl}/v1/other`)).status).toBe(404);
    expect((await fetch(`${server.controlUrl}/v1/health`, { method: 'POST' })).status).toBe(404);
  });
});
