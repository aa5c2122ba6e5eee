/** The bridge functions as their platform calls them. Runs once per cloud, with the other cloud as its peer. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventBytesMax, inboundAttemptsMax } from '@tandem-clouds/replication/bounds';
import type { ReplicationEvent } from '@tandem-clouds/replication/event';
import { noEntries, type Store } from '@tandem-clouds/replication/ports/store';
import { plainValues } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { cloudName, openStore } from '#cloud';
import { loadConfig } from '../../src/shared/config/config.ts';
import { deliver, type Delivery } from '../helpers/call.ts';
import { eventFrom } from '../helpers/event-from.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import type { QueueName, Taken, TestCloud } from '../helpers/sites.ts';
import { waitUntil } from '../helpers/wait-until.ts';

let clouds: LinkedClouds;
let own: TestCloud;
let peer: TestCloud;
let store: Store;
let forward: unknown;
let apply: unknown;
let sweep: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  ({ own, peer } = clouds);
  store = openStore(loadConfig(cloudName, clouds.env), noEntries);
  ({ handler: forward } = await import('../../src/bridge/forward.ts'));
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
  ({ handler: sweep } = await import('../../src/bridge/sweep.ts'));
});

afterAll(() => clouds.close());

let serial = 0;
let key = '';
beforeEach(() => {
  serial += 1;
  key = `user:bridge-${serial}`;
});

/** The event as one about another key. */
function keyed(event: ReplicationEvent, other: string): ReplicationEvent {
  return { ...event, key: other, event_id: event.event_id.replace(event.key, other) };
}

/** A fault that passes, and is no throttle. */
const BROKEN = { kind: 'error', code: cloudName === 'aws' ? 'InternalServerError' : '503' } as const;

const body = (event: object): Delivery => ({ body: JSON.stringify(event) });

/** Takes messages until one matches; those of other tests are passed over. */
function taken(from: TestCloud, queue: QueueName, match: (message: Taken) => boolean): Promise<Taken> {
  return waitUntil(`a message in ${queue}`, async () => (await from.take(queue)).find(match));
}

async function storePending(sinceMs: number, name = 'Ada'): Promise<string> {
  const version = encodeStamp(sinceMs, 0, own.site);
  await store.putMany([
    {
      record: {
        key,
        state: { fields: { name: [version, name] }, vector: { [own.site]: version } },
        version,
        pending: { [peer.site]: version },
        pendingSince: sinceMs,
        operations: [],
      },
      expected: undefined,
    },
  ]);
  return version;
}

