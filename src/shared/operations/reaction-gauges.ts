/** What waits to be reacted to at this site, as metrics. */
import type { DueEntry, Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { PARKED_FROM_MS } from '@tandem-clouds/replication/reactions/due-at';
import { reactionKeysMax } from '../bounds.ts';
import type { Metrics } from '../ports/telemetry.ts';

/** The first of all entries: what has been due for longest, or will be next, or is parked. Undefined: there is none. */
export async function anyEntry(store: Pick<Store, 'due'>): Promise<DueEntry | undefined> {
  const [first] = await store.due(Number.MAX_SAFE_INTEGER, 1);
  return first;
}

/**
 * Keys with something that is due, for how long the oldest has been, and keys with nothing but what is parked.
 * @param first Of all entries: what it says is not asked again.
 */
export async function recordReactionGauges(
  { now }: Site,
  store: Pick<Store, 'due'>,
  metrics: Metrics,
  first: DueEntry | undefined,
): Promise<void> {
  const nowMs = now();
  const [waiting, parked] = await Promise.all([
    isDueBy(first, nowMs) ? store.due(nowMs, reactionKeysMax) : [],
    first === undefined
      ? []
      : store.due(Number.MAX_SAFE_INTEGER, reactionKeysMax, { key: '', sinceMs: PARKED_FROM_MS }),
  ]);
  metrics.record({
    ReactionsWaiting: waiting.length,
    OldestReactionMs: Math.max(0, nowMs - (waiting[0]?.sinceMs ?? nowMs)),
    ReactionsParked: parked.length,
  });
}

/** Whether anything may be due at a moment, by the first of all entries. */
export function isDueBy(first: DueEntry | undefined, nowMs: number): boolean {
  return first !== undefined && first.sinceMs <= nowMs;
}
