/** Queue-triggered: merges what the peers sent into the local store. */
import { openDeadLetters, openStore, queueEntry } from '#cloud';
import { checkEvent } from '../shared/validation/check-event.ts';
import { applyBatch } from '../shared/replication/apply.ts';
import { drive } from '../shared/replication/drive.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = { store: openStore(config), sleep };

export const handler = queueEntry(
  'tandem-in',
  async (messages) => {
    const report = await drive(applyBatch(site, messages, checkEvent), resources);
    for (const { key, conflict } of report.conflicts) {
      logger.log('warn', 'concurrent write lost', {
        key,
        field: conflict.field,
        loser: conflict.loser[0],
        winner: conflict.winner[0],
      });
    }
    return report.dispositions;
  },
  { config, logger, deadLetters: openDeadLetters(config) },
);
