/** Queue-triggered: merges what the peers sent into the local store. */
import { applyBatch } from '@tandem-clouds/replication/apply';
import { drive } from '@tandem-clouds/replication/drive';
import { openDeadLetters, queueEntry } from '#cloud';
import { entities } from '../shared/registry/entities.ts';
import { openRuntime, openSiteStore, openWaker, reacting, sleep } from '../shared/runtime.ts';
import { checkEvent } from '../shared/validation/check-event.ts';
import { reportApplied as openReport } from './report-applied.ts';

const runtime = openRuntime();
const { config, logger, metrics, tracing, site: bare } = runtime;
const site = reacting(bare, entities, config);
const resources = {
  store: openSiteStore(runtime),
  ...(site.reactions !== undefined && { waker: openWaker(runtime, entities) }),
  sleep,
};
const reportApplied = openReport(logger, metrics);

export const handler = queueEntry(
  'tandem-in',
  tracing.batch('apply', 'tandem-in', async (messages, limit) => {
    const report = await drive(applyBatch(site, messages, checkEvent), resources, limit);
    reportApplied(report);
    return report.dispositions;
  }),
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);
