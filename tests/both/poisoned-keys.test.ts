/**
 * A key or a page that fails for good, at a real store and through the functions of the bridge: what is behind it goes on,
 * and the key is named with its reason. Runs once per cloud, with the other cloud as its peer.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { verificationKey } from '@tandem-clouds/replication/anti-entropy/verification';
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { drive } from '@tandem-clouds/replication/drive';
import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { DELETED, type StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { pendingView } from '../../src/shared/operations/pending-view.ts';
import { checkStep } from '../../src/shared/validation/check-step.ts';
import { deliver, type Delivery } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import type { QueueName, Taken, TestCloud } from '../helpers/sites.ts';
import { tear } from '../helpers/tear.ts';

let clouds: LinkedClouds;
let own: TestCloud;
let peer: TestCloud;
let store: Store;
let apply: unknown;
let sweep: unknown;
let verifyHourly: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  ({ own, peer } = clouds);
  store = openStore(loadConfig(cloudName, clouds.env), noEntries);
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
  ({ handler: verifyHourly } = await import('../../src/bridge/verify-hourly.ts'));
  ({ handler: sweep } = await import('../../src/bridge/sweep.ts'));
});

afterAll(() => clouds.close());

let serial = 0;
beforeEach(() => {
  serial += 1;
});

/** More than Cosmos DB answers at once, and less than DynamoDB does: 100 of them are 6 MB. */
const LARGE = 'x'.repeat(60 * 1024);
const PAGE = 100;
const PUT_AT_ONCE = 10;
const keys = (): string[] =>
  Array.from({ length: PAGE }, (_, i) => `user:p${serial}-${String(i).padStart(3, '0')}`);

function recordOf(
  key: string,
  site: string,
  { pendingFor = [] as string[], value = LARGE } = {},
): StoredRecord {
  const sinceMs = Date.now() - 60_000;
  const version = encodeStamp(sinceMs, serial, site);
  return {
    key,
    state: { fields: { name: [version, value] }, vector: { [site]: version } },
    version,
    pending: Object.fromEntries(pendingFor.map((name) => [name, version])),
    ...(pendingFor.length > 0 && { pendingSince: sinceMs }),
    operations: [],
  };
}

/** Some at a time: a hundred large ones at once may take longer than a call does, where others use the processors too. */
async function put(records: readonly StoredRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += PUT_AT_ONCE) {
    const some = records.slice(from, from + PUT_AT_ONCE);
    const results = await store.putMany(some.map((record) => ({ record, expected: undefined })));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['written']));
  }
}

