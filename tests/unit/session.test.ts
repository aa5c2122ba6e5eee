import { describe, expect, test } from '@jest/globals';
import type { SeenState } from '@tandem-clouds/replication/await-states';
import { clockAheadMaxMs, horizonMs, pollPauseMaxMs, sessionWaitMs } from '@tandem-clouds/replication/bounds';
import { MalformedError } from '@tandem-clouds/replication/errors';
import { pauses } from '@tandem-clouds/replication/pauses';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp, stampSite } from '@tandem-clouds/replication/stamp';
import { sessionTokensMax } from '../../src/shared/bounds.ts';
import { placementOf } from '../../src/shared/domain/placement.ts';
import type { HttpRequest } from '../../src/shared/http/route.ts';
import { seenStates, sessionToken } from '../../src/shared/http/session.ts';
import { START_MS, TestSite } from '../helpers/test-site.ts';

const seen = ({ key, state }: StoredRecord): SeenState => ({ key, vector: state.vector });

/** A site whose clock moves on by what is slept, with a peer that has written `user:1`. */
async function behind(
  peers = ['azure-eastus'],
): Promise<{ site: TestSite; written: StoredRecord; receive: () => void }> {
  const site = new TestSite('aws-us-east-1', peers);
  site.sleep = (ms) => {
    site.nowMs += ms;
    return Promise.resolve();
  };
  const written = await new TestSite('azure-eastus').write('user:1', { name: 'Ada' });
  const record = { key: written.key, state: written.state, pending: {}, operations: [] };
  return { site, written, receive: () => void site.store.items.set('user:1', { record, revision: 1 }) };
}

describe('a read within a session', () => {
  test('waits for the state that was seen, and no longer', async () => {
    const { site, written, receive } = await behind();
    let samples = 0;
    site.store.before = () => {
      samples += 1;
      if (samples === 4) receive();
    };
    const record = await site.replica().read('user:1', [seen(written)]);
    expect(record?.state).toEqual(written.state);
    expect([samples, site.nowMs < START_MS + sessionWaitMs]).toEqual([4, true]);
  });

  test('refuses after the bound rather than answer with something older', async () => {
    const { site, written } = await behind();
    await site.write('user:1', { name: 'older' });
    await expect(site.replica().read('user:1', [seen(written)])).rejects.toMatchObject({
      code: 'not_yet_here',
    });
    expect(site.nowMs).toBe(START_MS + sessionWaitMs);
  });

  test('names the sites that made what is missing, the latest first, and no others', async () => {
    const peers = ['azure-eastus', 'aws-eu-west-1', 'azure-westeurope'];
    const { site } = await behind(peers);
    const own = await site.write('user:1', { name: 'own' });
    const others = peers.map((name, index) => encodeStamp(START_MS + index, 0, name));
    const vector = Object.fromEntries(others.map((stamp) => [stampSite(stamp), stamp]));
    const read = site
      .replica()
      .read('user:1', [{ key: 'user:1', vector: { ...own.state.vector, ...vector } }]);
    await expect(read).rejects.toMatchObject({
      origins: ['azure-westeurope', 'aws-eu-west-1', 'azure-eastus'],
    });
  });

  test('names none that does not keep the record', async () => {
    const { site } = await behind(['azure-eastus', 'aws-eu-west-1']);
    site.site = { ...site.site, keptAt: placementOf({ user: ['aws-us-east-1', 'azure-eastus'] })! };
    const made = ['azure-eastus', 'aws-eu-west-1'].map((maker) => encodeStamp(START_MS, 0, maker));
    const vector = Object.fromEntries(made.map((stamp) => [stampSite(stamp), stamp]));
    await expect(site.replica().read('user:1', [{ key: 'user:1', vector }])).rejects.toMatchObject({
      origins: ['azure-eastus'],
    });
  });

  test('is not waited for by a write that is for another site to decide', async () => {
    const { site, written } = await behind();
    site.site = { ...site.site, declaredWriter: () => 'azure-eastus' };
    const write = { key: 'user:1', decide: () => ({ name: 'x' }), seen: [seen(written)] };
    await expect(site.replica().write(write)).rejects.toMatchObject({ code: 'not_writer_here' });
    expect(site.nowMs).toBe(START_MS);
  });

  const stateAt = (maker: string, ms: number): SeenState => ({
    key: 'user:1',
    vector: { [maker]: encodeStamp(ms, 0, maker) },
  });

  test.each([
    ['of a site that is no peer', 'gcp-europe', 0],
    ['of a time that has not come yet', 'azure-eastus', clockAheadMaxMs + 1],
  ])('refuses at once a state %s, which no site can have made', async (_, maker, aheadMs) => {
    const { site } = await behind();
    const read = site.replica().read('user:1', [stateAt(maker, START_MS + aheadMs)]);
    await expect(read).rejects.toMatchObject({ code: 'malformed' });
    expect(site.nowMs).toBe(START_MS);
  });

  test('waits for a state that is ahead by no more than the clocks of sites may differ', async () => {
    const { site } = await behind();
    const read = site.replica().read('user:1', [stateAt('azure-eastus', START_MS + clockAheadMaxMs)]);
    await expect(read).rejects.toMatchObject({ code: 'not_yet_here' });
    expect(site.nowMs).toBe(START_MS + sessionWaitMs);
  });

  test('does not wait for what this very site would have made, which is here or nowhere', async () => {
    const { site } = await behind();
    const read = site.replica().read('user:1', [stateAt('aws-us-east-1', START_MS - 5)]);
    await expect(read).rejects.toMatchObject({ code: 'not_yet_here' });
    expect(site.nowMs).toBe(START_MS);
  });

  test('honours the state of a site that has left when it is here', async () => {
    const { site } = await behind();
    const { key, vector } = stateAt('aws-gone', START_MS - 5);
    const state = { fields: {}, vector };
    site.store.items.set(key, { record: { key, state, pending: {}, operations: [] }, revision: 1 });
    await expect(site.replica().read(key, [{ key, vector }])).resolves.toMatchObject({ key });
  });

  test('does not wait for states of other records', async () => {
    const { site, written } = await behind();
    await site.write('user:2', { name: 'other' });
    expect(await site.replica().read('user:2', [seen(written)])).toBeDefined();
    expect(site.nowMs).toBe(START_MS);
  });

  test('finds nothing where a seen delete has arrived', async () => {
    const { site } = await behind();
    await site.write('user:1', { name: 'Ada' });
    const deleted = await site.write('user:1', { $deleted: true });
    expect(await site.replica().read('user:1', [seen(deleted)])).toBeUndefined();
  });

  test('does not wait for what the store has dropped after the horizon', async () => {
    const { site, written } = await behind();
    site.nowMs += horizonMs + 60_000;
    expect(await site.replica().read('user:1', [seen(written)])).toBeUndefined();
  });

  test('is told to come back by a site that is being filled, however old the token is', async () => {
    const { site, written } = await behind();
    Object.assign(site.site, { rebuilding: true });
    site.nowMs += horizonMs + 60_000;
    await expect(site.replica().read('user:1', [seen(written)])).rejects.toMatchObject({
      code: 'not_yet_here',
    });
  });

  test('lists the record even when the index lags, or refuses', async () => {
    const { site, written, receive } = await behind();
    receive();
    const list = site.store.list.bind(site.store);
    let hidden = 3;
    site.store.list = (entity, options) => {
      hidden -= 1;
      return hidden >= 0 ? Promise.resolve([]) : list(entity, options);
    };
    const read = (): Promise<{ records: readonly StoredRecord[] }> =>
      site.replica().list('user', { after: undefined, limit: 10, seen: [seen(written)] });
    expect((await read()).records).toHaveLength(1);
    hidden = Number.POSITIVE_INFINITY;
    await expect(read()).rejects.toMatchObject({ code: 'not_yet_here', origins: ['azure-eastus'] });
  });

  test('lists a page that ends before the record without waiting for the index', async () => {
    const { site, written, receive } = await behind();
    receive();
    await site.write('user:0', { name: 'first' });
    await site.write('user:00', { name: 'second' });
    const options = { after: undefined, limit: 1, seen: [seen(written)] };
    expect((await site.replica().list('user', options)).records.map(({ key }) => key)).toEqual(['user:0']);
    expect(site.nowMs).toBe(START_MS);
  });
});

