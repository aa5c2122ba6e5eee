/** What was applied, in logs and metrics. */
import type { ApplyReport } from '@tandem-clouds/replication/apply';
import type { Logger, Metrics } from '../shared/ports/telemetry.ts';

/** Returns what reports a batch: a line for each write that lost; the entries themselves are in the conflict log. */
export function reportApplied(logger: Logger, metrics: Metrics): (report: ApplyReport) => void {
  return ({ lost, lagMs, notKept }) => {
    for (const [name, all] of Map.groupBy(notKept, ({ source, entity }) => `${source} ${entity}`)) {
      const [source, entity] = name.split(' ');
      logger.log('warn', 'dropped: not kept here', { source, entity, events: all.length });
    }
    for (const { key, conflict } of lost) {
      logger.log('warn', 'concurrent write lost', {
        key,
        field: conflict.field,
        loser: conflict.loser[0],
        winner: conflict.winner[0],
      });
    }
    if (lost.length > 0) metrics.record({ ConflictsLogged: lost.length });
    for (const [peer, LagMs] of Object.entries(lagMs)) metrics.record({ LagMs }, peer);
  };
}
