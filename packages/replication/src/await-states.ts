/**
 * A read that must not be older than what a client has seen.
 *
 * Invariant: what is returned includes every state that the client named, or nothing is: never silently stale. Only
 * what can still arrive is waited for: tokens are the client's word.
 */
import { clockAheadMaxMs, horizonMs, sessionWaitMs } from './bounds.ts';
import { MalformedError, NotYetHereError } from './errors.ts';
import { type KeysRead, readKeys } from './isolate.ts';
import { pauses } from './pauses.ts';
import { keeps } from './placement.ts';
import type { Versioned } from './ports/store.ts';
import { type Protocol, type Site, sleep } from './protocol.ts';
import { includes } from './record.ts';
import { type SiteId, type Stamp, stampMs, stampSite } from './stamp.ts';
import { covers, type Vector } from './vector.ts';

/** A state that a client has seen, at whichever site: the record's key and its vector. */
export interface SeenState {
  readonly key: string;
  readonly vector: Vector;
}

/**
 * Reads the records of `seen` until they include every state in it. What cannot be read, for good, is named and not waited for.
 * @throws MalformedError for a state that is not here and that no site can have made.
 * @throws NotYetHereError when one of them has not arrived after `sessionWaitMs`; at once when waiting is in vain.
 */
export function* awaitStates(site: Site, seen: readonly SeenState[]): Protocol<KeysRead> {
  const keys = [...new Set(seen.map(({ key }) => key))];
  const waits = pauses(site.now, sessionWaitMs);
  for (;;) {
    const read = yield* readKeys(keys);
    const { held, failed } = read;
    const late = seen.filter((state) => !failed.has(state.key) && !isHere(site, held.get(state.key), state));
    const [first] = late;
    if (first === undefined) return read;
    const missing = late.flatMap(({ key, vector }) =>
      Object.values(vector).filter((stamp) => !covers(held.get(key)?.record.state.vector ?? {}, stamp)),
    );
    checkPossible(site, missing);
    const { value: pauseMs } = waits.next();
    if (pauseMs === undefined || missing.some((stamp) => stampSite(stamp) === site.site)) {
      // Only a site that keeps it is asked for it.
      const makers = sitesOf(missing).filter((maker) => keeps(site, maker, first));
      throw new NotYetHereError(`${first.key} has not arrived here as it was seen`, makers);
    }
    yield* sleep(pauseMs);
  }
}

/**
 * What is not here may be on its way only from a peer, and from no later than this site would take it (`apply.ts`). What
 * was made at this very site is here as soon as it is acknowledged, so that is not waited for either.
 * @throws MalformedError
 */
function checkPossible({ site, peers, retired = [], now }: Site, missing: readonly Stamp[]): void {
  const latestMs = now() + clockAheadMaxMs;
  for (const stamp of missing) {
    const maker = stampSite(stamp);
    if (maker !== site && !peers.includes(maker) && !retired.includes(maker)) {
      throw new MalformedError(
        `X-Tandem-Session names a state of ${maker}, which is no site that ${site} knows`,
      );
    }
    if (stampMs(stamp) > latestMs) {
      throw new MalformedError('X-Tandem-Session names a state of a time that has not come yet');
    }
  }
}

/** The sites that made these stamps, each once, the latest first: it had most likely seen what the others wrote. */
export function sitesOf(stamps: readonly Stamp[]): readonly SiteId[] {
  return [...new Set([...stamps].sort().reverse().map(stampSite))];
}

/**
 * Included, or so old that the store has dropped the record: no message about it is under way any more. A site that is
 * being filled cannot tell that.
 */
function isHere(site: Site, held: Versioned | undefined, { vector }: SeenState): boolean {
  if (held !== undefined) return includes(held.record.state, vector);
  if (site.rebuilding === true) return Object.keys(vector).length === 0;
  return Object.values(vector).every((stamp) => site.now() - stampMs(stamp) > horizonMs);
}
