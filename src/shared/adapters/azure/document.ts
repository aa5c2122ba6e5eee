/**
 * A record as a Cosmos DB document.
 *
 * | property | meaning |
 * |---|---|
 * | `id` | key, also the partition key |
 * | `s` | state |
 * | `ver` | newest local stamp |
 * | `pend`, `p_n` | peer → stamp not yet accepted, and how many of them |
 * | `ops` | last operation ids |
 * | `gone` | epoch milliseconds since when the record is held as deleted or expired |
 * | `p_shard`, `p_at` | indexed: what is pending, since when |
 * | `rx` | entries of reactions |
 * | `d_at` | indexed: moment of the next attempt at a reaction |
 * | `l` | indexed: the entity, for lists |
 * | `x1`, `y1` … `x4`, `y4` | indexed in pairs: hash and range of what an entity's declaration indexes |
 * | `ttl` | seconds from now after which Cosmos DB drops the document; -1: never |
 */
import { indexAttributes } from '@tandem-clouds/replication/index-attributes';
import {
  INDEX_SLOTS,
  type IndexEntry,
  type IndexSlot,
  type Versioned,
} from '@tandem-clouds/replication/ports/store';
import type { ReactionEntries } from '@tandem-clouds/replication/reactions/entry';
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { readable } from '../readable.ts';

/** The properties of entries in the generic indexes. */
type Entries = Readonly<Partial<Record<`${'x' | 'y'}${IndexSlot}`, string>>>;

export interface Document extends Entries {
  readonly id: string;
  readonly s: RecordState;
  readonly ver?: string;
  readonly ops?: readonly string[];
  readonly gone?: number;
  readonly pend?: Readonly<Record<string, string>>;
  readonly p_n?: number;
  readonly p_at?: number;
  readonly p_shard?: string;
  readonly rx?: ReactionEntries;
  readonly d_at?: number;
  readonly l?: string;
  readonly ttl?: number;
}

export type StoredDocument = Document & { readonly _etag: string };

/** Cosmos DB counts `ttl` from the last write and takes at most 2^31 - 1 seconds. */
const TTL_SECONDS_MAX = 2 ** 31 - 1;

export function toDocument(
  record: StoredRecord,
  entries: readonly IndexEntry[],
  nowMs = Date.now(),
): Document {
  const index = indexAttributes(record);
  return {
    id: record.key,
    s: record.state,
    ...(Object.fromEntries(
      entries.flatMap(({ slot, hash, range }) => [
        [`x${slot}`, hash],
        [`y${slot}`, range],
      ]),
    ) as Entries),
    ...(record.version !== undefined && { ver: record.version }),
    ...(record.goneSince !== undefined && { gone: record.goneSince }),
    ...(record.operations.length > 0 && { ops: record.operations }),
    ...(index.listed !== undefined && { l: index.listed }),
    ...(index.dropAtSeconds !== undefined && {
      ttl: Math.min(TTL_SECONDS_MAX, Math.max(1, Math.ceil(index.dropAtSeconds - nowMs / 1000))),
    }),
    ...(record.reactions !== undefined && { rx: record.reactions }),
    ...(index.dueAt !== undefined && { d_at: index.dueAt }),
    ...(index.pendingSince !== undefined && {
      pend: record.pending,
      p_n: Object.keys(record.pending).length,
      p_at: index.pendingSince,
      p_shard: index.shard,
    }),
  };
}

/** The entries that a document has in the generic indexes. */
export function entriesIn(document: Document): readonly IndexEntry[] {
  return INDEX_SLOTS.flatMap((slot) => {
    const hash = document[`x${slot}`];
    const range = document[`y${slot}`];
    return hash === undefined || range === undefined ? [] : [{ slot, hash, range }];
  });
}

/** @throws UnreadableError */
export function fromDocument(document: StoredDocument): Versioned {
  return readable(document.id, () => parseDocument(document));
}

function parseDocument(document: StoredDocument): Versioned {
  return {
    record: {
      key: document.id,
      state: document.s,
      ...(document.ver !== undefined && { version: document.ver }),
      pending: document.pend ?? {},
      ...(document.p_at !== undefined && { pendingSince: document.p_at }),
      ...(document.gone !== undefined && { goneSince: document.gone }),
      operations: document.ops ?? [],
      ...(document.rx !== undefined && { reactions: document.rx }),
    },
    revision: document._etag,
  };
}
