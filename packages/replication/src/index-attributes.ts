/** What both stores index of a record, derived from it: the sparse indexes of pending markers and of live keys. */
import { horizonMs, shardCount } from './bounds.ts';
import type { PendingEntry } from './ports/store.ts';
import { dueAtOf } from './reactions/due-at.ts';
import { entityOf, expiresAtSeconds, isDeleted, type StoredRecord } from './record.ts';

export interface IndexAttributes {
  /** Bucket of the key, two digits: spreads the index over partitions. */
  readonly shard: string;
  /** The entity, when the key belongs in its list: absent for a tombstone. */
  readonly listed?: string;
  /** Epoch milliseconds of the oldest pending write; absent when nothing is pending. */
  readonly pendingSince?: number;
  /** Where the record is in the index of reactions; absent when none has anything to do. */
  readonly dueAt?: number;
  /**
   * Epoch seconds at which the store itself may drop the item: the horizon after it expired and this site knew, and never
   * while something is pending, so that no message and no unsent write can be about it any more.
   */
  readonly dropAtSeconds?: number;
}

export function indexAttributes(record: StoredRecord): IndexAttributes {
  const expires = expiresAtSeconds(record.state);
  const isPending = Object.keys(record.pending).length > 0;
  const dueAt = dueAtOf(record.reactions);
  return {
    shard: shardOf(record.key),
    ...(!isDeleted(record.state) && { listed: entityOf(record.key) }),
    ...(isPending && { pendingSince: record.pendingSince ?? 0 }),
    ...(dueAt !== undefined && { dueAt }),
    ...(expires !== undefined &&
      !isPending && { dropAtSeconds: goneFrom(record, expires) + horizonMs / 1000 }),
  };
}

function goneFrom({ goneSince = 0 }: StoredRecord, expiresSeconds: number): number {
  return Math.max(expiresSeconds, Math.ceil(goneSince / 1000));
}

/** The order of the index of pending markers: oldest first, then by key. Negative when `a` comes first. */
export function byAge(a: PendingEntry, b: PendingEntry): number {
  return a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : Number(a.key > b.key));
}

/** Every bucket, in order. */
export const shards: readonly string[] = Array.from({ length: shardCount }, (_, i) =>
  String(i).padStart(2, '0'),
);

/** FNV-1a, 32 bits (Fowler, Noll, Vo), modulo the number of buckets. */
export function shardOf(key: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return shards[(hash >>> 0) % shardCount] ?? '00';
}
