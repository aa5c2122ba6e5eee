/**
 * The store of one site: one item per key, conditional writes on a revision, and the sparse index of what is
 * pending. Both adapters, and any other, pass the one suite in `tests/contract/store.test.ts`.
 */
import type { StoredRecord } from '../record.ts';
import type { SiteId, Stamp } from '../stamp.ts';

/** Opaque; changes with every write of the item (DynamoDB: a counter, Cosmos DB: the ETag). */
export type Revision = string;

export interface Versioned {
  readonly record: StoredRecord;
  readonly revision: Revision;
}

export interface WriteRequest {
  readonly record: StoredRecord;
  /** The revision that must still be there; undefined: the key must not exist. */
  readonly expected: Revision | undefined;
}

export type PutResult =
  /** `revision` of what is there now, when the store says so in its answer. */
  | { readonly status: 'written'; readonly revision?: Revision }
  /** Somebody else wrote first. `current` is what is there now, when the store says so in its answer. */
  | { readonly status: 'stale'; readonly current?: Versioned }
  /** The store refused, throttled (`UnavailableError`) or did not answer (`AmbiguousError`). */
  | { readonly status: 'failed'; readonly error: Error };

/** Removes the markers of these peers that go with what was sent (`replication/markers.ts`, `isCleared`). */
export interface ClearRequest {
  readonly key: string;
  /** Peer → the marker of what its durable queue accepted. */
  readonly accepted: Readonly<Record<SiteId, Stamp>>;
}

export interface PendingEntry {
  readonly key: string;
  /** Epoch milliseconds of the oldest write that is pending on this key. */
  readonly sinceMs: number;
}

/** A key with entries of reactions; `sinceMs` is the moment of the next attempt, or says that it is parked. */
export type DueEntry = PendingEntry;

/** A key that would lose writes if this site vanished now. */
export interface ExposedEntry extends PendingEntry {
  /** Whose durable queues have not accepted its newest version. */
  readonly peers: readonly SiteId[];
}

export interface ExposurePage {
  /** Oldest first, at most as many as were asked for. */
  readonly entries: readonly ExposedEntry[];
  /** Present when there were more: whatever is not in `entries` has been pending since this moment, or later. */
  readonly cutAtMs?: number;
  /** A write that was acknowledged less than this before the call may be missing: the lag of the index. */
  readonly indexLagMs: number;
}

/** The generic sparse indexes that each store has beside its own. */
export const INDEX_SLOTS = [1, 2, 3, 4] as const;
export type IndexSlot = (typeof INDEX_SLOTS)[number];

/** Where a record stands in one of them: printable ASCII, so that every store orders alike. */
export interface IndexEntry {
  readonly slot: IndexSlot;
  /** What is asked for exactly. */
  readonly hash: string;
  /** The place among those of one hash; ends with the record's key, so no two records have the same. */
  readonly range: string;
}

/**
 * The entries of a record, at most one a slot: a pure function, whose result a store keeps with the record.
 * @param use Whether the record is being written, or what is kept with it is only checked.
 */
export type IndexEntries = (record: StoredRecord, use: 'write' | 'check') => readonly IndexEntry[];

/** Of a store to which no record of an entity is written. */
export const noEntries: IndexEntries = () => [];

/** Of entries of one hash: those from `from` (inclusive) to `to` (exclusive), in their order or against it. */
export interface IndexQuery {
  readonly slot: IndexSlot;
  readonly hash: string;
  readonly from: string;
  readonly to: string;
  readonly descending: boolean;
  readonly limit: number;
}

export interface FoundEntry {
  readonly key: string;
  readonly range: string;
}

/** One page of a scan. */
export interface ScanPage {
  readonly records: readonly StoredRecord[];
  /** Key of what is no record → why (`UnreadableError`); absent when the page has none. */
  readonly unreadable?: ReadonlyMap<string, Error>;
  /** Keys of records whose entries in the generic indexes are not those that they should have; absent when there are none. */
  readonly misindexed?: readonly string[];
  /** Where the next page begins; absent at the end. Opaque text of at most 4,096 characters. */
  readonly next?: string;
}

