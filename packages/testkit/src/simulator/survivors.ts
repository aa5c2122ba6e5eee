/** What sites do about what a lost one has left. */
import { eventOf } from '@tandem-clouds/replication/event';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { isOwnReport, vectorHolds } from '../history/facts.ts';
import type { SimSite } from './sim-site.ts';
import type { World } from './world.ts';

/**
 * What a comparison of the survivors brings: a lost site may have told some of them what it told no other, and nobody
 * passes on what he has only received.
 */
export function compareSurvivors(world: World, survivors: readonly SimSite[]): void {
  for (const from of survivors) {
    for (const [key, record] of from.store.records) {
      // What a site says about itself nobody else may send.
      if (from.down || isOwnReport(key)) continue;
      const newest = Object.values(record.state.vector).sort().at(-1);
      const event = eventOf(
        { ...record, version: record.version ?? newest ?? '' },
        { source: from.name, nowMs: from.now() },
      );
      for (const to of survivors) {
        if (to.down || holdsAll(to.store.records.get(key), record)) continue;
        world.enqueue(to, to.inbox, JSON.stringify(event), { poison: false, delayMs: 0 });
        world.wake(to, to.inbox, 0);
      }
    }
  }
}

function holdsAll(held: StoredRecord | undefined, { state }: StoredRecord): boolean {
  return Object.entries(state.vector).every(([site, stamp]) => vectorHolds(held?.state.vector, site, stamp));
}
