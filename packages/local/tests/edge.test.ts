/** The edge in front of small sites: whatever happens to one of them, the other serves. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';
import { startOrigin, type TestOrigin } from '../../../tests/helpers/origin.ts';
import { waitUntil } from '../../../tests/helpers/wait-until.ts';
import { type Edge, startEdge, STATUS_PATH } from '../src/edge/proxy.ts';

const onClose = closeAfterEach();
/** Longer than any test: only requests, never probes, find out what has changed. */
const NO_PROBES_MS = 600_000;

let aws: TestOrigin;
let azure: TestOrigin;
let edge: Edge;

async function openEdge(intervalMs = NO_PROBES_MS): Promise<void> {
  edge = await startEdge({ origins: [aws, azure], intervalMs });
  onClose(() => edge.close());
  await waitUntil('both sites are healthy', () => Object.values(edge.sites()).every(Boolean) || undefined);
}

beforeEach(async () => {
  aws = await startOrigin('aws-a');
  onClose(() => aws.kill());
  azure = await startOrigin('azure-b');
  onClose(() => azure.kill());
});

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

interface Query {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string;
}

async function begin({ method = 'GET', path = '/', headers, body }: Query = {}): Promise<IncomingMessage> {
  const options = { method, ...(headers && { headers }), agent: false };
  const request = http.request(new URL(path, edge.url), options).end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function query(what?: Query): Promise<Reply> {
  const response = await begin(what);
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

async function queryTimes(times: number, what?: Query): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let i = 0; i < times; i += 1) replies.push(await query(what));
  return replies;
}

describe('with both sites healthy', () => {
  beforeEach(() => openEdge());

  test('each gets half of the requests, whatever the method', async () => {
    await queryTimes(20);
    await queryTimes(20, { method: 'POST', body: 'x' });
    expect(aws.seen).toHaveLength(20);
    expect(azure.seen).toHaveLength(20);
  });

  test('the answer is passed on as it is, with the name of the site', async () => {
    const handle: TestOrigin['handle'] = (_request, response) => {
      response.writeHead(201, 'Made', [
        ...['set-cookie', 'a=1'],
        ...['set-cookie', 'b=2'],
        ...['x-tandem-site', 'aws-a', 'ETag', '"1"'],
      ]);
      response.end('{"a":1}');
    };
    aws.handle = handle;
    azure.handle = handle;
    const { status, headers, body } = await query({ method: 'POST', path: '/users?x=%20y' });
    expect({ status, body }).toEqual({ status: 201, body: '{"a":1}' });
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers).toMatchObject({
      etag: '"1"',
      'x-tandem-site': 'aws-a',
      'x-tandem-edge': expect.anything(),
    });
    expect([...aws.seen, ...azure.seen]).toEqual(['POST /users?x=%20y']);
  });

  test('a site learns who asked, and nothing that was meant for one connection only', async () => {
    let got: http.IncomingHttpHeaders = {};
    aws.handle = azure.handle = (request, response) => {
      got = request.headers;
      response.setHeader('connection', 'x-private');
      response.setHeader('x-private', '1');
      response.end();
    };
    const headers = { host: 'api.example', connection: 'x-hop', 'x-hop': '1', te: 'trailers', 'x-kept': '1' };
    const reply = await query({ headers: { ...headers, 'x-forwarded-for': '192.0.2.1' } });
    expect(got).toMatchObject({
      'x-forwarded-for': '192.0.2.1, 127.0.0.1',
      'x-forwarded-host': 'api.example',
      'x-forwarded-proto': 'http',
      'x-kept': '1',
    });
    expect(got.host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(got).not.toHaveProperty('x-hop');
    expect(got).not.toHaveProperty('te');
    expect(reply.headers).not.toHaveProperty('x-private');
  });

  test('bodies stream: the client has the beginning before the site has written the end', async () => {
    let finish = (): void => undefined;
    aws.handle = azure.handle = (_request, response) => {
      response.write('begin ');
      finish = () => response.end('end');
    };
    const response = await begin();
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('begin ');
    finish();
    expect(await text(response)).toBe('end');
  });

  test('a body of a megabyte arrives whole', async () => {
    aws.handle = azure.handle = (request, response) => void request.pipe(response);
    const body = 'x'.repeat(1_000_000);
    expect(await query({ method: 'POST', body })).toMatchObject({ status: 200, body });
  });

  test('an answer that the site breaks off breaks off at the client too', async () => {
    aws.handle = azure.handle = (_request, response) => {
      response.write('half', () => response.destroy());
    };
    await expect(query()).rejects.toThrow(/aborted/);
  });

  test('a client that goes away is not served any longer', async () => {
    const gone = Promise.withResolvers<undefined>();
    aws.handle = azure.handle = (request) => void request.once('close', () => gone.resolve(undefined));
    const request = http.get(edge.url, { agent: false }).on('error', () => undefined);
    await waitUntil('a site has the request', () => [...aws.seen, ...azure.seen][0]);
    request.destroy();
    await gone.promise;
  });

  test('a read is answered by another site when one says that it is unavailable', async () => {
    aws.handle = (_request, response) => void response.writeHead(503).end('no store');
    const replies = await queryTimes(10);
    expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(aws.seen.length).toBeGreaterThan(0);
  });

  test('when all say so, their answer is passed on', async () => {
    aws.handle = azure.handle = (_request, response) => void response.writeHead(503).end('no store');
    expect(await query()).toMatchObject({ status: 503, body: 'no store' });
  });

  test('a write that a site refuses is not tried elsewhere: it may have had an effect', async () => {
    aws.handle = azure.handle = (_request, response) => void response.writeHead(503).end('no store');
    expect(await query({ method: 'POST', body: 'x' })).toMatchObject({ status: 503, body: 'no store' });
    expect([...aws.seen, ...azure.seen]).toHaveLength(1);
  });
});

