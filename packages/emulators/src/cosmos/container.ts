/**
 * The state of one container: items by partition, the log sequence number, the change feed and the indexes.
 *
 * Invariants: state changes only through `apply`, which journal replay uses too, and through `revert`, which undoes
 * changes newest first; creation numbers and log sequence numbers never go back while a change survives.
 */
import { ChangeFeed } from './change-feed.ts';
import { conflict } from './errors.ts';
import {
  type ContainerDefinition,
  containerRid,
  databaseRid,
  type ItemDocument,
  partitionId,
  partitionKeyOf,
  type StoredItem,
  valueAt,
} from './model.ts';
import { PropertyIndex } from './property-index.ts';
import { canonical } from './values.ts';

/** One effect on a container, as the journal keeps it. */
export type ItemChange =
  | { readonly op: 'put'; readonly doc: ItemDocument; readonly lsn: number; readonly number: number }
  | { readonly op: 'delete'; readonly partition: string; readonly id: string; readonly lsn: number };

/** What it takes to undo one change. */
export interface Undo {
  readonly partition: string;
  readonly id: string;
  readonly previous: StoredItem | undefined;
  readonly lsn: number;
  readonly nextNumber: number;
}

export interface ContainerOptions {
  readonly databaseId: string;
  readonly databaseNumber: number;
  readonly number: number;
  readonly definition: ContainerDefinition;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Epoch seconds of creation. */
  readonly createdAt: number;
}

export class Container {
  readonly databaseId: string;
  readonly number: number;
  readonly rid: string;
  /** `_self` of the container. */
  readonly selfLink: string;
  readonly createdAt: number;
  readonly #now: () => number;
  readonly #partitions = new Map<string, Map<string, StoredItem>>();
  readonly #indexes = new Map<string, PropertyIndex>();
  readonly #feed: ChangeFeed;
  #definition: ContainerDefinition;
  #size = 0;
  #lsn = 0;
  #nextNumber = 1;

  constructor(options: ContainerOptions) {
    this.databaseId = options.databaseId;
    this.number = options.number;
    this.rid = containerRid(options.databaseNumber, options.number);
    this.selfLink = `dbs/${databaseRid(options.databaseNumber)}/colls/${this.rid}/`;
    this.createdAt = options.createdAt;
    this.#now = options.now;
    this.#definition = options.definition;
    this.#feed = new ChangeFeed((item) => this.#partitions.get(item.partition)?.get(item.doc.id) === item);
  }

  get id(): string {
    return this.#definition.id;
  }
  get definition(): ContainerDefinition {
    return this.#definition;
  }
  /** A new definition may name other indexes; they are built again when a query asks for them. */
  set definition(definition: ContainerDefinition) {
    this.#definition = definition;
    this.#indexes.clear();
  }
  /** Log sequence number of the latest write. */
  get lsn(): number {
    return this.#lsn;
  }
  get nextNumber(): number {
    return this.#nextNumber;
  }
  /** Items held, expired ones included. */
  get size(): number {
    return this.#size;
  }
  /** Epoch milliseconds by the injected clock. */
  now(): number {
    return this.#now();
  }

  /** The item, unless it is absent or has expired. */
  get(partition: string, id: string): StoredItem | undefined {
    const item = this.#partitions.get(partition)?.get(id);
    return item !== undefined && this.isLive(item) ? item : undefined;
  }

  /** Whether an item has not outlived its time to live. */
  isLive(item: StoredItem): boolean {
    const { defaultTtl } = this.#definition;
    if (defaultTtl === undefined) return true;
    const own = item.doc['ttl'];
    const ttlSeconds = typeof own === 'number' ? own : defaultTtl;
    return ttlSeconds < 0 || this.#now() < (item.doc._ts + ttlSeconds) * 1_000;
  }

  /** The items of a partition, in creation order, expired ones included. */
  partition(id: string): StoredItem[] {
    return [...(this.#partitions.get(id)?.values() ?? [])].sort((a, b) => a.number - b.number);
  }
  partitionSize(id: string): number {
    return this.#partitions.get(id)?.size ?? 0;
  }
  *items(): Generator<StoredItem> {
    for (const partition of this.#partitions.values()) yield* partition.values();
  }

  /** Current versions written after `lsn`, oldest first, without expired ones. */
  *changes(lsn: number): Generator<StoredItem> {
    for (const item of this.#feed.after(lsn)) if (this.isLive(item)) yield item;
  }

  /** Frees what superseded versions take up; called when a transaction is over. */
  trimFeed(): void {
    this.#feed.trim(this.#size);
  }

  /** The index over these properties, built on first use and maintained from then on. */
  index(properties: readonly string[]): PropertyIndex {
    const key = JSON.stringify(properties);
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = new PropertyIndex(properties, this.items());
      this.#indexes.set(key, index);
    }
    return index;
  }

  /** @throws CosmosError 409 when another live item of the partition has the same values for a unique key. */
  checkUniqueKeys(partition: string, doc: ItemDocument): void {
    for (const { paths } of this.#definition.uniqueKeyPolicy?.uniqueKeys ?? []) {
      const key = (of: unknown): string => canonical(paths.map((path) => valueAt(of, path) ?? null));
      const wanted = key(doc);
      for (const other of this.#partitions.get(partition)?.values() ?? []) {
        if (other.doc.id !== doc.id && this.isLive(other) && key(other.doc) === wanted) {
          throw conflict('Unique index constraint violation.');
        }
      }
    }
  }

  apply(change: ItemChange): Undo {
    const id = change.op === 'put' ? change.doc.id : change.id;
    const partition =
      change.op === 'put' ? partitionId(partitionKeyOf(change.doc, this.#definition)) : change.partition;
    const previous = this.#partitions.get(partition)?.get(id);
    const undo: Undo = { partition, id, previous, lsn: this.#lsn, nextNumber: this.#nextNumber };
    this.#lsn = change.lsn;
    if (change.op === 'delete') {
      this.#set(partition, id, undefined);
      return undo;
    }
    const { doc, lsn, number } = change;
    const item: StoredItem = { doc, partition, lsn, number, bytes: Buffer.byteLength(JSON.stringify(doc)) };
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    this.#set(partition, id, item);
    this.#feed.append(item);
    return undo;
  }

  /** Takes back the latest change that has not been taken back. */
  revert({ partition, id, previous, lsn, nextNumber }: Undo): void {
    this.#set(partition, id, previous);
    this.#feed.truncate(lsn);
    this.#lsn = lsn;
    this.#nextNumber = nextNumber;
  }

  /** Restores the counters of a compacted journal, which may be ahead of every item that is left. */
  restoreCounters(lsn: number, nextNumber: number): void {
    this.#lsn = Math.max(this.#lsn, lsn);
    this.#nextNumber = Math.max(this.#nextNumber, nextNumber);
  }

  #set(partition: string, id: string, item: StoredItem | undefined): void {
    let items = this.#partitions.get(partition);
    const previous = items?.get(id);
    if (previous !== undefined) {
      for (const index of this.#indexes.values()) index.remove(previous);
      this.#size -= 1;
    }
    if (item === undefined) {
      items?.delete(id);
      if (items?.size === 0) this.#partitions.delete(partition);
      return;
    }
    if (items === undefined) this.#partitions.set(partition, (items = new Map<string, StoredItem>()));
    items.set(id, item);
    this.#size += 1;
    for (const index of this.#indexes.values()) index.insert(item);
  }
}
