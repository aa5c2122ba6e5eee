/** Outbound HTTP over Node's own fetch and a server that does what a case says; only time is the test's. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { fetchClient } from '../../../src/shared/adapters/fetch-client.ts';
import { outboundHttp, type OutboundOptions } from '../../../src/shared/adapters/outbound-http.ts';
import { OutboundError } from '../../../src/shared/errors.ts';
import type { HttpClient } from '../../../src/shared/ports/http-client.ts';
import type { OutboundHttp, OutboundRequest } from '../../../src/shared/ports/outbound-http.ts';
import type { Invocation } from '../../../src/shared/ports/services.ts';
import { timeLimit } from '../../../src/shared/time-limit.ts';
import { closeAfterEach } from '../../helpers/cleanup.ts';

const closing = closeAfterEach();

interface Got {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}
type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'break';

/** Answers each request with the next of the answers, and the last one for ever. */
async function serve(...answers: readonly Answer[]): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[Math.min(got.length, answers.length - 1)] ?? 'hang';
      const { method = '', url: path = '', headers } = request;
      got.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
      if (answer === 'break') request.socket.destroy();
      else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got };
}

/** Where nothing listens. */
async function unused(): Promise<string> {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

function open(more: Partial<OutboundOptions> = {}, invocation: Invocation = {}) {
  const pauses: number[] = [];
  let now = 0;
  const http: OutboundHttp = outboundHttp(
    {
      client: fetchClient,
      sleep: (ms) => {
        pauses.push(ms);
        now += ms;
        return Promise.resolve();
      },
      elapsed: () => now,
      now: () => Date.UTC(2026, 0, 1) + now,
      random: () => 1,
      ...more,
    },
    invocation,
  );
  return { http, pauses };
}

const failure = async (call: Promise<unknown>): Promise<OutboundError> => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof OutboundError) return error;
  throw new Error('no OutboundError', { cause: error });
};
const OK = { status: 200, body: '{"id":"p1"}' };

