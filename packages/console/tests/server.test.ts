/** Who may use the console, what it passes on, and what it writes down. */
import fs from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openConsole } from '@tandem-clouds/console/open-console';
import { ConsoleServer } from '@tandem-clouds/console/server/server';

const KEY = 'the-operators-key';
/** As somebody else's page sends them. */
const ELSEWHERE = 'https://elsewhere.example';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

let dir: string;
let site: http.Server;
let asked: Asked[];
let answer: { status: number; headers: Record<string, string>; body: string };
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'console-'));
  asked = [];
  answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"site":"aws-us-east-1"}' };
  site = http.createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, authorization: headers.authorization, body });
      if (url === '/replication') response.writeHead(200).end(REPLICATION);
      else response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  process.env['TANDEM_OPERATOR_KEY'] = KEY;
});

afterEach(async () => {
  delete process.env['TANDEM_OPERATOR_KEY'];
  for (const close of closing.splice(0)) await close();
  site.closeAllConnections();
  await new Promise((resolve) => site.close(resolve));
  fs.rmSync(dir, { recursive: true, force: true });
});

const REPLICATION = JSON.stringify({
  site: 'aws-us-east-1',
  now: '2026-11-30T12:00:00.000Z',
  peers: [
    {
      site: 'azure-eastus',
      safeTime: '2026-11-30T11:59:59.000Z',
      exposure: { keys: 3, atLeast: false },
      oldestPendingMs: 1_000,
      paused: false,
    },
  ],
  inbound: [],
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

const siteUrl = (): string => `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const auditFile = (): string => path.join(dir, 'audit.jsonl');
const audited = (): Record<string, unknown>[] =>
  fs
    .readFileSync(auditFile(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Of the site as a deployed one. @returns Its address and the cookie of who has shown the code. */
async function opened(): Promise<{ url: string; code: string; cookie: string }> {
  const server = new ConsoleServer({
    place: { stack: '', sites: [siteUrl()] },
    version: '1.2.3',
    auditFile: auditFile(),
    everyMs: 1,
  });
  closing.push(() => server.close());
  const [url = '', code = ''] = (await server.listen(0)).split('#code=');
  const response = await fetch(new URL('/api/session', url), {
    method: 'POST',
    body: JSON.stringify({ code }),
  });
  return { url, code, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** With headers that `fetch` would not let one choose. */
function askAs(
  url: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): Promise<{ status: number; text: string; headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers }, (response) => {
      void bodyOf(response).then((text) =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    request.once('error', reject);
    request.end(body);
  });
}

describe('who may use the console', () => {
  test('its own page, by the address that was printed', async () => {
    const { url, cookie } = await opened();
    const page = await askAs(url);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Tandem console');
    const [script = ''] = /app-[A-Z0-9]+\.js/.exec(page.text) ?? [];
    expect((await askAs(url + script)).headers['content-type']).toContain('text/javascript');
    const facts = await askAs(`${url}api/console`, { headers: { cookie } });
    expect(JSON.parse(facts.text)).toEqual({
      mode: 'deployed',
      version: '1.2.3',
      sites: [{ site: 'aws-us-east-1', url: siteUrl() }],
    });
  });

  test('nobody without the code, nor with another one', async () => {
    const { url, cookie } = await opened();
    expect((await askAs(`${url}api/console`)).status).toBe(401);
    expect((await askAs(`${url}api/live`)).status).toBe(401);
    const wrong = await askAs(`${url}api/session`, { method: 'POST', body: '{"code":"another"}' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers['set-cookie']).toBeUndefined();
    const forged = { cookie: `${cookie.slice(0, -1)}!` };
    expect((await askAs(`${url}api/console`, { headers: forged })).status).toBe(401);
  });

  test.each([
    ['a page of somebody else', { origin: ELSEWHERE }],
    ['a page of another server of this machine', { origin: 'http://127.0.0.1:1' }],
    ['a name that leads here', { host: 'rebound.example' }],
    ['an image of somebody else', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a script of another port', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
  ])('not %s, even with the cookie', async (_who, headers) => {
    const { url, cookie } = await opened();
    for (const path of ['', 'api/console', 'api/sites/aws-us-east-1/items/a'])
      expect((await askAs(url + path, { headers: { ...headers, cookie } })).status).toBe(403);
    expect(asked.filter(({ url: at }) => at.startsWith('/items'))).toEqual([]);
  });

  test('every answer says what may run, refusals too', async () => {
    const { url } = await opened();
    for (const path of ['', 'api/console', 'nothing']) {
      const { headers } = await askAs(url + path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });
});

describe('what is passed on', () => {
  const siteAt = (url: string, path: string): string => `${url}api/sites/aws-us-east-1/${path}`;

  test('goes to operators’ routes with the key, and to no other; no answer has it', async () => {
    const { url, cookie, code } = await opened();
    answer = { ...answer, headers: { ...answer.headers, etag: '"1"', 'set-cookie': 'a=b', server: 'x' } };
    const conflicts = await askAs(siteAt(url, 'replication/conflicts?limit=2'), { headers: { cookie } });
    const item = await askAs(siteAt(url, 'items/a'), { headers: { cookie, authorization: 'Bearer mine' } });
    expect(asked.slice(-2)).toMatchObject([
      { url: '/replication/conflicts?limit=2', authorization: `Bearer ${KEY}` },
      { url: '/items/a', authorization: undefined },
    ]);
    for (const { text, headers } of [conflicts, item]) {
      expect(headers.etag).toBe('"1"');
      expect([headers['set-cookie'], headers['server']]).toEqual([undefined, undefined]);
      expect(text + JSON.stringify(headers)).not.toMatch(new RegExp(`${KEY}|${code}`));
    }
  });

  test.each(['replication/../items/a', '%2e%2e/replication/x', 'Replication/x'])(
    'the key goes by the path that is asked for: %s',
    async (path) => {
      const { url, cookie } = await opened();
      await askAs(siteAt(url, path), { headers: { cookie } });
      for (const { url: at, authorization } of asked.filter((each) => each.url !== '/replication'))
        expect(authorization === undefined || at.startsWith('/replication/')).toBe(true);
    },
  );

  test('to no other host, whatever the path says, and follows nobody', async () => {
    const { url, cookie } = await opened();
    const { status } = await askAs(siteAt(url, '/elsewhere.example/x'), { headers: { cookie } });
    expect(status).toBe(400);
    answer = { status: 307, headers: { location: `${ELSEWHERE}/take` }, body: '' };
    const redirected = await askAs(siteAt(url, 'replication/queues'), { headers: { cookie } });
    expect([redirected.status, redirected.headers.location]).toEqual([307, `${ELSEWHERE}/take`]);
  });

  test('to a site that it was given: another one is refused by its name', async () => {
    const { url, cookie } = await opened();
    const { status, text } = await askAs(`${url}api/sites/gcp-x/items/a`, { headers: { cookie } });
    expect([status, text]).toEqual([404, expect.stringContaining("'gcp-x' is none of aws-us-east-1")]);
  });

  test('a site that is gone is a problem of its own', async () => {
    const { url, cookie } = await opened();
    await askAs(siteAt(url, 'items/a'), { headers: { cookie } });
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
    const { status, text } = await askAs(siteAt(url, 'items/a'), { headers: { cookie } });
    expect([status, JSON.parse(text)]).toMatchObject([
      502,
      { detail: expect.stringContaining('connection refused') },
    ]);
  });
});

describe('what changes something', () => {
  test('is written down before and after, with who and why', async () => {
    const { url, cookie } = await opened();
    answer = { ...answer, status: 202 };
    const { status } = await askAs(`${url}api/sites/aws-us-east-1/replication/pauses/azure-eastus?x=secret`, {
      method: 'PUT',
      headers: { cookie, 'x-tandem-why': encodeURIComponent('Ärger im Süden') },
    });
    expect(status).toBe(202);
    const [begun, ended] = audited();
    expect(begun).toMatchObject({
      method: 'PUT',
      site: 'aws-us-east-1',
      path: '/api/sites/aws-us-east-1/replication/pauses/azure-eastus',
      why: 'Ärger im Süden',
      who: expect.stringContaining('@'),
    });
    expect(ended).toMatchObject({ id: begun?.['id'], status: 202 });
    expect(JSON.stringify(audited())).not.toMatch(new RegExp(`secret|${KEY}`));
    expect(fs.statSync(auditFile()).mode & 0o777).toBe(0o600);
  });

  test('is not done where nobody says why, or where it cannot be written down', async () => {
    const { url, cookie } = await opened();
    const path = `${url}api/sites/aws-us-east-1/replication/pauses/azure-eastus`;
    const silent = await askAs(path, { method: 'PUT', headers: { cookie } });
    expect([silent.status, silent.text]).toEqual([400, expect.stringContaining('x-tandem-why')]);
    fs.mkdirSync(auditFile());
    expect((await askAs(path, { method: 'PUT', headers: { cookie, 'x-tandem-why': '' } })).status).toBe(500);
    expect(asked.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  test.each([
    ['api/sites/aws-us-east-1/items', { 'x-tandem-why': '%E0%A4' }],
    ['api/sites/%E0%A4/items', { 'x-tandem-why': '' }],
  ])('is refused where it is not well encoded: %s', async (path, headers) => {
    const { url, cookie } = await opened();
    expect((await askAs(url + path, { method: 'POST', headers: { cookie, ...headers } })).status).toBe(400);
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('is refused with more than a record can have', async () => {
    const { url, cookie } = await opened();
    const { status } = await askAs(`${url}api/sites/aws-us-east-1/items`, {
      method: 'POST',
      headers: { cookie, 'x-tandem-why': '' },
      body: 'x'.repeat(1024 * 1024 + 1),
    });
    expect(status).toBe(413);
  });
});

describe('what is going on', () => {
  test('comes every round while somebody looks, and is asked for by nobody else', async () => {
    const { url, cookie } = await opened();
    const before = asked.length;
    const stop = new AbortController();
    const response = await fetch(`${url}api/live`, { headers: { cookie }, signal: stop.signal });
    let text = '';
    for await (const piece of response.body ?? []) {
      text += new TextDecoder().decode(piece);
      if (text.split('event: look').length > 4) break;
    }
    stop.abort();
    expect(text.startsWith('event: points\ndata: []\n\n')).toBe(true);
    const [, look = ''] = /event: look\ndata: (.*)\n\n/.exec(text) ?? [];
    expect(JSON.parse(look)).toMatchObject({
      directions: [{ from: 'aws-us-east-1', to: 'azure-eastus', keysAtRisk: 3, behindMs: 1_000 }],
      point: { sites: { 'aws-us-east-1': { responds: true, perSecond: null } } },
    });
    expect(asked.length).toBeGreaterThan(before);
    expect(text).not.toContain(KEY);
  });
});

describe('at a stack of this machine', () => {
  test.each(['', 'stack.json'])(
    'faults and traffic are there, whoever opens it: at its folder/%s',
    async (file) => {
      const address = siteUrl();
      const stack = {
        ...{ version: 1, operatorKey: KEY, sites: [{ site: 'aws-us-east-1', cloud: 'aws', url: address }] },
        ...{ faults: { url: `${address}/faults` }, edge: { url: address }, traces: { url: address } },
        mail: { web: address },
      };
      fs.writeFileSync(path.join(dir, 'stack.json'), JSON.stringify(stack));
      const fault = { id: 'stop:aws-us-east-1', kind: 'stop', site: 'aws-us-east-1' };
      answer = { ...answer, body: JSON.stringify([fault]) };
      const server = openConsole({ stack: path.join(dir, file), sites: [] }, auditFile());
      closing.push(() => server.close());
      const url = await server.listen(0);
      expect(JSON.parse((await askAs(`${url}api/console`)).text)).toMatchObject({ mode: 'local' });
      expect(JSON.parse((await askAs(`${url}api/faults`)).text)).toEqual([fault]);
      expect(asked.find(({ url: at }) => at === '/faults')?.authorization).toBe(`Bearer ${KEY}`);
      // There is no DNS server here, which is said; the route is there.
      expect((await askAs(`${url}api/traffic`)).status).not.toBe(404);
    },
  );
});
