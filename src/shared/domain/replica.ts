/**
 * The local copy of everything, as handlers use it: reads, lists, and writes that replicate.
 *
 * Invariant: a record that cannot be read, for good, decides about no other of its page; whoever meets it notes it for
 * `status`.
 */
import { awaitAcceptance } from '@tandem-clouds/replication/await-acceptance';
import { awaitStates, type SeenState, sitesOf } from '@tandem-clouds/replication/await-states';
import { heartbeatMs, sessionWaitMs } from '@tandem-clouds/replication/bounds';
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { isPermanent, NotYetHereError } from '@tandem-clouds/replication/errors';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { isIndexUsable } from '@tandem-clouds/replication/index-phases';
import type { FailedKeys, KeysRead } from '@tandem-clouds/replication/isolate';
import { type LocalWrite, localWrite } from '@tandem-clouds/replication/local-write';
import { pauses } from '@tandem-clouds/replication/pauses';
import type { ListRange } from '@tandem-clouds/replication/ports/store';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import { includes, isLive, type StoredRecord } from '@tandem-clouds/replication/record';
import { areUnderstood } from '@tandem-clouds/replication/semantics';
import { type Activity, noteUnusable } from '@tandem-clouds/replication/unusable-keys';
import { requireWriter } from '@tandem-clouds/replication/writer-record';
import { pageBytesMax, recordPollMs } from '../bounds.ts';
import { IndexIncompleteError, UnreadableError } from '../errors.ts';
import type { Ids } from '../ports/ids.ts';
import { readEach } from '../read-each.ts';
import type { RecordCache } from './caching/record-cache.ts';
import type { DeclaredIndex } from './indexes/declared-index.ts';
import { findEntries, isBefore, type ListQuery, placeOf } from './indexes/list-query.ts';
import type { UniqueOf } from './unique/unique-values.ts';
import { writeUnique } from './unique/write-unique.ts';

export interface Page {
  readonly records: readonly StoredRecord[];
  /** Keys of the page that are there and cannot be read at this site, for good. */
  readonly unreadable: readonly string[];
  /** The last key that was looked at, or its place in an index, when there may be more. */
  readonly next: string | undefined;
}

export interface ListOptions {
  readonly after: string | undefined;
  readonly limit: number;
  /** States that the page must not be older than, where it reaches them. */
  readonly seen?: readonly SeenState[];
  /** How the keys of the page begin, where that is not with the entity alone (`ports/store.ts`). */
  readonly prefix?: string;
  /** Which of the records of `seen` whoever asks may know of; all of them unless it is said. */
  readonly mayKnow?: MayKnow | undefined;
}

/** Whether a record, which may be deleted, is one that whoever asks may know of. */
export type MayKnow = (record: StoredRecord) => boolean;

export interface ReplicaWrite extends Omit<LocalWrite, 'operationId'> {
  /** States that it must not be decided without; of other records they say nothing. */
  readonly seen?: readonly SeenState[] | undefined;
  readonly mayKnow?: MayKnow | undefined;
}

export class Replica {
  readonly #site: Site;
  readonly #resources: Resources;
  readonly #ids: Ids;
  readonly #indexes: readonly DeclaredIndex[];
  readonly #uniqueOf: UniqueOf;
  readonly #cache: Pick<RecordCache, 'getMany' | 'keep'> | undefined;
  /** Ids of indexes that were found to be complete: they stay so. */
  readonly #usable = new Set<string>();
  /** The newest semantics that every peer was found to understand, and when. */
  #understood = { semantics: 0, atMs: 0 };

  /**
   * @param options.indexes Those that the store's records are in.
   * @param options.uniqueOf Which fields of a record are unique; none unless it is said.
   * @param options.cache What reads ask before the store. Nobody asks it who decides something by what he reads.
   */
  constructor(options: {
    site: Site;
    resources: Resources;
    ids: Ids;
    indexes?: readonly DeclaredIndex[];
    uniqueOf?: UniqueOf;
    cache?: Pick<RecordCache, 'getMany' | 'keep'> | undefined;
  }) {
    this.#site = options.site;
    this.#resources = options.resources;
    this.#ids = options.ids;
    this.#indexes = options.indexes ?? [];
    this.#uniqueOf = options.uniqueOf ?? (() => undefined);
    this.#cache = options.cache;
  }

