/** Lists by an index, through the routes of an entity, on a store in memory. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ValidateFunction } from 'ajv';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { INDEXES_FIELD, indexesField, type IndexPhase } from '@tandem-clouds/replication/index-phases';
import type { Json } from '@tandem-clouds/replication/json';
import { EntityService } from '../../../../src/shared/domain/entity-service.ts';
import { indexesOf } from '../../../../src/shared/domain/indexes/declared-index.ts';
import { indexEntries } from '../../../../src/shared/domain/indexes/index-entry.ts';
import { UnreadableError } from '../../../../src/shared/errors.ts';
import { entityRoutes } from '../../../../src/shared/http/entity-routes.ts';
import { problemReply } from '../../../../src/shared/http/problem.ts';
import type { HttpReply, HttpRequest } from '../../../../src/shared/http/route.ts';
import { sessionToken } from '../../../../src/shared/http/session.ts';
import { keepIndexes } from '../../../../src/shared/operations/index-upkeep.ts';
import { replicationView } from '../../../../src/shared/operations/replication-view.ts';
import { checkStep } from '../../../../src/shared/validation/check-step.ts';
import { bookingNamed } from '../../../helpers/indexed-booking.ts';
import { delivered, TestSite } from '../../../helpers/test-site.ts';

const AWS = 'aws-us-east-1';
const AZURE = 'azure-eastus';
const booking = bookingNamed('booking');
const indexes = indexesOf(booking);
const NO_CHECK = undefined as unknown as ValidateFunction;

let site: TestSite;
let service: EntityService;

beforeEach(() => {
  site = new TestSite(AWS);
  site.store.entriesOf = indexEntries(indexes);
  service = new EntityService(booking, site.replica(indexes), () => []);
});

async function phasesAt(name: string, phase: IndexPhase): Promise<void> {
  const states = Object.fromEntries(indexes.map(({ id }) => [id, { phase, sinceMs: 1 }]));
  await site.write(heartbeatKey(name), { [INDEXES_FIELD]: indexesField(states) });
}

async function complete(): Promise<void> {
  await phasesAt(AWS, 'filled');
  await phasesAt(AZURE, 'filled');
}

async function get(query: string, headers: HttpRequest['headers'] = {}): Promise<HttpReply> {
  const route = entityRoutes(booking, service, { create: NO_CHECK, patch: NO_CHECK, actions: {} }).find(
    ({ method, path }) => method === 'GET' && path === '/bookings',
  );
  const request = {
    query: Object.fromEntries(new URLSearchParams(query)),
    headers,
    params: {},
    body: undefined,
  };
  try {
    return (await route?.handle(request as unknown as HttpRequest)) ?? { status: 0 };
  } catch (error) {
    return problemReply(error, 'request');
  }
}

interface Body {
  readonly items: readonly { readonly id: string }[];
  readonly unreadable?: readonly string[];
  readonly cursor?: string;
}

async function ids(query: string, headers?: HttpRequest['headers']): Promise<readonly string[]> {
  const reply = await get(query, headers);
  expect(reply).toMatchObject({ status: 200 });
  return (reply.body as Body).items.map(({ id }) => id);
}

/** All pages of a list. */
async function walk(query: string, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const reply = await get(`${query}&limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
    expect(reply.status).toBe(200);
    const body = reply.body as Body;
    found.push(...body.items.map(({ id }) => id));
    ({ cursor } = body);
    expect(reply.headers?.['link']?.includes(`cursor=${cursor}`)).toBe(
      cursor === undefined ? undefined : true,
    );
  } while (cursor !== undefined);
  return found;
}

const create = (bookingId: string, values: Readonly<Record<string, Json>>) =>
  service.create({ bookingId, customerId: 'ada', ...values }, {});

describe('a list by an index', () => {
  test('holds those of one value in the order of another, each once over all pages, either way', async () => {
    await complete();
    for (let day = 1; day <= 9; day += 1) await create(`b${day}`, { from: `2030-01-0${10 - day}T00:00:00Z` });
    await create('late', { from: '2030-01-05T01:00:00+02:00' });
    await create('other', { customerId: 'bob', from: '2030-01-01T00:00:00Z' });
    const order = ['b9', 'b8', 'b7', 'b6', 'late', 'b5', 'b4', 'b3', 'b2', 'b1'];
    for (const limit of [1, 3, 10, 100]) {
      expect(await walk('customerId=ada', limit)).toEqual(order);
      expect(await walk('customerId=ada&order=desc', limit)).toEqual(order.toReversed());
    }
    const range = 'customerId=ada&from[gte]=2030-01-03T00:00:00Z&from[lt]=2030-01-05T00:00:00%2B00:00';
    expect(await ids(range)).toEqual(['b7', 'b6', 'late']);
    expect(await ids('customerId=nobody')).toEqual([]);
  });

  test('merges the buckets of a value in order', async () => {
    await complete();
    const titles = Array.from({ length: 30 }, (_, i) => String.fromCodePoint(0x1f600 + ((i * 7) % 30)));
    for (const [i, title] of titles.entries()) await create(`b${i}`, { paid: true, title });
    const order = titles.map((_, i) => i).sort((a, b) => ((titles[a] ?? '') < (titles[b] ?? '') ? -1 : 1));
    expect(await walk('paid=true', 4)).toEqual(order.map((i) => `b${i}`));
    const hashes = [...site.store.items.values()].flatMap(({ entries = [] }) =>
      entries.map(({ hash }) => hash),
    );
    expect(new Set(hashes).size).toBe(4);
  });

  test('shows what is, not what an index that lags says', async () => {
    await complete();
    await create('b1', { seats: 2 });
    await create('b2', { seats: 2 });
    site.store.entriesOf = (record) =>
      indexEntries(indexes)(
        { ...record, state: { ...record.state, fields: { ...record.state.fields, seats: ['', 2] } } },
        'write',
      );
    await service.change('b1', { seats: 3 }, {});
    expect(await ids('seats=2')).toEqual(['b2']);
  });

  test('has what a session has seen, or waits for it, and refuses when that does not come', async () => {
    await complete();
    const entriesOf = site.store.entriesOf;
    site.store.entriesOf = () => [];
    const { record } = await create('b1', { seats: 2 });
    const seen = { 'x-tandem-session': sessionToken(record) };
    expect(await ids('seats=2')).toEqual([]);
    site.sleep = (ms) => {
      site.nowMs += ms;
      return Promise.resolve();
    };
    expect(await get('seats=2', seen)).toMatchObject({ status: 503, body: { code: 'not_yet_here' } });
    expect(await ids('seats=3', seen)).toEqual([]);
    site.sleep = async () => {
      site.store.entriesOf = entriesOf;
      const held = await site.store.get(record.key);
      await site.store.putMany([{ record: held?.record ?? record, expected: held?.revision }]);
    };
    expect(await ids('seats=2', seen)).toEqual(['b1']);
  });

  test('names what cannot be read, and lists the others', async () => {
    await complete();
    for (const id of ['b1', 'b2', 'b3']) await create(id, { seats: 2 });
    site.store.bad.set('booking:b2', { read: new UnreadableError('torn') });
    expect((await get('seats=2')).body).toMatchObject({
      items: [{ id: 'b1' }, { id: 'b3' }],
      unreadable: ['b2'],
    });
  });

  test('leaves out what was deleted', async () => {
    await complete();
    await create('b1', { seats: 2 });
    await service.remove('b1', {});
    expect(await ids('seats=2')).toEqual([]);
    expect(site.store.items.get('booking:b1')?.entries).toEqual([]);
  });
});

describe('a query that no index serves is refused with what there is', () => {
  const there =
    'there is customerId=… with a range of from; paid=… with a range of title; seats=… with a range of seats';
  const cases: [string, string, string, string][] = [
    ['color=red', '/query/color', 'unknown', there],
    ['title=a', '/query/title', 'index', there],
    ['customerId=ada&paid=true', '/query/paid', 'index', there],
    ['customerId=ada&title[gte]=a', '/query/title[gte]', 'index', there],
    ['from[gte]=2030-01-01T00:00:00Z', '/query/from[gte]', 'index', there],
    ['order=desc', '/query/order', 'index', there],
    ['customerId=ada&from[like]=2030', '/query/from[like]', 'operator', 'gte, gt, lte, lt'],
    ['customerId=ada&from[gte]=then', '/query/from[gte]', 'type', 'date-time'],
    ['seats=two', '/query/seats', 'type', 'must be a number'],
    ['paid=yes', '/query/paid', 'type', 'must be true or false'],
    ['seats=2&seats[gt]=1&seats[gte]=1', '/query/seats[gte]', 'range', 'one end'],
    ['seats=2&order=up', '/query/order', 'enum', 'asc or desc'],
    ['seats=2&limit=0', '/query/limit', 'range', 'from 1 to 100'],
    ['seats=2&cursor=Ym9va2luZw', '/query/cursor', 'cursor', 'not a cursor of this list'],
  ];
  test.each(cases)('%s', async (query, pointer, rule, detail) => {
    await complete();
    const reply = await get(query);
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid', errors: [{ pointer, rule }] } });
    expect(JSON.stringify(reply.body)).toContain(detail);
  });

  test('a cursor of another value, another index or the other direction', async () => {
    await complete();
    for (const id of ['b1', 'b2']) await create(id, { seats: 2, from: '2030-01-01T00:00:00Z' });
    const { cursor = '' } = (await get('seats=2&limit=1')).body as Body;
    for (const query of ['seats=3', 'seats=2&order=desc', 'customerId=ada'])
      expect(await get(`${query}&cursor=${cursor}`)).toMatchObject({ status: 400 });
  });
});

describe('an index that was added', () => {
  const refused = { status: 503, body: { code: 'index_incomplete' } };
  const tick = async (): Promise<void> =>
    keepIndexes(site.site, indexes, site.held(heartbeatKey(AWS)), site.resources);
  const phases = (): unknown => {
    const value = site.held(heartbeatKey(AWS))?.state.fields[INDEXES_FIELD]?.[1] as readonly Json[][];
    return value.map(([, phase]) => phase);
  };
  const unfinished = async () =>
    (await replicationView(site.site, site.store)).indexes?.map(({ phase }) => phase);
  const own = () => site.verifiers.get(AWS)?.sent ?? [];

  test('refuses until every site has filled it, and answers from then on, whatever becomes of a peer', async () => {
    expect(await get('seats=2')).toMatchObject(refused);
    await phasesAt(AWS, 'filled');
    expect(await get('seats=2')).toMatchObject(refused);
    await phasesAt(AZURE, 'filling');
    expect(await get('seats=2')).toMatchObject(refused);
    expect(await unfinished()).toEqual(['filled', 'filled', 'filled']);
    await phasesAt(AZURE, 'filled');
    // Before a tick has noted it: what is said of an index agrees with what its list answers.
    expect(await unfinished()).toBeUndefined();
    expect(await ids('paid=true')).toEqual([]);
    await tick();
    expect(phases()).toEqual(['open', 'open', 'open']);
    site.store.items.delete(heartbeatKey(AZURE));
    expect(await ids('seats=2')).toEqual([]);
  });

  test('is filled at once where there is no record, and otherwise from what is there, step by step', async () => {
    site.store.entriesOf = () => [];
    for (let i = 0; i < 3; i += 1) await create(`b${i}`, { seats: 2 });
    const before = site.held('booking:b1');
    site.store.entriesOf = indexEntries(indexes);
    await tick();
    expect(phases()).toEqual(['filling', 'filling', 'filling']);
    expect(own()).toMatchObject([{ delaySeconds: 60 }]);
    await tick();
    expect(own()).toHaveLength(1);
    const taken = await site.run(verify(site.site, own().map(delivered), checkStep));
    expect(taken).toEqual([{ kind: 'done' }]);
    expect(phases()).toEqual(['filled', 'filled', 'filled']);
    expect(site.held('booking:b1')).toEqual(before);
    await phasesAt(AZURE, 'filled');
    expect(await ids('seats=2')).toEqual(['b0', 'b1', 'b2']);
  });

  test('a step that finds its record changed leaves it to who changed it, and one of an earlier filling ends nothing', async () => {
    site.store.entriesOf = () => [];
    await create('b1', { seats: 2 });
    site.store.entriesOf = indexEntries(indexes);
    await tick();
    const [message] = own();
    if (message === undefined) throw new Error('nothing was begun');
    await site.write(heartbeatKey(AWS), {
      [INDEXES_FIELD]: indexesField({ [indexes[0]?.id ?? '']: { phase: 'filling', sinceMs: 7 } }),
    });
    await site.run(verify(site.site, [delivered(message)], checkStep));
    expect(phases()).toEqual(['filling']);
  });

  test('is begun only once the store has the index, and forgotten by a release that does not declare it', async () => {
    site.store.before = (operation) => {
      if (operation === 'entries') throw new UnreadableError('the table does not have the specified index');
    };
    await tick();
    expect(site.held(heartbeatKey(AWS))).toBeUndefined();
    site.store.before = () => undefined;
    await tick();
    expect(phases()).toEqual(['filled', 'filled', 'filled']);
    site.nowMs += 10_000;
    await keepIndexes(site.site, [], site.held(heartbeatKey(AWS)), site.resources);
    expect(phases()).toEqual([]);
  });
});
