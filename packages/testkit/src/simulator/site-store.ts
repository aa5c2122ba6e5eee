/**
 * One site's store on virtual time: conditional puts on a revision, and a sparse index of pending markers that may
 * lag behind the items. Records are kept as they are: the protocols never change one that they were given.
 */
import { byAge } from '@tandem-clouds/replication/index-attributes';
import { isCleared } from '@tandem-clouds/replication/markers';
import type {
  ClearRequest,
  DueEntry,
  FoundEntry,
  IndexEntries,
  IndexEntry,
  IndexQuery,
  KeyPage,
  PendingEntry,
  PutResult,
  ScanOptions,
  ScanPage,
  Versioned,
  WriteRequest,
} from '@tandem-clouds/replication/ports/store';
import { dueAtOf } from '@tandem-clouds/replication/reactions/due-at';
import type { StoredRecord } from '@tandem-clouds/replication/record';

/** What has no entries in generic indexes. */
const NO_ENTRIES: readonly IndexEntry[] = [];
const PAGE_RECORDS = 7;
/** Begins the cursor of a scan that is ordered. */
const ORDERED = 'by key: ';

export interface StoreHooks {
  /** How long the index needs to see a change. */
  readonly indexLagMs: () => number;
  readonly later: (delayMs: number, act: () => void) => void;
}

export class SiteStore {
  readonly records = new Map<string, StoredRecord>();
  readonly #revisions = new Map<string, number>();
  readonly #index = new Map<string, number>();
  readonly #due = new Map<string, number>();
  /** Of the generic indexes. */
  readonly #entries = new Map<string, readonly IndexEntry[]>();
  readonly #hooks: StoreHooks;
  /** Which records are in the generic indexes; none unless a workload says so. */
  entriesOf: IndexEntries = () => NO_ENTRIES;

  constructor(hooks: StoreHooks) {
    this.#hooks = hooks;
  }