describe(`the bridge on ${cloudName}`, () => {
  test('forward carries an event to the other cloud and clears the marker', async () => {
    const version = await storePending(Date.now());
    const event = eventFrom(own.site, key, { event_id: `${own.site}|${key}|${version}` });
    expect(await deliver(cloudName, forward, [body(event)])).toEqual([]);
    const message = await taken(peer, 'tandem-in', ({ body: text }) => text.includes(key));
    expect(JSON.parse(message.body)).toEqual(event);
    expect((await store.get(key))?.record.pending).toEqual({});
  });

  test('forward hands the message back while the peer refuses, and keeps the marker', async () => {
    const version = await storePending(Date.now());
    const event = eventFrom(own.site, key, { event_id: `${own.site}|${key}|${version}` });
    peer.queueFaults.set([{ kind: 'error' }]);
    expect(await deliver(cloudName, forward, [body(event)])).toEqual([]);
    peer.queueFaults.clear();
    const again = await taken(own, 'tandem-out', ({ body: text }) => text.includes(key));
    expect(again.attributes).toEqual({ tandemAttempts: '1' });
    expect((await store.get(key))?.record.pending).toEqual({ [peer.site]: version });
  });

  test('sweep carries what has been pending for too long', async () => {
    await storePending(Date.now() - 60_000);
    await deliver(cloudName, sweep, 'timer');
    const message = await taken(peer, 'tandem-in', ({ body: text }) => text.includes(key));
    expect((JSON.parse(message.body) as ReplicationEvent).payload).toEqual({ name: 'Ada' });
    expect((await store.get(key))?.record.pending).toEqual({});
  });

  describe('text that not every carrier takes as it is', () => {
    // Permanently unassigned code points, control characters, line separators, and a surrogate without its partner.
    const awkward =
      '\uFFFE \uFFFF \uFDD0 \u0000 \u0001 \u007F \u0085 \u2028 \uFEFF \uDC00 \u{1F680} \u{10FFFF}';
    const payload = { [`name ${awkward}`]: { [awkward]: [awkward, { deep: awkward }] } };

    test('crosses by forward unchanged, at once', async () => {
      const version = await storePending(Date.now());
      const event = eventFrom(own.site, key, { event_id: `${own.site}|${key}|${version}`, payload });
      expect(await deliver(cloudName, forward, [body(event)])).toEqual([]);
      const message = await taken(peer, 'tandem-in', ({ body: text }) => text.includes(key));
      expect(JSON.parse(message.body)).toEqual(event);
      expect((await store.get(key))?.record.pending).toEqual({});
    });

    test('crosses by sweep unchanged', async () => {
      await storePending(Date.now() - 60_000, awkward);
      await deliver(cloudName, sweep, 'timer');
      const message = await taken(peer, 'tandem-in', ({ body: text }) => text.includes(key));
      expect((JSON.parse(message.body) as ReplicationEvent).payload).toEqual({ name: awkward });
      expect((await store.get(key))?.record.pending).toEqual({});
    });

    test('is applied unchanged', async () => {
      const stamp = encodeStamp(Date.now(), serial, peer.site);
      const stamps = Object.fromEntries(Object.keys(payload).map((name) => [name, stamp]));
      const event = eventFrom(peer.site, key, {
        event_id: `${peer.site}|${key}|${stamp}`,
        payload,
        state: { stamps, vector: { [peer.site]: stamp } },
      });
      expect(await deliver(cloudName, apply, [body(event)])).toEqual([]);
      const held = await store.get(key);
      expect(plainValues(held?.record.state ?? { fields: {}, vector: {} })).toEqual(payload);
    });
  });

  test('apply merges what the other cloud wrote', async () => {
    expect(await deliver(cloudName, apply, [body(eventFrom(peer.site, key))])).toEqual([]);
    expect((await store.get(key))?.record.state.fields['name']?.[1]).toBe('Ada');
  });

  test.each([
    ['malformed', () => '{"half":', 'malformed'],
    ['foreign', () => JSON.stringify(eventFrom('gcp-europe', key)), 'foreign'],
    ['without its state', () => JSON.stringify({ ...eventFrom(peer.site, key), state: {} }), 'malformed'],
    [
      'oversized',
      () => JSON.stringify(eventFrom(peer.site, key, { payload: { name: 'x'.repeat(eventBytesMax) } })),
      'too_large',
    ],
  ])(
    'a message that is %s is set aside with its reason; the ones around it are applied',
    async (_, bad, reason) => {
      const marker = `${key}-marker`;
      const text = bad();
      const good = [eventFrom(peer.site, key), keyed(eventFrom(peer.site, key), `${key}b`)];
      const back = await deliver(cloudName, apply, [
        body(good[0] ?? {}),
        { body: text, attributes: { marker } },
        body(good[1] ?? {}),
      ]);
      expect(back).toEqual([]);
      expect(await store.get(key)).toBeDefined();
      expect(await store.get(`${key}b`)).toBeDefined();
      const dead = await taken(own, 'tandem-dead', ({ body: held }) => held === text);
      expect(dead.attributes).toMatchObject({ source: 'tandem-in', reason });
      expect(dead.attributes['detail']).not.toBe('');
    },
  );

  test('a store that fails sends every message again; after its own attempts a person must look', async () => {
    const failing = Array.from({ length: inboundAttemptsMax }, (_, n) =>
      keyed(eventFrom(peer.site, key), `${key}-${n}`),
    );
    own.storeFaults.set([BROKEN]);
    const back = await deliver(
      cloudName,
      apply,
      failing.map((event, n) => ({ ...body(event), attributes: { tandemAttempts: String(n), marker: key } })),
    );
    own.storeFaults.clear();
    expect(back).toEqual([]);
    const dead = await taken(own, 'tandem-dead', ({ body: text }) => text.includes(key));
    expect(dead.body).toBe(JSON.stringify(failing.at(-1)));
    expect(dead.attributes['source']).toBe('tandem-in');
    const again = await taken(own, 'tandem-in', ({ body: text }) => text === JSON.stringify(failing[0]));
    expect(again.attributes).toEqual({ tandemAttempts: '1', marker: key });
  });

  // A batch that Lambda throttles has been received, and so has each neighbour of a message that could not be sent again.
  test('receives that no handler saw use up no attempt: one passing fault dead-letters nothing', async () => {
    const event = eventFrom(peer.site, key);
    own.storeFaults.set([BROKEN]);
    expect(await deliver(cloudName, apply, [{ ...body(event), receives: 500 }])).toEqual([]);
    own.storeFaults.clear();
    const again = await taken(own, 'tandem-in', ({ body: text }) => text === JSON.stringify(event));
    expect(again.attributes).toEqual({ tandemAttempts: '1' });
    expect(await deliver(cloudName, apply, [again])).toEqual([]);
    expect(await store.get(key)).toBeDefined();
    expect((await own.take('tandem-dead')).filter(({ body: text }) => text.includes(key))).toEqual([]);
  });

  test('a message that can be neither applied nor sent again is handed back', async () => {
    own.storeFaults.set([BROKEN]);
    own.queueFaults.set([{ kind: 'error' }]);
    const delivery = deliver(cloudName, apply, [body(eventFrom(peer.site, key)), { body: 'malformed' }]);
    if (cloudName === 'aws') expect(await delivery).toEqual(['m0', 'm1']);
    else await expect(delivery).rejects.toMatchObject({ retryable: true });
    own.storeFaults.clear();
    own.queueFaults.clear();
  });

  test('a count of attempts that is no number is none', async () => {
    const event = eventFrom(peer.site, key);
    own.storeFaults.set([BROKEN]);
    await deliver(cloudName, apply, [{ ...body(event), attributes: { tandemAttempts: '-1e999' } }]);
    own.storeFaults.clear();
    const again = await taken(own, 'tandem-in', ({ body: text }) => text === JSON.stringify(event));
    expect(again.attributes).toEqual({ tandemAttempts: '1' });
  });

  test('a store that throttles hands a message back, however often, and on Azure that is no attempt', async () => {
    own.storeFaults.set([{ kind: 'error' }]);
    const attributes = { tandemAttempts: String(inboundAttemptsMax + 5) };
    const back = await deliver(cloudName, apply, [{ ...body(eventFrom(peer.site, key)), attributes }]);
    own.storeFaults.clear();
    if (cloudName === 'aws') expect(back).toEqual(['m0']);
    else {
      const again = await taken(own, 'tandem-in', ({ body: text }) => text.includes(key));
      expect(again.attributes).toEqual(attributes);
    }
  });

  test('a dead-letter queue that refuses loses nothing: the message is handed back', async () => {
    own.queueFaults.set([{ kind: 'error' }]);
    const delivery = deliver(cloudName, apply, [{ body: '{' }, body(eventFrom(peer.site, key))]);
    if (cloudName === 'aws') expect(await delivery).toEqual(['m0']);
    else await expect(delivery).rejects.toMatchObject({ retryable: true });
    own.queueFaults.clear();
    expect(await store.get(key)).toBeDefined();
  });
});
