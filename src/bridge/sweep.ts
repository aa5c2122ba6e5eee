/** Timer-triggered: sends again what has been pending for too long, and tells the peers that this site is alive. */
import { openOutbox, openStore, timerEntry } from '#cloud';
import { isRetryable } from '../shared/errors.ts';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { drive } from '../shared/replication/drive.ts';
import { beat, leaveNotes, sweptTo } from '../shared/replication/heartbeat.ts';
import type { Protocol } from '../shared/replication/protocol.ts';
import type { StoredRecord } from '../shared/replication/record.ts';
import { sweep } from '../shared/replication/sweep.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';
import { openDirections } from './open-directions.ts';

const { config, logger, site } = openRuntime();
const resources = {
  store: openStore(config),
  outbox: openOutbox(config),
  peers: openPeers(config.peers),
  sleep,
};
const openSite = openDirections(site, resources.store);

export const handler = timerEntry(
  async () => {
    if (site.peers.length === 0) return;
    const heartbeat = await written(beat(site));
    const after = heartbeat && sweptTo(heartbeat);
    const { resume, ...report } = await drive(sweep(await openSite(), { after }), resources);
    if (report.looked > 0) logger.log('warn', 'swept', { ...report, complete: resume === undefined });
    await written(leaveNotes(site, { sweptTo: resume, silent: report.silent }));
  },
  { config },
);

/** A heartbeat that fails must not stop the sweep: the next one is ten seconds away, and its absence shows. */
async function written(write: Protocol<StoredRecord>): Promise<StoredRecord | undefined> {
  try {
    return await drive(write, resources);
  } catch (error) {
    if (!isRetryable(error)) throw error;
    logger.log('warn', 'no heartbeat', { error: String(error) });
    return undefined;
  }
}
