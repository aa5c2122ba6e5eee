/** Records beside the store: kept up to date by every writer, believed only when they are what was kept, and never in the way. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { AmbiguousError } from '@tandem-clouds/replication/errors';
import { localWrite } from '@tandem-clouds/replication/local-write';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { GuardedCache } from '../../../src/shared/adapters/redis/guarded-cache.ts';
import { cacheBreakMs, cacheFailuresMax } from '../../../src/shared/bounds.ts';
import { digest } from '../../../src/shared/digest.ts';
import { cachedStore } from '../../../src/shared/domain/caching/cached-store.ts';
import { keptText, recordIn } from '../../../src/shared/domain/caching/kept-record.ts';
import { RecordCache } from '../../../src/shared/domain/caching/record-cache.ts';
import { Replica } from '../../../src/shared/domain/replica.ts';
import { type KeptText, type TextCache, versionDigits } from '../../../src/shared/ports/text-cache.ts';
import { TestSite } from '../../helpers/test-site.ts';

/** A cache that does as it is told, or as the test wants. */
class FakeCache implements TextCache {
  readonly texts = new Map<string, string>();
  calls = 0;
  fails = false;
  full = false;
  /** What it gives back in place of what it has. */
  lie: ((text: string) => string) | undefined;

  async getMany(names: readonly string[]) {
    await this.#begin();
    return names.map((name) => {
      const text = this.texts.get(name);
      return text !== undefined && this.lie !== undefined ? this.lie(text) : text;
    });
  }

  async keep(texts: readonly KeptText[]) {
    await this.#begin();
    for (const { name, text } of texts) {
      const held = this.texts.get(name) ?? '';
      if (this.full) {
        this.texts.delete(name);
        throw new Error('OOM command not allowed');
      }
      if (held.slice(0, versionDigits) <= text.slice(0, versionDigits)) this.texts.set(name, text);
    }
  }

  async drop(names: readonly string[]) {
    await this.#begin();
    for (const name of names) this.texts.delete(name);
  }

  async #begin() {
    this.calls += 1;
    await Promise.resolve();
    if (this.fails) throw new Error('ECONNREFUSED');
  }
}

const KEY = 'product:mug';
let fake: FakeCache;
let site: TestSite;
let cache: RecordCache;
let replica: Replica;
let lies: string[];
let elapsedMs: number;

beforeEach(() => {
  [fake, site, lies, elapsedMs] = [new FakeCache(), new TestSite('aws-us-east-1'), [], 0];
  const guarded = new GuardedCache(fake, {
    elapsed: () => elapsedMs,
    // Longer than anything here takes.
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
  });
  cache = new RecordCache({
    ...{ site: 'aws-us-east-1', maxAgeSeconds: { product: 60 }, cache: guarded, digest },
    now: () => site.nowMs,
    lied: (key) => lies.push(key),
  });
  replica = new Replica({
    site: site.site,
    resources: { ...site.resources, store: cachedStore(site.store, cache, () => site.nowMs) },
    ids: { next: () => 'id-000000000000' },
    cache,
  });
});

let operations = 0;
const write = (name: string, key = KEY) => {
  site.nowMs += 1;
  operations += 1;
  return replica.run((own) =>
    localWrite(own, { key, operationId: `op${operations}`, decide: () => ({ name }) }),
  );
};
const nameIn = (record: StoredRecord | undefined) => record?.state.fields['name']?.[1];
/** Counts reads of the store. */
const reads = () => {
  let count = 0;
  const { store } = site;
  const [get, getMany] = [store.get.bind(store), store.getMany.bind(store)];
  store.get = (key) => ((count += 1), get(key));
  store.getMany = (keys) => ((count += keys.length), getMany(keys));
  return () => count;
};

describe('a read', () => {
  test('is answered without the store, by what was written last, and keeps nothing of the store’s own', async () => {
    await write('Mug');
    await write('Cup');
    const count = reads();
    const found = await replica.read(KEY);
    expect([nameIn(found), count(), found?.pending]).toEqual(['Cup', 0, {}]);
    expect([...fake.texts.keys()].join()).not.toContain('mug');
  });

  test('fills the cache with what it had to ask the store for', async () => {
    await site.write(KEY, { name: 'Mug' });
    const count = reads();
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    expect(count()).toBe(1);
  });

  test('of an entity that nobody may keep asks the store', async () => {
    await write('Ada', 'user:ada');
    const count = reads();
    expect(nameIn(await replica.read('user:ada'))).toBe('Ada');
    expect([count(), fake.texts.size]).toEqual([1, 0]);
  });

  test('of a session is never older than its token: what is older in the cache is not looked at', async () => {
    await write('Mug');
    const old = new Map(fake.texts);
    const { state } = await write('Cup');
    fake.texts.clear();
    for (const [name, text] of old) fake.texts.set(name, text);
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    expect(nameIn(await replica.read(KEY, [{ key: KEY, vector: state.vector }]))).toBe('Cup');
    // The read has put that right.
    expect(nameIn(await replica.read(KEY))).toBe('Cup');
  });

  test('for a decision asks the store', async () => {
    await write('Mug');
    const old = new Map(fake.texts);
    await write('Cup');
    for (const [name, text] of old) fake.texts.set(name, text);
    expect(nameIn(await replica.read(KEY, [], undefined, true))).toBe('Cup');
  });

  test('of what is deleted finds nothing', async () => {
    await write('Mug');
    site.nowMs += 1;
    await replica.run((own) =>
      localWrite(own, { key: KEY, operationId: 'gone', decide: () => ({ $deleted: true }) }),
    );
    const count = reads();
    expect(await replica.read(KEY)).toBeUndefined();
    expect(count()).toBe(0);
  });

  test('that a hidden record would answer is answered as if there were none', async () => {
    const { state } = await write('Mug');
    const seen = [{ key: KEY, vector: state.vector }];
    await expect(replica.read(KEY, seen, () => false)).rejects.toThrow('has not arrived here');
  });
});

