/** Paths, methods, queries and conditions. Runs once per cloud: both must give the same answer to the same request. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cloudName } from '#cloud';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

let cloud: TestCloud;
let restore: () => void;
let call: CallApi;
let etag = '';

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  restore = setEnvironment({ ...cloud.env, TANDEM_LOG_LEVEL: 'error' });
  call = await openApi();
  const created = await call('POST', '/users', { body: { userId: 'A', name: 'Ada', email: 'a@b.co' } });
  etag = created.headers['etag'] ?? '';
});

afterAll(async () => {
  restore();
  await cloud.close();
});

const result = ({ status, json }: Response): string => [status, json['code']].filter(Boolean).join(' ');

describe(`a path on ${cloudName}`, () => {
  test.each([
    ['with a slash at its end', '/users/A/', '200'],
    ['with two of them', '/users/A//', '404 route_not_found'],
    ['with an empty segment', '/users//A', '404 route_not_found'],
    ['with dot segments', '/users/./x/../A', '200'],
    ['that goes above the root', '/users/../../users/A', '200'],
    ['with an id that was encoded twice', '/users/%2541', '404 not_found'],
    ['with an encoded slash, which separates like any other', '/users/x%2FA', '404 route_not_found'],
    ['with an encoded backslash', '/users/a%5Cb', '404 not_found'],
    ['with an encoded question mark', '/users/a%3Fb', '404 not_found'],
    ['with an encoded hash', '/items/a%23b', '404 not_found'],
    ['with an encoded NUL', '/items/%00', '404 not_found'],
    ['with a space', '/users/%20', '404 not_found'],
    ['with a letter that no id has', '/users/%C3%BC', '404 not_found'],
    ['that is not UTF-8', '/users/%E0%A4%A', '404 not_found'],
    ['with a percent sign', '/users/100%', '404 not_found'],
    ['with an id that is too long', `/users/${'x'.repeat(129)}`, '404 not_found'],
    ['in capitals', '/users/a', '404 not_found'],
  ])('%s', async (_, path, wanted) => {
    expect(result(await call('GET', path))).toBe(wanted);
  });
});

describe(`a method on ${cloudName}`, () => {
  test.each(['TRACE', 'PROPFIND', 'CONNECT', 'get', '__proto__'])('%s is not taken', async (method) => {
    const { status, headers } = await call(method, '/users/A');
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, PATCH, DELETE, OPTIONS']);
  });

  test.each(['/users/A', '/users?limit=1', '/region', '/users/none', '/users?limit=0', '/nothing'])(
    'HEAD %s answers as GET does, and states the length',
    async (path) => {
      const [get, head] = [await call('GET', path), await call('HEAD', path)];
      const bytes = Buffer.byteLength(get.text).toString();
      expect([head.status, head.headers['content-type'], head.headers['content-length'], head.text]).toEqual([
        get.status,
        get.headers['content-type'],
        expect.stringMatching(get.status === 200 ? new RegExp(`^${bytes}$`) : /^\d+$/) as unknown,
        '',
      ]);
    },
  );

  test('HEAD of a state that the client holds is 304', async () => {
    const { status, headers } = await call('HEAD', '/users/A', { headers: { 'if-none-match': etag } });
    expect([status, headers['etag'], headers['content-length']]).toEqual([304, etag, undefined]);
  });
});

describe(`a query on ${cloudName}`, () => {
  test.each([
    ['limit=1', '200'],
    ['limit=%31', '200'],
    ['', '200'],
    ['&', '200'],
    ['__proto__=1', '400 invalid'],
    ['constructor=1', '400 invalid'],
    ['limit=1&limit=2', '400 invalid'],
    ['limit=', '400 invalid'],
    ['limit=0x10', '400 invalid'],
    ['limit=%201', '400 invalid'],
    ['limit=1e1', '400 invalid'],
    ['limit=%ff', '400 invalid'],
    ['cursor=', '400 invalid'],
    ['cursor=a', '400 invalid'],
    ['cursor=a+b/', '400 invalid'],
    ['cursor=QQ', '200'],
    ['cursor=QQ&cursor=QQ', '400 invalid'],
  ])('?%s', async (query, wanted) => {
    expect(result(await call('GET', `/users?${query}`))).toBe(wanted);
  });
});

describe(`conditions on ${cloudName}`, () => {
  const change = (ifMatch: string): Promise<Response> =>
    call('PATCH', '/users/A', { body: { name: 'Ada' }, headers: { 'if-match': ifMatch } });

  test.each<[string, () => string, string]>([
    ['weak', () => `W/${etag}`, '412 precondition_failed'],
    ['weak, beside another', () => `"x", W/${etag}`, '412 precondition_failed'],
    ['another', () => '"x"', '412 precondition_failed'],
    ['one with a comma in it', () => '"a,b"', '412 precondition_failed'],
    ['empty quotes', () => '""', '412 precondition_failed'],
    ['a list with empty elements', () => ', "x" ,,', '412 precondition_failed'],
    ['nothing', () => '', '400 malformed'],
    ['commas only', () => ' , ,', '400 malformed'],
    ['without quotes', () => 'x', '400 malformed'],
    ['with half of them', () => '"x', '400 malformed'],
    ['two without a comma', () => '"x" "y"', '400 malformed'],
    ['a tag with a space', () => '"x y"', '400 malformed'],
    ['weak in lower case', () => 'w/"x"', '400 malformed'],
    ['everything and a tag', () => '*, "x"', '400 malformed'],
  ])('If-Match: %s', async (_, header, wanted) => {
    expect(result(await change(header()))).toBe(wanted);
  });

  test.each<[string, () => string]>([
    ['the tag', () => etag],
    ['the tag and an empty element', () => `${etag},`],
    ['the tag among others', () => `,W/"x",${etag} , "y"`],
    ['everything', () => ' * '],
  ])('If-Match with %s lets a write pass', async (_, header) => {
    const { status, headers } = await change(header());
    expect(status).toBe(200);
    etag = headers['etag'] ?? '';
  });

  test.each<[string, () => string, number]>([
    ['the tag', () => etag, 304],
    ['the tag, weak', () => `W/${etag}`, 304],
    ['the tag and empty elements', () => `,,${etag},`, 304],
    ['everything', () => '*', 304],
    ['another', () => '"x"', 200],
    ['nothing', () => '', 400],
    ['no tag', () => 'x', 400],
  ])('If-None-Match: %s', async (_, header, status) => {
    expect((await call('GET', '/users/A', { headers: { 'if-none-match': header() } })).status).toBe(status);
  });

  test('If-None-Match of a write knows only "*"', async () => {
    const body = { id: 'once', data: {} };
    const write = (tags: string): Promise<Response> =>
      call('POST', '/write', { body, headers: { 'if-none-match': tags } });
    expect([(await write('"x"')).status, (await write('*')).status, (await write('*')).status]).toEqual([
      400, 201, 412,
    ]);
  });

  test.each([
    ['nothing', ''],
    ['commas', ',,'],
    ['what is no token', 'a'],
  ])('X-Tandem-Session with %s is refused', async (_, session) => {
    expect((await call('GET', '/users/A', { headers: { 'x-tandem-session': session } })).status).toBe(400);
  });

  test('empty elements beside a token are ignored', async () => {
    const { headers } = await call('GET', '/users/A');
    const session = `, ${headers['x-tandem-session'] ?? ''} ,`;
    expect((await call('GET', '/users/A', { headers: { 'x-tandem-session': session } })).status).toBe(200);
  });
});
