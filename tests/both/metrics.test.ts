/** What the functions of the bridge measure, as they write it. Runs once per cloud, with the other one as its peer. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Job } from '@tandem-clouds/replication/anti-entropy/job';
import { noteBegin, noteEnd } from '@tandem-clouds/replication/anti-entropy/verification';
import { drive } from '@tandem-clouds/replication/drive';
import { beat } from '@tandem-clouds/replication/heartbeat';
import { noEntries } from '@tandem-clouds/replication/ports/store';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { cloudName, openStore } from '#cloud';
import { vendorAttemptsMax } from '../../src/shared/bounds.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';
import { invoke } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { freshResponse } from '../helpers/fresh-response.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { TestSite } from '../helpers/test-site.ts';

let clouds: LinkedClouds;
let handlers: Record<'replication' | 'items' | 'apply' | 'sweep', unknown>;
let peer: TestSite;
let lines: string[] = [];

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  const load = async (module: Promise<{ handler: unknown }>): Promise<unknown> => (await module).handler;
  handlers = {
    replication: await load(import('../../src/handlers/replication.ts')),
    items: await load(import('../../src/handlers/items.ts')),
    apply: await load(import('../../src/bridge/apply.ts')),
    sweep: await load(import('../../src/bridge/sweep.ts')),
  };
});

beforeEach(() => {
  peer = new TestSite(clouds.peer.site, [clouds.own.site]);
  peer.nowMs = Date.now() - 1_500;
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  clouds.own.queueFaults.clear();
  clouds.own.storeFaults.clear();
});

afterAll(() => clouds.close());

/** The values of each line of metrics, by name, that is about `about`. */
function measured(about: string | undefined): Record<string, unknown>[] {
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(
      ({ message, site, peer: of }) => message === 'metrics' && site === clouds.own.site && of === about,
    )
    .map(
      ({ _aws, time: _time, level: _level, message: _message, site: _site, peer: _peer, ...values }) =>
        values,
    );
}

/** Without what waits to be reacted to, which is measured by every sweep. */
function swept(): Record<string, unknown>[] {
  return measured(undefined).filter((values) => !('ReactionsWaiting' in values));
}

/** What the peer has written reaches this site. */
async function cross(): Promise<void> {
  const messages = peer.outbox.sent.splice(0).map(({ body }) => ({ body }));
  expect(await deliver(cloudName, handlers.apply, messages)).toEqual([]);
}

async function replication(): Promise<{
  toPeer: ReplicationView['peers'][number];
  heardMsAgo: number;
  ageMs: number;
}> {
  const { now, peers, inbound } = await freshResponse(async () => {
    const { text } = await invoke(handlers.replication, { method: 'GET', path: '/replication' });
    return JSON.parse(text) as ReplicationView;
  });
  const [toPeer] = peers;
  if (toPeer === undefined) throw new Error('no peer');
  return {
    toPeer,
    heardMsAgo: inbound[0]?.heardMsAgo ?? -1,
    ageMs: Date.parse(now) - Date.parse(toPeer.safeTime),
  };
}

const write = (id: string): Promise<unknown> =>
  invoke(handlers.items, { method: 'POST', path: '/write', body: { id, data: {} } });

