/** Timer-triggered: begins the hourly comparisons, each of which repairs what it finds, and buries old tombstones. */
import { openOutbox, openStore, openVerifyQueue, timerEntry } from '#cloud';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { beginBurial } from '../shared/replication/anti-entropy/bury.ts';
import { begin } from '../shared/replication/anti-entropy/compare.ts';
import { drive } from '../shared/replication/drive.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = {
  store: openStore(config),
  outbox: openOutbox(config),
  verifiers: new Map([...openPeers(config.peers, 'verify'), [site.site, openVerifyQueue(config)]]),
  sleep,
};

export const handler = timerEntry(
  async () => {
    const atMs = site.now();
    // Of two sites the one with the lesser name begins, so that they are compared once.
    for (const to of site.peers.filter((peer) => site.site < peer)) {
      const job = { id: `hourly-${atMs}`, from: site.site, to, atMs, repair: true };
      await drive(begin(site, job), resources);
      logger.log('info', 'comparison begun', { ...job });
    }
    await drive(beginBurial(site), resources);
    return false;
  },
  { config },
);