describe('calling another service', () => {
  test('sends JSON and reads JSON', async () => {
    const { url, got } = await serve(OK);
    const { http } = open();
    expect(await http.json({ url: `${url}/charges`, json: { amount: 5 } })).toEqual({ id: 'p1' });
    expect(got).toMatchObject([
      {
        method: 'POST',
        path: '/charges',
        body: '{"amount":5}',
        headers: { 'content-type': 'application/json' },
      },
    ]);
  });

  test('sends the trace of the request along, and no other', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { url, got } = await serve(OK);
    await open({}, { traceparent }).http.send({ url });
    await open().http.send({ url });
    expect(got.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined]);
  });

  test.each([
    ['a GET', { method: 'GET' }, 3],
    ['a PUT', { method: 'PUT', body: 'x' }, 3],
    ['a POST with an idempotency key', { method: 'POST', idempotencyKey: 'k1' }, 3],
    ['a POST', { method: 'POST' }, 1],
    ['a PATCH', { method: 'PATCH' }, 1],
  ] as const)('%s that meets 503 is sent %p times', async (_title, request, times) => {
    const { url, got } = await serve({ status: 503 });
    const response = await open().http.send({ url, ...(request as Omit<OutboundRequest, 'url'>) });
    expect([response.status, response.attempts, got.length]).toEqual([503, times, times]);
  });

  test('every try has the same idempotency key', async () => {
    const { url, got } = await serve({ status: 503 }, 'break', OK);
    expect(await open().http.json({ url, json: {}, idempotencyKey: 'effect-1' })).toEqual({ id: 'p1' });
    expect(got.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(3).fill('effect-1'));
  });

  test('a POST whose connection broke is not sent again: nobody knows what became of it', async () => {
    const { url, got } = await serve('break');
    const error = await failure(open().http.send({ url, json: {} }));
    expect(error).toMatchObject({
      reason: 'unreachable',
      code: 'ambiguous',
      mayHaveTakenEffect: true,
      attempts: 1,
    });
    expect(got).toHaveLength(1);
  });

  test('a POST that has certainly not arrived is sent again, and has had no effect', async () => {
    const calls: string[] = [];
    const client: HttpClient = (call) => {
      calls.push(call.method);
      return fetchClient(call);
    };
    const error = await failure(open({ client }).http.send({ url: await unused(), json: {} }));
    expect(error).toMatchObject({ reason: 'unreachable', code: 'unavailable', mayHaveTakenEffect: false });
    expect(calls).toHaveLength(3);
  });

  test('waits as long as Retry-After says, in seconds or until a date', async () => {
    const { url } = await serve(
      { status: 429, headers: { 'retry-after': '2' } },
      { status: 503, headers: { 'retry-after': new Date(Date.UTC(2026, 0, 1) + 5_000).toUTCString() } },
      OK,
    );
    const { http, pauses } = open();
    expect((await http.send({ url })).status).toBe(200);
    expect(pauses).toEqual([2_000, 3_000]);
  });

  test('does not wait for what comes after its time', async () => {
    const { url, got } = await serve({ status: 429, headers: { 'retry-after': '60' } });
    const { http, pauses } = open();
    const error = await failure(http.json({ url }));
    expect(error).toMatchObject({
      reason: 'status',
      status: 429,
      retryAfterMs: 60_000,
      retryable: true,
      code: 'unavailable',
    });
    expect([pauses, got.length]).toEqual([[], 1]);
  });

  test('pauses longer before each further try', async () => {
    const { url } = await serve({ status: 500 });
    const { http, pauses } = open();
    await http.send({ url, attemptsMax: 5 });
    expect(pauses).toEqual([100, 200, 400, 800]);
  });

  test('an attempt ends at its time-out', async () => {
    const { url, got } = await serve('hang');
    const error = await failure(open().http.send({ url, attemptMs: 20, attemptsMax: 2 }));
    expect(error).toMatchObject({
      reason: 'timeout',
      attempts: 2,
      retryable: true,
      mayHaveTakenEffect: false,
    });
    expect(got).toHaveLength(2);
  });

  test.each([
    [{ remainingMs: () => 400 }, 0],
    [{ limit: timeLimit({ ms: 0 }) }, 0],
  ] as const)('nothing is sent when the function has no time left: %p', async (invocation, sent) => {
    const { url, got } = await serve(OK);
    const error = await failure(open({}, invocation).http.send({ url }));
    expect(error).toMatchObject({ reason: 'timeout', mayHaveTakenEffect: false, code: 'unavailable' });
    expect(got).toHaveLength(sent);
  });

  test('an attempt has no more time than the function', async () => {
    const times: number[] = [];
    const client: HttpClient = ({ timeoutMs }) => {
      times.push(timeoutMs);
      return Promise.resolve({ status: 200, headers: {}, body: '' });
    };
    await open({ client }, { remainingMs: () => 1_700 }).http.send({ url: 'https://api.example' });
    expect(times).toEqual([1_200]);
  });

  test('an answer that is too large is not read to its end, and not asked for again', async () => {
    const { url, got } = await serve({ status: 200, body: 'x'.repeat(101) });
    const error = await failure(open().http.send({ url, bodyBytesMax: 100 }));
    expect(error).toMatchObject({ reason: 'too_large', retryable: false, code: 'internal' });
    expect(got).toHaveLength(1);
  });

  test('follows a redirection within the origin, with all headers', async () => {
    const { url, got } = await serve({ status: 302, headers: { location: '/there' } }, OK);
    const response = await open().http.send({ url: `${url}/here`, headers: { Authorization: 'Bearer t' } });
    expect([response.status, response.attempts]).toEqual([200, 1]);
    expect(got.map(({ path, headers }) => [path, headers['authorization']])).toEqual([
      ['/here', 'Bearer t'],
      ['/there', 'Bearer t'],
    ]);
  });

  test('goes to no other origin', async () => {
    const other = await serve(OK);
    const { url } = await serve({ status: 302, headers: { location: other.url } });
    const error = await failure(open().http.send({ url, headers: { authorization: 'Bearer t' } }));
    expect(error).toMatchObject({ reason: 'redirect', status: 302, retryable: false });
    expect(other.got).toEqual([]);
  });

  test('does not run in a circle', async () => {
    const { url, got } = await serve({ status: 302, headers: { location: '/' } });
    expect((await failure(open().http.send({ url }))).reason).toBe('redirect');
    expect(got).toHaveLength(4);
  });

  test('a status that is no 2xx is an error of json(), without path, query and body', async () => {
    const { url } = await serve({ status: 402, body: 'card 4242' });
    const error = await failure(open().http.json({ url: `${url}/charges?key=sk_1`, json: {} }));
    expect(error).toMatchObject({
      reason: 'status',
      status: 402,
      retryable: false,
      mayHaveTakenEffect: false,
    });
    expect(error.message).toBe(`POST ${url}: 402 (attempts: 1)`);
  });

  test('a body that is no JSON is an error that does not repeat it', async () => {
    const { url } = await serve({ status: 200, body: '<html>sk_1' });
    const error = await failure(open().http.json({ url }));
    expect(error).toMatchObject({ reason: 'body', status: 200, retryable: false });
    expect(error.message).not.toContain('sk_1');
  });

  test.each([
    [{ url: 'ftp://example.com' }, /https:\/\//],
    [{ url: 'nowhere' }, /https:\/\//],
    [{ url: 'https://user:secret@example.com' }, /no credentials/],
    [{ url: 'https://example.com', json: {}, body: '' }, /json, body/],
    [{ url: 'https://example.com', idempotencyKey: 'a b' }, /idempotencyKey/],
    [{ url: 'https://example.com', attemptMs: 0 }, /attemptMs/],
    [{ url: 'https://example.com', attemptsMax: 11 }, /attemptsMax/],
    [{ url: 'https://example.com', totalMs: 1.5 }, /totalMs/],
  ])('what is not well formed is refused by name: %p', async (request, message) => {
    await expect(open().http.send(request)).rejects.toThrow(message);
  });
});
