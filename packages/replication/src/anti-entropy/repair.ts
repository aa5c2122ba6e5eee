/**
 * Sending again what a peer lacks.
 *
 * Invariant: a record gets the peer's marker before it is sent, as if it had just been written here. So what the peer
 * lacks counts as exposed from the moment that it is known, and the sweeper sees to it if this function does not. Nothing
 * that was sent before can clear it: an event on its way carries an own write, and not what was merged since. What cannot
 * be read or marked here is noted, and the others are sent.
 */
import { isPermanent } from '../errors.ts';
import { eventOf } from '../event.ts';
import { cross, type Crossing } from '../forward.ts';
import { readKeys } from '../isolate.ts';
import { repairMarker } from '../markers.ts';
import { messageOf } from '../message.ts';
import { keeps } from '../placement.ts';
import type { Versioned } from '../ports/store.ts';
import { type Protocol, putMany, type Site } from '../protocol.ts';
import { newestStamp, type StoredRecord } from '../record.ts';
import { laterStamp, type SiteId } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';

/** Marks the records for the peer and sends them. Returns how many were marked; one that is being written is left out. */
export function* mark(site: Site, peer: SiteId, keys: readonly string[]): Protocol<number> {
  if (!site.peers.includes(peer)) return 0;
  const { held, failed: unreadable } = yield* readKeys(keys);
  const kept = [...held.values()].filter(({ record }) => keeps(site, peer, record));
  const writes = kept.map((versioned) => ({
    record: marked(site, peer, versioned),
    expected: versioned.revision,
  }));
  const results = yield* putMany(writes);
  const failed = new Map(unreadable);
  writes.forEach(({ record: { key } }, index) => {
    const result = results[index];
    if (result?.status === 'failed' && isPermanent(result.error)) failed.set(key, result.error);
  });
  yield* noteUnusable(site, 'repair', failed);
  const crossings = writes.flatMap(({ record }, index) =>
    results[index]?.status === 'written' ? crossingOf(site, peer, record) : [],
  );
  yield* cross(crossings);
  return results.filter(({ status }) => status === 'written').length;
}

/** The record is sent under the newest stamp that it holds, whoever made it. */
function marked(site: Site, peer: SiteId, { record, revision }: Versioned): StoredRecord {
  const version = laterStamp(record.version, newestStamp(record.state)) ?? '';
  return {
    ...record,
    version,
    pending: { ...record.pending, [peer]: repairMarker(version, revision) },
    pendingSince: record.pendingSince ?? site.now(),
  };
}

/** None when it fits no message: then its marker stays, and the sweeper tells a person. */
function crossingOf(site: Site, peer: SiteId, record: StoredRecord): readonly Crossing[] {
  try {
    const message = messageOf(eventOf(record, { source: site.site, nowMs: site.now() }));
    return [{ key: record.key, message, markers: { [peer]: record.pending[peer] ?? '' } }];
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return [];
  }
}
