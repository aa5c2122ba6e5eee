/** The store port in memory: for tests of protocols, and a third implementation that the contract suite runs on. */
import { byAge, indexAttributes } from '@tandem-clouds/replication/index-attributes';
import { isCleared } from '@tandem-clouds/replication/markers';
import type {
  ClearRequest,
  DueEntry,
  ExposedEntry,
  ExposurePage,
  FoundEntry,
  IndexEntries,
  IndexEntry,
  IndexQuery,
  KeyPage,
  PendingEntry,
  PutResult,
  Revision,
  ScanOptions,
  ScanPage,
  Store,
  Versioned,
  WriteRequest,
} from '@tandem-clouds/replication/ports/store';
import type { StoredRecord } from '@tandem-clouds/replication/record';

export class MemoryStore implements Store {
  readonly items = new Map<
    string,
    { record: StoredRecord; revision: number; entries?: readonly IndexEntry[] }
  >();
  /** Not counted per key: one that was removed and created again must not have a revision twice. */
  #writes = 0;
  /** May be replaced, as a new release does. */
  entriesOf: IndexEntries;
  /** Called before each operation; throw to inject a failure. */
  before: (operation: keyof Store) => void = () => undefined;
  /** Key → why it fails for good: `read` is for what is read, `change` for what is written, cleared or removed. */
  readonly bad = new Map<string, { readonly read?: Error; readonly change?: Error }>();

  constructor(entriesOf: IndexEntries = () => []) {
    this.entriesOf = entriesOf;
  }

