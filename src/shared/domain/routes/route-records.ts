/** Records as handlers of custom routes see them: plain objects, within what the caller of the request may know of. */
import type { Json } from '@tandem-clouds/replication/json';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import type { SiteId } from '@tandem-clouds/replication/stamp';

/** The record: its id under both names, its fields, and when it was created. */
export type ShownRecord = Readonly<Record<string, Json>> & {
  readonly id: string;
  readonly createdAt: string;
};

export interface RecordPage {
  readonly items: readonly ShownRecord[];
  /** Ids of records that are there and that this site cannot read; absent when there is none. */
  readonly unreadable?: readonly string[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string;
}

export interface RecordQuery {
  /** As in the query of the entity's own list: `{ customerId: 'c1', 'createdAt[gte]': '2030-01-01T00:00:00Z', order: 'desc' }`. */
  readonly where?: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly cursor?: string | undefined;
}

/** For whom something is done, where the handler decides that (`uses.actsForAnybody`). */
export interface ActingFor {
  readonly owner?: string;
  readonly tenant?: string;
}

export interface ReadableRecords {
  /** @throws NotFoundError, which is 404 when the handler leaves it alone. */
  read(id: string): Promise<ShownRecord>;
  /** Undefined when there is none. */
  find(id: string): Promise<ShownRecord | undefined>;
  /**
   * One page, in the order of the ids or by an index of the entity. A query that no index serves is a fault of the handler
   * (500). @throws InvalidError for a value or a cursor that is none, and for what one owner may not ask.
   */
  list(query?: RecordQuery): Promise<RecordPage>;
  /** The records of whom the handler names. @throws TypeError unless `uses.actsForAnybody` is declared. */
  actingFor(whom: ActingFor): ReadableRecords;
}

/** The site that answers, for rules about several of its records. */
export interface OwnSite {
  readonly id: SiteId;
  /** The other sites that are there. */
  readonly peers: readonly SiteId[];
  /** Runs a protocol on the records of this site. @throws whatever it throws */
  run<Result>(protocol: (site: Site) => Protocol<Result>): Promise<Result>;
}

export interface RecordWriteOptions {
  /**
   * Names this write among those of the request, where one record is written twice, or two are created: with an
   * `Idempotency-Key` each named write takes effect once.
   */
  readonly step?: string;
}

/**
 * What a client may do, a handler may: fields that only actions write are written by actions here, too. A request that is
 * refused half-way has done what came before.
 */
export interface WritableRecords extends ReadableRecords {
  /** @throws InvalidError @throws ConflictError when the id is taken */
  create(fields: Readonly<Record<string, Json>>, options?: RecordWriteOptions): Promise<ShownRecord>;
  /** As a JSON Merge Patch of the entity. @throws NotFoundError @throws InvalidError @throws OutOfBoundsError */
  change(
    id: string,
    changes: Readonly<Record<string, Json>>,
    options?: RecordWriteOptions,
  ): Promise<ShownRecord>;
  /** Runs an action of the entity. @throws NotFoundError @throws InvalidError @throws RefusedByRuleError */
  act(
    id: string,
    action: string,
    input?: Readonly<Record<string, Json>>,
    options?: RecordWriteOptions,
  ): Promise<ShownRecord>;
  /**
   * What is gone already is not found, unless the request carries the key by which it was removed. @throws NotFoundError
   * @throws TypeError for an entity that is not removable: a fault of the handler (500).
   */
  remove(id: string, options?: RecordWriteOptions): Promise<void>;
  actingFor(whom: ActingFor): WritableRecords;
}
