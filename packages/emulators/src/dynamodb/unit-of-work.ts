/**
 * A view of the store in which a write is one atomic batch: the item and its index entries.
 *
 * dynalite writes index entries first and the item after, one at a time, so a process that is killed in between leaves
 * an index that disagrees with its table (an item that still carries a marker could be missing from the sparse index
 * that a sweeper reads). Invariant here: either all of a write is in the database or nothing of it.
 *
 * `each` commits every item on its own (single writes, batch writes). `together` collects the writes of a transaction
 * until `commit`; the caller holds the locks.
 */
import {
  type BatchOperation,
  type Callback,
  type Item,
  promised,
  type Store,
  type SubDatabase,
  type TableRecord,
} from './dynalite.ts';
import { itemKey } from './storage-keys.ts';

/** One item before and after a write. */
export interface ItemChange {
  readonly table: TableRecord;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

export type CommitMode = 'each' | 'together';

const stores = new WeakMap<Store, UnitOfWork>();

export class UnitOfWork {
  /** What dynalite's actions are called with. */
  readonly store: Store;
  /** The writes so far, for counting capacity. */
  readonly changes: ItemChange[] = [];
  readonly #base: Store;
  readonly #mode: CommitMode;
  #operations: BatchOperation[] = [];

  constructor(base: Store, mode: CommitMode) {
    this.#base = base;
    this.#mode = mode;
    this.store = Object.assign(Object.create(base) as Store, {
      getItemDb: (table: string) => this.#itemDatabase(table),
    });
    stores.set(this.store, this);
  }

  /** The unit of work behind a store that an action was called with. */
  static behind(store: Store): UnitOfWork {
    const work = stores.get(store);
    if (work === undefined) throw new Error('an item is written outside a unit of work');
    return work;
  }

  /** Adds the index entries of the write whose item follows in the same turn. */
  add(change: ItemChange, indexOperations: readonly BatchOperation[]): void {
    this.changes.push(change);
    this.#operations.push(...indexOperations);
  }

  /** Writes what was collected, and more operations with it. */
  async commit(more: readonly BatchOperation[] = []): Promise<void> {
    const operations = [...this.#operations, ...more];
    this.#operations = [];
    await promised<unknown>((callback) => this.#base.db.batch(operations, callback));
  }

  #itemDatabase(table: string): SubDatabase {
    const real = this.#base.getItemDb(table);
    return {
      ...real,
      lock: (key, run) => (this.#mode === 'each' ? real.lock(key, run) : run((callback) => callback)),
      put: (key, value, callback) => this.#write({ type: 'put', key: itemKey(table, key), value }, callback),
      del: (key, callback) => this.#write({ type: 'del', key: itemKey(table, key) }, callback),
    };
  }

  #write(operation: BatchOperation, callback: Callback<unknown>): void {
    this.#operations.push(operation);
    if (this.#mode === 'together') {
      callback(null);
      return;
    }
    // Taken now: another item of the same batch request may stage its own writes before this one is on disk.
    const operations = this.#operations;
    this.#operations = [];
    this.#base.db.batch(operations, callback);
  }
}
