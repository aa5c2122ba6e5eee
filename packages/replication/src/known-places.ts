/**
 * How long a site has known where records are kept, by its own heartbeat.
 *
 * Invariant: `isSettled` only once every function has ended that began at this site under another declaration. What a site
 * removes, such a function would make anew as if nothing had been there; the vector of that covers all that this site ever
 * wrote of the record, so that whoever keeps it would take the rest for removed.
 *
 * Each heartbeat says the declaration that its function knows and repeats when the site learned it. One of a release that
 * does not say it, before or after a rollback, changes the heartbeat's own time alone: then the count begins anew.
 */
import { placesSettleMs } from './bounds.ts';
import { BEATEN_AT, heartbeatKey } from './heartbeat-record.ts';
import type { Json } from './json.ts';
import { get, type Protocol, type Site } from './protocol.ts';
import type { StoredRecord } from './record.ts';

const KNOWN = 'places';

/** What the heartbeat of `beatMs` says of the declaration; nothing where every site keeps everything. */
export function knownPlaces(
  site: Site,
  heartbeat: StoredRecord | undefined,
  beatMs: number,
): Readonly<Record<string, Json>> {
  if (site.keptAt === undefined) return {};
  const sinceMs = knownSinceMs(site, heartbeat) ?? site.now();
  return { [KNOWN]: [site.keptAt.declaration, sinceMs, beatMs] };
}

/**
 * Epoch milliseconds at which this site learned where records are kept; undefined: the last heartbeat was made under another
 * declaration.
 */
export function knownSinceMs({ keptAt }: Site, heartbeat: StoredRecord | undefined): number | undefined {
  const value = heartbeat?.state.fields[KNOWN]?.[1];
  const [declaration, sinceMs, beatMs] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const isLatest = declaration === keptAt?.declaration && beatMs === heartbeat?.state.fields[BEATEN_AT]?.[1];
  return isLatest && typeof sinceMs === 'number' ? sinceMs : undefined;
}

/** Whether nothing runs at this site any more that knows another declaration. */
export function* isSettled(site: Site): Protocol<boolean> {
  const sinceMs = knownSinceMs(site, (yield* get(heartbeatKey(site.site)))?.record);
  return sinceMs !== undefined && site.now() - sinceMs >= placesSettleMs;
}
