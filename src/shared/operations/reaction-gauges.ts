/** What waits to be reacted to at this site, as metrics. */
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { PARKED_FROM_MS } from '@tandem-clouds/replication/reactions/due-at';
import { reactionKeysMax } from '../bounds.ts';
import type { Metrics } from '../ports/telemetry.ts';

/** Keys with something that is due, for how long the oldest has been, and keys with nothing but what is parked. */
export async function recordReactionGauges(site: Site, store: Store, metrics: Metrics): Promise<void> {
  const nowMs = site.now();
  const [waiting, parked] = await Promise.all([
    store.due(nowMs, reactionKeysMax),
    store.due(Number.MAX_SAFE_INTEGER, reactionKeysMax, { key: '', sinceMs: PARKED_FROM_MS }),
  ]);
  metrics.record({
    ReactionsWaiting: waiting.length,
    OldestReactionMs: Math.max(0, nowMs - (waiting[0]?.sinceMs ?? nowMs)),
    ReactionsParked: parked.length,
  });
}
