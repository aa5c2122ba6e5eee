/**
 * The conflict log: a record for every write that lost against one that had not seen it.
 *
 * Invariant: an entry is a function of the two writes alone, down to its stamps. So every site that meets the conflict
 * writes the very same record, writing it twice changes nothing, and it crosses to the other sites like any record: by
 * its markers, which the sweeper finds. It is durable before the merge that lets the write lose.
 */
import { receiversOf } from './archive.ts';
import { conflictKeptMs } from './bounds.ts';
import { AmbiguousError, TooLargeError } from './errors.ts';
import { eventOf } from './event.ts';
import { hashText } from './hash.ts';
import type { Json } from './json.ts';
import type { Conflict } from './merge.ts';
import { messageOf } from './message.ts';
import type { Register } from './policies/field.ts';
import { type Protocol, putMany, type Site } from './protocol.ts';
import { entityOf, EXPIRES, type RecordState, type StoredRecord } from './record.ts';
import { CONFLICT, isReservedEntity } from './reserved.ts';
import { laterStamp, stampMs, stampSite } from './stamp.ts';

/** A concurrent write of a key that a merge replaces or leaves out. */
export interface LostWrite {
  readonly key: string;
  readonly conflict: Conflict;
}

/** The reason of a write to an earlier life of its record than the one that stands. */
export const EARLIER_LIFE = 'earlier life';

/** One of the two writes, as an entry holds it. */
export interface LoggedWrite {
  readonly stamp: string;
  readonly site: string;
  /** Absent when both values together would not fit one message: then the winner's is left to its record. */
  readonly value?: Json;
}

/**
 * Logs lost writes. Returns what could not be logged: key of the record → why.
 * An entry that is there already was logged by an earlier run, or has come from another site.
 */
export function* logConflicts(site: Site, lost: readonly LostWrite[]): Protocol<ReadonlyMap<string, Error>> {
  const byId = new Map<string, { key: string; record: StoredRecord }>();
  for (const each of lost) {
    // Of a conflict about an entry, say of two operators, there is no entry: it would never end.
    if (isReservedEntity(entityOf(each.key))) continue;
    const record = entryOf(site, each);
    byId.set(record.key, { key: each.key, record });
  }
  const entries = [...byId.values()];
  const failed = new Map<string, Error>();
  if (entries.length === 0) return failed;
  const results = yield* putMany(entries.map(({ record }) => ({ record, expected: undefined })));
  entries.forEach(({ key }, index) => {
    const result = results[index];
    if (result === undefined) failed.set(key, new AmbiguousError(`${key}: the conflict log did not answer`));
    else if (result.status === 'failed') failed.set(key, result.error);
  });
  return failed;
}

/** The entry, with a marker for every peer that keeps the record which it is about. */
function entryOf(site: Site, lost: LostWrite): StoredRecord {
  const full = recordOf(site, lost, true);
  try {
    messageOf(eventOf(full, { source: site.site, nowMs: site.now() }));
    return full;
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    return recordOf(site, lost, false);
  }
}

function recordOf(site: Site, { key, conflict }: LostWrite, withWinner: boolean): StoredRecord {
  const { field, loser, winner } = conflict;
  const stamp = laterStamp(loser[0], winner[0]);
  const values: Record<string, Json> = {
    record: key,
    field,
    loser: { ...logged(loser), value: loser[1] },
    winner: { ...logged(winner), ...(withWinner && { value: winner[1] }) },
    reason: reasonOf(conflict),
    [EXPIRES]: Math.ceil((stampMs(stamp) + conflictKeptMs) / 1000),
  };
  const state: RecordState = {
    fields: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [stamp, value]])),
    vector: { [stampSite(stamp)]: stamp },
  };
  const entry = `${CONFLICT}:${entryId(key, conflict)}`;
  const peers = receiversOf(site, { key: entry, state });
  return {
    key: entry,
    state,
    version: stamp,
    pending: Object.fromEntries(peers.map((peer) => [peer, stamp])),
    ...(peers.length > 0 && { pendingSince: site.now() }),
    operations: [],
  };
}

function reasonOf({ loser, winner, life }: Conflict): string {
  if (life === 'earlier') return EARLIER_LIFE;
  return (loser[2] ?? '') === (winner[2] ?? '') ? 'newer' : 'higher rank';
}

function logged([stamp]: Register): { stamp: string; site: string } {
  return { stamp, site: stampSite(stamp) };
}

const LATEST_MS = 36 ** 9 - 1;

/** Sorts the newest first. */
function entryId(key: string, { field, loser, winner, slot }: Conflict): string {
  const ms = stampMs(laterStamp(loser[0], winner[0]));
  const name = [key, field, loser[0], winner[0], ...(slot === undefined ? [] : [slot])].join('\n');
  return `${(LATEST_MS - ms).toString(36).padStart(9, '0')}.${hashText(name)}`;
}
