/** `GET /replication`: what would be lost if this site vanished now. Runs once per cloud, with the other as its peer. */
import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventOf, type ReplicationEvent } from '@tandem-clouds/replication/event';
import { refusedKeys } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { callHandler, invoke, type Response } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { freshResponse } from '../helpers/fresh-response.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { waitUntil } from '../helpers/wait-until.ts';

let clouds: LinkedClouds;
let store: Store;
let handlers: Record<'replication' | 'items' | 'forward' | 'apply' | 'sweep', unknown>;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  store = openStore(loadConfig(cloudName, clouds.env), noEntries);
  const load = async (module: Promise<{ handler: unknown }>): Promise<unknown> => (await module).handler;
  handlers = {
    replication: await load(import('../../src/handlers/replication.ts')),
    items: await load(import('../../src/handlers/items.ts')),
    forward: await load(import('../../src/bridge/forward.ts')),
    apply: await load(import('../../src/bridge/apply.ts')),
    sweep: await load(import('../../src/bridge/sweep.ts')),
  };
});

afterEach(() => {
  for (const { storeFaults, queueFaults } of [clouds.own, clouds.peer]) {
    storeFaults.clear();
    queueFaults.clear();
  }
});

afterAll(() => clouds.close());

const call = (method: string): Promise<Response> => callHandler(handlers.replication, method, '/replication');

function query(): Promise<ReplicationView> {
  return freshResponse(async () => {
    const { status, text } = await call('GET');
    expect(status).toBe(200);
    return JSON.parse(text) as ReplicationView;
  });
}

async function toPeer(): Promise<ReplicationView['peers'][number] & { safeMs: number }> {
  const { peers } = await query();
  expect(peers.map(({ site }) => site)).toEqual([clouds.peer.site]);
  const [peer] = peers;
  if (peer === undefined) throw new Error('no peer');
  return { ...peer, safeMs: Date.parse(peer.safeTime) };
}

/** Writes an item while the site's own queue refuses, and returns when it was acknowledged. */
async function writeUnsent(id: string, text = ''): Promise<number> {
  clouds.own.queueFaults.set([{ kind: 'error' }]);
  const { status } = await invoke(handlers.items, {
    method: 'POST',
    path: '/write',
    body: { id, data: { n: 1, text } },
  });
  const acknowledgedAt = Date.now();
  clouds.own.queueFaults.clear();
  expect(status).toBe(201);
  return acknowledgedAt;
}

/** Lets `forward` send what the store holds of a key. */
async function forwardNow(key: string): Promise<void> {
  const record = (await store.get(key))?.record;
  if (record === undefined) throw new Error(`${key} is absent`);
  const event = eventOf(record, { source: clouds.own.site, nowMs: Date.now() });
  expect(await deliver(cloudName, handlers.forward, [{ body: JSON.stringify(event) }])).toEqual([]);
}

/** Makes a pending key old enough for the sweeper. */
async function makeDue(key: string, agoMs = 60_000): Promise<void> {
  const held = await store.get(key);
  if (held === undefined) throw new Error(`${key} is absent`);
  const record = { ...held.record, pendingSince: Date.now() - agoMs };
  expect(await store.putMany([{ record, expected: held.revision }])).toMatchObject([{ status: 'written' }]);
}

/**
 * Makes the peer's inbound queue refuse one record of two for good; the result ends that. SQS refuses the long one, by a
 * limit that an operator set; Service Bus refuses the batch, and then a message by itself.
 */