/** The keys of a page, without its records. */
export interface KeyPage {
  readonly keys: readonly string[];
  readonly next?: string;
}

export interface ScanOptions {
  readonly cursor: string | undefined;
  readonly limit: number;
  /**
   * Of a first page: in an order in which `scanKeys` can go on from every cursor; perhaps slower. The cursors of such a scan
   * keep to it.
   */
  readonly ordered?: boolean;
}

/** Which keys of an entity a list is of. */
export interface ListRange {
  /** The key, within the range, that they come after. */
  readonly after: string | undefined;
  readonly limit: number;
  /**
   * How all of them begin: `<entity>:` and what stands before a letter or a digit in them. It is a range of the index: what
   * lies outside is not read.
   */
  readonly prefix?: string;
}

/** The ends of a range of keys, both inside it: text before every key after `after`, and text behind every key. */
export function rangeOf({ after, prefix = '' }: Pick<ListRange, 'after' | 'prefix'>): {
  readonly from: string;
  readonly to: string;
} {
  // No key holds a character before `-` or behind `~`, and none has `~` where a letter or a digit must be.
  return { from: after === undefined ? prefix : `${after}!`, to: `${prefix}~` };
}

export interface Store {
  /** Strongly consistent. */
  get(key: string): Promise<Versioned | undefined>;
  /**
   * Strongly consistent, any number of distinct keys, whatever the size of their records; absent keys are absent from the
   * map. @throws an error that is not retryable when a key fails for good; `replication/isolate.ts` finds out which one.
   */
  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>>;
  /** Distinct keys, each written on its own; outcomes in the order of the writes. Never throws for one of them. */
  putMany(writes: readonly WriteRequest[]): Promise<readonly PutResult[]>;
  /**
   * Each key on its own; outcomes in the order of the requests, undefined when it is cleared. Never throws for one of them.
   * A marker newer than what was accepted stays; a key that is gone is no error.
   */
  clearPending(requests: readonly ClearRequest[]): Promise<readonly (Error | undefined)[]>;
  /**
   * Keys that have been pending since before `beforeMs`, at most `limit` of them, ordered by that time and then by
   * key. The index may lag.
   * @param after The last entry of the page before: only what comes later in that order is in the answer.
   */
  pending(beforeMs: number, limit: number, after?: PendingEntry): Promise<readonly PendingEntry[]>;
  /**
   * Keys with entries of reactions (`reactions/due.ts`) whose moment is before `beforeMs`, at most `limit` of them, ordered
   * by that moment and then by key. The index may lag.
   * @param after The last entry of the page before: only what comes later in that order is in the answer.
   */
  due(beforeMs: number, limit: number, after?: DueEntry): Promise<readonly DueEntry[]>;
  /**
   * What is pending and for whom, oldest first up to `limit`. The index may lag, so each entry is confirmed by a
   * strongly consistent read: none is in the answer that is no longer pending.
   */
  exposure(limit: number): Promise<ExposurePage>;
  /** Keys of an entity that are not deleted, in the order of their text, after `after`. The index may lag. */
  list(entity: string, options: ListRange): Promise<readonly string[]>;
  /** Entries of a generic index. It may lag, so each of them is to be confirmed by the record itself. */
  entries(query: IndexQuery): Promise<readonly FoundEntry[]>;
  /**
   * All records, page by page, in the store's own order; at most `limit` a page, and perhaps fewer. What is written
   * meanwhile may be in a page or not, as it was or as it is; a record that is not touched is in exactly one page.
   */
  scan(options: ScanOptions): Promise<ScanPage>;
  /**
   * The key of the one record that a page of one would hold, without reading the record: for going on behind a page that is
   * refused. No key: there is none, or it lies behind `next`. Undefined: from this cursor the store cannot tell, because the
   * scan is not `ordered`.
   */
  scanKeys(options: Omit<ScanOptions, 'limit'>): Promise<KeyPage | undefined>;
  /** Removes a record if it is still at this revision. False when it is not. @throws UnavailableError @throws AmbiguousError */
  remove(key: string, expected: Revision): Promise<boolean>;
  /** One cheap round trip. @throws UnavailableError when the store does not answer. */
  ping(): Promise<void>;
}
