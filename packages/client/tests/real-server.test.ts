/** Over real connections: what a socket does when a site fails, as Node's fetch reports it. */
import http from 'node:http';
import { expect, test } from '@jest/globals';
import { startOrigin, type TestOrigin } from '../../../tests/helpers/origin.ts';
import { createTandemClient, type TandemClient } from '../src/client.ts';
import { OutcomeUnknown, ProblemError } from '../src/errors.ts';

type Handle = TestOrigin['handle'];

/** Counts what it does, and knows its keys. */
function working(origin: TestOrigin, done: string[]): Handle {
  return (request, response) => {
    const key = String(request.headers['idempotency-key']);
    if (!done.includes(key)) done.push(key);
    const headers = { 'x-tandem-site': origin.site, 'content-type': 'application/json', etag: '"e"' };
    response.writeHead(200, headers).end('{"id":"ada","name":"Ada","signIns":1}');
  };
}

interface Two {
  readonly first: TestOrigin;
  readonly second: TestOrigin;
  readonly done: { first: string[]; second: string[] };
  readonly client: TandemClient;
}

async function twoSites(use: (two: Two) => Promise<void>): Promise<void> {
  const [first, second] = [await startOrigin('first'), await startOrigin('second')];
  const done = { first: [] as string[], second: [] as string[] };
  first.handle = working(first, done.first);
  second.handle = working(second, done.second);
  const client = createTandemClient({
    sites: [
      { url: first.url.href, name: 'first' },
      { url: second.url.href, name: 'second' },
    ],
    attemptMs: 20_000,
  });
  try {
    await use({ first, second, done, client });
  } finally {
    await Promise.all([first.kill(), second.kill()]);
  }
}

/** For the next request only. */
function once(origin: TestOrigin, handle: Handle): void {
  const usual = origin.handle;
  origin.handle = (request, response) => {
    origin.handle = usual;
    handle(request, response);
  };
}

test('a refused connection is certain: an increment crosses over', () =>
  twoSites(async ({ first, done, client }) => {
    await first.kill();
    const { site } = await client.collection('users').patch('ada', { signIns: { increment: 1 } });
    expect([site, done.first.length, done.second.length]).toEqual(['second', 0, 1]);
  }));

test('a connection that breaks after the effect is not: an increment is repeated at its site', () =>
  twoSites(async ({ first, done, client }) => {
    const usual = first.handle;
    once(first, (request, response) => {
      usual(request, new http.ServerResponse(request));
      response.destroy();
    });
    const { site } = await client.collection('users').patch('ada', { signIns: { increment: 1 } });
    expect([site, done.first.length, done.second.length]).toEqual(['first', 1, 0]);
  }));

test('an answer that breaks off in the middle is none', () =>
  twoSites(async ({ first, client }) => {
    once(first, (_request, response) => {
      response.writeHead(200, { 'x-tandem-site': 'first', 'content-length': '100' });
      response.write('{"id":');
      response.destroy();
    });
    expect((await client.collection('users').get('ada')).site).toBe('second');
  }));

test('a site that hangs is left for another, and nothing of it is left open', () =>
  twoSites(async ({ first, second, done, client: _client }) => {
    let hung = 0;
    once(first, () => (hung += 1));
    const client = createTandemClient({ sites: [first.url.href, second.url.href], attemptMs: 200 });
    const { site, data } = await client.collection('users').patch('ada', { name: 'Ada' });
    expect([hung, site, data.name, done.second.length]).toEqual([1, 'second', 'Ada', 1]);
  }));

test('503 with Retry-After, 500 and 429 of one site leave the other', () =>
  twoSites(async ({ first, client }) => {
    for (const status of [503, 500, 429]) {
      once(first, (_request, response) => {
        response.writeHead(status, { 'x-tandem-site': 'first', 'retry-after': '30' }).end('{}');
      });
      expect((await client.collection('users').get('ada')).data.name).toBe('Ada');
    }
  }));

test('a problem document is an error with all that it says', () =>
  twoSites(async ({ first, client }) => {
    const problem = {
      type: 'https://tandem.example/problems/invalid',
      title: 'Invalid request',
      status: 400,
      detail: 'the body is invalid',
      instance: 'urn:request:17',
      code: 'invalid',
      errors: [{ pointer: '/email', rule: 'format', detail: 'must be an e-mail address' }],
    };
    once(first, (_request, response) => {
      response.writeHead(400, { 'x-tandem-site': 'first' }).end(JSON.stringify(problem));
    });
    const error = await client
      .collection('users')
      .create({ name: 'Ada', email: 'none' })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ ...problem, site: 'first', method: 'POST', path: '/users' });
    expect((error as Error).message).toBe(
      'POST /users: 400 invalid: the body is invalid; /email must be an e-mail address',
    );
  }));

test('what its site answered with 500 until the end is unknown', () =>
  twoSites(async ({ first, done, client }) => {
    first.handle = (_request, response) => {
      response.writeHead(500, { 'x-tandem-site': 'first' }).end('{}');
    };
    const patching = client.collection('users').patch('ada', { signIns: { increment: 1 } }, { totalMs: 300 });
    const error = await patching.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect([(error as OutcomeUnknown).sites, done.second]).toEqual([['first'], []]);
  }));
