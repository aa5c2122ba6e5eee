import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { mergeStates } from '@tandem-clouds/replication/merge';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { elementsOf } from '@tandem-clouds/replication/policies/set';
import { partsOf } from '@tandem-clouds/replication/record';
import { nextStamp } from '@tandem-clouds/replication/stamp';
import { requestsRemembered } from '../../../src/shared/bounds.ts';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { ItemService } from '../../../src/shared/domain/item-service.ts';
import { earlierRun, type KeyedRequest, remember } from '../../../src/shared/domain/request-memory.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { RequestForgottenError } from '../../../src/shared/errors.ts';
import { keyedRequest } from '../../../src/shared/http/idempotency.ts';
import type { HttpRequest } from '../../../src/shared/http/route.ts';
import { checkUser } from '../../helpers/check-user.ts';
import { TestSite } from '../../helpers/test-site.ts';

const ADA = { name: 'Ada', email: 'ada@example.com' };
const request = (key: string, body = 'body'): KeyedRequest => ({ id: `id-${key}`, key, body });

describe('keyed requests', () => {
  test('at two sites that have not heard of each other make one record', async () => {
    const [aws, azure] = [new TestSite('aws-us-east-1'), new TestSite('azure-eastus', ['aws-us-east-1'])];
    azure.nowMs += 40;
    const options = { request: request('k') };
    const a = await new EntityService(user, aws.replica(), checkUser).create(ADA, options);
    const b = await new EntityService(user, azure.replica(), checkUser).create(ADA, options);
    expect(a.record.key).toBe(b.record.key);
    const merged = mergeStates(a.record.state, b.record.state);
    expect(merged.state).toEqual(mergeStates(b.record.state, a.record.state).state);
    // The values are equal but for the moment of creation, where the later one stands; all are reported.
    const differing = merged.conflicts.filter(
      ({ loser, winner }) => JSON.stringify(loser[1]) !== JSON.stringify(winner[1]),
    );
    expect(differing.map(({ field }) => field)).toEqual(['createdAt']);
  });

  test('that were deleted at one site stay deleted when a retry at the other site crosses later', async () => {
    const [aws, azure] = [new TestSite('aws-us-east-1'), new TestSite('azure-eastus', ['aws-us-east-1'])];
    const here = new EntityService(user, aws.replica(), checkUser);
    await here.create(ADA, { request: request('k') });
    const deleted = await here.remove('id-k', {});
    azure.nowMs += 60_000;
    const retried = await new EntityService(user, azure.replica(), checkUser).create(ADA, {
      request: request('k'),
    });
    expect(mergeStates(deleted.state, retried.record.state).state.fields['$deleted']?.[1]).toBe(true);
  });

  test('stay known when the id is deleted and used again without a key', async () => {
    const service = new EntityService(user, new TestSite('aws-us-east-1').replica(), checkUser);
    const input = { ...ADA, userId: 'mine' };
    await service.create(input, { request: request('k') });
    await service.remove('mine', {});
    await service.create({ ...input, name: 'Second' }, {});
    const again = await service.create(input, { request: request('k') });
    expect([again.replayed, again.record.state.fields['name']?.[1]]).toEqual([true, 'Second']);
  });

  test('are refused once what they made has expired', async () => {
    const site = new TestSite('aws-us-east-1');
    const items = new ItemService(site.replica());
    const write = (): Promise<unknown> => items.write({ data: {}, ttlSeconds: 1 }, { request: request('k') });
    await write();
    site.nowMs += 5_000;
    await expect(write()).rejects.toMatchObject({ code: 'gone' });
  });

  test('whose keys carry no time are forgotten after exactly as many others as is said, but for the first one', async () => {
    const items = new ItemService(new TestSite('aws-us-east-1').replica());
    const write = (key: string) => items.write({ id: 'i', data: {} }, { request: request(key) });
    await write('first');
    await write('kept');
    for (let i = 1; i < requestsRemembered - 1; i += 1) await write(`other-${i}`);
    expect((await write('kept')).replayed).toBe(true);
    await write('one more');
    expect((await write('kept')).replayed).toBe(false);
    expect((await write('first')).replayed).toBe(true);
    const protocol = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    expect(requestsRemembered).toBe(16);
    expect(protocol).toContain('sixteen keyed requests: the first, and the newest fifteen');
  });

  test('keep their precondition out of the retry: it held when they took effect', async () => {
    const items = new ItemService(new TestSite('aws-us-east-1').replica());
    const write = (): Promise<{ replayed: boolean }> =>
      items.write({ id: 'one', data: {} }, { request: request('k'), onlyIfAbsent: true });
    expect((await write()).replayed).toBe(false);
    expect((await write()).replayed).toBe(true);
  });
});

