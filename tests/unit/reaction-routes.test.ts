/** What operators see and do of reactions, over the routes, with a store in memory. */
import { beforeEach, expect, test } from '@jest/globals';
import { pausedPeers, pauseKey } from '@tandem-clouds/replication/paused-peers';
import { digest } from '../../src/shared/digest.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { reactionsOf } from '../../src/shared/domain/reactions.ts';
import { reactionChange, reactionScan } from '../../src/shared/generated/validators.js';
import { reactionRoutes } from '../../src/shared/http/operations/reactions.ts';
import type { HttpRequest } from '../../src/shared/http/route.ts';
import { START_MS, TestSite } from '../helpers/test-site.ts';

const order = defineEntity({
  name: 'order',
  collection: 'orders',
  idField: 'orderId',
  description: 'An order',
  required: [],
  fields: { status: { type: 'string' }, mailed: { type: 'string', by: 'reaction' } },
  reactions: {
    mail: {
      on: ['status'],
      when: ({ status, mailed }) => status !== undefined && status !== mailed,
      run: () => Promise.reject(new Error('not here')),
    },
  },
  example: {},
});
const KEY = 'order:7';
let site: TestSite;
let woken: string[];

beforeEach(async () => {
  woken = [];
  site = new TestSite('aws-us-east-1');
  Object.assign(site.site, { reactions: reactionsOf([order], digest), retired: ['gcp-1'] });
  await site.write(KEY, { status: 'paid' });
});

async function call(method: string, path: string, request: Partial<HttpRequest> = {}): Promise<object> {
  const waker = (keys: readonly string[]): Promise<void> => {
    woken.push(...keys);
    return Promise.resolve();
  };
  const resources = { store: site.store, outbox: site.outbox, waker, sleep: () => Promise.resolve() };
  const route = reactionRoutes(site.site, resources, [order]).find(
    (each) => each.method === method && each.path === `/replication/${path}`,
  );
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  return (await route.handle({ params: {}, ...request } as HttpRequest)).body as object;
}

test('what is due is listed, and shown with its condition', async () => {
  expect(await call('GET', 'reactions')).toMatchObject({
    waiting: { keys: 0, atLeast: false },
    reactions: [{ reaction: 'order.mail', paused: false }],
  });
  site.nowMs += 1;
  const effectId = site.held(KEY)?.reactions?.['mail']?.effectId;
  const due = new Date(START_MS).toISOString();
  expect(await call('GET', 'reactions')).toMatchObject({
    waiting: { keys: 1 },
    entries: [{ key: KEY, reaction: 'mail', effectId, due, attempts: 0 }],
  });
  expect(await call('GET', 'reactions/{key}', { params: { key: KEY } })).toMatchObject({
    conditions: [{ reaction: 'mail', effectId, origin: 'aws-us-east-1', site: 'origin' }],
  });
});

test('one is parked, counted as such, and tried again at once', async () => {
  await call('POST', 'reactions/change', { body: { action: 'park', key: KEY, reaction: 'mail' } });
  expect(await call('GET', 'reactions')).toMatchObject({
    parked: { keys: 1 },
    entries: [{ parked: 'operator' }],
  });
  expect(woken).toEqual([]);
  await call('POST', 'reactions/change', { body: { action: 'retry', key: KEY, reaction: 'mail' } });
  expect(woken).toEqual([KEY]);
  expect(site.held(KEY)?.reactions?.['mail']).toMatchObject({ dueMs: START_MS });
  const nothing = { action: 'retry', key: KEY, reaction: 'copy' };
  await expect(call('POST', 'reactions/change', { body: nothing })).rejects.toThrow(
    /nothing to do about copy/,
  );
});

test('a reaction is paused and runs again; one that is not declared is refused by name', async () => {
  const params = { reaction: 'order.mail' };
  expect(await call('PUT', 'reaction-pauses/{reaction}', { params })).toMatchObject({ paused: true });
  expect(pausedPeers(site.held(pauseKey('aws-us-east-1')))).toEqual({ 'reaction:order.mail': START_MS });
  site.nowMs += 1;
  expect(await call('DELETE', 'reaction-pauses/{reaction}', { params })).toMatchObject({ paused: false });
  await expect(
    call('PUT', 'reaction-pauses/{reaction}', { params: { reaction: 'order.fax' } }),
  ).rejects.toThrow('no reaction order.fax is declared; there are: order.mail');
});

test('what a backfill sets is woken at once', async () => {
  Object.assign(site.site, { reactions: undefined });
  await site.write('order:8', { status: 'paid' });
  Object.assign(site.site, { reactions: reactionsOf([order], digest) });
  const body = { entity: 'order', reaction: 'mail' };
  expect(await call('POST', 'reactions/scan', { body })).toMatchObject({ scanned: 2, set: 1 });
  expect(woken).toEqual(['order:8']);
});

test('a take-over wants a fenced site and its heir, a backfill a declared reaction', async () => {
  const scan = (body: object): Promise<object> => call('POST', 'reactions/scan', { body });
  await expect(scan({ lost: 'azure-eastus' })).rejects.toThrow(/fence it first/);
  expect(await scan({ lost: 'gcp-1' })).toMatchObject({ scanned: 1, set: 0 });
  Object.assign(site.site, { peers: ['a-lesser-name'] });
  await expect(scan({ lost: 'gcp-1' })).rejects.toThrow(/taken over by a-lesser-name/);
  await expect(scan({ entity: 'order', reaction: 'fax' })).rejects.toThrow(/no reaction order.fax/);
});

test.each([
  [reactionScan, { lost: 'x' }, true],
  [reactionScan, { entity: 'order', reaction: 'mail', cursor: 'c' }, true],
  [reactionScan, { entity: 'order' }, false],
  [reactionScan, { lost: 'x', entity: 'order', reaction: 'mail' }, false],
  [reactionChange, { action: 'retry', key: 'order:7', reaction: 'mail' }, true],
  [reactionChange, { action: 'drop', key: 'order:7', reaction: 'mail' }, false],
])('a body is what the contract says (%#)', (check, body, valid) => {
  expect(check(body)).toBe(valid);
});
