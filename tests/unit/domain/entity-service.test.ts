import { expect, test } from '@jest/globals';
import { cleared, oldestMs } from '@tandem-clouds/replication/lives';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { DELETED, isLive } from '@tandem-clouds/replication/record';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { ItemService } from '../../../src/shared/domain/item-service.ts';
import { user } from '../../../src/shared/entities/user.ts';
import { checkUser } from '../../helpers/check-user.ts';
import { START_MS, TestSite } from '../../helpers/test-site.ts';

test('a record created later than a delete that this site has not seen yet exists after the merge', async () => {
  const aws = new TestSite('aws-us-east-1');
  const azure = new TestSite('azure-eastus', ['aws-us-east-1']);
  await aws.write('product:1', { ...cleared(undefined), name: 'first life' });
  const { state: tombstone } = await aws.write('product:1', { [DELETED]: true });
  azure.nowMs += 60_000;
  const { state: created } = await azure.write('product:1', { ...cleared(undefined), name: 'second life' });
  expect(isLive(mergeStates(created, tombstone).state, azure.nowMs)).toBe(true);
});

test('a new life of a key shows nothing of the earlier one', async () => {
  const aws = new TestSite('aws-us-east-1');
  await aws.write('product:1', { name: 'a', note: 'b' });
  const deleted = await aws.write('product:1', { [DELETED]: true });
  expect(cleared(deleted.state)).toEqual({ name: null, note: null, [DELETED]: false });
});

test('when a record was created is never written again in one life of it, so that its age can be told', async () => {
  const site = new TestSite('aws-us-east-1');
  const users = new EntityService(user, site.replica(), checkUser);
  const items = new ItemService(site.replica());
  const request = { id: 'derived', key: 'k', body: 'b' };
  await users.create({ name: 'Ada', email: 'ada@example.com', metadata: { a: 1 } }, { request });
  await items.write({ id: 'i', data: { a: 1 } }, {});
  const created = ['user:derived', 'item:i'].map((key) => site.held(key)?.state.fields['createdAt']);
  site.nowMs += 1_000;
  const everything = {
    name: 'B',
    email: 'b@example.com',
    metadata: null,
    labels: ['x'],
    signIns: { increment: 1 },
  };
  await users.change('derived', everything, {});
  await items.write({ id: 'i', data: { b: 2 }, ttlSeconds: 60 }, {});
  expect(['user:derived', 'item:i'].map((key) => site.held(key)?.state.fields['createdAt'])).toEqual(created);
  for (const key of ['user:derived', 'item:i']) expect(oldestMs(site.held(key)!.state)).toBe(START_MS);
});
