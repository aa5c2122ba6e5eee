/**
 * The change feed in latest-version mode: for each item its newest version only, in the order of the writes.
 * Deletions do not show. https://learn.microsoft.com/azure/cosmos-db/nosql/change-feed-modes
 *
 * Invariant: versions are kept by rising log sequence number; one that has been superseded is skipped when read and
 * dropped when such versions outnumber the current ones.
 */
import type { StoredItem } from './model.ts';

/** Superseded versions that are not worth the trouble. */
const TRIM_ABOVE = 1_024;

export class ChangeFeed {
  #versions: StoredItem[] = [];
  readonly #isCurrent: (item: StoredItem) => boolean;

  /** @param isCurrent Whether a version is still the newest of an item that exists. */
  constructor(isCurrent: (item: StoredItem) => boolean) {
    this.#isCurrent = isCurrent;
  }

  append(item: StoredItem): void {
    this.#versions.push(item);
  }

  /** Forgets the versions after `lsn`, which a transaction made that was rolled back. */
  truncate(lsn: number): void {
    while ((this.#versions.at(-1)?.lsn ?? lsn) > lsn) this.#versions.pop();
  }

  /**
   * Drops superseded versions once they outnumber the current ones. Not within a transaction, whose rollback would
   * make some of them current again.
   */
  trim(liveCount: number): void {
    if (this.#versions.length <= 2 * liveCount + TRIM_ABOVE) return;
    this.#versions = this.#versions.filter(this.#isCurrent);
  }

  /** Current versions written after `lsn`, oldest first. */
  *after(lsn: number): Generator<StoredItem> {
    const versions = this.#versions;
    for (let i = this.#firstAfter(lsn); i < versions.length; i += 1) {
      const item = versions[i];
      if (item !== undefined && this.#isCurrent(item)) yield item;
    }
  }

  #firstAfter(lsn: number): number {
    let low = 0;
    let high = this.#versions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#versions[middle]?.lsn ?? 0) <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
