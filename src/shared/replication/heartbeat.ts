/**
 * Heartbeats: one record per site, written at every sweep, that crosses to the peers like any other.
 *
 * What a peer's heartbeat proves: something that the peer wrote at `at` has been applied here. It does not prove
 * that everything from before `at` has been, because queues do not keep the order.
 *
 * The name of the entity is reserved: heartbeats hold no data of users, so they are in no list of the API and are
 * left out of what counts as exposed.
 */
import { localWrite } from './local-write.ts';
import type { Protocol, Site } from './protocol.ts';
import type { PendingEntry } from '../ports/store.ts';
import type { Json } from './json.ts';
import type { StoredRecord } from './record.ts';
import { HEARTBEAT } from './reserved.ts';
import type { SiteId } from './stamp.ts';

const SWEPT_TO = 'sweptTo';

/** The key of a site's own heartbeat; no other site writes it. */
export function heartbeatKey(site: SiteId): string {
  return `${HEARTBEAT}:${site}`;
}

/** Writes the site's heartbeat. Two runs in one millisecond are one. @throws what `localWrite` throws. */
export function* beat(site: Site): Protocol<StoredRecord> {
  const at = site.now();
  return yield* localWrite(site, {
    key: heartbeatKey(site.site),
    operationId: `beat-${at}`,
    decide: () => ({ at }),
  });
}

/** Where the sweeper's last run stopped, by the site's own heartbeat; undefined: at the end. */
export function sweptTo(heartbeat: StoredRecord): PendingEntry | undefined {
  const value = heartbeat.state.fields[SWEPT_TO]?.[1];
  if (!Array.isArray(value)) return undefined;
  const [sinceMs, key] = value as Json[];
  return typeof sinceMs === 'number' && typeof key === 'string' ? { sinceMs, key } : undefined;
}

/** Leaves to the next run where this one stopped. @throws what `localWrite` throws. */
export function* leaveSweptTo(site: Site, entry: PendingEntry | undefined): Protocol<StoredRecord> {
  return yield* localWrite(site, {
    key: heartbeatKey(site.site),
    operationId: `swept-${site.now()}`,
    decide: () => ({ [SWEPT_TO]: entry === undefined ? null : [entry.sinceMs, entry.key] }),
  });
}

/**
 * Milliseconds since the peer wrote the newest heartbeat that has arrived here; null when none has.
 * An upper bound of how old our view of that peer is, give or take the difference of the two clocks: between two
 * heartbeats it grows to `sweepTickMs` although everything arrives at once.
 */
export function heardMsAgo(heartbeat: StoredRecord | undefined, nowMs: number): number | null {
  const at = heartbeat?.state.fields['at']?.[1];
  return typeof at === 'number' ? Math.max(0, nowMs - at) : null;
}
