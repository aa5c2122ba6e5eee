/** Queue-triggered: merges what the peers sent into the local store. */
import { openDeadLetters, openStore, queueEntry } from '#cloud';
import { checkEvent } from '../shared/validation/check-event.ts';
import { applyBatch } from '../shared/replication/apply.ts';
import { drive } from '../shared/replication/drive.ts';
import type { LostWrite } from '../shared/replication/conflict-log.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, metrics, site } = openRuntime();
const resources = { store: openStore(config), sleep };

export const handler = queueEntry(
  'tandem-in',
  async (messages, limit) => {
    const { dispositions, lost, lagMs } = await drive(
      applyBatch(site, messages, checkEvent),
      resources,
      limit,
    );
    tell(lost);
    if (lost.length > 0) metrics.record({ ConflictsLogged: lost.length });
    for (const [peer, LagMs] of Object.entries(lagMs)) metrics.record({ LagMs }, peer);
    return dispositions;
  },
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);

/** A line for each; the entries themselves are in the conflict log. */
function tell(lost: readonly LostWrite[]): void {
  for (const { key, conflict } of lost) {
    logger.log('warn', 'concurrent write lost', {
      key,
      field: conflict.field,
      loser: conflict.loser[0],
      winner: conflict.winner[0],
    });
  }
}
