/**
 * A key or a page that fails for good, at a real store and through the functions of the bridge: what is behind it goes on,
 * and the key is named with its reason. Runs once per cloud, with the other cloud as its peer.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config.ts';
import type { Store } from '../../src/shared/ports/store.ts';
import { checkStep } from '../../src/shared/validation/check-step.ts';
import { drive } from '../../src/shared/replication/drive.ts';
import { verify } from '../../src/shared/replication/anti-entropy/verify.ts';
import type { ReplicationEvent } from '../../src/shared/replication/event.ts';
import type { StoredRecord } from '../../src/shared/replication/record.ts';
import { encodeStamp } from '../../src/shared/replication/stamp.ts';
import { deliver, type Delivery } from '../helpers/call.ts';
import { startLinkedClouds, type LinkedClouds } from '../helpers/linked-clouds.ts';
import { MemoryQueue } from '../helpers/memory-queue.ts';
import type { QueueName, Taken, TestCloud } from '../helpers/sites.ts';

let clouds: LinkedClouds;
let own: TestCloud;
let peer: TestCloud;
let store: Store;
let apply: unknown;
let sweep: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  ({ own, peer } = clouds);
  store = openStore(loadConfig(cloudName, clouds.env));
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
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

async function put(records: readonly StoredRecord[]): Promise<void> {
  const outcomes = await store.putMany(records.map((record) => ({ record, expected: undefined })));
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['written']));
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
        steps.map((step) => ({ id: step.kind, body: JSON.stringify(step), attributes: {}, receives: 1 })),
        checkStep,
      ),
      { store, outbox: new MemoryQueue(), peers, ...queues, sleep: () => Promise.resolve() },
    );
    expect(dispositions).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect(peers.get(peer.site)?.sent).toHaveLength(PAGE);
  });
});
