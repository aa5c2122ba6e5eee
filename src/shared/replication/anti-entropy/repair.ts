/**
 * Sending again what a peer lacks.
 *
 * Invariant: a record gets the peer's marker before it is sent, as if it had just been written here. So what the peer
 * lacks counts as exposed from the moment that it is known, and the sweeper sees to it if this function does not.
 */
import { TooLargeError } from '../../errors.ts';
import { eventOf } from '../event.ts';
import { cross, type Crossing } from '../forward.ts';
import { messageOf } from '../message.ts';
import { getMany, putMany, type Protocol, type Site } from '../protocol.ts';
import { newestStamp, type StoredRecord } from '../record.ts';
import { laterStamp, type SiteId } from '../stamp.ts';

/** Marks the records for the peer and sends them. Returns how many were marked; one that is being written is left out. */
export function* mark(site: Site, peer: SiteId, keys: readonly string[]): Protocol<number> {
  if (!site.peers.includes(peer)) return 0;
  const held = yield* getMany(keys);
  const writes = [...held.values()].map(({ record, revision }) => ({
    record: marked(site, peer, record),
    expected: revision,
  }));
  const outcomes = yield* putMany(writes);
  const crossings = writes.flatMap(({ record }, index) =>
    outcomes[index]?.status === 'written' ? crossingOf(site, peer, record) : [],
  );
  yield* cross(crossings);
  return outcomes.filter(({ status }) => status === 'written').length;
}

/** A record that was never written here is sent under the newest stamp that it holds. */
function marked(site: Site, peer: SiteId, record: StoredRecord): StoredRecord {
  const version = record.version ?? newestStamp(record.state) ?? '';
  return {
    ...record,
    version,
    pending: { ...record.pending, [peer]: laterStamp(record.pending[peer], version) ?? version },
    pendingSince: record.pendingSince ?? site.now(),
  };
}

/** None when it fits no message: then its marker stays, and the sweeper tells a person. */
function crossingOf(site: Site, peer: SiteId, record: StoredRecord): readonly Crossing[] {
  try {
    const message = messageOf(eventOf(record, { source: site.site, nowMs: site.now() }));
    return [{ key: record.key, version: record.version ?? '', message, peers: [peer] }];
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    return [];
  }
}