test('a reader that was late brings nothing back', async () => {
  await site.write(KEY, { name: 'Mug' });
  const late = site.held(KEY)!;
  await write('Cup');
  await cache.keep([late], site.nowMs);
  expect(nameIn(await replica.read(KEY))).toBe('Cup');
});

test('what may have been written is not answered from the cache', async () => {
  await write('Mug');
  const { store } = site;
  const putMany = store.putMany.bind(store);
  store.putMany = async (writes) => {
    await putMany(writes);
    store.putMany = putMany;
    return writes.map(() => ({ status: 'failed' as const, error: new AmbiguousError('no answer') }));
  };
  // The write finds out that it was made.
  await write('Cup');
  expect(nameIn(await replica.read(KEY))).toBe('Cup');
});

describe('what the cache gives back', () => {
  const other = { key: 'product:other', state: { fields: {}, vector: {} } };
  test.each<[string, (text: string) => string]>([
    ['is garbage', () => 'garbage'],
    ['is empty', () => ''],
    ['has a letter changed', (text) => text.replace('Mug', 'Jug')],
    ['is of another key', () => keptText(other, 1_800_000_000_000)],
    ['says that it is later than it is', (text) => `9${text.slice(1)}`],
    ['is of another form', (text) => text.replace('"form":1', '"form":2')],
    ['is cut off', (text) => text.slice(0, -1)],
  ])('and %s is dropped, and the store is asked', async (_, lie) => {
    await write('Mug');
    fake.lie = lie;
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    expect(lies).toEqual([KEY]);
    fake.lie = undefined;
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    expect(lies).toEqual([KEY]);
  });

  test('is not used once it is as old as the entity allows, whatever the cache says', () => {
    const stamp = encodeStamp(1_800_000_000_000, 0, 'aws-us-east-1');
    const kept = { key: KEY, state: { fields: { name: [stamp, 'Mug'] as const }, vector: { a: stamp } } };
    const text = keptText(kept, 1_000);
    expect(recordIn(KEY, text, { nowMs: 60_999, maxAgeMs: 60_000 })).toBeDefined();
    expect(recordIn(KEY, text, { nowMs: 61_000, maxAgeMs: 60_000 })).toBeUndefined();
    expect(recordIn(KEY, keptText(kept, 9_000), { nowMs: 1_000, maxAgeMs: 60_000 })).toBeUndefined();
  });
});

describe('a cache that fails', () => {
  test('is gone on without, and after a few failures not asked for a while', async () => {
    await write('Mug');
    fake.fails = true;
    for (let n = 0; n < cacheFailuresMax; n += 1) expect(nameIn(await replica.read(KEY))).toBe('Mug');
    const { calls } = fake;
    expect(nameIn(await replica.read(KEY))).toBe('Mug');
    await write('Cup');
    expect(fake.calls).toBe(calls);
    fake.fails = false;
    elapsedMs += cacheBreakMs;
    await write('Jug');
    expect(fake.calls).toBeGreaterThan(calls);
    expect(nameIn(await replica.read(KEY))).toBe('Jug');
  });

  test('and hangs is not waited for', async () => {
    await site.write(KEY, { name: 'Mug' });
    const hanging: TextCache = {
      getMany: () => new Promise(() => undefined),
      keep: () => new Promise(() => undefined),
      drop: () => new Promise(() => undefined),
    };
    let opened = 0;
    const guarded = new GuardedCache(hanging, {
      elapsed: () => 0,
      sleep: () => Promise.resolve(),
      opened: () => (opened += 1),
    });
    for (let n = 0; n < cacheFailuresMax; n += 1)
      expect(await guarded.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    expect(opened).toBe(1);
  });

  test('because it is full keeps nothing that is older', async () => {
    await write('Mug');
    fake.full = true;
    await write('Cup');
    expect(fake.texts.size).toBe(0);
    expect(nameIn(await replica.read(KEY))).toBe('Cup');
  });
});
