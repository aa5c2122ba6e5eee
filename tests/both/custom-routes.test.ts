/**
 * Custom routes, as a function that is built from their declaration. Runs once per cloud: the answers are the same, and on
 * AWS every call is one that the role allows which follows from the declaration.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { LIMIT } from '@tandem-clouds/replication/reserved';
import { cloudName } from '#cloud';
import { type Breaches, breachesOf, type OpenApi } from '../../infra/rollout/contract-breaches.ts';
import { openApiDocument } from '../../scripts/generate/openapi.ts';
import { user } from '../../src/shared/entities/user.ts';
import { userCreate, userPatch, userStored } from '../../src/shared/generated/validators.js';
import { serveRoutes } from '../../src/shared/serve-routes.ts';
import { invoke, type Response } from '../helpers/api.ts';
import { arn, isAllowed, type PolicyStatement, substitute } from '../helpers/iam.ts';
import { proxyAws } from '../helpers/rights/aws.ts';
import { RightsBook } from '../helpers/rights/calls.ts';
import { checksOf, sampleRoutes } from '../helpers/sample-routes.ts';
import { setEnvironment, startCloud } from '../helpers/sites.ts';

const { statementsOfRoutes } = createRequire(import.meta.url)('../../infra/aws/entities.cjs') as {
  statementsOfRoutes: (declared: object) => readonly PolicyStatement[];
};
const ROLE = {
  ...{ name: 'guests', function: 'guests', handler: '', slots: [], reacts: false },
  ...{ reads: true, writes: true, asks: true, secrets: ['guest-key'] },
};
const ARNS: Readonly<Record<string, string>> = {
  Table: arn('dynamodb', 'table/tandem'),
  OutQueue: arn('sqs', 'tandem-out'),
  ReactQueue: arn('sqs', 'tandem-react'),
  GuestsLogGroup: arn('logs', 'log-group:guests:*'),
};

/** As CloudFormation fills them in. */
function resolve(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  const { 'Fn::GetAtt': att, 'Fn::Sub': sub = '' } = value as { 'Fn::GetAtt'?: string[]; 'Fn::Sub'?: string };
  if (att !== undefined) return [ARNS[att[0] ?? ''] ?? ''];
  return [substitute(sub, { 'Table.Arn': ARNS['Table'] ?? '', 'param:prefix': 'tandem' })];
}

const allows = (declared: object, action: string, resource: string, key?: string): boolean =>
  isAllowed(
    statementsOfRoutes(declared),
    { action, resource, ...(key !== undefined && { context: { 'dynamodb:LeadingKeys': key } }) },
    resolve,
  );

const closing: (() => unknown)[] = [];
const book = new RightsBook(({ action, resource }) => allows(ROLE, action, resource));
let handler: unknown;
let breaches: Breaches;