async function refuseOne(): Promise<() => Promise<void>> {
  const { peer } = clouds;
  if (peer.cloud === 'azure') {
    peer.queueFaults.set([{ kind: 'error', code: 'com.microsoft:argument-error', times: 2 }]);
    return () => {
      peer.queueFaults.clear();
      return Promise.resolve();
    };
  }
  const client = new SQSClient({
    region: 'us-east-1',
    endpoint: peer.env['AWS_ENDPOINT_URL_SQS'] ?? '',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const limit = (bytes: number): Promise<unknown> =>
    client.send(
      new SetQueueAttributesCommand({
        QueueUrl: peer.env['TANDEM_IN_URL'],
        Attributes: { MaximumMessageSize: String(bytes) },
      }),
    );
  await limit(2_048);
  return async () => {
    await limit(1_048_576);
    client.destroy();
  };
}

describe(`GET /replication on ${cloudName}`, () => {
  test('a fresh site would lose nothing and has heard nobody', async () => {
    const before = Date.now();
    const { safeMs, ...peer } = await toPeer();
    expect(peer).toMatchObject({ exposure: { keys: 0, atLeast: false }, oldestPendingMs: 0 });
    // DynamoDB's index may lag, so the last second is not promised there.
    expect(safeMs).toBeGreaterThanOrEqual(before - (cloudName === 'aws' ? 1_000 : 0));
    expect(safeMs).toBeLessThanOrEqual(Date.now());
    expect(await query()).toMatchObject({
      site: clouds.own.site,
      inbound: [{ site: clouds.peer.site, heardMsAgo: null }],
    });
  });

  test('a write that has not crossed is at risk, until the peer’s queue has it', async () => {
    const id = 'unsent-1';
    const acknowledgedAt = await writeUnsent(id);
    // Long enough for the safe time to have passed the write, if the write did not hold it back.
    const held = await waitUntil('more than the allowance for the index to pass', async () => {
      // Before it is asked: the answer is about a moment after that.
      const hasPassed = Date.now() > acknowledgedAt + 1_100;
      const peer = await toPeer();
      return hasPassed ? peer : undefined;
    });
    expect(held.exposure).toEqual({ keys: 1, atLeast: false });
    expect(held.safeMs).toBeLessThanOrEqual(acknowledgedAt);
    expect(held.oldestPendingMs).toBeGreaterThanOrEqual(1_000);
    await forwardNow(`item:${id}`);
    const after = await toPeer();
    expect(after).toMatchObject({ exposure: { keys: 0, atLeast: false }, oldestPendingMs: 0 });
    expect(after.safeMs).toBeGreaterThan(acknowledgedAt);
  });

  test('a key counts once, since its oldest write that has not crossed', async () => {
    const id = 'unsent-2';
    const first = await writeUnsent(id);
    clouds.own.queueFaults.set([{ kind: 'error' }]);
    await invoke(handlers.items, { method: 'POST', path: '/write', body: { id, data: { n: 2 } } });
    clouds.own.queueFaults.clear();
    const { exposure, safeMs } = await toPeer();
    expect(exposure.keys).toBe(1);
    expect(safeMs).toBeLessThanOrEqual(first);
    await forwardNow(`item:${id}`);
  });

  test('the peer refusing counts as much as the own queue', async () => {
    const id = 'refused-1';
    await writeUnsent(id);
    clouds.peer.queueFaults.set([{ kind: 'error' }]);
    const record = (await store.get(`item:${id}`))?.record;
    if (record === undefined) throw new Error('the item is absent');
    const event = eventOf(record, { source: clouds.own.site, nowMs: Date.now() });
    await deliver(cloudName, handlers.forward, [{ body: JSON.stringify(event) }]);
    expect((await toPeer()).exposure.keys).toBe(1);
    clouds.peer.queueFaults.clear();
    await forwardNow(`item:${id}`);
    expect((await toPeer()).exposure.keys).toBe(0);
  });

  test('a heartbeat that cannot be written does not fail the sweep', async () => {
    // An outage: what is throttled is tried for ten seconds, again and again (tests/contract/throttling.test.ts).
    clouds.own.storeFaults.set([
      cloudName === 'aws'
        ? { kind: 'error', operation: 'PutItem', code: 'InternalServerError' }
        : { kind: 'error', operation: 'Bulk' },
    ]);
    await expect(deliver(cloudName, handlers.sweep, 'timer')).resolves.toEqual([]);
    expect(await store.get(heartbeatKey(clouds.own.site))).toBeUndefined();
  });

  test('a heartbeat of this site is written by the sweep and is no data at risk', async () => {
    await deliver(cloudName, handlers.sweep, 'timer');
    const key = heartbeatKey(clouds.own.site);
    expect((await store.get(key))?.record.pending).toHaveProperty([clouds.peer.site]);
    expect((await toPeer()).exposure.keys).toBe(0);
    // A sweep that has found something out of an index says so with another beat.
    await waitUntil('the peer has every beat', async () => {
      const sent = (await clouds.own.take('tandem-out')).filter(({ body }) => body.includes(key));
      if (sent.length > 0) expect(await deliver(cloudName, handlers.forward, sent)).toEqual([]);
      const { pending = {} } = (await store.get(key))?.record ?? {};
      return Object.keys(pending).length === 0 || undefined;
    });
  });

  test('a heartbeat of the peer says when it was last heard', async () => {
    const key = heartbeatKey(clouds.peer.site);
    const at = Date.now() - 3_000;
    const stamp = encodeStamp(at, 0, clouds.peer.site);
    const event: ReplicationEvent = {
      specversion: '1.0',
      event_id: `${clouds.peer.site}|${key}|${stamp}`,
      source: clouds.peer.site,
      type: 'heartbeat.created',
      timestamp: new Date(at).toISOString(),
      key,
      payload: { at },
      state: { stamps: { at: stamp }, vector: { [clouds.peer.site]: stamp } },
      sent_at: at,
    };
    expect(await deliver(cloudName, handlers.apply, [{ body: JSON.stringify(event) }])).toEqual([]);
    const heard = (await query()).inbound[0]?.heardMsAgo;
    expect(heard).toBeGreaterThanOrEqual(3_000);
    expect(heard).toBeLessThanOrEqual(Date.now() - at);
  });

  test('a credential that expired is named until it works again, and then everything crosses', async () => {
    await writeUnsent('credential-1');
    await makeDue('item:credential-1');
    // As each broker answers who may not: HTTP 403, and the AMQP condition of a link that is refused.
    clouds.peer.queueFaults.set(
      clouds.peer.cloud === 'aws'
        ? [{ kind: 'error', code: 'ExpiredToken' }]
        : [{ kind: 'error', code: 'amqp:unauthorized-access' }],
    );
    await deliver(cloudName, handlers.sweep, 'timer');
    const held = await toPeer();
    expect(held.exposure.keys).toBe(1);
    expect(held.problem).toMatch(/ExpiredToken|Unauthorized/);
    clouds.peer.queueFaults.clear();
    await deliver(cloudName, handlers.sweep, 'timer');
    const after = await toPeer();
    expect([after.exposure.keys, after.problem]).toEqual([0, undefined]);
  });

  test('a record that the peer refuses for good stops neither its neighbours nor the safe time', async () => {
    // What else is due is sent before, a heartbeat perhaps: the peer is to refuse one of the two below.
    await deliver(cloudName, handlers.sweep, 'timer');
    await writeUnsent('long-1', 'x'.repeat(3_000));
    await writeUnsent('short-1');
    await makeDue('item:long-1');
    await makeDue('item:short-1');
    const allow = await refuseOne();
    await deliver(cloudName, handlers.sweep, 'timer');
    await allow();
    const left = await Promise.all(['item:long-1', 'item:short-1'].map((key) => store.get(key)));
    expect(left.filter((held) => clouds.peer.site in (held?.record.pending ?? {}))).toHaveLength(1);
    const held = await toPeer();
    expect(held).toMatchObject({ exposure: { keys: 1, refused: 1 }, oldestPendingMs: 0 });
    expect(held).not.toHaveProperty('problem');
    expect(Date.now() - held.safeMs).toBeLessThan(5_000);
    // A queue that refuses no more gets it, and that it was refused is forgotten.
    await deliver(cloudName, handlers.sweep, 'timer');
    expect((await toPeer()).exposure).toEqual({ keys: 0, atLeast: false });
    await deliver(cloudName, handlers.sweep, 'timer');
    expect(refusedKeys((await store.get(heartbeatKey(clouds.own.site)))?.record)).toEqual({});
  });

  test('what the peer refuses for good is set aside with its reason when it is forwarded', async () => {
    await writeUnsent('never-2', 'x'.repeat(3_000));
    const allow = await refuseOne();
    await forwardNow('item:never-2');
    await allow();
    const dead = await waitUntil('a dead letter', async () =>
      (await clouds.own.take('tandem-dead')).find(({ body }) => body.includes('never-2')),
    );
    expect(dead.attributes).toMatchObject({ source: 'tandem-out', reason: 'refused' });
    expect(dead.attributes['detail']).toMatch(/InvalidParameterValue|ArgumentError/);
    await forwardNow('item:never-2');
  });

  test('however many ask at once, the store is asked once', async () => {
    await query();
    await waitUntil('the last answer to be too old', async () => {
      const { text } = await call('GET');
      return Date.now() - Date.parse((JSON.parse(text) as ReplicationView).now) > 900 || undefined;
    });
    clouds.own.storeFaults.set([{ kind: 'latency', latencyMs: 200 }]);
    const responses = await Promise.all(Array.from({ length: 40 }, () => query()));
    expect(new Set(responses.map(({ now }) => now)).size).toBe(1);
  });

  test('HEAD answers without a body, other methods are told what is allowed', async () => {
    expect((await call('HEAD')).status).toBe(200);
    const refused = await call('POST');
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await call('GET')).headers['cache-control']).toBe('no-store');
  });

  test('needs the store, and no queue of any site', async () => {
    clouds.own.queueFaults.set([{ kind: 'error' }]);
    clouds.peer.queueFaults.set([{ kind: 'error' }]);
    expect((await call('GET')).status).toBe(200);
    clouds.own.queueFaults.clear();
    clouds.peer.queueFaults.clear();
    clouds.own.storeFaults.set([{ kind: 'error' }]);
    await waitUntil(
      'the store to be asked again',
      async () => (await call('GET')).status === 503 || undefined,
    );
    clouds.own.storeFaults.clear();
  });
});
