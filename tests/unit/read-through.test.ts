import { describe, expect, test } from '@jest/globals';
import { NotYetHereError, UnavailableError } from '@tandem-clouds/replication/errors';
import { readThroughBytesMax, readThroughMs } from '../../src/shared/bounds.ts';
import { NotFoundError } from '../../src/shared/errors.ts';
import type { MiddlewareRequest } from '../../src/shared/http/middleware-request.ts';
import { readThrough } from '../../src/shared/http/read-through.ts';
import type { HttpCall, HttpResponse } from '../../src/shared/ports/http-client.ts';

const PEERS = [
  { site: 'azure-eastus', url: 'https://azure.example' },
  { site: 'aws-eu-west-1', url: 'https://aws.example' },
];
const OK: HttpResponse = { status: 200, headers: { 'x-tandem-site': 'azure-eastus' }, body: '{}' };

interface Options {
  readonly error?: Error;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

/** What one failed read asks, and what it is answered in the end. */
async function read(
  response: (call: HttpCall, clock: { ms: number }) => HttpResponse | Error,
  { error, method = 'GET', path = '/users/1', headers = {} }: Options = {},
): Promise<{ calls: HttpCall[]; response: MiddlewareRequest['response'] }> {
  const clock = { ms: 0 };
  const calls: HttpCall[] = [];
  const { onError } = readThrough({
    site: 'aws-us-east-1',
    peers: PEERS,
    elapsed: () => clock.ms,
    client: (call) => {
      calls.push(call);
      const result = response(call, clock);
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    },
  });
  const request = {
    event: {
      rawPath: path,
      rawQueryString: 'limit=5',
      headers: { 'x-tandem-session': 'token', ...headers },
      requestContext: { http: { method } },
    },
    context: { awsRequestId: 'request-1' },
    response: undefined,
    error: error ?? new NotYetHereError('late', ['azure-eastus', 'aws-eu-west-1']),
  } as unknown as MiddlewareRequest;
  await onError(request);
  return { calls, response: request.response };
}

describe('reading through', () => {
  test('asks for the same, with the client’s own headers and the loop guard', async () => {
    const headers = { authorization: 'Bearer x', 'if-none-match': '"a"', cookie: 'private', host: 'here' };
    const { calls } = await read(() => OK, { headers });
    expect(calls).toEqual([
      {
        method: 'GET',
        redirect: 'manual',
        url: new URL('https://azure.example/users/1?limit=5'),
        headers: {
          authorization: 'Bearer x',
          'if-none-match': '"a"',
          'x-tandem-session': 'token',
          'x-tandem-read-through': 'aws-us-east-1',
          'x-request-id': 'request-1',
        },
        timeoutMs: readThroughMs / 2,
        bodyBytesMax: readThroughBytesMax,
      },
    ]);
  });

  test.each([200, 304, 404, 410])('passes on %s and says where it is from', async (status) => {
    const headers = { 'x-tandem-site': 'azure-eastus', etag: '"a"', date: 'today', 'set-cookie': 'a=b' };
    const { response } = await read(() => ({ status, headers, body: 'text' }));
    expect(response).toEqual({
      statusCode: status,
      headers: { etag: '"a"', 'x-tandem-origin': 'azure-eastus' },
      body: 'text',
    });
  });

  test.each([301, 307, 400, 401, 429, 500, 503])('does not pass on %s', async (status) => {
    expect((await read(() => ({ ...OK, status }))).response).toBeUndefined();
  });

  test('passes on where its storage has what was asked for', async () => {
    const headers = { ...OK.headers, location: 'https://storage.example/signed' };
    const { response } = await read(() => ({ ...OK, status: 302, headers }), { path: '/objects/1/content' });
    expect(response).toMatchObject({
      statusCode: 302,
      headers: { location: 'https://storage.example/signed', 'x-tandem-origin': 'azure-eastus' },
    });
  });

  test('passes no other redirection on', async () => {
    const headers = { ...OK.headers, location: 'https://storage.example/signed' };
    expect((await read(() => ({ ...OK, status: 302, headers }))).response).toBeUndefined();
  });

  test('does not take the answer of something in front of the site for the site’s', async () => {
    const { response } = await read(() => ({ status: 404, headers: {}, body: '{"message":"Not Found"}' }));
    expect(response).toBeUndefined();
  });

  test('asks the next site when one does not answer, each within its share of the time', async () => {
    const { calls, response } = await read((call, clock) => {
      if (call.url.host === 'aws.example') return { ...OK, headers: { 'x-tandem-site': 'aws-eu-west-1' } };
      clock.ms += call.timeoutMs;
      return new UnavailableError('slow');
    });
    expect(calls.map(({ url, timeoutMs }) => [url.host, timeoutMs])).toEqual([
      ['azure.example', readThroughMs / 2],
      ['aws.example', readThroughMs / 2],
    ]);
    expect(response?.headers).toMatchObject({ 'x-tandem-origin': 'aws-eu-west-1' });
  });

  test('asks nobody once the time is over', async () => {
    const { calls } = await read((call, clock) => {
      clock.ms += readThroughMs;
      return new UnavailableError(call.url.host);
    });
    expect(calls).toHaveLength(1);
  });

  test.each([
    ['a request that another site passed on', { headers: { 'x-tandem-read-through': 'azure-eastus' } }],
    ['a write', { method: 'PATCH' }],
    ['another problem', { error: new NotFoundError('none') }],
    ['what only strangers made', { error: new NotYetHereError('late', ['aws-us-east-1', 'unknown']) }],
  ])('asks nobody about %s', async (_, options) => {
    const { calls, response } = await read(() => OK, options);
    expect([calls, response]).toEqual([[], undefined]);
  });

  test.each(['//evil.example/users/1', '/\\evil.example', '/users/1@evil.example'])(
    'stays at the peer’s host, whatever the path: %s',
    async (path) => {
      const { calls } = await read(() => OK, { path });
      expect(calls[0]?.url.origin).toBe('https://azure.example');
    },
  );
});
