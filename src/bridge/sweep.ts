/** Timer-triggered: sends again what has been pending for too long, and tells the peers that this site is alive. */
import { openOutbox, openStore, timerEntry } from '#cloud';
import { isRetryable } from '../shared/errors.ts';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { drive } from '../shared/replication/drive.ts';
import { beat } from '../shared/replication/heartbeat.ts';
import { sweep } from '../shared/replication/sweep.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = {
  store: openStore(config),
  outbox: openOutbox(config),
  peers: openPeers(config.peers),
  sleep,
};

export const handler = timerEntry(
  async () => {
    const [report] = await Promise.all([drive(sweep(site), resources), heartbeat()]);
    if (report.oldestMs > 0) logger.log('warn', 'swept', { ...report });
  },
  { config },
);

/** A heartbeat that fails must not stop the sweep: the next one is ten seconds away, and its absence shows. */
async function heartbeat(): Promise<void> {
  if (site.peers.length === 0) return;
  try {
    await drive(beat(site), resources);
  } catch (error) {
    if (!isRetryable(error)) throw error;
    logger.log('warn', 'no heartbeat', { error: String(error) });
  }
}