  /** A fresh id, unique over all sites. */
  newId(): string {
    return this.#ids.next();
  }

  /** Epoch milliseconds at this site. */
  now(): number {
    return this.#site.now();
  }

  /** Runs a protocol that is about other records than those of the entity. @throws whatever it throws */
  run<Result>(protocol: (site: Site) => Protocol<Result>): Promise<Result> {
    return drive(protocol(this.#site), this.#resources);
  }

  /**
   * The record, unless it is absent, deleted or expired; not older than those of the states `seen` that are its own. What
   * whoever asks may not know of is as absent, also in how it is waited for: a token is the client's word.
   * @param isFresh Whether it is read from the store itself, whatever a cache beside it keeps.
   * @throws NotYetHereError when such a state does not arrive in time.
   * @throws UnreadableError, or whatever it is that the store answers for good.
   */
  async read(
    key: string,
    seen: readonly SeenState[] = [],
    mayKnow?: MayKnow,
    isFresh = false,
  ): Promise<StoredRecord | undefined> {
    const own = seen.filter((state) => state.key === key);
    const kept = isFresh ? undefined : (await this.#cache?.getMany([key]))?.get(key);
    const isEnough = kept !== undefined && own.every(({ vector }) => includes(kept.state, vector));
    if (isEnough && (mayKnow?.(kept) ?? true)) return this.#isLive(kept) ? kept : undefined;
    const readMs = this.#site.now();
    const { held, failed } = own.length === 0 ? await this.#readOne(key) : await this.#await(own, mayKnow);
    const failure = failed.get(key);
    if (failure !== undefined) {
      await this.note('read', failed);
      throw failure;
    }
    const record = held.get(key)?.record;
    if (record !== undefined) await this.#cache?.keep([record], readMs);
    const isKnown = record !== undefined && (mayKnow?.(record) ?? true);
    return isKnown && this.#isLive(record) ? record : undefined;
  }

  /**
   * The records as they were seen. One that may not be known of is asked for by a key that no record has: whoever makes up
   * a token of it is answered, and waits, as for a record that does not exist.
   */
  async #await(seen: readonly SeenState[], mayKnow?: MayKnow): Promise<KeysRead> {
    const asked = mayKnow === undefined ? seen : await this.#disguised(seen, mayKnow);
    return drive(awaitStates(this.#site, asked), this.#resources);
  }

  async #disguised(seen: readonly SeenState[], mayKnow: MayKnow): Promise<readonly SeenState[]> {
    const { held } = await readEach(this.#resources.store, [...new Set(seen.map(({ key }) => key))]);
    const isHidden = (key: string): boolean => {
      const record = held.get(key)?.record;
      return record !== undefined && !mayKnow(record);
    };
    return seen.map((state) => (isHidden(state.key) ? { ...state, key: `${state.key}!` } : state));
  }

  async #readOne(key: string): Promise<KeysRead> {
    try {
      const versioned = await this.#resources.store.get(key);
      return { held: new Map(versioned && [[key, versioned]]), failed: new Map() };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      return { held: new Map(), failed: new Map([[key, error]]) };
    }
  }

  /** For a wait of so long: pauses, each longer than the one before. False: it is over. */
  pausing(limitMs: number): () => Promise<boolean> {
    const waits = pauses(this.#site.now, limitMs, recordPollMs);
    return async () => {
      const { value: pauseMs } = waits.next();
      if (pauseMs !== undefined) await this.#resources.sleep(pauseMs);
      return pauseMs !== undefined;
    };
  }

  /** Notes what this site cannot use, where `status` finds it. Never fails. */
  async note(during: Activity, failed: FailedKeys): Promise<void> {
    if (failed.size > 0) await drive(noteUnusable(this.#site, during, failed), this.#resources);
  }

  #isLive(record: StoredRecord): boolean {
    return isLive(record.state, this.#site.now());
  }

  /**
   * Whether every peer understands these semantics (`replication/semantics.ts`). Asked of the store until they do, and
   * again after a heartbeat's time: a peer may go back to an earlier release.
   */
  async isUnderstood(semantics: number): Promise<boolean> {
    const nowMs = this.#site.now();
    const known = this.#understood;
    if (known.semantics >= semantics && Math.abs(nowMs - known.atMs) < heartbeatMs) return true;
    const understood = await drive(areUnderstood(this.#site, semantics), this.#resources);
    if (understood) this.#understood = { semantics, atMs: nowMs };
    return understood;
  }

  /**
   * Performs a write under a fresh operation id, decided by a state that is not older than those of `seen` that are its
   * record's own. @throws what `localWrite` throws.
   * @throws NotYetHereError when such a state does not arrive in time; nothing has happened then.
   * @throws OutOfBoundsError when it gives a record a value that is to be unique, and is another's.
   */
  async write({ seen = [], mayKnow, ...write }: ReplicaWrite): Promise<StoredRecord> {
    const known = seen.filter(({ key }) => key === write.key);
    // A site never goes back: what is here now is in whatever the write is decided by.
    if (known.length > 0) {
      // What another site decides is waited for there.
      await drive(requireWriter(this.#site, write.key), this.#resources);
      await this.#await(known, mayKnow);
    }
    // The last 48 bits are random: enough to tell a record's few latest operations apart.
    const operationId = this.#ids.next().slice(-12);
    try {
      const unique = this.#uniqueOf(write.key);
      const named = { ...write, operationId };
      return await drive(
        unique === undefined
          ? localWrite(this.#site, named)
          : writeUnique(this.#site, { ...unique, by: `${this.#site.site}/${operationId}` }, named),
        this.#resources,
      );
    } catch (error) {
      if (error instanceof UnreadableError) await this.note('write', new Map([[write.key, error]]));
      throw error;
    }
  }

  /**
   * Whether every peer's durable queue has the record, after waiting for it within a bound.
   * @param own True when this site has just written it, false when it only found it.
   */
  isAccepted(record: StoredRecord, own: boolean): Promise<boolean> {
    return drive(awaitAcceptance(this.#site, record, own), this.#resources);
  }

  /**
   * Live records of an entity in the order of their keys, after `after`. The index behind a list may lag, so
   * another client's newest record may be missing; what is listed is current, and every state of `seen` is in it.
   * @throws NotYetHereError when a state of `seen` does not arrive in time.
   */
  async list(
    entity: string,
    { after, limit, seen = [], prefix = `${entity}:`, mayKnow }: ListOptions,
  ): Promise<Page> {
    const own = seen.filter(({ key }) => key.startsWith(prefix));
    return this.#pageWith(own, mayKnow, {
      read: () => this.#page(entity, { after, limit, prefix }, own.length > 0),
      isMissing: (page, { key }) => key > (after ?? '') && isMissing(page, key),
    });
  }

  /** The indexes of an entity. */
  indexesOf(entity: string): readonly DeclaredIndex[] {
    return this.#indexes.filter((index) => index.entity === entity);
  }

  /**
   * Live records that an index finds, in its order, after the place `after`. As in `list`, what is listed is current, and
   * every state of `seen` that is asked for is in it.
   * @throws IndexIncompleteError while not every site has all records in the index. @throws NotYetHereError
   */
  async listBy(
    query: ListQuery,
    { after, limit, seen = [], prefix = `${query.index.entity}:`, mayKnow }: ListOptions,
  ): Promise<Page> {
    await this.#requireUsable(query.index);
    const own = seen.filter(({ key }) => key.startsWith(prefix));
    return this.#pageWith(own, mayKnow, {
      read: () => this.#pageBy(query, { after, limit, isFresh: own.length > 0 }),
      isMissing: ({ records, next }, record) => {
        const place = placeOf(query, record);
        if (place === undefined || (after !== undefined && !isBefore(query, after, place))) return false;
        const isReached = next === undefined || !isBefore(query, next, place);
        return isReached && !records.some(({ key }) => key === record.key);
      },
    });
  }

  /** The page, once it holds what was seen. @throws NotYetHereError when that takes too long. */
  async #pageWith(
    seen: readonly SeenState[],
    mayKnow: MayKnow | undefined,
    list: { read: () => Promise<Page>; isMissing: (page: Page, record: StoredRecord) => boolean },
  ): Promise<Page> {
    if (seen.length === 0) return list.read();
    const { held } = await this.#await(seen, mayKnow);
    const live = [...held.values()].map(({ record }) => record).filter((record) => this.#isLive(record));
    const waits = pauses(this.#site.now, sessionWaitMs);
    for (;;) {
      const page = await list.read();
      const unlisted = live.find((record) => list.isMissing(page, record));
      if (unlisted === undefined) return page;
      const { value: pauseMs } = waits.next();
      if (pauseMs === undefined) {
        const makers = sitesOf(Object.values(unlisted.state.vector));
        throw new NotYetHereError(`${unlisted.key} is not yet in the index`, makers);
      }
      await this.#resources.sleep(pauseMs);
    }
  }

  /** @throws IndexIncompleteError */
  async #requireUsable({ id, name }: DeclaredIndex): Promise<void> {
    if (this.#usable.has(id)) return;
    const { site, peers } = this.#site;
    const { held } = await readEach(this.#resources.store, [site, ...peers].map(heartbeatKey));
    const beatOf = (name: string): StoredRecord | undefined => held.get(heartbeatKey(name))?.record;
    if (!isIndexUsable(id, beatOf(site), peers.map(beatOf)))
      throw new IndexIncompleteError(`the index ${name} is not complete at every site yet`);
    this.#usable.add(id);
  }

  async #page(entity: string, { limit, ...range }: ListRange, isFresh: boolean): Promise<Page> {
    const keys = await this.#resources.store.list(entity, { ...range, limit: limit + 1 });
    const found = keys.map((key) => ({ key, place: key }));
    return this.#read(found, { limit, isFresh, isTrue: () => true });
  }

  async #pageBy(
    query: ListQuery,
    { after, limit, isFresh }: { after: string | undefined; limit: number; isFresh: boolean },
  ): Promise<Page> {
    const entries = await findEntries(this.#resources.store, query, { after, limit: limit + 1 });
    const found = entries.map(({ key, range }) => ({ key, place: range }));
    const isTrue = (record: StoredRecord, place: string): boolean => placeOf(query, record) === place;
    return this.#read(found, { limit, isFresh, isTrue });
  }

  /**
   * The records of these places: from the cache where they are live and stand where the index says. Where they do not, one of the
   * two is behind, and the store says which.
   */
  async #readFound(
    found: readonly { readonly key: string; readonly place: string }[],
    { isFresh, isTrue }: Omit<PageRead, 'limit'>,
  ): Promise<{ records: ReadonlyMap<string, StoredRecord>; failed: FailedKeys }> {
    const keys = [...new Set(found.map(({ key }) => key))];
    const kept = isFresh ? undefined : await this.#cache?.getMany(keys);
    const records = new Map(
      found.flatMap(({ key, place }) => {
        const record = kept?.get(key);
        return record !== undefined && this.#isLive(record) && isTrue(record, place)
          ? [[key, record] as const]
          : [];
      }),
    );
    const readMs = this.#site.now();
    const { held, failed } = await readEach(
      this.#resources.store,
      keys.filter((key) => !records.has(key)),
    );
    const read = [...held.values()].map(({ record }) => record);
    await this.#cache?.keep(read, readMs);
    for (const record of read) records.set(record.key, record);
    return { records, failed };
  }

  /** The records of a page, as they are now; an entry of an index that is no longer true is passed over. */
  async #read(
    found: readonly { readonly key: string; readonly place: string }[],
    { limit, isFresh, isTrue }: PageRead,
  ): Promise<Page> {
    const wanted = found.slice(0, limit);
    const { records: held, failed } = await this.#readFound(wanted, { isFresh, isTrue });
    await this.note('list', failed);
    const unreadable: string[] = [];
    const records: StoredRecord[] = [];
    let bytes = 0;
    let last: string | undefined;
    for (const { key, place } of wanted) {
      const record = held.get(key);
      if (failed.has(key)) unreadable.push(key);
      if (record !== undefined && this.#isLive(record) && isTrue(record, place)) {
        bytes += Buffer.byteLength(JSON.stringify(record.state));
        if (bytes > pageBytesMax && records.length > 0) return { records, unreadable, next: last };
        records.push(record);
      }
      last = place;
    }
    return { records, unreadable, next: found.length > limit ? last : undefined };
  }
}

/** How the records of a page are read. */
interface PageRead {
  readonly limit: number;
  readonly isFresh: boolean;
  /** Whether a record stands where the index says. */
  readonly isTrue: (record: StoredRecord, place: string) => boolean;
}

/** The page reaches the key and does not hold it. */
function isMissing({ records, unreadable, next }: Page, key: string): boolean {
  const isNamed = unreadable.includes(key) || records.some((record) => record.key === key);
  return (next === undefined || key <= next) && !isNamed;
}
