/** What only operators may. Runs once per cloud, with the other as its peer. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { drive } from '@tandem-clouds/replication/drive';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { leaveNotes, NO_NOTES } from '@tandem-clouds/replication/heartbeat';
import { pauseKey } from '@tandem-clouds/replication/paused-peers';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { cloudName, openDeadLetters, openStore } from '#cloud';
import { openDirections } from '../../src/bridge/open-directions.ts';
import { pauseCacheMs } from '../../src/shared/bounds.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { DeadLetters } from '../../src/shared/ports/cloud.ts';
import { type CallApi, callAsOperator, callHandler, OPERATOR_ENV, type Response } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { freshResponse } from '../helpers/fresh-response.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import type { QueueName } from '../helpers/sites.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const handlers = new Map<string, unknown>();
let clouds: LinkedClouds;
let store: Store;
let dead: DeadLetters;
let restore: () => void;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  restore = setEnvironment(OPERATOR_ENV);
  const config = loadConfig(cloudName, { ...clouds.env, ...OPERATOR_ENV });
  store = openStore(config, noEntries);
  dead = openDeadLetters(config);
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void handlers.set(name, (await module).handler);
  await load('operations', import('../../src/handlers/operations.ts'));
  await load('replication', import('../../src/handlers/replication.ts'));
  await load('items', import('../../src/handlers/items.ts'));
});

afterEach(() => {
  for (const { storeFaults, queueFaults } of [clouds.own, clouds.peer]) {
    storeFaults.clear();
    queueFaults.clear();
  }
});

afterAll(async () => {
  restore();
  await clouds.close();
});

const call = (service: string, ...request: Parameters<CallApi>): Promise<Response> =>
  callHandler(handlers.get(service), ...request);
const operate = (method: string, path: string, body?: object): Promise<Response> =>
  callAsOperator(handlers.get('operations'), method, path, body);
const write = (id: string, headers: Record<string, string> = {}): Promise<Response> =>
  call('items', 'POST', '/write', { headers, body: { id, data: { n: 1 } } });
const pausedInStatus = async (): Promise<unknown> => {
  const { peers } = await freshResponse(async () => {
    const { json } = await call('replication', 'GET', '/replication');
    return json as { now: string; peers: unknown[] };
  });
  return peers[0];
};

/** All bodies that are taken off a queue until it has been empty for once. */
async function drained(cloud: LinkedClouds['own'], queue: QueueName): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const batch = await cloud.take(queue);
    if (batch.length === 0) return bodies;
    bodies.push(...batch.map(({ body }) => body));
  }
}

describe(`every route for operators on ${cloudName}`, () => {
  test.each([
    ['GET', '/replication/pauses'],
    ['PUT', '/replication/pauses/gcp-europe'],
    ['DELETE', '/replication/pauses/gcp-europe'],
    ['GET', '/replication/dead-letters'],
    ['GET', '/replication/dead-letters/x'],
    ['POST', '/replication/dead-letters/replay'],
    ['POST', '/replication/dead-letters/discard'],
    ['GET', '/replication/queues'],
    ['GET', '/replication/pending'],
    ['POST', '/replication/persons/records'],
    ['POST', '/replication/persons/erasures'],
    ['GET', '/replication/persons/erasures'],
    ['POST', '/replication/persons/dead-letters'],
  ])('%s %s is refused without a key and with a wrong one', async (method, path) => {
    const headers = { authorization: 'Bearer wrong' };
    const responses = [
      await call('operations', method, path),
      await call('operations', method, path, { headers }),
    ];
    expect(responses.map(({ status }) => status)).toEqual([401, 401]);
  });
});

