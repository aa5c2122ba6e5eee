/**
 * The same bytes get the same answer from both local hosts: what stands before the functions, serverless-offline there and
 * our Functions host here, changes nothing. Requests go out as written, as no HTTP client would let them.
 */
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { headerBytesMax } from '../../src/shared/bounds.ts';

let stack: OwnStack;
let operatorKey: string;

beforeAll(async () => {
  stack = await startOwnStack('--ephemeral');
  ({ operatorKey } = stack.describe());
  for (const { url } of stack.describe().sites) {
    const body = JSON.stringify({ id: 'A', data: { text: 'x'.repeat(2_000) } });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${url}/write`, { method: 'POST', headers, body })).ok).toBe(true);
  }
});

afterAll(() => stack.stop());

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes and reads until the server closes. */
async function send(url: string, request: Buffer): Promise<Raw> {
  const { port } = new URL(url);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.write(request);
  const response = Buffer.concat((await socket.toArray()) as Buffer[]).toString('latin1');
  const [head = '', body = ''] = response.split(/\r\n\r\n(.*)/s);
  const [line = '', ...lines] = head.split('\r\n');
  const headers = lines.map((each) => /^([^:]+):\s*(.*)$/.exec(each) ?? []);
  return {
    status: Number(line.split(' ')[1]),
    headers: Object.fromEntries(headers.map(([, name = '', value = '']) => [name.toLowerCase(), value])),
    body,
  };
}

interface Parts {
  readonly headers?: readonly string[];
  readonly body?: Buffer | string;
}

function request(method: string, target: string, { headers = [], body = '' }: Parts = {}): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const length = bytes.length > 0 || method === 'POST' ? [`Content-Length: ${bytes.length}`] : [];
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: tandem.test',
    'Connection: close',
    ...length,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

const JSON_TYPE = 'Content-Type: application/json';
const ITEM = '{"data":{}}';
const post = (headers: readonly string[], body: Buffer | string = ITEM): Buffer =>
  request('POST', '/write', { headers, body });
const chunked = (headers: readonly string[], ...chunks: string[]): Buffer => {
  const lines = [
    'POST /write HTTP/1.1',
    'Host: tandem.test',
    'Connection: close',
    'Transfer-Encoding: chunked',
    ...headers,
  ];
  const body = [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
};
const get = (target: string, ...headers: string[]): Buffer => request('GET', target, { headers });
const bytes = (...parts: (Buffer | string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const TRACE = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('both hosts answer alike', () => {
  test.each<[string, () => Buffer, number, string?]>([
    ['a body', () => post([JSON_TYPE]), 201],
    ['a body without its length', () => chunked([JSON_TYPE], ITEM), 411, 'length_required'],
    ['one of no type', () => chunked([], ITEM), 411, 'length_required'],
    ['chunks that are none', () => chunked([JSON_TYPE]), 411, 'length_required'],
    ['no body', () => post([], ''), 400],
    ['no body, with a type', () => post([JSON_TYPE], ''), 400],
    ['null', () => post([JSON_TYPE], 'null'), 400],
    ['false', () => post([JSON_TYPE], 'false'), 400],
    ['0', () => post([JSON_TYPE], '0'), 400],
    ['an empty string', () => post([JSON_TYPE], '""'), 400],
    ['a byte order mark', () => post([JSON_TYPE], bytes([0xef, 0xbb, 0xbf], ITEM)), 201],
    ['UTF-16', () => post([JSON_TYPE], bytes([0xff, 0xfe], Buffer.from(ITEM, 'utf16le'))), 400],
    ['bytes that are no text', () => post([JSON_TYPE], bytes('{"data":{"a":"', [0xff], '"}}')), 400],
    [
      'a character cut short',
      () => post([JSON_TYPE], bytes('{"data":{"a":"', [0xf0, 0x9f, 0x98], '"}}')),
      400,
    ],
    ['another charset', () => post([`${JSON_TYPE}; charset=iso-8859-1`]), 415],
    ['no type', () => post([]), 415],
    ['an empty type', () => post(['Content-Type:']), 415],
    ['a type that is none', () => post(['Content-Type: x']), 415],
    ['two types', () => post([JSON_TYPE, JSON_TYPE]), 415],
    ['a JSON patch', () => post(['Content-Type: application/json-patch+json'], '[]'), 415],
    ['JSON:API', () => post(['Content-Type: application/vnd.api+json']), 415],
    ['a form', () => post(['Content-Type: multipart/form-data; boundary=x']), 415],
    ['a merge patch', () => post(['Content-Type: application/merge-patch+json']), 201],
    ['a coding', () => post([JSON_TYPE, 'Content-Encoding: gzip']), 415],
    ['130 levels', () => post([JSON_TYPE], `{"data":${'{"a":'.repeat(130)}1${'}'.repeat(131)}`), 400],
    ['8,000 arrays', () => post([JSON_TYPE], `{"data":{"a":${'['.repeat(8_000)}${']'.repeat(8_000)}}}`), 400],
    ['an inexact number', () => post([JSON_TYPE], '{"data":{"a":9007199254740993}}'), 400],
    ['three traces', () => post([JSON_TYPE, TRACE, TRACE, TRACE]), 201],
    ['a trace of 200 characters', () => post([JSON_TYPE, `traceparent: ${'a'.repeat(200)}`]), 201],
    ['an encoded letter in a path', () => get('/%69tems/%41'), 200],
    ['one that was encoded twice', () => get('/items/%2541'), 404, 'not_found'],
    ['and in the name of a route', () => get('/%2569tems/A'), 404, 'route_not_found'],
    ['two slashes before', () => get('//items/A'), 404, 'route_not_found'],
    ['two slashes inside', () => get('/items//A'), 404, 'route_not_found'],
    ['a slash behind', () => get('/items/A/'), 200],
    ['two slashes behind', () => get('/items/A//'), 404, 'route_not_found'],
    ['dot segments', () => get('/./x/../items/A'), 200],
    ['encoded dot segments', () => get('/x/%2e%2e/items/%2E/A'), 200],
    ['an encoded slash', () => get('/items%2FA'), 404, 'route_not_found'],
    ['capitals', () => get('/ITEMS/A'), 404, 'route_not_found'],
    ['what is not UTF-8', () => get('/items/%E0%A4%A'), 404, 'not_found'],
    ['a percent sign', () => get('/items/%'), 404, 'not_found'],
    ['a NUL', () => get('/items/%00'), 404, 'not_found'],
    ['a backslash', () => get('/items/a%5Cb'), 404, 'not_found'],
    [
      'an id of a conflict that no store holds',
      () => operator('/replication/conflicts/a%5Cb'),
      404,
      'not_found',
    ],
    ['one with a hash', () => operator('/replication/conflicts/%23'), 404, 'not_found'],
    ['one that is too long', () => operator(`/replication/conflicts/${'a'.repeat(2_500)}`), 404, 'not_found'],
    ['a method of others', () => request('PROPFIND', '/items/A'), 405],
    ['OPTIONS', () => request('OPTIONS', '/users/A', { headers: ['Origin: https://a.example'] }), 204],
    ['HEAD', () => request('HEAD', '/items/A'), 200],
    ['HEAD of what is not there', () => request('HEAD', '/items/none'), 404],
    ['a parameter named like a prototype', () => get('/users?__proto__=1'), 400],
    ['a parameter twice', () => get('/users?limit=1&limit=2'), 400],
    ['a range', () => get('/items/A', 'Range: bytes=0-1'), 200],
    ['a cookie that is none', () => get('/items/A', 'Cookie: ,;"x'), 200],
    ['compression', () => get('/items/A', 'Accept-Encoding: gzip'), 200],
    ['conditions of dates', () => get('/items/A', 'If-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT'), 200],
    ['a tag that is weak', () => request('DELETE', '/users/none', { headers: ['If-Match: W/"x"'] }), 404],
    ['two headers of one name', () => post([JSON_TYPE, 'If-Match: "x"', 'If-Match: "y"']), 412],
    ['an empty condition', () => post([JSON_TYPE, 'If-Match:']), 400],
  ])('%s', async (...row) => {
    const [, make, status, code] = row;
    const responses = await Promise.all(stack.describe().sites.map(({ url }) => send(url, make())));
    const [aws, azure] = responses.map(({ headers, body, ...rest }) => ({
      ...rest,
      code: /"code":"(\w+)"/.exec(body)?.[1],
      type: rest.status === 204 ? undefined : headers['content-type'],
      ...Object.fromEntries(COMPARED.map((name) => [name, headers[name]])),
    }));
    expect(aws).toEqual(azure);
    expect(aws).toMatchObject({ status, ...(code !== undefined && { code }) });
  });

  const COMPARED = [
    'allow',
    'accept',
    'accept-patch',
    'accept-ranges',
    'content-encoding',
    'www-authenticate',
  ];
  const operator = (target: string): Buffer => get(target, `Authorization: Bearer ${operatorKey}`);

  test.each([
    ['at the bound', 0, 200],
    ['one byte beyond it', 1, 431],
  ])('what the platforms add counts for nothing: headers %s', async (_title, more, status) => {
    const target = `/health?x=${'x'.repeat(300)}`;
    // Host, Connection and the path beside it; the question mark counts for neither.
    const beside = target.length - 1 + 'tandem.test'.length + 'close'.length;
    const padding = `X: ${'x'.repeat(headerBytesMax - beside + more)}`;
    const statuses = stack
      .describe()
      .sites.map(async ({ url }) => (await send(url, get(target, padding))).status);
    expect(await Promise.all(statuses)).toEqual([status, status]);
  });

  // The worker makes a `Request` of what comes, which knows no TRACE (docs/limits.md).
  test('but to TRACE, which never reaches a function on Azure', async () => {
    const statuses = stack.describe().sites.map(async ({ cloud, url }) => {
      return [cloud, (await send(url, request('TRACE', '/items/A'))).status];
    });
    expect(Object.fromEntries(await Promise.all(statuses))).toEqual({ aws: 405, azure: 500 });
  });

  test('HEAD states the length of what GET sends', async () => {
    for (const { url } of stack.describe().sites) {
      const head = await send(url, request('HEAD', '/items/A'));
      const whole = await (await fetch(`${url}/items/A`)).arrayBuffer();
      expect(head.headers['content-length']).toBe(String(whole.byteLength));
    }
  });
});
