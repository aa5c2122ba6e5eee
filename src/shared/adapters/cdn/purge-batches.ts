/**
 * Purges of many changes as few requests: those of a short time go together, each item once, and while a request is under way the
 * next ones gather. Caches bound how many requests they take, and what a burst of changes has in common is the lists.
 *
 * Invariant: whoever asked for a purge hears of the request that held it, and of no other; nothing waits longer than `gatherMs`
 * beside the requests before it.
 */
import { cdnGatherMs } from '../../bounds.ts';
import type { Cdn, PurgeCall } from '../../ports/cdn.ts';

interface Batch {
  readonly items: Set<string>;
  readonly sent: Promise<void>;
}

export class PurgeBatches {
  readonly #cdn: Cdn;
  readonly #gather: () => Promise<unknown>;
  #open: Batch | undefined;
  #last: Promise<void> = Promise.resolve();

  /** @param gather How long a batch is open; `cdnGatherMs` unless a test says. */
  constructor(cdn: Cdn, sleep: (ms: number) => Promise<unknown>, gather = () => sleep(cdnGatherMs)) {
    this.#cdn = cdn;
    this.#gather = gather;
  }

  /** @throws what the cache has thrown for the request that this was in */
  async purge(change: PurgeCall): Promise<void> {
    const items = this.#cdn.itemsOf(change);
    const { itemsMax } = this.#cdn;
    if (items.length > itemsMax)
      throw new RangeError(
        `${this.#cdn.name}: ${items.length} items for one change, and ${itemsMax} are taken`,
      );
    const open = this.#open;
    const added = items.filter((item) => open?.items.has(item) !== true).length;
    const batch = open !== undefined && open.items.size + added <= itemsMax ? open : this.#begin();
    for (const item of items) batch.items.add(item);
    await batch.sent;
  }

  #begin(): Batch {
    const items = new Set<string>();
    const before = this.#last;
    const send = async (): Promise<void> => {
      await Promise.all([this.#gather(), before.catch(() => undefined)]);
      if (this.#open === batch) this.#open = undefined;
      await this.#cdn.purge([...items]);
    };
    const sent = send();
    const batch: Batch = { items, sent };
    // Whoever asked hears of a failure; the next batch only waits for the end.
    sent.catch(() => undefined);
    this.#open = batch;
    this.#last = sent;
    return batch;
  }
}