  get(key: string): Versioned | undefined {
    const record = this.records.get(key);
    return record && { record, revision: String(this.#revisions.get(key)) };
  }

  getMany(keys: readonly string[]): ReadonlyMap<string, Versioned> {
    return new Map(
      keys.flatMap((key) => {
        const held = this.get(key);
        return held === undefined ? [] : [[key, held] as const];
      }),
    );
  }

  /** One page in the order of the keys; a small one, as stores may give. */
  scan({ cursor, limit, ordered = false }: ScanOptions): ScanPage {
    const { keys, next } = this.#page(cursor, Math.min(limit, PAGE_RECORDS), ordered);
    return {
      records: keys.flatMap((key) => this.records.get(key) ?? []),
      ...(next !== undefined && { next }),
    };
  }

  /** `tellsAlways`: whether the store can tell from any cursor, as DynamoDB can and Cosmos DB cannot. */
  scanKeys(
    { cursor, ordered = false }: Omit<ScanOptions, 'limit'>,
    reportsAlways: boolean,
  ): KeyPage | undefined {
    const isOrdered = cursor === undefined ? ordered : cursor.startsWith(ORDERED);
    return isOrdered || reportsAlways ? this.#page(cursor, 1, ordered) : undefined;
  }

  #page(cursor: string | undefined, size: number, ordered: boolean): KeyPage {
    const after = cursor?.replace(ORDERED, '');
    const keys = [...this.records.keys()].filter((key) => after === undefined || key > after).sort();
    const last = keys.length > size ? keys[size - 1] : undefined;
    const order = (cursor === undefined && ordered) || cursor?.startsWith(ORDERED) === true ? ORDERED : '';
    return { keys: keys.slice(0, size), ...(last !== undefined && { next: order + last }) };
  }

  remove(key: string, expected: string): boolean {
    if (this.get(key)?.revision !== expected) return false;
    this.records.delete(key);
    this.#index.delete(key);
    this.#due.delete(key);
    this.#entries.delete(key);
    return true;
  }

  /** Holds a record otherwise, without anybody having written it. */
  tamper(record: StoredRecord): void {
    this.#set(record);
  }

  /** Loses everything, as a site that is rebuilt has lost it. */
  wipe(): void {
    this.records.clear();
    this.#index.clear();
    this.#due.clear();
    this.#entries.clear();
  }

  /** `tellCurrent`: whether a refusal says what is there, as DynamoDB can and Cosmos DB cannot. */
  put({ record, expected }: WriteRequest, reportCurrent: boolean): PutResult {
    const current = this.get(record.key);
    if (current?.revision !== expected) {
      return { status: 'stale', ...(reportCurrent && current !== undefined && { current }) };
    }
    this.#set(record);
    const revision = this.get(record.key)?.revision;
    return { status: 'written', ...(revision !== undefined && { revision }) };
  }

  /** Removes markers that are not newer than what was accepted. Returns whether there were any. */
  clear({ key, accepted }: ClearRequest): boolean {
    const record = this.records.get(key);
    if (record === undefined) return false;
    const left = Object.entries(record.pending).filter(
      ([peer, marker]) => !isCleared(marker, accepted[peer]),
    );
    if (left.length === Object.keys(record.pending).length) return false;
    const { pendingSince, ...rest } = record;
    const since = left.length > 0 && pendingSince !== undefined ? { pendingSince } : {};
    this.#set({ ...rest, pending: Object.fromEntries(left), ...since });
    return true;
  }

  pending(beforeMs: number, limit: number, after?: PendingEntry): readonly PendingEntry[] {
    return byMoment(this.#index, beforeMs, limit, after);
  }

  due(beforeMs: number, limit: number, after?: DueEntry): readonly DueEntry[] {
    return byMoment(this.#due, beforeMs, limit, after);
  }

  /** Entries of one hash, ascending. */
  entries({ slot, hash, from, to, limit }: IndexQuery): readonly FoundEntry[] {
    return [...this.#entries]
      .flatMap(([key, entries]) => entries.map((entry) => ({ key, ...entry })))
      .filter(
        (entry) => entry.slot === slot && entry.hash === hash && entry.range >= from && entry.range < to,
      )
      .sort((a, b) => (a.range < b.range ? -1 : 1))
      .slice(0, limit)
      .map(({ key, range }) => ({ key, range }));
  }

  /** Goes back to what it held at some time, as from a backup. */
  restore(records: ReadonlyMap<string, StoredRecord>): void {
    for (const key of this.records.keys()) {
      if (records.has(key)) continue;
      this.records.delete(key);
      this.#refresh(key);
    }
    for (const record of records.values()) this.#set(record);
  }

  #set(record: StoredRecord): void {
    const { key } = record;
    this.records.set(key, record);
    this.#revisions.set(key, (this.#revisions.get(key) ?? 0) + 1);
    const lagMs = this.#hooks.indexLagMs();
    if (lagMs === 0) this.#refresh(key);
    else this.#hooks.later(lagMs, () => this.#refresh(key));
  }

  #refresh(key: string): void {
    const record = this.records.get(key);
    if (record === undefined || Object.keys(record.pending).length === 0) this.#index.delete(key);
    else this.#index.set(key, record.pendingSince ?? 0);
    const dueAt = dueAtOf(record?.reactions);
    if (dueAt === undefined) this.#due.delete(key);
    else this.#due.set(key, dueAt);
    const entries = record === undefined ? NO_ENTRIES : this.entriesOf(record, 'check');
    if (entries.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, entries);
  }
}

function byMoment(
  index: ReadonlyMap<string, number>,
  beforeMs: number,
  limit: number,
  after: PendingEntry | undefined,
): readonly PendingEntry[] {
  return [...index]
    .map(([key, sinceMs]) => ({ key, sinceMs }))
    .filter((entry) => entry.sinceMs < beforeMs && (after === undefined || byAge(after, entry) < 0))
    .sort(byAge)
    .slice(0, limit);
}
