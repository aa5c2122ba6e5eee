/** A list by an index over HTTP, of an entity that this test declares: from its filling to its last page, on each cloud. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { INDEXES_FIELD, indexesField, indexStates } from '@tandem-clouds/replication/index-phases';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import { cloudName, openOutbox, openStore } from '#cloud';
import { createSchema, patchSchema } from '../../src/shared/domain/entity-schemas.ts';
import { EntityService } from '../../src/shared/domain/entity-service.ts';
import { indexesOf } from '../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../src/shared/domain/indexes/index-entry.ts';
import { Replica } from '../../src/shared/domain/replica.ts';
import { entityRoutes } from '../../src/shared/http/entity-routes.ts';
import { keepIndexes } from '../../src/shared/operations/index-upkeep.ts';
import { openRuntime, type Runtime, serve, sleep } from '../../src/shared/runtime.ts';
import { checkStep } from '../../src/shared/validation/check-step.ts';
import { invoke } from '../helpers/api.ts';
import { bookingNamed } from '../helpers/indexed-booking.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import { delivered, TestSite } from '../helpers/test-site.ts';

const booking = bookingNamed('booking');
const indexes = indexesOf(booking);
const ajv = new Ajv({ strict: false, validateFormats: false });
const checks = {
  create: ajv.compile(createSchema(booking)),
  patch: ajv.compile(patchSchema(booking)),
  actions: {},
};

let clouds: LinkedClouds;
let runtime: Runtime;
let handler: unknown;
let resources: Resources;
/** What the store keeps: nothing as long as the release before runs. */
let entriesOf = noEntries;
const own = new MemoryQueue();
let operations = 0;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  runtime = openRuntime();
  const { config, site } = runtime;
  const store = openStore(config, (record, use) => entriesOf(record, use));
  resources = { store, outbox: openOutbox(config), verifiers: new Map([[site.site, own]]), sleep };
  const next = (): string => {
    operations += 1;
    return `id-${String(operations).padStart(12, '0')}`;
  };
  const replica = new Replica({ site, resources, ids: { next }, indexes });
  const service = new EntityService(booking, replica, () => []);
  handler = serve(runtime, entityRoutes(booking, service, checks));
});

afterAll(async () => {
  await clouds.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly json: {
    readonly code?: string;
    readonly cursor?: string;
    readonly items?: readonly { readonly id: string }[];
    readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  };
}

async function call(method: string, path: string, body?: object): Promise<Answer> {
  const response = await invoke(handler, { method, path, ...(body !== undefined && { body }) });
  return { ...response, json: JSON.parse(response.text || '{}') as Answer['json'] };
}

async function book(bookingId: string, values: object): Promise<void> {
  const { status } = await call('POST', '/bookings', { bookingId, customerId: 'ada', ...values });
  expect(status).toBe(201);
}

async function walk(query: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? '' : `&cursor=${cursor}`;
    const { status, json } = await call('GET', `/bookings?${query}&limit=2${more}`);
    expect(status).toBe(200);
    ids.push(...(json.items ?? []).map(({ id }) => id));
    ({ cursor } = json);
  } while (cursor !== undefined);
  return ids;
}

const heartbeat = async () => (await resources.store.get(heartbeatKey(runtime.site.site)))?.record;
const tick = async (): Promise<void> => keepIndexes(runtime.site, indexes, await heartbeat(), resources);

/** What the peer's heartbeat says, as if it had crossed. */
async function hearPeer(phase: 'filling' | 'filled'): Promise<void> {
  const peer = new TestSite(clouds.peer.site, []);
  const states = Object.fromEntries(indexes.map(({ id }) => [id, { phase, sinceMs: 1 }]));
  const { key } = await peer.write(heartbeatKey(clouds.peer.site), { [INDEXES_FIELD]: indexesField(states) });
  const expected = (await resources.store.get(key))?.revision;
  expect(await resources.store.putMany([{ record: peer.held(key)!, expected }])).toMatchObject([
    { status: 'written' },
  ]);
}

test(`an index that a release adds on ${cloudName} is filled, and answers once both sites have filled it`, async () => {
  for (const [i, from] of [
    '2030-01-03T00:00:00Z',
    '2030-01-01T00:00:00Z',
    '2030-01-02T09:00:00+10:00',
  ].entries())
    await book(`old-${i}`, { from, paid: i > 0, title: `t${i}` });
  const before = await resources.store.get('booking:old-0');
  entriesOf = indexEntries(indexes);
  await book('new', { from: '2030-01-02T00:00:00Z', paid: true, title: 'é' });
  await tick();
  const refused = await call('GET', '/bookings?customerId=ada');
  expect(refused).toMatchObject({ status: 503, json: { code: 'index_incomplete' } });
  expect(refused.headers['retry-after']).toBeDefined();
  expect(await drive(verify(runtime.site, own.sent.map(delivered), checkStep), resources)).toEqual([
    { kind: 'done' },
  ]);
  await hearPeer('filling');
  expect((await call('GET', '/bookings?customerId=ada')).status).toBe(503);
  await hearPeer('filled');
  expect(await walk('customerId=ada')).toEqual(['old-1', 'old-2', 'new', 'old-0']);
  expect((await resources.store.get('booking:old-0'))?.record).toEqual(before?.record);
  await tick();
  expect(Object.values(indexStates(await heartbeat())).map(({ phase }) => phase)).toEqual([
    'open',
    'open',
    'open',
  ]);
});

test('pages go on where they ended, either way, within a range', async () => {
  const range = 'customerId=ada&from%5Bgte%5D=2030-01-02T00:00:00%2B01:00&from[lt]=2030-01-03T00:00:00Z';
  expect(await walk(range)).toEqual(['old-2', 'new']);
  expect(await walk('customerId=ada&order=desc')).toEqual(['old-0', 'new', 'old-2', 'old-1']);
  expect(await walk('paid=true')).toEqual(['old-1', 'old-2', 'new']);
  const { headers } = await call('GET', '/bookings?customerId=ada&limit=2');
  const [, next = ''] = /^<(.*)>; rel="next"$/.exec(headers['link'] ?? '') ?? [];
  const { json } = await call('GET', next);
  expect(json.items?.map(({ id }) => id)).toEqual(['new', 'old-0']);
});

test('a change moves a record, and a delete takes it out', async () => {
  await call('PATCH', '/bookings/old-0', { customerId: 'bob' });
  await call('DELETE', '/bookings/old-1');
  expect(await walk('customerId=bob')).toEqual(['old-0']);
  expect(await walk('customerId=ada')).toEqual(['old-2', 'new']);
  expect(await walk('paid=true')).toEqual(['old-2', 'new']);
});

test('what no index serves is refused with what there is', async () => {
  for (const query of [
    'color=red',
    'title=a',
    'customerId=ada&paid=true',
    'from[gte]=2030-01-01T00:00:00Z',
    'order=desc',
  ]) {
    const { status, json } = await call('GET', `/bookings?${query}`);
    expect(status).toBe(400);
    expect(json.errors?.[0]?.pointer).toMatch(/^\/query\//);
    expect(json.errors?.[0]?.detail).toContain('there is customerId=… with a range of from');
  }
});
