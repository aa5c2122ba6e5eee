/** A queue that is purged for a while: its reader is killed first, so that there is something to lose. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openPurger, type Purger } from '../cluster/purge.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';

const EVERY_MS = 100;

interface Purge {
  readonly site: string;
  readonly queue: string;
  /** Takes how many messages went. */
  readonly onPurged: (messages: number) => void;
}

/** Purges again and again; the result ends that. */
export function purgeUntil(cluster: TestCluster, { site, queue, onPurged }: Purge): () => void {
  const ended = new AbortController();
  const { signal } = ended;
  cluster.kill('bridge', site);
  void purge(cluster, { site, queue, onPurged, signal });
  return () => ended.abort();
}

interface Purging extends Purge {
  readonly signal: AbortSignal;
}

async function purge(cluster: TestCluster, { site, queue, onPurged, signal }: Purging): Promise<void> {
  while (!signal.aborted) {
    let purger: Purger | undefined;
    try {
      purger = openPurger(cluster.site(site), queue);
      for (;;) {
        onPurged(await purger.purge());
        await sleep(EVERY_MS, undefined, { signal });
      }
    } catch {
      // At its end; or the queues are between two lives, or their fault rules at work: the next round asks again.
      await sleep(EVERY_MS);
    } finally {
      await purger?.close().catch(() => undefined);
    }
  }
}