describe('when a site dies', () => {
  test('no request fails, reads and writes alike, before any probe has noticed', async () => {
    await openEdge();
    await queryTimes(4);
    await aws.kill();
    const replies = [...(await queryTimes(10, { method: 'POST', body: 'x' })), ...(await queryTimes(10))];
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(replies[0]?.headers['x-tandem-edge']).toMatch(/^azure-b/);
    expect(edge.sites()).toEqual({ 'aws-a': false, 'azure-b': true });
    expect(azure.seen.filter((line) => line.startsWith('POST'))).toHaveLength(10);
  });

  test('a kept connection that the only site closes does not fail a read', async () => {
    await openEdge();
    await azure.kill();
    await query();
    const used = new Set<unknown>();
    aws.handle = ({ socket }, response) => {
      if (used.has(socket)) {
        socket.destroy();
        return;
      }
      used.add(socket);
      response.end('fresh');
    };
    const bodies = (await queryTimes(5)).map(({ body }) => body);
    expect(bodies).toEqual(Array(5).fill('fresh'));
    expect(aws.seen.length).toBeGreaterThan(used.size);
  });

  test('a write that was sent is not sent again, and the client is told that it is uncertain', async () => {
    await openEdge();
    aws.handle = azure.handle = (request) => request.socket.destroy();
    const { status, headers, body } = await query({ method: 'POST', body: 'x' });
    expect(status).toBe(502);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({
      status: 502,
      detail: expect.stringContaining('may have had its effect'),
    });
    expect([...aws.seen, ...azure.seen]).toEqual(['POST /']);
  });

  test('a read that a hanging site holds is answered by the other one as soon as the first is known to hang', async () => {
    await openEdge(50);
    aws.handle = () => undefined;
    const replies = Promise.all([query(), query()]);
    await waitUntil('the site has a read', () => aws.seen[0]);
    aws.health = 500;
    expect((await replies).map(({ status, body }) => [status, body])).toEqual(
      Array(2).fill([200, 'azure-b']),
    );
  });

  test('it gets requests again once it answers', async () => {
    await openEdge(50);
    await aws.kill();
    await waitUntil('it is known to be down', () => !edge.sites()['aws-a'] || undefined);
    await aws.revive();
    await waitUntil('it is known to be up', () => (edge.sites()['aws-a'] === true ? true : undefined));
    aws.seen.length = 0;
    await queryTimes(4);
    expect(aws.seen).toHaveLength(2);
  });

  test('one bad answer to a probe is not yet a reason to leave a site out, the second is', async () => {
    const changes: string[] = [];
    edge = await startEdge({
      origins: [aws, azure],
      intervalMs: 30,
      onChange: (site, healthy) => changes.push(`${site} ${healthy}`),
    });
    onClose(() => edge.close());
    await waitUntil('both sites are healthy', () => changes.length === 2 || undefined);
    const flip = (status: number, probes: number) => {
      aws.health = status;
      const until = aws.probes + probes;
      return waitUntil('it was probed', () => aws.probes >= until || undefined);
    };
    changes.length = 0;
    await flip(500, 1);
    await flip(200, 3);
    expect(changes).toEqual([]);
    await flip(500, 3);
    expect(changes).toEqual(['aws-a false']);
  });
});

describe('when no site is healthy', () => {
  beforeEach(async () => {
    await openEdge();
    await Promise.all([aws.kill(), azure.kill()]);
  });

  test.each(['GET', 'POST', 'HEAD'])('%s is answered with 503 and when to come back', async (method) => {
    const { status, headers, body } = await query({ method });
    expect(status).toBe(503);
    expect(headers).toMatchObject({ 'retry-after': '2', 'content-type': 'application/problem+json' });
    if (method !== 'HEAD') expect(JSON.parse(body)).toMatchObject({ status: 503, type: 'about:blank' });
  });

  test('the first site that is back is found by the next request, without waiting for a probe', async () => {
    await query();
    await azure.revive();
    expect(await query({ method: 'POST', body: 'x' })).toMatchObject({ status: 200, body: 'azure-b' });
  });
});

describe('the edge itself', () => {
  test('tells what it knows about the sites', async () => {
    await openEdge();
    const { status, body } = await query({ path: STATUS_PATH });
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 200,
      body: { healthy: { 'aws-a': true, 'azure-b': true } },
    });
  });

  test('lets requests under way end before it closes, and takes no new ones', async () => {
    await openEdge();
    let finish = (): void => undefined;
    aws.handle = azure.handle = (_request, response) => {
      finish = () => response.end('done');
    };
    const reply = query();
    await waitUntil('a site has the request', () => [...aws.seen, ...azure.seen][0]);
    const closed = edge.close();
    await expect(fetch(edge.url)).rejects.toThrow();
    finish();
    expect(await reply).toMatchObject({ status: 200, body: 'done' });
    await closed;
  });

  test('drops what does not end within a second', async () => {
    await openEdge();
    aws.handle = azure.handle = () => undefined;
    const reply = query().catch(() => 'dropped');
    await waitUntil('a site has the request', () => [...aws.seen, ...azure.seen][0]);
    await edge.close();
    expect(await reply).toBe('dropped');
  });

  test('keeps the connection of a client', async () => {
    await openEdge();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onClose(() => agent.destroy());
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i += 1) {
      const request = http.get(edge.url, { agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await text(response);
      reused.push(request.reusedSocket);
    }
    expect(reused).toEqual([false, true, true]);
  });
});
