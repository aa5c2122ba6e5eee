/** A site that is being rebuilt stays out of rotation until it has been filled. Runs once per cloud. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Job } from '@tandem-clouds/replication/anti-entropy/job';
import { noteBegin, noteEnd } from '@tandem-clouds/replication/anti-entropy/verification';
import { cloudName } from '#cloud';
import { responseKeptMs } from '../../src/shared/bounds.ts';
import { type CallApi, openApi, type Response } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { setEnvironment } from '../helpers/sites.ts';
import { TestSite } from '../helpers/test-site.ts';
import { waitUntil } from '../helpers/wait-until.ts';

let clouds: LinkedClouds;
let restore: () => void;
let call: CallApi;
let apply: unknown;

beforeAll(async () => {
  clouds = await startLinkedClouds(cloudName);
  restore = setEnvironment({ TANDEM_REBUILDING: 'true' });
  call = await openApi();
  ({ handler: apply } = await import('../../src/bridge/apply.ts'));
});

afterAll(async () => {
  restore();
  await clouds.close();
});

/** A comparison that the peer began; its result crosses to this site like any record. */
async function compared(id: string, differing: number): Promise<void> {
  const peer = new TestSite(clouds.peer.site, [clouds.own.site]);
  peer.nowMs = Date.now();
  const job: Job = { id, from: clouds.peer.site, to: clouds.own.site, atMs: peer.nowMs, repair: true };
  const side = { checked: differing, differing, repaired: differing, examples: [], counted: 7 };
  await peer.run(noteBegin(peer.site, job));
  await peer.run(noteEnd(peer.site, job, 'from', side));
  await peer.run(noteEnd(peer.site, job, 'to', { ...side, differing: 0 }));
  const messages = peer.outbox.sent.map(({ body }) => ({ body }));
  expect(await deliver(cloudName, apply, messages)).toEqual([]);
}

/** What is true now: what was found before serves for a moment. */
function healthNow(): Promise<Response> {
  const sinceMs = Date.now();
  return waitUntil('what was found before to be forgotten', async () => {
    const response = await call('GET', '/health/deep');
    return Date.now() - sinceMs > 2 * responseKeptMs ? response : undefined;
  });
}

describe(`a site that is being rebuilt on ${cloudName}`, () => {
  test('is unavailable to edge and DNS until it was found equal to its peer, and answers all the while', async () => {
    const empty = await call('GET', '/health/deep');
    expect([empty.status, empty.json]).toMatchObject([
      503,
      {
        status: 'unavailable',
        checks: {
          store: { ok: true },
          backfill: { ok: false, detail: `not yet compared without a difference with ${clouds.peer.site}` },
        },
      },
    ]);
    expect((await call('GET', '/users')).status).toBe(200);
    expect((await call('GET', '/health')).status).toBe(200);

    await compared('first', 3);
    expect((await healthNow()).status).toBe(503);

    await compared('second', 0);
    const filled = await healthNow();
    expect([filled.status, filled.json]).toMatchObject([200, { checks: { backfill: { ok: true } } }]);
  });

  test('is not taken for filled when its store does not answer', async () => {
    clouds.own.storeFaults.set([{ kind: 'error' }]);
    const { status, json } = await healthNow();
    clouds.own.storeFaults.clear();
    expect([status, json]).toMatchObject([
      503,
      { checks: { backfill: { ok: false, detail: 'the store does not say' } } },
    ]);
  });
});