beforeAll(async () => {
  const provider = http.createServer((_, response) => response.end('{"rate":1.5}'));
  await new Promise<void>((listening) => provider.listen(0, '127.0.0.1', listening));
  const cloud = await startCloud(cloudName);
  closing.push(
    () => provider.close(),
    () => cloud.close(),
  );
  const guarded: Record<string, string> = {};
  for (const name of ['AWS_ENDPOINT_URL_DYNAMODB', 'AWS_ENDPOINT_URL_SQS']) {
    const endpoint = cloud.env[name];
    if (endpoint === undefined) continue;
    const proxy = await proxyAws(endpoint, book);
    closing.push(() => proxy.close());
    guarded[name] = `${proxy.endpoint}/`;
  }
  const keyOf = (key: string, scopes: readonly string[]): object => ({
    sha256: createHash('sha256').update(key).digest('hex'),
    scopes,
  });
  closing.push(
    setEnvironment({
      ...cloud.env,
      ...guarded,
      TANDEM_LOG_LEVEL: 'error',
      TANDEM_SERVICE_KEYS: JSON.stringify([
        keyOf('staff', ['tandem/read', 'tandem/write']),
        keyOf('broker', ['guests/rates']),
      ]),
      TANDEM_CALLER_LIMITS: '{"requests":{"perSecond":1000,"burst":1000}}',
    }),
  );
  const routes = sampleRoutes(`http://127.0.0.1:${(provider.address() as AddressInfo).port}`);
  const checks = { create: userCreate, patch: userPatch, stored: userStored, actions: {} };
  handler = serveRoutes(routes, { operations: checksOf(routes), entities: [{ entity: user, checks }] });
  breaches = breachesOf(parse(openApiDocument([user], [routes])) as OpenApi);
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Every answer keeps the contract that follows from the declaration. */
async function as(
  who: string | undefined,
  method: string,
  path: string,
  rest: { body?: object; headers?: Record<string, string> } = {},
): Promise<Response> {
  const headers = { ...rest.headers, ...(who !== undefined && { authorization: `Bearer ${who}` }) };
  const response = await invoke(handler, { method, path, ...rest, headers });
  expect([method, path, breaches(method, path, response)]).toEqual([method, path, []]);
  return { ...response, json: JSON.parse(response.text || '{}') as Response['json'] };
}

const invite = (key: string, guest = 'Grace'): Promise<Response> =>
  as('staff', 'POST', '/guests', { body: { host: 'Ada', guest }, headers: { 'idempotency-key': key } });

describe('custom routes', () => {
  test('read and write records, and answer as they declare', async () => {
    const { status, json, headers } = await invite('k1');
    const { hostId, guestId } = json as Record<string, string>;
    expect([status, hostId === guestId]).toEqual([201, false]);
    expect(headers['x-tandem-session']?.split(',')).toHaveLength(2);
    const at = `/guests/${guestId!}/in/en`;
    const seen = { headers: { 'x-tandem-session': headers['x-tandem-session']! } };
    expect((await as('staff', 'GET', `${at}?times=2&loud=true`, seen)).json).toEqual({ text: 'GRACE GRACE' });
    expect((await as('staff', 'HEAD', `${at}?times=2`)).status).toBe(200);
    expect((await as('staff', 'GET', '/guests')).json).toEqual({
      names: expect.arrayContaining(['Ada', 'Grace']),
    });
    expect((await as(undefined, 'OPTIONS', '/guests')).headers['allow']).toBe('POST, GET, HEAD, OPTIONS');
    expect((await as('staff', 'PATCH', '/guests')).status).toBe(405);
  });

  test('take effect once for one key, each named write by itself', async () => {
    const first = await invite('k2');
    expect((await invite('k2')).json).toEqual(first.json);
    expect((await invite('k3')).json).not.toEqual(first.json);
    expect((await invite('k2', 'Another')).json).toMatchObject({ code: 'idempotency_mismatch' });
  });

  test('refuse what their schemas do not take, every part of it', async () => {
    const body = await as('staff', 'POST', '/guests', { body: { host: '', more: 1 } });
    expect([body.status, pointersOf(body)]).toEqual([400, ['/guest', '/host', '/more']]);
    const query = await as('staff', 'GET', '/guests/a/in/en?times=01&loud=yes&more=1');
    expect([query.status, pointersOf(query)]).toEqual([400, ['/query/loud', '/query/more', '/query/times']]);
    expect(pointersOf(await as('staff', 'GET', '/guests/a/in/english?times=1'))).toEqual(['/path/language']);
    expect(pointersOf(await as('staff', 'GET', '/guests?limit=1'))).toEqual(['/query/limit']);
  });

  test('refuse by declared codes; what else a handler does wrong is a fault', async () => {
    const at = (language: string): Promise<Response> =>
      as('staff', 'GET', `/guests/nobody/in/${language}?times=1`);
    expect((await at('xx')).json).toMatchObject({
      status: 404,
      code: 'unspoken',
      detail: 'Nobody speaks it here',
    });
    expect((await at('yy')).json).toMatchObject({ status: 500, code: 'internal' });
    expect((await at('en')).json).toMatchObject({ status: 404, code: 'not_found' });
    const { json } = await invite('k4', 'x'.repeat(61));
    const long = `/guests/${(json as Record<string, string>)['guestId']!}/in/en?times=1`;
    expect((await as('staff', 'GET', long)).json).toMatchObject({ status: 500, code: 'internal' });
    expect((await as('staff', 'POST', '/guests/secrets')).status).toBe(500);
  });

  test('are for who has the scope that they declare', async () => {
    expect((await as('broker', 'POST', '/guests/rates')).json).toEqual({ rate: 1.5 });
    expect((await as('staff', 'POST', '/guests/rates')).status).toBe(403);
    expect((await as('broker', 'GET', '/guests')).status).toBe(403);
    expect((await as(undefined, 'GET', '/guests')).status).toBe(401);
    const wave = await as(undefined, 'PUT', '/guests/wave', { body: { hello: 'you' } });
    expect(wave.json).toEqual({ signature: '15 nobody' });
  });

  test('call nothing on AWS that the role does not allow which follows from them', () => {
    expect(book.denied).toEqual([]);
    expect(book.made.length > 0).toBe(cloudName === 'aws');
  });
});

const pointersOf = ({ json }: Response): string[] =>
  (json as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer).sort();

describe('the role of custom routes', () => {
  const table = ARNS['Table']!;
  const secret = (name: string): string => arn('secretsmanager', `secret:tandem/${name}-AbCdEf`);
  const reader = { ...ROLE, writes: false, secrets: [] };
  const nothing = { ...reader, reads: false, asks: false };

  test.each<[string, object, string, string, string | undefined, boolean]>([
    ['that reads, reads', reader, 'dynamodb:GetItem', table, 'user:a', true],
    ['that reads, lists', reader, 'dynamodb:Query', `${table}/index/by_type`, undefined, true],
    ['that reads, writes no record', reader, 'dynamodb:PutItem', table, 'user:a', false],
    ['that reads, counts its callers', reader, 'dynamodb:PutItem', table, `${LIMIT}:requests.a`, true],
    ['that reads, sends nothing', reader, 'sqs:SendMessage', ARNS['OutQueue']!, undefined, false],
    ['that writes, sends', ROLE, 'sqs:SendMessage', ARNS['OutQueue']!, undefined, true],
    ['that writes what nobody reacts to', ROLE, 'sqs:SendMessage', ARNS['ReactQueue']!, undefined, false],
    ['that names a secret', ROLE, 'secretsmanager:GetSecretValue', secret('guest-key'), undefined, true],
    ['that names another', ROLE, 'secretsmanager:GetSecretValue', secret('guest-key-2'), undefined, false],
    [
      'without records, which counts callers',
      { ...nothing, asks: true },
      'dynamodb:GetItem',
      table,
      'user:a',
      false,
    ],
    ['that uses nothing', nothing, 'dynamodb:GetItem', table, 'limit:a', false],
  ])('%s', (_what, declared, action, resource, key, isRight) => {
    expect(allows(declared, action, resource, key)).toBe(isRight);
  });
});
