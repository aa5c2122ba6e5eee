/** Purges of many changes as few requests. */
import { expect, test } from '@jest/globals';
import { PurgeBatches } from '../../../src/shared/adapters/cdn/purge-batches.ts';
import type { Cdn } from '../../../src/shared/ports/cdn.ts';

/** A cache whose requests end when the test says so. */
function cache(itemsMax = 10) {
  const requests: string[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const cdn: Cdn = {
    name: 'a cache',
    itemsMax,
    itemsOf: ({ keys }) => keys,
    purge: (items) => {
      requests.push([...items]);
      return new Promise((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve() : reject(error)));
      });
    },
  };
  return { cdn, requests, ends };
}

const change = (...keys: string[]) => ({ keys, paths: [] });
/** Until everything that waits for nothing else has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const atOnce = () => Promise.resolve();

test('changes of one moment go together, each item once', async () => {
  const { cdn, requests, ends } = cache();
  const batches = new PurgeBatches(cdn, atOnce, settled);
  const all = Promise.all([batches.purge(change('a', 'list')), batches.purge(change('b', 'list'))]);
  await settled();
  await settled();
  expect(requests).toEqual([['a', 'list', 'b']]);
  ends[0]?.();
  await all;
});

test('what comes while a request is under way goes with the next one, also after a failure', async () => {
  const { cdn, requests, ends } = cache();
  const batches = new PurgeBatches(cdn, atOnce, atOnce);
  const first = batches.purge(change('a'));
  await settled();
  const next = Promise.all([batches.purge(change('b')), batches.purge(change('c'))]);
  await settled();
  expect(requests).toEqual([['a']]);
  ends[0]?.(new Error('busy'));
  await expect(first).rejects.toThrow('busy');
  await settled();
  expect(requests).toEqual([['a'], ['b', 'c']]);
  ends[1]?.();
  await next;
});

test('a request names no more than the cache takes, and each change whole', async () => {
  const { cdn, requests, ends } = cache(3);
  const batches = new PurgeBatches(cdn, atOnce, settled);
  const all = Promise.all([batches.purge(change('a', 'list')), batches.purge(change('b', 'c', 'list'))]);
  await settled();
  await settled();
  ends[0]?.();
  await settled();
  ends[1]?.();
  await all;
  expect(requests).toEqual([
    ['a', 'list'],
    ['b', 'c', 'list'],
  ]);
  await expect(batches.purge(change('a', 'b', 'c', 'd'))).rejects.toThrow(
    '4 items for one change, and 3 are taken',
  );
});
