import { expect, test } from '@jest/globals';
import { cleared } from '../../../src/shared/replication/lives.ts';
import { mergeStates } from '../../../src/shared/replication/merge.ts';
import { DELETED, isLive } from '../../../src/shared/replication/record.ts';
import { TestSite } from '../../helpers/test-site.ts';

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
