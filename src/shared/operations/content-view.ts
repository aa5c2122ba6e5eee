/** What a site says of the contents of records: which are not everywhere, and what its latest inventory has found. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import type { Contents } from '@tandem-clouds/replication/objects/content';
import { contentExposure, NO_TALLY, type Tally } from '@tandem-clouds/replication/objects/exposure';
import {
  inventoryKey,
  inventoryOf,
  type InventoryReport,
} from '@tandem-clouds/replication/objects/inventory-record';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { Metrics } from '../ports/telemetry.ts';
import { readEach } from '../read-each.ts';
import type { InventoryView, ReplicationView, TallyView } from './replication-view.ts';

/** The view with what is known of contents: per peer what is here and not there, and what is there and not here. */
export async function withContent(
  view: ReplicationView,
  site: Site,
  contents: Contents,
  resources: Resources,
): Promise<ReplicationView> {
  const own = inventoryKey(site.site);
  const [exposure, { held }] = await Promise.all([
    drive(contentExposure(site, contents), resources),
    readEach(resources.store, [own]),
  ]);
  const inventory = inventoryOf(held.get(own)?.record);
  const { lacking, atRisk, atLeast } = exposure;
  const { nowhere, by } = exposure.held;
  return {
    ...view,
    peers: view.peers.map((peer) => ({ ...peer, content: tallyView(atRisk.get(peer.site)) })),
    inbound: view.inbound.map((peer) => ({ ...peer, content: tallyView(by.get(peer.site)) })),
    content: {
      lacking: tallyView(lacking),
      ...(nowhere.objects > 0 && { nowhere: tallyView(nowhere) }),
      atLeast,
      ...(inventory !== undefined && { inventory: inventoryView(inventory) }),
    },
  };
}

function tallyView({ objects, bytes, overdue, oldestMs }: Tally = NO_TALLY): TallyView {
  return { objects, bytes, overdue, ...(oldestMs !== undefined && { oldest: rfc3339(oldestMs) }) };
}

export function inventoryView({ atMs, endedMs, read, counts }: InventoryReport): InventoryView {
  return {
    begunAt: rfc3339(atMs),
    ...(endedMs !== undefined && { endedAt: rfc3339(endedMs) }),
    read,
    ...counts,
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * What this site lacks, as metrics: measured by each call. Where there is nothing, and was nothing at the call before, nothing
 * is recorded: a metric is paid for in the hours in which it is. @throws what the store throws
 */
export function contentGauges(
  site: Site,
  contents: Contents,
  resources: Resources,
  metrics: Metrics,
): () => Promise<void> {
  // What another process has recorded last is not known: an alarm may stand.
  let mayStand = true;
  return async () => {
    const { lacking } = await drive(contentExposure(site, contents), resources);
    const isLacking = lacking.objects > 0;
    if (isLacking || mayStand)
      metrics.record({
        ObjectsLacking: lacking.objects,
        ObjectBytesLacking: lacking.bytes,
        ObjectsOverdue: lacking.overdue,
      });
    mayStand = isLacking;
  };
}
