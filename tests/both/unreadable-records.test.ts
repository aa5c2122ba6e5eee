/**
 * A record that this site cannot read, met by whoever asks: a page leaves it out and names it, a read of it alone says so,
 * and `status` knows why. Runs once per cloud, and every answer is held to the contract.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verificationKey } from '@tandem-clouds/replication/anti-entropy/verification';
import type { Json } from '@tandem-clouds/replication/json';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { type CallApi, callAsOperator, openApi, OPERATOR_ENV, type Response } from '../helpers/api.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { tear } from '../helpers/tear.ts';
import { TestSite } from '../helpers/test-site.ts';

let clouds: LinkedClouds;
let store: Store;
let call: CallApi;
let operations: unknown;
let restore: () => void;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  restore = setEnvironment(OPERATOR_ENV);
  store = openStore(loadConfig(cloudName, { ...clouds.env, ...OPERATOR_ENV }), noEntries);
  call = await openApi();
  ({ handler: operations } = await import('../../src/handlers/operations.ts'));
});

afterAll(async () => {
  restore();
  await clouds.close();
});

const operate = (path: string): Promise<Response> => callAsOperator(operations, 'GET', path);

const idsOf = (json: Record<string, unknown>): unknown[] =>
  (json['items'] as { id: string }[]).map(({ id }) => id);

/** Keys that `status` names, and what met them. */
async function unusable(): Promise<readonly { key: string; during: string; reason: string }[]> {
  const { json } = await operate('pending');
  return (json['unusable'] ?? []) as { key: string; during: string; reason: string }[];
}

/** A record as its site would hold it. */
async function put(key: string, fields: Record<string, Json>): Promise<void> {
  const site = new TestSite(clouds.own.site, []);
  site.nowMs = Date.now();
  await site.write(key, fields);
  const results = await store.putMany([{ record: site.held(key)!, expected: undefined }]);
  expect(results).toMatchObject([{ status: 'written' }]);
}

const ENTITIES = [
  {
    collection: 'users',
    entity: 'user',
    create: (id: string) =>
      call('POST', '/users', { body: { userId: id, name: 'Ada', email: 'a@example.com' } }),
  },
  {
    collection: 'items',
    entity: 'item',
    create: (id: string) => call('POST', '/write', { body: { id, data: {} } }),
  },
];

describe.each(ENTITIES)(
  `$collection on ${cloudName}, one of which cannot be read`,
  ({ collection, entity, create }) => {
    let session = '';
    beforeAll(async () => {
      for (const id of ['a', 'b', 'c']) {
        const { headers } = await create(id);
        if (id === 'b') session = headers['x-tandem-session'] ?? '';
      }
      await tear(clouds.own, `${entity}:b`);
    });

    test('are listed without it, and it is named', async () => {
      const { status, json } = await call('GET', `/${collection}`);
      expect([status, idsOf(json), json['unreadable']]).toEqual([200, ['a', 'c'], ['b']]);
      expect(await unusable()).toContainEqual(
        expect.objectContaining({
          key: `${entity}:b`,
          during: 'list',
          reason: expect.stringContaining('no record'),
        }),
      );
    });

    test('are listed page by page across it', async () => {
      const seen: unknown[] = [];
      let path = `/${collection}?limit=1`;
      for (let pages = 0; pages < 3; pages += 1) {
        const { json } = await call('GET', path);
        seen.push([idsOf(json), json['unreadable']]);
        path = `/${collection}?limit=1&cursor=${String(json['cursor'])}`;
      }
      expect(seen).toEqual([
        [['a'], undefined],
        [[], ['b']],
        [['c'], undefined],
      ]);
    });

    test('are listed for a client that has seen it', async () => {
      const { status, json } = await call('GET', `/${collection}`, {
        headers: { 'x-tandem-session': session },
      });
      expect([status, idsOf(json), json['unreadable']]).toEqual([200, ['a', 'c'], ['b']]);
    });

    test.each(['GET', 'DELETE'])('say so to a %s of it alone', async (method) => {
      const { status, json } = await call(method, `/${collection}/b`);
      expect([status, json['code'], json['title']]).toEqual([500, 'unreadable', 'Record cannot be read']);
      expect(json['detail']).toContain('another site');
      const seen = await call('GET', `/${collection}/b`, { headers: { 'x-tandem-session': session } });
      expect([seen.status, seen.json['code']]).toEqual([500, 'unreadable']);
    });
  },
);

test(`a key that only a read has met is named by status, on ${cloudName}`, async () => {
  await call('POST', '/write', { body: { id: 'lone', data: {} } });
  await tear(clouds.own, 'item:lone');
  expect((await call('GET', '/items/lone')).status).toBe(500);
  expect(await unusable()).toContainEqual(expect.objectContaining({ key: 'item:lone', during: 'read' }));
});

test(`a write that meets it says so, and it is named, on ${cloudName}`, async () => {
  await call('POST', '/write', { body: { id: 'stuck', data: {} } });
  await tear(clouds.own, 'item:stuck');
  const { status, json } = await call('POST', '/write', { body: { id: 'stuck', data: { n: 1 } } });
  expect([status, json['code']]).toEqual([500, 'unreadable']);
  expect(await unusable()).toContainEqual(expect.objectContaining({ key: 'item:stuck', during: 'write' }));
});

describe(`the conflict log on ${cloudName}, with entries that cannot be read`, () => {
  const version = { site: 'aws-us-east-1', stamp: '0lsa1b2c3.0.aws-us-east-1', value: 1 };
  const entry = { record: 'user:1', field: 'name', loser: version, winner: version, reason: 'newer' };
  beforeAll(async () => {
    for (const id of ['whole', 'torn']) await put(`conflict:${id}`, entry);
    await tear(clouds.own, 'conflict:torn');
    await put('conflict:half', { ...entry, loser: { site: 'aws-us-east-1' } });
    await put('conflict:none', { note: 'no entry' });
  });

  test('is listed without them, and they are named', async () => {
    const { status, json } = await operate('conflicts');
    expect([status, idsOf(json), json['unreadable']]).toEqual([200, ['whole'], ['half', 'none', 'torn']]);
  });

  test.each(['torn', 'half', 'none'])('says so of one alone: %s', async (id) => {
    const { status, json } = await operate(`conflicts/${id}`);
    expect([status, json['code']]).toEqual([500, 'unreadable']);
  });
});

test(`comparisons are listed without results that cannot be read, on ${cloudName}`, async () => {
  const [there, back] = [
    verificationKey({ from: clouds.own.site, to: clouds.peer.site }),
    verificationKey({ from: clouds.peer.site, to: clouds.own.site }),
  ];
  await put(there, { from: null });
  await put(back, { from: null });
  await tear(clouds.own, back);
  const { status, json } = await operate('verifications');
  expect([status, json['verifications'], json['unreadable']]).toEqual([200, [], [there, back]]);
});
