/** What the sites hold of parcels, and whether all of it has been acted on. */
import { checkReacted, MISSING, RESTLESS } from '../../checkers/reacted.ts';
import type { TestCluster } from '../../cluster/test-cluster.ts';
import type { Attempt } from '../../history/client-log.ts';
import type { Holdings, Snapshot } from '../../history/facts.ts';
import { heldOf, type Reacted } from '../../history/reacted.ts';
import { everyRecordAt, keysOf, listEntity } from '../../observe/converge.ts';
import { ENTITY } from './parcel.ts';

/** Every parcel that these sites hold: those that clients know, and what else is there. */
export async function parcelsAt(
  cluster: TestCluster,
  sites: readonly string[],
  log: readonly Attempt[],
): Promise<Snapshot> {
  const snapshot = new Map<string, Holdings>();
  for (const site of sites) {
    const keys = new Set([...keysOf(log), ...(await listEntity(cluster, site, ENTITY))]);
    snapshot.set(site, await everyRecordAt(cluster, site, [...keys]));
  }
  return snapshot;
}

export function heldAt(snapshot: Snapshot): Reacted['held'] {
  return new Map([...snapshot].map(([site, records]) => [site, [...records.values()].map(heldOf)]));
}

/** What has not been acted on yet, and time may still mend; undefined: nothing. */
export function waitsFor(reacted: Reacted): string | undefined {
  const open = checkReacted(reacted).filter(
    ({ invariant }) => invariant === MISSING || invariant === RESTLESS,
  );
  const [first] = open;
  return first && `${open.length} to do, as ${first.key ?? ''}: ${first.detail}`;
}
