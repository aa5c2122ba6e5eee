/** Which reactions operators have paused at this site, asked of the store now and then. */
import { AppError } from '@tandem-clouds/replication/errors';
import { type PausedPeers, pausedPeers, pauseKey } from '@tandem-clouds/replication/paused-peers';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { reactionPause } from '@tandem-clouds/replication/reactions/pause';
import { entityOf } from '@tandem-clouds/replication/record';
import { pauseCacheMs } from '../shared/bounds.ts';

type IsPaused = (key: string, reaction: string) => boolean;

/**
 * Answers by the last look at the record of pauses, which serves for `pauseCacheMs`. While the store does not answer, the
 * last answer stands. @throws UnavailableError when there is none yet: an effect that was to be paused cannot be taken back
 */
export function openPausedReactions(site: Site, store: Store): () => Promise<IsPaused> {
  let known: { readonly paused: PausedPeers; readonly atMs: number } | undefined;
  return async () => {
    const nowMs = site.now();
    if (known === undefined || Math.abs(nowMs - known.atMs) >= pauseCacheMs) {
      try {
        known = { paused: pausedPeers((await store.get(pauseKey(site.site)))?.record), atMs: nowMs };
      } catch (error) {
        if (!(error instanceof AppError) || known === undefined) throw error;
      }
    }
    const { paused } = known;
    return (key, reaction) => Object.hasOwn(paused, reactionPause(entityOf(key), reaction));
  };
}
