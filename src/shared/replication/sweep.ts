/**
 * Sweep: send again what has been pending for too long, as it is now.
 *
 * Invariant: whatever became of the message of a write, its marker is found here and the state crosses. The
 * sweeper sends to the peers itself, so a run is bounded by what it sends and no queue fills up with repeats.
 */
import { sweepGraceMs, sweepKeysMax, sweepPageSize } from '../bounds.ts';
import { TooLargeError, isRetryable } from '../errors.ts';
import { eventOf } from './event.ts';
import { cross, type Crossing } from './forward.ts';
import { messageOf } from './message.ts';
import { getMany, pending, type Protocol, type Site } from './protocol.ts';
import type { SiteId } from './stamp.ts';

export interface SweepReport {
  /** Keys whose state was sent again to at least one peer. */
  readonly resent: number;
  /** Peers that did not take it. */
  readonly silent: readonly SiteId[];
  /** Keys whose state no longer fits a message, or that a peer's queue can never take: a person must look. */
  readonly refused: readonly string[];
  /** Age of the oldest marker at the start of the run; 0 when nothing was due. */
  readonly oldestMs: number;
}

/**
 * One run: pages of due keys until nothing is due, every peer is silent, or `sweepKeysMax` keys were sent.
 * A peer that refuses one page is left out of the rest of the run.
 */
export function* sweep(site: Site): Protocol<SweepReport> {
  const startMs = site.now();
  const silent = new Set<SiteId>();
  const seen = new Set<string>();
  const refused: string[] = [];
  let resent = 0;
  let oldestMs = 0;
  while (seen.size < sweepKeysMax && silent.size < site.peers.length) {
    const due = yield* pending(startMs - sweepGraceMs, Math.min(seen.size + sweepPageSize, sweepKeysMax));
    const first = due[0];
    if (seen.size === 0 && first !== undefined) oldestMs = startMs - first.sinceMs;
    const keys = due.map(({ key }) => key).filter((key) => !seen.has(key));
    if (keys.length === 0) break;
    for (const key of keys) seen.add(key);
    const crossings = yield* stillPending(site, keys, silent, refused);
    const outcomes = yield* cross(crossings);
    outcomes.forEach((failed, index) => {
      for (const [peer, error] of Object.entries(failed)) {
        if (isRetryable(error)) silent.add(peer);
        else refused.push(crossings[index]?.key ?? '');
      }
      if (Object.keys(failed).length < (crossings[index]?.peers.length ?? 0)) resent += 1;
    });
  }
  return { resent, silent: [...silent], refused, oldestMs };
}

/** The index may lag: only what the record itself still marks is sent, and only to peers that answer. */
function* stillPending(
  site: Site,
  keys: readonly string[],
  silent: ReadonlySet<SiteId>,
  refused: string[],
): Protocol<readonly Crossing[]> {
  const held = yield* getMany(keys);
  return [...held.values()].flatMap(({ record }) => {
    const peers = Object.keys(record.pending).filter(
      (peer) => site.peers.includes(peer) && !silent.has(peer),
    );
    if (peers.length === 0 || record.version === undefined) return [];
    try {
      const message = messageOf(eventOf(record, { source: site.site, nowMs: site.now() }));
      return [{ key: record.key, version: record.version, message, peers }];
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      refused.push(record.key);
      return [];
    }
  });
}
