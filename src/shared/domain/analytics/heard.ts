/** Until when a site has heard of what happened at each site. */
import { heardMsAgo } from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import { readKeys } from '@tandem-clouds/replication/isolate';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import type { SiteId } from '@tandem-clouds/replication/stamp';

/**
 * Site → RFC 3339, by this site's clock: of itself now, of a peer the moment of its newest heartbeat that has arrived. What it
 * did later may be missing; and what it did before may, too, where a message is under way for longer than a heartbeat
 * (`GET /replication` at that site says what is safe). A peer that has never been heard of is not in it.
 */
export function* heardFrom(site: Site): Protocol<Readonly<Record<SiteId, string>>> {
  const nowMs = site.now();
  const { held } = yield* readKeys(site.peers.map((peer) => heartbeatKey(peer)));
  const heard = site.peers.flatMap((peer) => {
    const agoMs = heardMsAgo(held.get(heartbeatKey(peer))?.record, nowMs);
    return agoMs === null ? [] : [[peer, nowMs - agoMs] as const];
  });
  return Object.fromEntries(
    [[site.site, nowMs] as const, ...heard].map(([name, atMs]) => [name, new Date(atMs).toISOString()]),
  );
}
