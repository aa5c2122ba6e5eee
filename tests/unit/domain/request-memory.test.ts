import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { requestsRemembered } from '../../../src/shared/bounds.ts';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { ItemService } from '../../../src/shared/domain/item-service.ts';
import type { KeyedRequest } from '../../../src/shared/domain/request-memory.ts';
import { user } from '../../../src/shared/entities/user.ts';
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

  test('are forgotten after exactly as many others as the protocol says, but for the first one', async () => {
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
    expect(requestsRemembered).toBe(8);
    expect(protocol).toContain('eight keyed requests: the first, and the newest seven');
    expect(protocol).toContain('retried after seven others may repeat, unless it is the first');
  });

  test('are kept in bounded number: the first and the newest', async () => {
    const items = new ItemService(new TestSite('aws-us-east-1').replica());
    const write = (key: string): Promise<{ replayed: boolean }> =>
      items.write({ id: 'one', data: { key } }, { request: request(key) });
    for (let i = 0; i < requestsRemembered + 2; i += 1) await write(`k${i}`);
    expect((await write('k0')).replayed).toBe(true);
    expect((await write(`k${requestsRemembered + 1}`)).replayed).toBe(true);
    expect((await write('k1')).replayed).toBe(false);
  });

  test('keep their precondition out of the retry: it held when they took effect', async () => {
    const items = new ItemService(new TestSite('aws-us-east-1').replica());
    const write = (): Promise<{ replayed: boolean }> =>
      items.write({ id: 'one', data: {} }, { request: request('k'), onlyIfAbsent: true });
    expect((await write()).replayed).toBe(false);
    expect((await write()).replayed).toBe(true);
  });
});
