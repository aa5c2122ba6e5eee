/** Queue-triggered: merges what the peers sent into the local store. */
import { openDeadLetters, openStore, queueEntry } from '#cloud';
import { checkEvent } from '../shared/validation/check-event.ts';
import { applyBatch } from '../shared/replication/apply.ts';
import { drive } from '../shared/replication/drive.ts';
import type { LostWrite } from '../shared/replication/protocol.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = { store: openStore(config), report, sleep };

export const handler = queueEntry(
  'tandem-in',
  async (messages) => {
    const { dispositions } = await drive(applyBatch(site, messages, checkEvent), resources);
    return dispositions;
  },
  { config, logger, deadLetters: openDeadLetters(config) },
);

function report(lost: readonly LostWrite[]): void {
  for (const { key, conflict } of lost) {
    logger.log('warn', 'concurrent write lost', {
      key,
      field: conflict.field,
      loser: conflict.loser[0],
      winner: conflict.winner[0],
    });
  }
}
