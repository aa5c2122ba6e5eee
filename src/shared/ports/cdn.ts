/** A shared cache in front of a site, as far as the site changes it (docs/caching.md). */

/** What has changed, in the terms of caches: each purges by what it can. */
export interface PurgeCall {
  /** Surrogate keys. */
  readonly keys: readonly string[];
  /** Of the record, and of the lists of its entity. */
  readonly paths: readonly string[];
}

export interface Cdn {
  readonly name: string;
  /** What one request may name. */
  readonly itemsMax: number;
  /** What is to be purged for a change, as this cache knows it: keys or paths. */
  itemsOf(change: PurgeCall): readonly string[];
  /**
   * Has the cache forget everything under these. It ends when the cache has taken the request, which it carries out by itself.
   * @throws UnavailableError or ThrottledError; purging twice does no harm, so nothing else is told apart
   */
  purge(items: readonly string[]): Promise<void>;
}
