import { describe, expect, test } from '@jest/globals';
import { durabilityWaitMs } from '@tandem-clouds/replication/bounds';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { forward } from '@tandem-clouds/replication/forward';
import { preference } from '../../src/shared/http/prefer.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from '../helpers/test-site.ts';

/** A site whose clock moves on by what is slept; `meanwhile` happens during the third pause. */
function siteWith(peers: readonly string[], meanwhile: (site: TestSite) => Promise<unknown>): TestSite {
  const site = new TestSite('aws-us-east-1', peers);
  let slept = 0;
  site.sleep = async (ms) => {
    site.nowMs += ms;
    slept += 1;
    if (slept === 3) await meanwhile(site);
  };
  return site;
}
const forwarded = (site: TestSite): Promise<unknown> =>
  site.run(forward(site.site, site.outboxDeliveries(), checkEvent));

describe('waiting for the peers', () => {
  test('ends as soon as every marker is cleared', async () => {
    const site = siteWith(['azure-eastus', 'aws-eu-west-1'], forwarded);
    const record = await site.write('user:1', { name: 'Ada' });
    expect(await site.replica().isAccepted(record, true)).toBe(true);
    expect(site.nowMs).toBeLessThan(START_MS + durabilityWaitMs / 10);
  });

  test('says no after the bound while one of the peers refuses', async () => {
    const site = siteWith(['azure-eastus', 'aws-eu-west-1'], forwarded);
    const silent = site.peers.get('aws-eu-west-1');
    if (silent) silent.refuse = () => new UnavailableError('down');
    const record = await site.write('user:1', { name: 'Ada' });
    expect(await site.replica().isAccepted(record, true)).toBe(false);
    expect(site.nowMs).toBe(START_MS + durabilityWaitMs);
  });

  test('says no, and does not fail, while the store does not answer', async () => {
    const site = siteWith(['azure-eastus'], () => Promise.resolve());
    const record = await site.write('user:1', { name: 'Ada' });
    site.store.before = () => {
      throw new UnavailableError('down');
    };
    expect(await site.replica().isAccepted(record, true)).toBe(false);
  });

  test('waits for a newer write of the key too: its message carries the older one', async () => {
    const site = siteWith(['azure-eastus'], async (here) => {
      await forwarded(here);
      await here.write('user:1', { name: 'newer' });
    });
    const record = await site.write('user:1', { name: 'Ada' });
    await site.write('user:1', { name: 'new' });
    expect(await site.replica().isAccepted(record, true)).toBe(false);
  });

  test('without peers there is nothing to wait for', async () => {
    const site = siteWith([], () => Promise.resolve());
    expect(await site.replica().isAccepted(await site.write('user:1', { name: 'Ada' }), true)).toBe(true);
  });

  test('does not vouch to a third site for what a peer wrote', async () => {
    const found = await new TestSite('azure-eastus').write('user:1', { name: 'Ada' });
    const record = { ...found, pending: {} };
    for (const [peers, expected] of [
      [['azure-eastus'], true],
      [['azure-eastus', 'aws-eu-west-1'], false],
    ] as const) {
      const site = siteWith(peers, () => Promise.resolve());
      site.store.items.set('user:1', { record, revision: 1 });
      expect(await site.replica().isAccepted(record, false)).toBe(expected);
    }
  });
});

test.each([
  ['durability=all', 'all'],
  ['respond-async, Durability = "ALL"; x=1', 'all'],
  ['wait=5,durability=local,durability=all', 'local'],
  ['note="a, durability=all"', undefined],
  ['durability', ''],
  ['', undefined],
])('of Prefer: %s the preference durability is %p', (header, expected) => {
  expect(preference(header, 'durability')).toBe(expected);
});
