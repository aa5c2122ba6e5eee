/**
 * The account: databases and containers, and the journal that all of them share.
 *
 * Invariant: a change is in the journal before its request is answered, and one request's changes are one entry, so a
 * batch is replayed whole or, when the process died before it was written, not at all.
 */
import path from 'node:path';
import { lockDataDir } from '../core/data-lock.ts';
import { Journal } from '../core/journal.ts';
import { Container, type ItemChange } from './container.ts';
import { conflict, notFound, ownerNotFound } from './errors.ts';
import { type ContainerDefinition, databaseRid } from './model.ts';
import type { Transaction } from './transaction.ts';

export interface Database {
  readonly id: string;
  readonly number: number;
  readonly rid: string;
  /** Epoch seconds. */
  readonly createdAt: number;
  readonly containers: Map<string, Container>;
}

type Entry =
  | { readonly kind: 'database'; readonly id: string; readonly number: number; readonly createdAt: number }
  | { readonly kind: 'database-deleted'; readonly id: string }
  | {
      readonly kind: 'container';
      readonly database: string;
      readonly number: number;
      readonly createdAt: number;
      readonly definition: ContainerDefinition;
    }
  | {
      readonly kind: 'container-replaced';
      readonly database: string;
      readonly definition: ContainerDefinition;
    }
  | { readonly kind: 'container-deleted'; readonly database: string; readonly id: string }
  | { readonly kind: 'items'; readonly container: number; readonly changes: readonly ItemChange[] }
  | {
      readonly kind: 'counters';
      readonly container: number;
      readonly lsn: number;
      readonly nextNumber: number;
    }
  | { readonly kind: 'resources'; readonly nextNumber: number };

/** Compaction pays when the journal holds this many times what is live, and more than a few changes. */
const COMPACT_FACTOR = 4;
const COMPACT_ABOVE = 2_000;
/** Items per journal entry in a compacted file. */
const COMPACT_CHUNK = 100;

export interface StoreOptions {
  /** Folder of `cosmos.jsonl`; absent: memory only. */
  readonly dataDir?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Journal changes above which compaction is considered. Default 2,000. */
  readonly compactAbove?: number | undefined;
}

export class Store {
  readonly databases = new Map<string, Database>();
  readonly #containers = new Map<number, Container>();
  readonly #now: () => number;
  readonly #compactAbove: number;
  readonly #journal: Journal<Entry>;
  readonly #unlock: () => void;
  #nextNumber = 1;
  #journalled = 0;

  /** @throws Error when another process uses the folder, or the journal is damaged. */
  constructor({ dataDir, now, compactAbove = COMPACT_ABOVE }: StoreOptions) {
    this.#now = now;
    this.#compactAbove = compactAbove;
    this.#unlock = dataDir === undefined ? () => undefined : lockDataDir(dataDir);
    const file = dataDir === undefined ? undefined : path.join(dataDir, 'cosmos.jsonl');
    try {
      this.#journal = Journal.open<Entry>(file, (entry) => {
        this.#apply(entry);
        this.#count(entry);
      });
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  /** @throws CosmosError 404 when there is no such database. */
  database(id: string): Database {
    const database = this.databases.get(id);
    if (database === undefined) throw notFound();
    return database;
  }

  /** The container whose items a request is about. @throws CosmosError 404 with sub status 1003 without it. */
  owner(databaseId: string, id: string): Container {
    const container = this.databases.get(databaseId)?.containers.get(id);
    if (container === undefined) throw ownerNotFound();
    return container;
  }

  /** @throws CosmosError 404, with sub status 1003 when it is the database that is missing. */
  container(databaseId: string, id: string): Container {
    const database = this.databases.get(databaseId);
    if (database === undefined) throw ownerNotFound();
    const container = database.containers.get(id);
    if (container === undefined) throw notFound();
    return container;
  }

  createDatabase(id: string): Database {
    if (this.databases.has(id)) throw conflict();
    this.#record({ kind: 'database', id, number: this.#nextNumber, createdAt: this.#seconds() });
    return this.database(id);
  }

  deleteDatabase(id: string): void {
    this.database(id);
    this.#record({ kind: 'database-deleted', id });
  }

