/**
 * The packaged Azure app under Microsoft's own worker: its registrations, and requests of several kinds. What loading
 * takes: `npm run bench -- worker`. `npm run test:peers -- functions-worker` packages nothing: `npm run package` comes first.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { FunctionsHost, type HttpAnswer, type Outcome } from '@tandem-clouds/testkit/peers/functions-host';
import { ENVIRONMENT } from '../../scripts/bench/bundle/environment.ts';

const checkout = process.env['TANDEM_PEER_FUNCTIONS_WORKER'];
if (checkout === undefined) {
  throw new Error('TANDEM_PEER_FUNCTIONS_WORKER is not set; run npm run test:peers -- functions-worker');
}
const APP = path.join(import.meta.dirname, '../../.artifacts/azure/app');
if (!fs.existsSync(path.join(APP, 'package.json')))
  throw new Error(`no package in ${APP}; run npm run package`);

const start = (): Promise<FunctionsHost> =>
  FunctionsHost.start({ checkout, appDir: APP, env: { ...ENVIRONMENT.azure, TANDEM_LOG_LEVEL: 'error' } });

describe("the packaged app under Microsoft's worker", () => {
  let host: FunctionsHost;

  beforeAll(async () => {
    host = await start();
  });
  afterAll(() => host.close());

  const request = async (method: string, target: string, headers: Record<string, string> = {}, body = '') => {
    const nullableHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, { value }]),
    );
    const http = { method, url: `https://tandem.example${target}`, nullableHeaders };
    return host.invoke('users', {
      http: { ...http, ...(body !== '' && { body: { bytes: Buffer.from(body) } }) },
    });
  };
  const answerOf = ({
    result,
    returnValue,
  }: Outcome): { http: HttpAnswer; json: Record<string, unknown> } => {
    expect(result).toMatchObject({ status: 'Success' });
    const http = returnValue?.http;
    if (!http) throw new Error('no HTTP answer');
    const text = Buffer.from(http.body?.bytes ?? http.body?.string ?? '').toString();
    return { http, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  };

  it('registers every function, without HTTP streams', () => {
    const names = host.functions.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['users', 'fallback', 'forward', 'apply', 'sweep', 'verify']),
    );
    expect(host.capabilities).not.toHaveProperty('HttpUri');
  });

  it('answers a request with a problem document', async () => {
    const { http, json } = answerOf(
      await request('POST', '/users', { 'content-type': 'application/json' }, '{'),
    );
    expect(http).toMatchObject({
      statusCode: '400',
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(json).toMatchObject({ code: 'malformed' });
  });

  it('answers 411 to a body of which nothing arrives', async () => {
    const chunked = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const { http } = answerOf(await request('POST', '/users', chunked));
    expect(http.statusCode).toBe('411');
  });

  it('answers without a body where there is none', async () => {
    const { http } = answerOf(await request('OPTIONS', '/users/A'));
    expect(http.statusCode).toBe('204');
  });

  // Why docs/limits.md names them: they fail before our code.
  it.each([
    ['TRACE', {}],
    ['GET', { 'x-name': '\u65e5' }],
  ])('fails %s with headers %j at once', async (method, headers) => {
    expect((await request(method, '/users/A', headers)).result.status).toBe('Failure');
  });
});
