/** A cache of texts beside a site's store, which may lose, refuse or garble what it is given (docs/caching.md). */

export interface KeptText {
  readonly name: string;
  /** Begins with as many digits as `versionDigits`, by which of two texts the later one is kept. */
  readonly text: string;
  readonly ttlMs: number;
}

/** Of a number that orders texts. */
export const versionDigits = 40;

/** Every call may throw whatever its client throws. */
export interface TextCache {
  /** In the order of the names; undefined where there is none. */
  getMany(names: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Each on its own: keeps it unless what is there is later. Where it cannot be kept, what is there is dropped. */
  keep(texts: readonly KeptText[]): Promise<void>;
  drop(names: readonly string[]): Promise<void>;
}