describe(`keys at risk on ${cloudName}`, () => {
  interface Peer {
    readonly site: string;
    readonly keys: readonly { readonly key: string; readonly since: string; readonly refused?: string }[];
    readonly atLeast: boolean;
  }
  const pendingAt = async (query = ''): Promise<Peer> => {
    const { status, json } = await operate('GET', `pending${query}`);
    expect([status, json['site']]).toEqual([200, clouds.own.site]);
    const peers = json['peers'] as Peer[];
    expect(peers.map(({ site }) => site)).toEqual([clouds.peer.site]);
    return peers[0] ?? { site: '', keys: [], atLeast: false };
  };

  test('are named per peer, the oldest first, and why one is refused for good', async () => {
    const before = Date.now();
    await write('risk-1');
    await write('risk-2');
    const site = { site: clouds.own.site, peers: [clouds.peer.site], now: Date.now };
    const resources = { store, outbox: new MemoryQueue(), sleep: () => Promise.resolve() };
    const refused = { [clouds.peer.site]: { 'item:risk-1': 'SQS: no', 'item:elsewhere': 'SQS: no' } };
    await drive(leaveNotes(site, { ...NO_NOTES, refused }), resources);
    const { keys, atLeast } = await waitUntil('the index to know both', async () => {
      const found = await pendingAt();
      return found.keys.length >= 2 ? found : undefined;
    });
    expect(atLeast).toBe(false);
    expect(keys.map(({ key }) => key)).toEqual(['item:risk-1', 'item:risk-2']);
    expect(keys.map((each) => each.refused)).toEqual(['SQS: no', undefined]);
    for (const { since } of keys) expect(Date.parse(since)).toBeGreaterThanOrEqual(before - 1);
    expect(await pendingAt('?limit=1')).toMatchObject({ keys: [{ key: 'item:risk-1' }], atLeast: true });
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limt=5']) {
      expect((await operate('GET', `pending?${query}`)).status).toBe(400);
    }
    await drive(leaveNotes(site, NO_NOTES), resources);
    for (const id of ['risk-1', 'risk-2']) {
      const version = (await store.get(`item:${id}`))?.record.version ?? '';
      await store.clearPending([{ key: `item:${id}`, accepted: { [clouds.peer.site]: version } }]);
    }
  });
});

describe(`pauses on ${cloudName}`, () => {
  const pausePath = (): string => `pauses/${clouds.peer.site}`;

  test('a paused direction is shown, keeps what it lacks, and sends it at once when it is resumed', async () => {
    const before = await operate('GET', 'pauses');
    expect(before.json).toEqual({
      site: clouds.own.site,
      pauses: [{ peer: clouds.peer.site, paused: false }],
    });
    const paused = await operate('PUT', pausePath());
    expect(paused.json).toMatchObject({ peer: clouds.peer.site, paused: true });
    expect((await operate('PUT', pausePath())).json).toEqual(paused.json);

    // Loaded now: the functions of the bridge look at what is paused when they first run.
    const { handler: forward } = await import('../../src/bridge/forward.ts');
    const { handler: sweep } = await import('../../src/bridge/sweep.ts');
    await write('paused-1');
    const sent = await drained(clouds.own, 'tandem-out');
    expect(
      await deliver(
        cloudName,
        forward,
        sent.map((body) => ({ body })),
      ),
    ).toEqual([]);
    await deliver(cloudName, sweep, 'timer');
    expect(await drained(clouds.peer, 'tandem-in')).toEqual([]);
    expect((await store.get('item:paused-1'))?.record.pending).toHaveProperty([clouds.peer.site]);
    expect(await pausedInStatus()).toMatchObject({ paused: true, exposure: { keys: 1 } });

    const resumed = await operate('DELETE', pausePath());
    expect(resumed.json).toMatchObject({ peer: clouds.peer.site, paused: false, sent: { complete: true } });
    const crossed = await drained(clouds.peer, 'tandem-in');
    expect(crossed.some((body) => body.includes('item:paused-1'))).toBe(true);
    expect(crossed.some((body) => body.includes(pauseKey(clouds.own.site)))).toBe(true);
    expect(await pausedInStatus()).toMatchObject({ paused: false, exposure: { keys: 0 } });
  });

  test('durability=all answers on a paused direction as for a silent peer', async () => {
    await operate('PUT', pausePath());
    const response = await write('paused-2', { prefer: 'durability=all' });
    expect(response.status).toBe(202);
    await operate('DELETE', pausePath());
  });

  test('a resume says why nothing crosses when the peer does not answer', async () => {
    await operate('PUT', pausePath());
    await write('paused-3');
    clouds.peer.queueFaults.set([{ kind: 'error' }]);
    const { status, json } = await operate('DELETE', pausePath());
    expect([status, json['paused']]).toEqual([200, false]);
    expect((json['sent'] as { problem: string }).problem).not.toBe('');
    clouds.peer.queueFaults.clear();
    expect((await operate('DELETE', pausePath())).json).toMatchObject({ sent: { complete: true } });
  });

  test('only a peer can be paused, and the answer names them', async () => {
    const { status, json } = await operate('PUT', 'pauses/gcp-europe');
    expect([status, json['detail']]).toEqual([404, expect.stringContaining(clouds.peer.site)]);
  });

  test('the bridge looks at what is paused now and then, and goes by its last look while the store is silent', async () => {
    const site = new TestSite('aws-us-east-1', ['azure-eastus']);
    let samples = 0;
    site.store.before = () => void (samples += 1);
    const openSite = openDirections(site.site, site.store);
    await openSite();
    await openSite();
    expect(samples).toBe(1);
    site.nowMs += pauseCacheMs;
    site.store.before = () => {
      throw new UnavailableError('down');
    };
    expect((await openSite()).peers).toEqual(['azure-eastus']);
    expect((await openDirections(site.site, site.store)()).peers).toEqual([]);
  });
});

