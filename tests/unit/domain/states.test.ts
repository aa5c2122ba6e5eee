import { expect, test } from '@jest/globals';
import { emptied } from '@tandem-clouds/replication/lives';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { DELETED, plainValues } from '@tandem-clouds/replication/record';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { begin, ranksOf, transition } from '../../../src/shared/domain/states.ts';
import { TestSite } from '../../helpers/test-site.ts';

const states = {
  order: ['open', 'paid', 'cancelled'],
  allowed: { open: ['paid', 'cancelled'], paid: ['cancelled'] },
};
const KEY = 'order:1';

test('a state that a later release puts between others moves none of them', () => {
  const later = { ...states, order: ['open', 'held', 'paid', 'cancelled'], ranks: { held: 1_500 } };
  expect([...ranksOf(states)]).toEqual([
    ['open', 1_000],
    ['paid', 2_000],
    ['cancelled', 3_000],
  ]);
  expect([...ranksOf(later)]).toEqual([
    ['open', 1_000],
    ['held', 1_500],
    ['paid', 2_000],
    ['cancelled', 3_000],
  ]);
});

test.each([
  ['the winner by a slow clock', -3_600_000],
  ['the winner by a fast clock', 3_600_000],
])('of concurrent transitions the one to the later state stands at both sites, %s', async (_, skewMs) => {
  const aws = new TestSite('aws-us-east-1');
  const azure = new TestSite('azure-eastus', ['aws-us-east-1']);
  azure.nowMs += skewMs;
  const { state: begun } = await aws.replica().write({ key: KEY, decide: () => ({ status: begin(states) }) });
  await azure.store.putMany([
    { record: { key: KEY, state: begun, pending: {}, operations: [] }, expected: undefined },
  ]);
  const walk = (site: TestSite, to: string) =>
    site.replica().write({
      key: KEY,
      decide: () => ({ status: transition('status', states, { from: 'open', to }) ?? 'never' }),
    });
  const { state: paid } = await walk(aws, 'paid');
  const { state: cancelled } = await walk(azure, 'cancelled');
  for (const { state, conflicts } of [mergeStates(paid, cancelled), mergeStates(cancelled, paid)]) {
    expect(plainValues(state)).toEqual({ status: 'cancelled' });
    expect(conflicts.map(({ field, loser, winner }) => [field, loser[1], winner[1]])).toEqual([
      ['status', 'paid', 'cancelled'],
    ]);
  }
});

test('a record that was deleted in a late state and brought back walks on', async () => {
  const aws = new TestSite('aws-us-east-1');
  const write = (decide: Parameters<ReturnType<TestSite['replica']>['write']>[0]['decide']) =>
    aws.replica().write({ key: KEY, decide });
  await write(() => ({ status: begin(states) }));
  await write(() => ({ status: transition('status', states, { from: 'open', to: 'cancelled' }) ?? '' }));
  await write((current) => ({ ...emptied(current!.state), [DELETED]: true }));
  await write(() => ({ [DELETED]: false }));
  const { state } = await write(() => ({
    status: transition('status', states, { from: undefined, to: 'paid' }) ?? '',
  }));
  expect(plainValues(state)).toEqual({ status: 'paid' });
});

test.each([
  [{ order: ['a', 'b', 'c'], allowed: {}, ranks: { b: 500 } }, 'ranks of a, b must rise along the order'],
  [
    { order: ['a', 'b'], allowed: {}, ranks: { b: 1_000_000 } },
    'ranks.b: must be a whole number from 1 to 999999',
  ],
  [{ order: ['a', 'b'], allowed: {}, ranks: { x: 5 } }, 'ranks.x: is not in the order'],
])('refuses ranks that would not tell who wins: %j', (walk, message) => {
  const declare = (): unknown =>
    defineEntity({
      name: 'order',
      collection: 'orders',
      idField: 'orderId',
      description: 'x',
      required: [],
      fields: { status: { states: walk } },
      example: {},
    });
  expect(declare).toThrow(message);
});