  createContainer(database: Database, definition: ContainerDefinition): Container {
    if (database.containers.has(definition.id)) throw conflict();
    const number = this.#nextNumber;
    this.#record({
      kind: 'container',
      database: database.id,
      number,
      createdAt: this.#seconds(),
      definition,
    });
    return this.container(database.id, definition.id);
  }

  replaceContainer(container: Container, definition: ContainerDefinition): void {
    this.#record({ kind: 'container-replaced', database: container.databaseId, definition });
  }

  deleteContainer(container: Container): void {
    this.#record({ kind: 'container-deleted', database: container.databaseId, id: container.id });
  }

  /**
   * Makes the changes of a transaction, which are already applied, durable.
   * @throws FileWriteError when they cannot be written; they are rolled back then.
   */
  commit(transaction: Transaction): void {
    const { container, changes } = transaction;
    if (changes.length === 0) return;
    try {
      this.#append({ kind: 'items', container: container.number, changes });
    } catch (error) {
      transaction.rollback();
      throw error;
    }
    container.trimFeed();
    this.#compactIfWorthIt();
  }

  close(): void {
    this.#journal.close();
    this.#unlock();
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1_000);
  }

  #record(entry: Entry): void {
    this.#append(entry);
    this.#apply(entry);
    this.#compactIfWorthIt();
  }

  #append(entry: Entry): void {
    this.#journal.append(entry);
    this.#count(entry);
  }

  /** Between changes: what is in the journal and not applied yet would be lost. */
  #compactIfWorthIt(): void {
    const live = [...this.#containers.values()].reduce((sum, container) => sum + container.size, 0);
    if (this.#journalled <= Math.max(this.#compactAbove, COMPACT_FACTOR * live)) return;
    this.#journalled = 0;
    this.#journal.compact(this.#snapshot());
  }

  #count(entry: Entry): void {
    this.#journalled += entry.kind === 'items' ? entry.changes.length : 1;
  }

  #apply(entry: Entry): void {
    switch (entry.kind) {
      case 'database': {
        const { id, number, createdAt } = entry;
        this.databases.set(id, { id, number, rid: databaseRid(number), createdAt, containers: new Map() });
        this.#nextNumber = Math.max(this.#nextNumber, number + 1);
        break;
      }
      case 'database-deleted':
        for (const container of this.databases.get(entry.id)?.containers.values() ?? []) {
          this.#containers.delete(container.number);
        }
        this.databases.delete(entry.id);
        break;
      case 'container':
        this.#addContainer(entry);
        break;
      case 'container-replaced':
        this.container(entry.database, entry.definition.id).definition = entry.definition;
        break;
      case 'container-deleted':
        this.#containers.delete(this.container(entry.database, entry.id).number);
        this.database(entry.database).containers.delete(entry.id);
        break;
      case 'items':
        for (const change of entry.changes) this.#containers.get(entry.container)?.apply(change);
        break;
      case 'counters':
        this.#containers.get(entry.container)?.restoreCounters(entry.lsn, entry.nextNumber);
        break;
      case 'resources':
        this.#nextNumber = Math.max(this.#nextNumber, entry.nextNumber);
        break;
    }
  }

  #addContainer({
    database: databaseId,
    number,
    createdAt,
    definition,
  }: Entry & { kind: 'container' }): void {
    const database = this.database(databaseId);
    const options = {
      databaseId,
      databaseNumber: database.number,
      number,
      definition,
      createdAt,
      now: this.#now,
    };
    const container = new Container(options);
    database.containers.set(definition.id, container);
    this.#containers.set(number, container);
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
  }

  /** The shortest journal that leads to the present state; expired items are not part of it. */
  *#snapshot(): Generator<Entry> {
    yield { kind: 'resources', nextNumber: this.#nextNumber };
    for (const { id, number, createdAt, containers } of this.databases.values()) {
      yield { kind: 'database', id, number, createdAt };
      for (const container of containers.values()) yield* containerEntries(id, container);
    }
  }
}

function* containerEntries(database: string, container: Container): Generator<Entry> {
  const { number, createdAt, definition, lsn, nextNumber } = container;
  yield { kind: 'container', database, number, createdAt, definition };
  const changes = [...container.changes(0)].map((item): ItemChange => ({
    op: 'put',
    doc: item.doc,
    lsn: item.lsn,
    number: item.number,
  }));
  for (let i = 0; i < changes.length; i += COMPACT_CHUNK) {
    yield { kind: 'items', container: number, changes: changes.slice(i, i + COMPACT_CHUNK) };
  }
  yield { kind: 'counters', container: number, lsn, nextNumber };
}