/** Everything that a queue holds now. */
async function drain(from: TestCloud, queue: QueueName): Promise<readonly Taken[]> {
  const all: Taken[] = [];
  for (;;) {
    const some = await from.take(queue);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** An update of a key by the peer, which it must read to merge. */
function eventOf(key: string): ReplicationEvent {
  const stamp = encodeStamp(Date.now(), serial, peer.site);
  return {
    specversion: '1.0',
    event_id: `${peer.site}|${key}|${stamp}`,
    source: peer.site,
    type: 'user.updated',
    timestamp: new Date().toISOString(),
    key,
    payload: { email: 'a@example.com' },
    state: { stamps: { email: stamp }, vector: { [peer.site]: stamp } },
    sent_at: Date.now(),
  };
}

const body = (event: object): Delivery => ({ body: JSON.stringify(event) });

describe(`a page whose records do not fit one answer of the store, on ${cloudName}`, () => {
  test('is swept', async () => {
    await put(keys().map((key) => recordOf(key, own.site, { pendingFor: [peer.site] })));
    await deliver(cloudName, sweep, 'timer');
    const crossed = new Set(
      (await drain(peer, 'tandem-in')).map((taken) => (JSON.parse(taken.body) as { key: string }).key),
    );
    expect(keys().filter((key) => !crossed.has(key))).toEqual([]);
    const held = await store.getMany(keys());
    expect([...held.values()].filter(({ record }) => Object.keys(record.pending).length > 0)).toEqual([]);
  });

  test('is applied', async () => {
    await put(keys().map((key) => recordOf(key, own.site)));
    expect(await deliver(cloudName, apply, keys().map(eventOf).map(body))).toEqual([]);
    expect(await drain(own, 'tandem-dead')).toEqual([]);
    const held = await store.getMany(keys());
    expect(keys().filter((key) => held.get(key)?.record.state.fields['email'] === undefined)).toEqual([]);
  });

  test('is compared and repaired', async () => {
    await put(keys().map((key) => recordOf(key, own.site)));
    const job = { id: `job${serial}`, from: peer.site, to: own.site, atMs: Date.now(), repair: true };
    const totals = { checked: 0, differing: 0, repaired: 0, examples: [] };
    const common = { job, counted: { from: 0, to: PAGE }, totals };
    const queues = { verifiers: new Map([own.site, peer.site].map((site) => [site, new MemoryQueue()])) };
    const peers = new Map([[peer.site, new MemoryQueue()]]);
    const steps = [
      { kind: 'offer', side: 'from', ...common, states: keys().map((key) => [key, 'x']) },
      { kind: 'lacking', side: 'to', ...common, keys: keys() },
    ];
    const dispositions = await drive(
      verify(
        { site: own.site, peers: [peer.site], now: Date.now },
        steps.map((step) => ({ id: step.kind, body: JSON.stringify(step), attributes: {}, attempts: 1 })),
        checkStep,
      ),
      { store, outbox: new MemoryQueue(), peers, ...queues, sleep: () => Promise.resolve() },
    );
    expect(dispositions).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(peers.get(peer.site)?.sent).toHaveLength(PAGE);
  });
});

describe(`a record that cannot be read, on ${cloudName}`, () => {
  const some = (): string[] => keys().slice(0, 12);
  const bad = (): string => some()[5] ?? '';
  const small = (pendingFor: string[] = []): StoredRecord[] =>
    some().map((key) => recordOf(key, own.site, { pendingFor, value: 'Ada' }));
  const site = { site: '', peers: [] as string[], now: Date.now };
  beforeAll(() => {
    Object.assign(site, { site: own.site, peers: [peer.site] });
  });

  test('is passed over by the sweep, which names it with its reason', async () => {
    await put(small([peer.site]));
    await tear(own, bad());
    await deliver(cloudName, sweep, 'timer');
    const crossed = new Set(
      (await drain(peer, 'tandem-in')).map((taken) => (JSON.parse(taken.body) as { key: string }).key),
    );
    expect(some().filter((key) => !crossed.has(key))).toEqual([bad()]);
    const { peers } = await pendingView(site, store, 100);
    expect(peers[0]?.keys).toMatchObject([{ key: bad(), refused: expect.stringMatching(/is no record/) }]);
  });

  test('takes no other message of its batch along, whether it is read or taken to be new', async () => {
    await put(small());
    await tear(own, bad());
    const created = { ...eventOf(bad()), type: 'user.created' };
    for (const last of [eventOf(bad()), created]) {
      const others = some().filter((key) => key !== bad());
      expect(await deliver(cloudName, apply, [...others.map(eventOf), last].map(body))).toEqual([]);
      const dead = await drain(own, 'tandem-dead');
      expect(dead.map((message) => message.attributes)).toMatchObject([
        { source: 'tandem-in', reason: 'unreadable', detail: expect.stringContaining(bad()) },
      ]);
      const held = await store.getMany(others);
      expect(others.filter((key) => held.get(key)?.record.state.fields['email'] === undefined)).toEqual([]);
    }
  });

  test('is named beside the others of its page', async () => {
    await put(small());
    await tear(own, bad());
    const found: string[] = [];
    const unreadable: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.scan({ cursor, limit: 50 });
      found.push(...page.records.map(({ key }) => key));
      unreadable.push(...(page.unreadable?.keys() ?? []));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(some().filter((key) => !found.includes(key))).toEqual([bad()]);
    expect(unreadable).toContain(bad());
  });
});

test(`a result of comparisons that cannot be read keeps back no hourly work, on ${cloudName}`, async () => {
  const result = verificationKey({ from: own.site, to: peer.site });
  const goneMs = Date.now() - 60 * 24 * 3_600_000;
  const stamp = encodeStamp(goneMs, 0, own.site);
  const [tombstone = ''] = keys();
  await put([
    recordOf(result, own.site, { value: 'Ada' }),
    {
      key: tombstone,
      state: { fields: { [DELETED]: [stamp, true] }, vector: { [own.site]: stamp } },
      version: stamp,
      pending: {},
      goneSince: goneMs,
      operations: [],
    },
  ]);
  await tear(own, result);
  await deliver(cloudName, verifyHourly, 'timer');
  const stepsOf = async (cloud: TestCloud): Promise<string[]> =>
    (await drain(cloud, 'tandem-verify')).map((taken) => (JSON.parse(taken.body) as { kind: string }).kind);
  // Of the two the site with the lesser name begins the comparison.
  expect(await stepsOf(own)).toEqual(own.site < peer.site ? ['digest'] : []);
  expect(await stepsOf(peer)).toEqual(['bury']);
  if (own.site > peer.site) return;
  const { unusable } = await pendingView({ site: own.site, peers: [peer.site], now: Date.now }, store, 100);
  expect(unusable).toContainEqual(expect.objectContaining({ key: result, during: 'compare' }));
});

test(`a key that the store does not take decides about no other write, on ${cloudName}`, async () => {
  const records = keys()
    .slice(0, 6)
    .map((key) => recordOf(key, own.site, { value: 'Ada' }));
  const tooLong = recordOf(`user:${'x'.repeat(2_100)}`, own.site, { value: 'Ada' });
  const results = await store.putMany(
    [...records.slice(0, 3), tooLong, ...records.slice(3)].map((record) => ({ record, expected: undefined })),
  );
  expect(results.map(({ status }) => status)).toEqual([
    'written',
    'written',
    'written',
    'failed',
    'written',
    'written',
    'written',
  ]);
  expect(results[3]).toMatchObject({ error: { retryable: false } });
  const clearings = [...records.slice(0, 3), tooLong].map(({ key }) => ({
    key,
    accepted: { [peer.site]: 'z' },
  }));
  const cleared = await store.clearPending(clearings);
  expect(cleared.slice(0, 3)).toEqual([undefined, undefined, undefined]);
});