describe('pauses', () => {
  test('grow, are capped, and add up to the bound', () => {
    const all = [...pauses(() => 0, 2_000)];
    expect(all.reduce((sum, ms) => sum + ms, 0)).toBe(2_000);
    expect(Math.max(...all)).toBe(pollPauseMaxMs);
  });

  test('end with the clock when looking takes longer than pausing', () => {
    let now = 0;
    const all = [...pauses(() => (now += 500), 2_000)];
    expect(all.length).toBeLessThan(5);
  });
});

describe('a write within a session', () => {
  test('is decided by the state that was seen, once it is here', async () => {
    const { site, written, receive } = await behind();
    let samples = 0;
    site.store.before = () => {
      samples += 1;
      if (samples === 4) receive();
    };
    const found: unknown[] = [];
    const record = await site.replica().write({
      key: 'user:1',
      seen: [seen(written)],
      decide: (current, isLive) => {
        found.push(isLive && plainValues(current!.state)['name']);
        return { email: 'ada@example.com' };
      },
    });
    expect([found, plainValues(record.state)]).toEqual([['Ada'], { name: 'Ada', email: 'ada@example.com' }]);
  });

  test('is refused after the bound, and has not happened', async () => {
    const { site, written } = await behind();
    const decide = (): never => {
      throw new Error('decided without what was seen');
    };
    await expect(
      site.replica().write({ key: 'user:1', seen: [seen(written)], decide }),
    ).rejects.toMatchObject({ code: 'not_yet_here' });
    expect([site.nowMs, site.store.items.size]).toEqual([START_MS + sessionWaitMs, 0]);
  });

  test('does not wait for states of other records', async () => {
    const { site, written } = await behind();
    await site.replica().write({ key: 'user:2', seen: [seen(written)], decide: () => ({ name: 'other' }) });
    expect(site.nowMs).toBe(START_MS);
  });
});

describe('session tokens', () => {
  const request = (header: string): HttpRequest =>
    ({ headers: { 'x-tandem-session': header } }) as unknown as HttpRequest;

  test('name a key and its vector, one by one or several in one header', async () => {
    const { written } = await behind();
    const token = sessionToken(written);
    expect(token).toMatch(/^[\w-]+$/);
    expect(seenStates(request(`${token}, ${token}`))).toEqual([seen(written), seen(written)]);
  });

  const encoded = (text: string): string => Buffer.from(text).toString('base64url');
  test.each([
    ['nothing', ''],
    ['no base64', '%%%'],
    ['no key', encoded('0mk3v9x2p0000.aws')],
    ['no stamp', encoded('user:1 abc')],
    ['an empty vector', encoded('user:1 ')],
    ['more than a token', encoded('user:1 0mk3v9x2p0000.aws more')],
    ['a key that no record has', encoded('user:../1 0mk3v9x2p0000.aws')],
    [
      'too many',
      Array.from({ length: sessionTokensMax + 1 }, () => encoded('user:1 0mk3v9x2p0000.aws')).join(),
    ],
  ])('that hold %s are refused', (_, header) => {
    expect(() => seenStates(request(header))).toThrow(MalformedError);
  });
});
