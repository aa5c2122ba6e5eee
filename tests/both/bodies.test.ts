/** How bodies are read. Runs once per cloud: both must give the same answer to the same bytes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cloudName } from '#cloud';
import { failuresMax, jsonDepthMax } from '../../src/shared/bounds.ts';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

let cloud: TestCloud;
let restore: () => void;
let call: CallApi;

beforeAll(async () => {
  cloud = await startCloud(cloudName);
  restore = setEnvironment({ ...cloud.env, TANDEM_LOG_LEVEL: 'error' });
  call = await openApi();
});

afterAll(async () => {
  restore();
  await cloud.close();
});

const ADA = '{"name":"Ada","email":"ada@example.com"}';
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const utf16 = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

const post = (
  body: unknown,
  type = 'application/json',
  more: Record<string, string> = {},
): Promise<Response> => call('POST', '/users', { body, headers: { 'content-type': type, ...more } });
const failuresOf = ({ json }: Response): [string, string][] =>
  (json['errors'] as { pointer: string; rule: string }[]).map(({ pointer, rule }) => [pointer, rule]);

describe(`a body on ${cloudName}`, () => {
  test.each<[string, unknown, string, number]>([
    ['that is there', ADA, 'application/json', 201],
    ['with white space around it', ` \r\n\t${ADA}\n`, 'application/json', 201],
    ['with a byte order mark', Buffer.concat([BOM, Buffer.from(ADA)]), 'application/json', 201],
    [
      'with a byte order mark, as a merge patch',
      Buffer.concat([BOM, Buffer.from(ADA)]),
      'application/merge-patch+json',
      201,
    ],
    ['with the replacement character itself', '{"name":"\uFFFD","email":"a@b.co"}', 'application/json', 201],
    ['with noncharacters', '{"name":"\uFFFE\uFFFF","email":"a@b.co"}', 'application/json', 201],
    ['that is empty', '', 'application/json', 400],
    ['that is empty and without a type', '', '', 400],
    ['that is white space', ' ', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
    ['false', 'false', 'application/json', 400],
    ['0', '0', 'application/json', 400],
    ['""', '""', 'application/json', 400],
    ['[]', '[]', 'application/json', 400],
    ['with two byte order marks', Buffer.concat([BOM, BOM, Buffer.from(ADA)]), 'application/json', 400],
    ['in UTF-16', utf16(ADA), 'application/json', 400],
    ['in UTF-16 without a mark', Buffer.from(ADA, 'utf16le'), 'application/json', 400],
    [
      'with a byte that is no UTF-8',
      Buffer.from(ADA.replace('Ada', '\xff'), 'latin1'),
      'application/json',
      400,
    ],
    [
      'with a character cut short',
      Buffer.from('{"name":"\xf0\x9f\x98","email":"a@b.co"}', 'latin1'),
      'application/json',
      400,
    ],
    [
      'with an overlong slash',
      Buffer.from('{"name":"\xc0\xaf","email":"a@b.co"}', 'latin1'),
      'application/json',
      400,
    ],
    ['with half a surrogate pair', '{"name":"\\ud83d","email":"a@b.co"}', 'application/json', 400],
  ])('%s', async (_, body, type, status) => {
    expect((await post(body, type)).status).toBe(status);
  });

  test.each<[string, number]>([
    ['application/json', 201],
    ['Application/JSON', 201],
    ['application/json;', 201],
    ['application/json; charset=utf-8', 201],
    ['application/json;charset="UTF-8"', 201],
    ['application/json ; charset=utf8 ; profile="a;b"', 201],
    ['application/merge-patch+json', 201],
    ['application/json-patch+json', 415],
    ['application/vnd.api+json', 415],
    ['application/problem+json', 415],
    ['application/jsonx', 415],
    ['application/json, application/json', 415],
    ['application/json; charset=iso-8859-1', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json; charset=utf-8; charset=latin1', 415],
    ['application/json; charset', 415],
    ['application/json charset=utf-8', 415],
    ['text/json', 415],
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['json', 415],
    ['/', 415],
    ['', 415],
  ])('of type "%s" is answered %i', async (type, status) => {
    const response = await post(ADA, type);
    expect(response.status).toBe(status);
    expect(response.headers['accept']).toBe(
      status === 415 ? 'application/json, application/merge-patch+json' : undefined,
    );
  });

  test.each([
    ['gzip', 415],
    ['identity', 201],
  ])('with Content-Encoding: %s is answered %i', async (coding, status) => {
    expect((await post(ADA, 'application/json', { 'content-encoding': coding })).status).toBe(status);
  });

  // The Functions host hands over nothing of it, API Gateway all: neither is to matter.
  test.each([
    ['that does not reach the function', ''],
    ['that does', ADA],
  ])('sent in chunks %s is answered 411', async (_, body) => {
    const response = await post(body, 'application/json', { 'transfer-encoding': 'chunked' });
    expect(response.status).toBe(411);
    expect(response.json).toMatchObject({
      code: 'length_required',
      detail: expect.stringContaining('Content-Length'),
    });
  });

  test('OPTIONS says which patches a path takes', async () => {
    const accepted = async (path: string) => (await call('OPTIONS', path)).headers['accept-patch'];
    expect(await accepted('/users/ada')).toBe('application/json, application/merge-patch+json');
    expect(await accepted('/users')).toBeUndefined();
  });
});

describe(`nesting on ${cloudName}`, () => {
  const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const item = (levels: number): Promise<Response> =>
    call('POST', '/write', { body: `{"data":${nested(levels - 1)}}` });
  const user = (levels: number): Promise<Response> =>
    post(`{"name":"A","email":"a@b.co","metadata":${nested(levels - 1)}}`);

  test.each([
    ['an item', item, '/data'],
    ['a user', user, '/metadata'],
  ])(
    '%s may nest as deep as the bound, and one level more is refused where it begins',
    async (_, send, start) => {
      expect((await send(jsonDepthMax)).status).toBe(201);
      const refused = await send(jsonDepthMax + 1);
      expect(refused.status).toBe(400);
      expect(failuresOf(refused)).toEqual([[start + '/a'.repeat(jsonDepthMax - 1), 'depth']]);
      expect(JSON.stringify(refused.json['errors'])).toContain(`${jsonDepthMax} levels`);
    },
  );

  test('a change is bounded like a creation', async () => {
    const id = (await post(ADA)).json['id'] as string;
    const change = (levels: number): Promise<Response> =>
      call('PATCH', `/users/${id}`, { body: `{"metadata":${nested(levels - 1)}}` });
    expect([(await change(jsonDepthMax)).status, (await change(jsonDepthMax + 1)).status]).toEqual([
      200, 400,
    ]);
  });

  test.each([130, 8_000, 50_000])('%i nested arrays are refused', async (levels) => {
    const body = `{"data":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
    const { status, json } = await call('POST', '/write', { body });
    expect([status, json['code']]).toEqual([400, 'invalid']);
  });
});

describe(`numbers on ${cloudName}`, () => {
  const write = (number: string): Promise<Response> =>
    call('POST', '/write', { body: `{"data":{"n":[${number}]}}` });

  test.each([
    '0',
    '-0',
    '0.1',
    '1.0',
    '100',
    '1e2',
    '1E+2',
    '12.50e-1',
    '9007199254740991',
    '-9007199254740992',
    '1e27',
    '123456789012345680000',
    '1.7976931348623157e308',
    '5e-324',
    '0e400',
    '0.30000000000000004',
  ])('%s is kept', async (number) => {
    const written = await write(number);
    expect([written.status, written.json['data']]).toEqual([201, { n: [Number(number) + 0] }]);
    const read = await call('GET', `/items/${written.json['id'] as string}`);
    expect(read.json['data']).toEqual({ n: [Number(number) + 0] });
  });

  test.each([
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '4e-324',
    '0.1234567890123456789',
    '100000000000000000000001',
    '1.0000000000000001',
    '123456789012345678',
    '1e99999999999999999999',
  ])('%s is refused, because a double would change it', async (number) => {
    const refused = await write(number);
    expect([refused.status, refused.json['code']]).toEqual([400, 'invalid']);
    expect(failuresOf(refused)).toEqual([['/data/n/0', 'number']]);
  });

  test('a number in text is text', async () => {
    expect((await write('"9007199254740993"')).status).toBe(201);
  });

  test('every number that would be changed is named, as many as an answer has room for', async () => {
    const refused = await call('POST', '/write', { body: `{"data":{"n":[${'1e400,'.repeat(5_000)}0]}}` });
    expect([refused.status, failuresOf(refused).length]).toEqual([400, failuresMax]);
  });

  test.each([
    ['{"increment":9007199254740993}', '/signIns/increment', 'number'],
    ['{"increment":9007199254740992}', '/signIns/increment', 'maximum'],
    ['{"increment":-9007199254740992}', '/signIns/increment', 'minimum'],
    ['{"increment":1e27}', '/signIns/increment', 'maximum'],
    ['{"increment":0.5}', '/signIns/increment', 'type'],
  ])('a counter does not take %s', async (change, pointer, rule) => {
    const id = (await post(ADA)).json['id'] as string;
    const refused = await call('PATCH', `/users/${id}`, { body: `{"signIns":${change}}` });
    expect([refused.status, failuresOf(refused)[0]]).toEqual([400, [pointer, rule]]);
  });

  test('a counter does not begin where it could not count on', async () => {
    const refused = await post('{"name":"A","email":"a@b.co","signIns":1e300}');
    expect([refused.status, failuresOf(refused)]).toEqual([400, [['/signIns', 'maximum']]]);
  });

  test('a sum beyond what can be counted exactly is refused, and the count stays', async () => {
    const created = await post(`{"name":"A","email":"a@b.co","signIns":${Number.MAX_SAFE_INTEGER - 2}}`);
    const path = `/users/${created.json['id'] as string}`;
    const add = (by: number): Promise<Response> =>
      call('PATCH', path, { body: { signIns: { increment: by } } });
    expect([(await add(2)).status, (await add(1)).status]).toEqual([200, 409]);
    expect((await add(Number.MAX_SAFE_INTEGER)).status).toBe(409);
    expect((await call('GET', path)).json['signIns']).toBe(Number.MAX_SAFE_INTEGER);
    expect((await add(-1)).json['signIns']).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});