describe(`what is measured on ${cloudName}`, () => {
  test('every sweep tells what GET /replication tells', async () => {
    await peer.run(beat(peer.site));
    await cross();
    clouds.own.queueFaults.set([{ kind: 'error' }]);
    await Promise.all([write('unsent-1'), write('unsent-2')]);
    clouds.own.queueFaults.clear();

    const before = await replication();
    await deliver(cloudName, handlers.sweep, 'timer');
    const after = await replication();

    const [gauges, ...more] = measured(clouds.peer.site).filter((values) => 'KeysAtRisk' in values);
    expect(more).toEqual([]);
    expect(gauges?.['KeysAtRisk']).toBe(2);
    expect(before.toPeer.exposure).toEqual({ keys: 2, atLeast: false });
    const pairs: [unknown, number, number][] = [
      [gauges?.['OldestPendingMs'], before.toPeer.oldestPendingMs, after.toPeer.oldestPendingMs],
      [gauges?.['SafeTimeAgeMs'], before.ageMs, after.ageMs],
      [gauges?.['HeardAgoMs'], before.heardMsAgo, after.heardMsAgo],
    ];
    for (const [gauge, least, most] of pairs) {
      expect(gauge).toBeGreaterThanOrEqual(least);
      expect(gauge).toBeLessThanOrEqual(most);
    }
    // Nothing is due, so nothing was swept.
    expect(swept()).toEqual([]);
  });

  test('the heartbeat of a peer shows how long it was under way', async () => {
    await peer.run(beat(peer.site));
    await cross();
    const [values] = measured(clouds.peer.site);
    expect(values?.['LagMs']).toBeGreaterThanOrEqual(1_500);
    expect(values?.['LagMs']).toBeLessThan(60_000);
  });

  test('the heartbeat of a peer whose clock is ahead arrives before it was sent', async () => {
    peer.nowMs = Date.now() + 3_000;
    await peer.run(beat(peer.site));
    await cross();
    const [values] = measured(clouds.peer.site);
    expect(values?.['LagMs']).toBeLessThanOrEqual(-500);
  });

  test('conflicts and dead letters are counted where they happen', async () => {
    await write('contested');
    peer.nowMs = Date.now() + 1_000;
    await peer.write('item:contested', { data: 'theirs' });
    await cross();
    expect(measured(undefined)).toEqual([{ ConflictsLogged: 1 }]);
    await deliver(cloudName, handlers.apply, [{ body: 'no event' }, { body: '{}' }]);
    expect(measured(undefined)).toContainEqual({ DeadLetters: 2 });
  });

  test('the comparison with a peer that ended last is a gauge, whoever began it', async () => {
    const { own, peer: other } = clouds;
    const store = openStore(loadConfig(cloudName), noEntries);
    /** One that the peer began, whose result crosses; or this site, which writes the result itself. */
    const compared = async (from: string, to: string, differing: number): Promise<unknown> => {
      peer.nowMs += 10;
      const job: Job = { id: `job-${differing}`, from, to, atMs: peer.nowMs, repair: false };
      const side = { checked: 9, differing, repaired: 0, examples: [], counted: 9 };
      const note = async (of: Site, run: (protocol: Protocol<void>) => Promise<void>): Promise<void> => {
        await run(noteBegin(of, job));
        await run(noteEnd(of, job, 'from', side));
        await run(noteEnd(of, job, 'to', { ...side, differing: 0 }));
      };
      if (from === own.site) {
        const site = { site: own.site, peers: [], now: () => peer.nowMs };
        await note(site, (protocol) => drive(protocol, { store, sleep: () => Promise.resolve() }));
      } else {
        await note(peer.site, (protocol) => peer.run(protocol));
        await cross();
      }
      await deliver(cloudName, handlers.sweep, 'timer');
      return measured(clouds.peer.site).at(-1)?.['Differences'];
    };
    expect(await compared(other.site, own.site, 4)).toBe(4);
    expect(await compared(own.site, other.site, 2)).toBe(2);
    expect(await compared(other.site, own.site, 0)).toBe(0);
  });

  test('a store that does not answer costs the figures and not the sweep', async () => {
    clouds.own.storeFaults.set([
      cloudName === 'aws'
        ? { kind: 'error', operation: 'BatchGetItem', code: 'InternalServerError' }
        : { kind: 'error', operation: 'Query', times: vendorAttemptsMax + 1 },
    ]);
    await deliver(cloudName, handlers.sweep, 'timer');
    expect(measured(clouds.peer.site)).toEqual([]);
    expect(swept()).toEqual([{ SweptKeys: 0 }]);
  });
});
