/**
 * A store whose writes are kept by the cache beside it, whoever makes them: a handler, a merge of what a peer sent, a reaction. Reads
 * pass by: whoever reads for a decision needs what is there.
 */
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { RecordCache } from './record-cache.ts';

export function cachedStore(store: Store, cache: RecordCache, now: () => number): Store {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    async putMany(writes) {
      const results = await store.putMany(writes);
      const ending = (status: 'written' | 'failed') =>
        writes.filter((_, index) => results[index]?.status === status).map(({ record }) => record);
      await cache.keep(ending('written'), now());
      // Nobody knows of some of these: what is kept may be behind by now.
      await cache.drop(ending('failed').map(({ key }) => key));
      return results;
    },
    clearPending: (requests) => store.clearPending(requests),
    pending: (...asked) => store.pending(...asked),
    due: (...asked) => store.due(...asked),
    exposure: (limit) => store.exposure(limit),
    list: (entity, options) => store.list(entity, options),
    entries: (query) => store.entries(query),
    scan: (options) => store.scan(options),
    scanKeys: (options) => store.scanKeys(options),
    remove: (key, expected) => store.remove(key, expected),
    ping: () => store.ping(),
  };
}
