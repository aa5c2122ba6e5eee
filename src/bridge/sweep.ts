/** Timer-triggered: sends again what has been pending for too long. */
import { openStore, timerEntry } from '#cloud';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { drive } from '../shared/replication/drive.ts';
import { sweep } from '../shared/replication/sweep.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = { store: openStore(config), peers: openPeers(config.peers), sleep };

export const handler = timerEntry(
  async () => {
    const report = await drive(sweep(site), resources);
    if (report.oldestMs > 0) logger.log('warn', 'swept', { ...report });
  },
  { config },
);