  get(key: string): Promise<Versioned | undefined> {
    return this.#run('get', () => {
      this.#refuse('read', key);
      return this.#read(key);
    });
  }

  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>> {
    return this.#run('getMany', () => {
      const found = new Map<string, Versioned>();
      for (const key of keys) {
        this.#refuse('read', key);
        const versioned = this.#read(key);
        if (versioned !== undefined) found.set(key, versioned);
      }
      return found;
    });
  }

  async putMany(writes: readonly WriteRequest[]): Promise<readonly PutResult[]> {
    try {
      return await this.#run('putMany', () => writes.map((write) => this.#put(write)));
    } catch (error) {
      return writes.map(() => ({ status: 'failed', error: error as Error }));
    }
  }

  async clearPending(requests: readonly ClearRequest[]): Promise<readonly (Error | undefined)[]> {
    try {
      return await this.#run('clearPending', () =>
        requests.map((request) => {
          const refusal = this.bad.get(request.key)?.change;
          if (refusal === undefined) this.#clear(request);
          return refusal;
        }),
      );
    } catch (error) {
      return requests.map(() => error as Error);
    }
  }

  #clear({ key, accepted }: ClearRequest): void {
    const held = this.items.get(key);
    if (held === undefined) return;
    const left = Object.entries(held.record.pending).filter(
      ([peer, marker]) => !isCleared(marker, accepted[peer]),
    );
    if (left.length === Object.keys(held.record.pending).length) return;
    const { pendingSince, ...rest } = held.record;
    const since = left.length > 0 && pendingSince !== undefined ? { pendingSince } : {};
    this.#set(key, { ...rest, pending: Object.fromEntries(left), ...since });
  }

  /** @throws what is wrong with the key. */
  #refuse(how: 'read' | 'change', key: string): void {
    const refusal = this.bad.get(key)?.[how];
    if (refusal !== undefined) throw refusal;
  }

  pending(beforeMs: number, limit: number, after?: PendingEntry): Promise<readonly PendingEntry[]> {
    return this.#run('pending', () =>
      this.#exposed()
        .filter((entry) => entry.sinceMs < beforeMs && (after === undefined || byAge(after, entry) < 0))
        .slice(0, limit)
        .map(({ key, sinceMs }) => ({ key, sinceMs })),
    );
  }

  due(beforeMs: number, limit: number, after?: DueEntry): Promise<readonly DueEntry[]> {
    return this.#run('due', () =>
      [...this.items.values()]
        .map(({ record }) => ({ key: record.key, sinceMs: indexAttributes(record).dueAt ?? Infinity }))
        .filter((entry) => entry.sinceMs < beforeMs && (after === undefined || byAge(after, entry) < 0))
        .sort(byAge)
        .slice(0, limit),
    );
  }

  exposure(limit: number): Promise<ExposurePage> {
    return this.#run('exposure', () => {
      const all = this.#exposed();
      const cutAtMs = all[limit]?.sinceMs;
      return { entries: all.slice(0, limit), indexLagMs: 0, ...(cutAtMs !== undefined && { cutAtMs }) };
    });
  }

  list(
    entity: string,
    { after = '', limit, prefix = '' }: { after: string | undefined; limit: number; prefix?: string },
  ): Promise<readonly string[]> {
    return this.#run('list', () =>
      [...this.items.values()]
        .filter(({ record }) => indexAttributes(record).listed === entity && record.key > after)
        .filter(({ record }) => record.key.startsWith(prefix))
        .map(({ record }) => record.key)
        .sort((a, b) => (a < b ? -1 : 1))
        .slice(0, limit),
    );
  }

  entries({ slot, hash, from, to, descending, limit }: IndexQuery): Promise<readonly FoundEntry[]> {
    return this.#run('entries', () => {
      const found = [...this.items].flatMap(([key, { entries = [] }]) =>
        entries
          .filter((entry) => entry.slot === slot && entry.hash === hash)
          .filter(({ range }) => range >= from && range < to)
          .map(({ range }) => ({ key, range })),
      );
      found.sort((a, b) => (a.range < b.range ? -1 : 1));
      return (descending ? found.reverse() : found).slice(0, limit);
    });
  }

  scan({ cursor = '', limit }: ScanOptions): Promise<ScanPage> {
    return this.#run('scan', () => {
      const keys = [...this.items.keys()].filter((key) => key > cursor).sort((a, b) => (a < b ? -1 : 1));
      const page = keys.slice(0, limit);
      const next = page.at(-1);
      const unreadable = new Map(
        page.flatMap((key) => {
          const refusal = this.bad.get(key)?.read;
          return refusal === undefined ? [] : [[key, refusal] as const];
        }),
      );
      const misindexed = page.filter((key) => this.#isMisindexed(key));
      return {
        ...(misindexed.length > 0 && { misindexed }),
        records: page.flatMap((key) => (unreadable.has(key) ? [] : (this.#read(key)?.record ?? []))),
        ...(unreadable.size > 0 && { unreadable }),
        ...(keys.length > limit && next !== undefined && { next }),
      };
    });
  }

  scanKeys({ cursor = '' }: Omit<ScanOptions, 'limit'>): Promise<KeyPage> {
    return this.#run('scanKeys', () => {
      const keys = [...this.items.keys()].filter((key) => key > cursor).sort((a, b) => (a < b ? -1 : 1));
      const [key] = keys;
      return { keys: keys.slice(0, 1), ...(keys.length > 1 && key !== undefined && { next: key }) };
    });
  }

  remove(key: string, expected: Revision): Promise<boolean> {
    return this.#run('remove', () => {
      this.#refuse('change', key);
      return this.#read(key)?.revision === expected && this.items.delete(key);
    });
  }

  ping(): Promise<void> {
    return this.#run('ping', () => undefined);
  }

  #run<Result>(operation: keyof Store, act: () => Result): Promise<Result> {
    return new Promise((resolve) => {
      this.before(operation);
      resolve(act());
    });
  }

  #isMisindexed(key: string): boolean {
    const held = this.items.get(key);
    if (held === undefined || this.bad.get(key)?.read !== undefined) return false;
    return JSON.stringify(held.entries ?? []) !== JSON.stringify(this.entriesOf(held.record, 'check'));
  }

  #exposed(): ExposedEntry[] {
    return [...this.items.values()]
      .flatMap(({ record }) => {
        const sinceMs = indexAttributes(record).pendingSince;
        return sinceMs === undefined
          ? []
          : [{ key: record.key, sinceMs, peers: Object.keys(record.pending) }];
      })
      .sort(byAge);
  }

  #read(key: string): Versioned | undefined {
    const held = this.items.get(key);
    return held && { record: structuredClone(held.record), revision: String(held.revision) };
  }

  #set(key: string, record: StoredRecord): void {
    this.#writes += 1;
    const entries = this.entriesOf(record, 'write');
    this.items.set(key, { record, revision: this.#writes, entries });
  }

  #put({ record, expected }: WriteRequest): PutResult {
    const refusal = this.bad.get(record.key)?.change;
    if (refusal !== undefined) return { status: 'failed', error: refusal };
    const held = this.items.get(record.key);
    if ((held === undefined ? undefined : String(held.revision)) !== expected) {
      const unreadable = this.bad.get(record.key)?.read;
      if (unreadable !== undefined) return { status: 'failed', error: unreadable };
      const current = this.#read(record.key);
      return { status: 'stale', ...(current !== undefined && { current }) };
    }
    this.#set(record.key, structuredClone(record));
    return { status: 'written', revision: String(this.#writes) };
  }
}
