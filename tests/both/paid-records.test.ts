/**
 * Records that are paid for, over HTTP: as old as their key, written by their creation, never deleted, waited for. Runs once
 * per cloud, over its store and queues.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { creationHeaders } from '@tandem-clouds/local/creation-headers';
import { cloudName, httpEntry } from '#cloud';
import { type Breaches, breachesOf, type OpenApi } from '../../infra/rollout/contract-breaches.ts';
import { openApiDocument } from '../../scripts/generate/openapi.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { openReplica, openRuntime } from '../../src/shared/runtime.ts';
import { invoke, type Response } from '../helpers/api.ts';
import { routesOf } from '../helpers/entity-checks.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { keyOf, ticket } from '../helpers/ticket.ts';

let clouds: LinkedClouds;
let breaches: Breaches;
let handler: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  breaches = breachesOf(parse(openApiDocument([ticket], [])) as OpenApi);
  const routes = routesOf(ticket, openReplica(openRuntime()));
  const logger = { log: () => undefined };
  handler = httpEntry(
    httpService({ site: clouds.own.site, routes, logger, elapsed: () => performance.now() }),
  );
});

afterAll(() => clouds.close());

async function send(
  method: string,
  path: string,
  { body, headers = {} }: { body?: object; headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const response = await invoke(handler, { method, path, headers, ...(body !== undefined && { body }) });
  expect(breaches(method, path, response)).toEqual([]);
  return { ...response, json: JSON.parse(response.text || '{}') as Record<string, unknown> };
}

const BODY = { show: 'Hamlet', cents: 2_500 };
const create = (headers: Readonly<Record<string, string>>): Promise<Response> =>
  send('POST', '/tickets', { body: BODY, headers });

test('a creation needs a key, which says when the record was born, and a repeat is answered', async () => {
  expect((await create({})).json['errors']).toMatchObject([
    { pointer: '/headers/idempotency-key', rule: 'required' },
  ]);
  const old = { 'idempotency-key': keyOf(Date.now() - 20 * 3_600_000) };
  expect((await create(old)).json['errors']).toMatchObject([{ rule: 'age' }]);
  const madeMs = Date.now() - 60_000;
  const key = { 'idempotency-key': keyOf(madeMs) };
  const created = await create(key);
  expect([created.status, created.json['createdAt']]).toEqual([201, new Date(madeMs).toISOString()]);
  const repeated = await create(key);
  expect([repeated.status, repeated.headers['idempotency-replayed'], repeated.json]).toEqual([
    201,
    'true',
    created.json,
  ]);
});

test('what a creation wrote no change writes, and nobody deletes it', async () => {
  const { headers } = await create(creationHeaders(ticket));
  const path = headers['location'] ?? '';
  expect((await send('PATCH', path, { body: { cents: 1 } })).json['errors']).toMatchObject([
    { pointer: '/cents', rule: 'by' },
  ]);
  const refused = await send('DELETE', path);
  expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, PATCH, OPTIONS']);
  expect((await send('GET', path)).json).toMatchObject(BODY);
});

test('a read waits until the record has been led on, and no longer', async () => {
  const { headers } = await create(creationHeaders(ticket));
  const path = headers['location'] ?? '';
  const reading = send('GET', path, { headers: { prefer: 'wait=8' } });
  await send('POST', `${path}/move`, { body: { to: 'failed' } });
  const read = await reading;
  expect([read.status, read.json['status'], read.headers['preference-applied']]).toEqual([
    200,
    'failed',
    'wait=8',
  ]);
  const known = { prefer: 'wait=8', 'if-none-match': read.headers['etag'] ?? '' };
  const waiting = send('GET', path, { headers: known });
  const changed = await send('PATCH', path, { body: { note: 'aisle' } });
  expect((await waiting).headers['etag']).toBe(changed.headers['etag']);
});
