/** Which peers a function of the bridge may send to, asked of the store now and then. */
import { AppError } from '@tandem-clouds/replication/errors';
import {
  type PausedPeers,
  pausedPeers,
  pauseKey,
  withoutPaused,
} from '@tandem-clouds/replication/paused-peers';
import type { Store } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { pauseCacheMs } from '../shared/bounds.ts';

/**
 * Answers with the site without its paused peers; an answer of the store serves for `pauseCacheMs`. While the store
 * does not answer, or the record of the pauses cannot be read for good, the last answer stands: that must neither end a pause
 * nor make one. When there is none yet, nobody is sent to: the markers stay, and the sweeper sends once the store says
 * who may be.
 */
export function openDirections(site: Site, store: Store): () => Promise<Site> {
  let known: { readonly paused: PausedPeers; readonly atMs: number } | undefined;
  return async () => {
    const nowMs = site.now();
    if (known === undefined || Math.abs(nowMs - known.atMs) >= pauseCacheMs) {
      try {
        known = { paused: pausedPeers((await store.get(pauseKey(site.site)))?.record), atMs: nowMs };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (known === undefined) return { ...site, peers: [] };
      }
    }
    return withoutPaused(site, known.paused);
  };
}
