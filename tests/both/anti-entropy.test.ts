/** Conflicts and comparisons as operators see them. Runs once per cloud, with the other as its peer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { drive } from '@tandem-clouds/replication/drive';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { checkStep } from '../../src/shared/validation/check-step.ts';
import { type CallApi, callAsOperator, callHandler, OPERATOR_ENV, type Response } from '../helpers/api.ts';
import { deliver, type Delivery } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { delivered, TestSite } from '../helpers/test-site.ts';

const handlers = new Map<string, unknown>();
let clouds: LinkedClouds;
let store: Store;
let restore: () => void;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  restore = setEnvironment(OPERATOR_ENV);
  store = openStore(loadConfig(cloudName, { ...clouds.env, ...OPERATOR_ENV }), noEntries);
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void handlers.set(name, (await module).handler);
  await load('operations', import('../../src/handlers/operations.ts'));
  await load('users', import('../../src/handlers/entities/users.ts'));
  await load('apply', import('../../src/bridge/apply.ts'));
  await load('verify', import('../../src/bridge/verify.ts'));
});

afterAll(async () => {
  restore();
  await clouds.close();
});

const call = (service: string, ...request: Parameters<CallApi>): Promise<Response> =>
  callHandler(handlers.get(service), ...request);
const operate = (method: string, path: string, body?: object): Promise<Response> =>
  callAsOperator(handlers.get('operations'), method, path, body);

/** Hands bodies to a function as its queue would, one batch. */
const hand = (name: string, bodies: readonly string[]): ReturnType<typeof deliver> =>
  deliver(
    cloudName,
    handlers.get(name),
    bodies.map((body): Delivery => ({ body })),
  );

describe(`the conflict log on ${cloudName}`, () => {
  test('shows a write that lost, and an operator makes it win', async () => {
    const { json: user } = await call('users', 'POST', '/users', {
      body: { userId: 'torn', name: 'Ours', email: 'a@example.com' },
    });
    const peer = new TestSite(clouds.peer.site, [clouds.own.site]);
    peer.nowMs = Date.now() + 50;
    await peer.write(`user:${String(user['id'])}`, { name: 'Theirs' });
    await hand('apply', [peer.outbox.sent[0]?.body ?? '']);

    const { json: page } = await operate('GET', 'conflicts');
    const [entry] = page['items'] as Record<string, unknown>[];
    expect(entry).toMatchObject({
      record: 'user:torn',
      field: 'name',
      loser: { site: clouds.own.site, value: 'Ours' },
      winner: { site: clouds.peer.site, value: 'Theirs' },
      reason: 'newer',
    });
    const path = `conflicts/${String(entry?.['id'])}`;
    expect((await operate('GET', path)).json).toEqual(entry);

    const overridden = await operate('POST', `${path}/override`, { note: 'ours was right' });
    expect(overridden.json['override']).toMatchObject({ value: 'Ours', note: 'ours was right' });
    expect((await call('users', 'GET', '/users/torn')).json['name']).toBe('Ours');
  });

  test.each([
    ['an entry that is not there', 'conflicts/none', 404],
    ['a page larger than there is', 'conflicts?limit=101', 400],
  ])('refuses %s', async (_, path, status) => {
    expect((await operate('GET', path)).status).toBe(status);
  });

  test('refuses a value that the entity does not take, naming the field', async () => {
    const { json: page } = await operate('GET', 'conflicts');
    const [entry] = page['items'] as Record<string, unknown>[];
    const { status, json } = await operate('POST', `conflicts/${String(entry?.['id'])}/override`, {
      value: 5,
    });
    expect([status, JSON.stringify(json['errors'])]).toEqual([400, expect.stringContaining('/name')]);
  });
});

describe(`comparisons on ${cloudName}`, () => {
  test('go through the queues of both sites and say when the two held the same', async () => {
    const peer = new TestSite(clouds.peer.site, [clouds.own.site]);
    const { records } = await store.scan({ cursor: undefined, limit: 100 });
    expect(records.length).toBeGreaterThan(0);
    await peer.store.putMany(
      records.map((record) => ({ record: { ...record, pending: {} }, expected: undefined })),
    );
    const begun = await operate('POST', 'verifications', { peer: clouds.peer.site });
    expect([begun.status, begun.json['ended']]).toEqual([202, false]);
    const result = await untilEnded(peer);
    expect(result).toMatchObject({
      id: begun.json['id'],
      lastCleanAt: begun.json['begunAt'],
      sides: { [clouds.own.site]: { differing: 0 }, [clouds.peer.site]: { differing: 0 } },
    });
  });

  test('with a site that is no peer are refused', async () => {
    expect((await operate('POST', 'verifications', { peer: 'gcp-europe' })).status).toBe(404);
    expect((await operate('POST', 'verifications', {})).status).toBe(400);
  });

  /** Carries steps between the function under test and a peer in memory. */
  async function untilEnded(peer: TestSite): Promise<Record<string, unknown> | undefined> {
    const verifiers = new Map([clouds.own.site, clouds.peer.site].map((site) => [site, new MemoryQueue()]));
    const { store: held, outbox, peers, sleep } = peer;
    const resources = { store: held, outbox, peers, sleep, verifiers };
    for (let round = 0; round < 10; round += 1) {
      const taken = async (cloud: LinkedClouds['own']): Promise<string[]> => [
        ...(await cloud.take('tandem-verify')).map(({ body }) => body),
        ...(verifiers.get(cloud.site)?.sent.splice(0) ?? []).map(({ body }) => body),
      ];
      for (const body of await taken(clouds.own)) await hand('verify', [body]);
      for (const body of await taken(clouds.peer)) {
        await drive(verify(peer.site, [delivered({ id: 'm', body })], checkStep), resources);
      }
      const { json } = await operate('GET', 'verifications');
      const [latest] = json['verifications'] as Record<string, unknown>[];
      if (latest?.['ended'] === true) return latest;
    }
    return undefined;
  }
});