describe('a keyed request whose key carries its time', () => {
  /** A site with a record whose first keyed request has no time, and what counts there under a key of a moment. */
  const counting = async (site: TestSite) => {
    const users = new EntityService(user, site.replica(), checkUser);
    await users.create({ ...ADA, userId: 'ada' }, { request: request('first') });
    const count = (madeAtMs: number, key = `k${madeAtMs}`) =>
      users.change('ada', { signIns: { increment: 1 } }, { request: { ...request(key), madeAtMs } });
    const counted = async () => users.view(await users.read('ada'))['signIns'];
    return { users, count, counted };
  };

  test('says so as a UUID of version 7; a key of any other form carries none', () => {
    const timeOf = (key: string) =>
      keyedRequest('user', { headers: { 'idempotency-key': key }, body: {} } as unknown as HttpRequest)
        ?.madeAtMs;
    // The example of RFC 9562, appendix A.6, and that of a version 4 beside it.
    expect(timeOf('017F22E2-79B0-7CC3-98C4-DC0C0C07398F')).toBe(0x017f22e279b0);
    expect(timeOf('"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"')).toBe(0x017f22e279b0);
    expect(timeOf('919108f7-52d1-4320-9bac-f847db4148a8')).toBeUndefined();
    expect(timeOf('017f22e279b07cc398c4dc0c0c07398f')).toBeUndefined();
  });

  test('never counts twice at its site: it is found again, or refused once it has been forgotten', async () => {
    const site = new TestSite('aws-us-east-1');
    const { count, counted } = await counting(site);
    const made = Array.from({ length: 3 * requestsRemembered }, (_, i) => site.nowMs + i);
    for (const at of made) await count(at);
    const outcomes = [];
    for (const at of made) {
      const done = await count(at).catch((error: unknown) => (error as { code: string }).code);
      outcomes.push(typeof done === 'string' ? done : done.replayed);
    }
    const kept = requestsRemembered - 1;
    expect(outcomes).toEqual([
      ...Array.from({ length: made.length - kept }, () => 'request_forgotten'),
      ...Array.from({ length: kept }, () => true),
    ]);
    expect(await counted()).toBe(made.length);
  });

  test('is taken when it was made after all that was forgotten, whatever came in between', async () => {
    const site = new TestSite('aws-us-east-1');
    const { count, counted } = await counting(site);
    for (let i = 0; i < 40; i += 1) await count(site.nowMs + i);
    expect((await count(site.nowMs + 100)).replayed).toBe(false);
    expect(await counted()).toBe(41);
  });

  test('is refused also when requests without a time have pushed it out, and after the record has begun anew', async () => {
    const site = new TestSite('aws-us-east-1');
    const { users, count } = await counting(site);
    await count(site.nowMs);
    for (let i = 0; i < requestsRemembered; i += 1)
      await users.change('ada', { name: `n${i}` }, { request: request(`opaque-${i}`) });
    await expect(count(site.nowMs)).rejects.toMatchObject({ code: 'request_forgotten' });
    await users.remove('ada', {});
    await users.create({ ...ADA, userId: 'ada' }, {});
    await expect(count(site.nowMs)).rejects.toMatchObject({ code: 'request_forgotten' });
  });

  test('of two sites that forget at the same time, what either has forgotten is refused at both', async () => {
    const [aws, azure] = [new TestSite('aws-us-east-1'), new TestSite('azure-eastus', ['aws-us-east-1'])];
    const [here, there] = [await counting(aws), await counting(azure)];
    let [a, b] = [await here.count(aws.nowMs, 'a'), await there.count(aws.nowMs + 1_000, 'b')];
    for (let i = 0; i < 20; i += 1) {
      a = await here.count(aws.nowMs + 1 + i, `a${i}`);
      b = await there.count(aws.nowMs + 1_001 + i, `b${i}`);
    }
    const merged = mergeStates(a.record.state, b.record.state).state;
    expect(merged).toEqual(mergeStates(b.record.state, a.record.state).state);
    const record = { ...a.record, state: merged };
    for (const [key, madeAtMs] of [
      ['a', aws.nowMs],
      ['b', aws.nowMs + 1_000],
    ] as const)
      expect(() => earlierRun(record, { ...request(key), madeAtMs }, true)).toThrow(RequestForgottenError);
    // Whoever writes next keeps the greater time of the two, and what it remembers is within the bound again.
    const next = remember(record, request('next'), { created: false, nowMs: aws.nowMs })['$request'];
    const at = {
      stamp: nextStamp({ wallMs: aws.nowMs + 9_000, site: 'aws-us-east-1', after: undefined }),
      site: 'aws-us-east-1',
    };
    const after = elementsOf((next as FieldOperation)(partsOf(merged, '$request'), at));
    expect(after).toHaveLength(requestsRemembered + 1);
  });

  test('counts as one without a time when it is later than the clock of the site: it would stand in the way of others', async () => {
    const site = new TestSite('aws-us-east-1');
    const { count } = await counting(site);
    for (let i = 0; i < 40; i += 1) await count(site.nowMs + 3_600_000 + i);
    expect((await count(site.nowMs)).replayed).toBe(false);
  });

  test('that another release has written is known, and this one’s to it: the entries have their shape still', async () => {
    const site = new TestSite('aws-us-east-1');
    const { count } = await counting(site);
    const { record } = await count(site.nowMs);
    const entries = elementsOf(partsOf(record.state, '$request'));
    expect(entries).toEqual([
      { key: 'first', body: 'body', created: true },
      { key: `k${site.nowMs}`, body: 'body', created: false, at: site.nowMs },
    ]);
  });
});