describe(`dead letters on ${cloudName}`, () => {
  const deadLettered = (bodies: readonly string[], source: string, reason: string): Promise<unknown> =>
    dead.send(bodies.map((body, i) => ({ queue: source, id: `m${i}`, body, reason, detail: 'as a test' })));
  const causes = async (): Promise<Record<string, unknown>[]> =>
    (await operate('GET', 'dead-letters')).json['causes'] as Record<string, unknown>[];

  afterEach(async () => {
    await operate('POST', 'dead-letters/discard', { all: true });
    await drained(clouds.own, 'tandem-in');
    await drained(clouds.own, 'tandem-out');
  });

  test('are grouped by queue and reason, and shown in full by id', async () => {
    await deadLettered(['{"n":1}', '{"n":2}'], 'tandem-in', 'malformed');
    await deadLettered(['{"n":3}'], 'tandem-out', 'too_large');
    const { json } = await operate('GET', 'dead-letters');
    expect(json).toMatchObject({
      scanned: 3,
      atLeast: false,
      causes: [
        { source: 'tandem-in', reason: 'malformed', messages: 2, detail: 'as a test' },
        { source: 'tandem-out', reason: 'too_large', messages: 1 },
      ],
    });
    const [, cause] = json['causes'] as { ids: string[] }[];
    const shown = await operate('GET', `dead-letters/${cause?.ids[0]}`);
    expect(shown.json).toMatchObject({ source: 'tandem-out', reason: 'too_large', body: '{"n":3}' });
    expect((await operate('GET', 'dead-letters/dead-999999')).status).toBe(404);
  });

  test('go back to the queue that they came from, as they were; a dry run moves nothing', async () => {
    await deadLettered(['{"n":1}', '{"n":2}'], 'tandem-in', 'malformed');
    await deadLettered(['{"n":3}'], 'tandem-out', 'too_large');
    const selected = { source: 'tandem-in', reason: 'malformed' };
    const dry = await operate('POST', 'dead-letters/replay', { ...selected, dryRun: true });
    expect(dry.json).toMatchObject({ dryRun: true, matched: 2, settled: 2 });
    expect(await drained(clouds.own, 'tandem-in')).toEqual([]);
    const { json } = await operate('POST', 'dead-letters/replay', selected);
    expect(json).toMatchObject({ dryRun: false, matched: 2, settled: 2, failed: [] });
    expect((await drained(clouds.own, 'tandem-in')).sort()).toEqual(['{"n":1}', '{"n":2}']);
    expect(await causes()).toMatchObject([{ source: 'tandem-out', messages: 1 }]);
    await deadLettered(['{"n":4}'], 'tandem-verify', 'malformed');
    await operate('POST', 'dead-letters/replay', { all: true });
    expect(await drained(clouds.own, 'tandem-out')).toEqual(['{"n":3}']);
    expect(await drained(clouds.own, 'tandem-verify')).toEqual(['{"n":4}']);
    expect(await causes()).toEqual([]);
  });

  test('at most as many are settled as were asked for, and none that came after a moment', async () => {
    await deadLettered(['{"n":1}', '{"n":2}', '{"n":3}'], 'tandem-in', 'malformed');
    const past = new Date(Date.now() - 3_600_000).toISOString();
    const none = await operate('POST', 'dead-letters/discard', { all: true, before: past });
    expect(none.json).toMatchObject({ matched: 0, settled: 0, scanned: 3 });
    const two = await operate('POST', 'dead-letters/discard', { all: true, limit: 2 });
    expect(two.json).toMatchObject({ matched: 2, settled: 2 });
    expect(await causes()).toMatchObject([{ messages: 1 }]);
  });

  test('one whose body was edited goes back with the new body, once that is an event', async () => {
    await deadLettered(['{"half":'], 'tandem-in', 'malformed');
    const [cause] = (await causes()) as { ids: string[] }[];
    const ids = cause?.ids ?? [];
    const peer = new TestSite(clouds.peer.site, [clouds.own.site]);
    await peer.write('item:edited', { data: { n: 2 } });
    const event = JSON.parse(peer.outbox.sent[0]?.body ?? '') as object;
    const bad = await operate('POST', 'dead-letters/replay', { ids, event: { ...event, state: {} } });
    expect([bad.status, bad.json['detail']]).toEqual([400, expect.stringContaining('/state')]);
    const many = await operate('POST', 'dead-letters/replay', { all: true, event });
    expect([many.status, many.json['code']]).toEqual([400, 'invalid']);
    const good = await operate('POST', 'dead-letters/replay', { ids, event });
    expect(good.json).toMatchObject({ matched: 1, settled: 1 });
    const sent = await drained(clouds.own, 'tandem-in');
    expect(sent.map((body) => JSON.parse(body) as object)).toEqual([event]);
    const gone = await operate('POST', 'dead-letters/replay', { ids, event });
    expect(gone.status).toBe(409);
  });

  test('a queue that refuses them loses none: they stay, and the answer says why', async () => {
    await deadLettered(['{"n":1}'], 'gcp-queue', 'foreign');
    const { json } = await operate('POST', 'dead-letters/replay', { all: true });
    expect(json).toMatchObject({ matched: 1, settled: 0 });
    expect(json['failed']).toMatchObject([{ detail: expect.stringContaining('gcp-queue') }]);
    expect(await causes()).toMatchObject([{ messages: 1 }]);
  });

  test('a request that chooses nothing is refused and says what is missing', async () => {
    const { status, json } = await operate('POST', 'dead-letters/discard', { limit: 0, colour: 'red' });
    expect(status).toBe(400);
    expect((json['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/limit', '/colour', '/ids']),
    );
  });

  test('are counted with the other messages of the queues', async () => {
    await deadLettered(['{"n":1}'], 'tandem-in', 'malformed');
    const depths = await waitUntil('the letter is counted', async () => {
      const { json } = await operate('GET', 'queues');
      return (json['queues'] as { dead: { messages: number } }).dead.messages === 1 ? json : undefined;
    });
    expect(depths).toMatchObject({ site: clouds.own.site, queues: { in: { messages: 0 } } });
  });
});
