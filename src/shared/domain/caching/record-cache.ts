/**
 * Records of entities with `cache`, in a cache beside the store of a site: what readers ask first, and what every writer of the site
 * keeps up to date, a local write and a merge alike.
 *
 * Invariant: it decides nothing. Writes and reads of sessions that it cannot answer go to the store, and so does everything else
 * whenever the cache has nothing, or nothing that may be believed (`kept-record.ts`).
 */
import { own } from '@tandem-clouds/replication/own';
import { entityOf, type StoredRecord } from '@tandem-clouds/replication/record';
import type { TextCache } from '../../ports/text-cache.ts';
import { keptText, recordIn } from './kept-record.ts';

export interface RecordCacheOptions {
  readonly site: string;
  /** Entity → for how long its records may be kept; what is not named is not kept. */
  readonly maxAgeSeconds: Readonly<Record<string, number>>;
  readonly cache: TextCache;
  /** Names a text: no key of a record is in the cache as it is. */
  readonly digest: (text: string) => string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** What was given back and was not what had been kept. */
  readonly lied?: (key: string) => void;
}

export class RecordCache {
  readonly #options: RecordCacheOptions;

  constructor(options: RecordCacheOptions) {
    this.#options = options;
  }

  /** Those of the keys that are kept and may be used. */
  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> {
    const asked = keys.filter((key) => this.#maxAgeOf(key) > 0);
    const found = new Map<string, StoredRecord>();
    if (asked.length === 0) return found;
    const { cache, lied } = this.#options;
    const texts = await cache.getMany(asked.map((key) => this.#nameOf(key)));
    const useless: string[] = [];
    for (const [index, key] of asked.entries()) {
      const text = texts[index];
      if (text === undefined) continue;
      const record = this.#believed(key, text);
      if (record !== undefined) found.set(key, record);
      else useless.push(key);
    }
    if (useless.length > 0) {
      for (const key of useless) lied?.(key);
      await cache.drop(useless.map((key) => this.#nameOf(key)));
    }
    return found;
  }

  /** @param atMs Since when the store is known to hold these: before it was read, or after it has written. */
  async keep(records: readonly Pick<StoredRecord, 'key' | 'state'>[], atMs: number): Promise<void> {
    const texts = records.flatMap((record) => {
      const ttlMs = Math.floor(this.#maxAgeOf(record.key) - (this.#options.now() - atMs));
      return ttlMs <= 0 ? [] : [{ name: this.#nameOf(record.key), text: keptText(record, atMs), ttlMs }];
    });
    if (texts.length > 0) await this.#options.cache.keep(texts);
  }

  /** What is kept of these keys may be behind. */
  async drop(keys: readonly string[]): Promise<void> {
    const names = keys.filter((key) => this.#maxAgeOf(key) > 0).map((key) => this.#nameOf(key));
    if (names.length > 0) await this.#options.cache.drop(names);
  }

  #believed(key: string, text: string): StoredRecord | undefined {
    try {
      return recordIn(key, text, { nowMs: this.#options.now(), maxAgeMs: this.#maxAgeOf(key) });
    } catch {
      return undefined;
    }
  }

  #maxAgeOf(key: string): number {
    return (own(this.#options.maxAgeSeconds, entityOf(key)) ?? 0) * 1_000;
  }

  #nameOf(key: string): string {
    const { site, digest } = this.#options;
    return `tandem:${site}:${digest(key)}`;
  }
}
