/**
 * A record as a DynamoDB item. Attribute names are short because they are billed; the state is one JSON string
 * because no condition looks inside it.
 *
 * | attribute | meaning |
 * |---|---|
 * | `k` | key (hash) |
 * | `rev` | epoch milliseconds of the creation, and one more for every write since |
 * | `s` | state as JSON |
 * | `ver` | newest local stamp |
 * | `pend` | peer → stamp not yet accepted |
 * | `ops` | last operation ids, JSON |
 * | `gone` | epoch milliseconds since when the record is held as deleted or expired |
 * | `p_shard`, `p_at` | index `pending` |
 * | `rx` | entries of reactions, JSON |
 * | `d_shard`, `d_at` | index `due`: moment of the next attempt |
 * | `l` | index `by_type` |
 * | `x1`, `y1` … `x4`, `y4` | indexes `by_x1` … `by_x4`: hash and range of what an entity's declaration indexes |
 * | `ttl` | epoch seconds at which DynamoDB may drop the item |
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { indexAttributes } from '@tandem-clouds/replication/index-attributes';
import {
  type ExposedEntry,
  INDEX_SLOTS,
  type IndexEntry,
  type PendingEntry,
  type Revision,
  type Versioned,
  type WriteRequest,
} from '@tandem-clouds/replication/ports/store';
import type { ReactionEntries } from '@tandem-clouds/replication/reactions/entry';
import type { RecordState } from '@tandem-clouds/replication/record';
import { readable } from '../readable.ts';

export type Item = Record<string, AttributeValue>;

/**
 * A new item does not begin to count at 1: a revision that was read before the item was removed must not fit one that
 * was created since.
 */
export function toItem(
  { record, expected }: WriteRequest,
  entries: readonly IndexEntry[],
  nowMs = Date.now(),
): Item {
  const index = indexAttributes(record);
  const item: Item = {
    k: { S: record.key },
    rev: { N: String(expected === undefined ? nowMs : Number(expected) + 1) },
    s: { S: JSON.stringify(record.state) },
  };
  if (record.version !== undefined) item['ver'] = { S: record.version };
  if (record.goneSince !== undefined) item['gone'] = { N: String(record.goneSince) };
  if (record.operations.length > 0) item['ops'] = { S: JSON.stringify(record.operations) };
  if (index.listed !== undefined) item['l'] = { S: `${index.listed}#${index.shard}` };
  if (index.dropAtSeconds !== undefined) item['ttl'] = { N: String(index.dropAtSeconds) };
  if (record.reactions !== undefined) item['rx'] = { S: JSON.stringify(record.reactions) };
  if (index.dueAt !== undefined) {
    item['d_at'] = { N: String(index.dueAt) };
    item['d_shard'] = { S: index.shard };
  }
  if (index.pendingSince !== undefined) {
    item['pend'] = {
      M: Object.fromEntries(Object.entries(record.pending).map(([peer, stamp]) => [peer, { S: stamp }])),
    };
    item['p_at'] = { N: String(index.pendingSince) };
    item['p_shard'] = { S: index.shard };
  }
  for (const { slot, hash, range } of entries) {
    item[`x${slot}`] = { S: hash };
    item[`y${slot}`] = { S: range };
  }
  return item;
}

/** The entries that an item has in the generic indexes. */
export function entriesIn(item: Item): readonly IndexEntry[] {
  return INDEX_SLOTS.flatMap((slot) => {
    const hash = item[`x${slot}`]?.S;
    const range = item[`y${slot}`]?.S;
    return hash === undefined || range === undefined ? [] : [{ slot, hash, range }];
  });
}

/** What `toExposed` reads of an item. */
export const EXPOSED_ATTRIBUTES = 'k, pend, p_at';

/** Undefined when nothing is pending on the item. */
export function toExposed(item: Item): ExposedEntry | undefined {
  const peers = Object.keys(item['pend']?.M ?? {});
  return peers.length === 0 ? undefined : { ...toPending(item), peers };
}

/** An entry of the index `pending`. */
export function toPending(item: Item): PendingEntry {
  return { key: item['k']?.S ?? '', sinceMs: Number(item['p_at']?.N) };
}

/** An entry of the index `due`. */
export function toDue(item: Item): PendingEntry {
  return { key: item['k']?.S ?? '', sinceMs: Number(item['d_at']?.N) };
}

/** @throws UnreadableError */
export function fromItem(item: Item): Versioned {
  return readable(item['k']?.S ?? '', () => parseItem(item));
}

function parseItem(item: Item): Versioned {
  const pending: Record<string, string> = {};
  for (const [peer, stamp] of Object.entries(item['pend']?.M ?? {})) pending[peer] = stamp.S ?? '';
  return {
    record: {
      key: item['k']?.S ?? '',
      state: JSON.parse(item['s']?.S ?? '') as RecordState,
      ...(item['ver']?.S !== undefined && { version: item['ver'].S }),
      pending,
      ...(item['p_at']?.N !== undefined && { pendingSince: Number(item['p_at'].N) }),
      ...(item['gone']?.N !== undefined && { goneSince: Number(item['gone'].N) }),
      operations: JSON.parse(item['ops']?.S ?? '[]') as string[],
      ...(item['rx']?.S !== undefined && { reactions: JSON.parse(item['rx'].S) as ReactionEntries }),
    },
    revision: revisionOf(item),
  };
}

export function revisionOf(item: Item): Revision {
  return item['rev']?.N ?? '0';
}
