/**
 * Timer-triggered: sends again what has been pending for too long, wakes reactions whose message came to nothing, tells the
 * peers that this site is alive, and measures how it stands with each of them.
 */
import { sweepTickMs } from '@tandem-clouds/replication/bounds';
import { drive } from '@tandem-clouds/replication/drive';
import { AppError } from '@tandem-clouds/replication/errors';
import {
  beat,
  hasNotes,
  heardMsAgo,
  leaveNotes,
  NO_NOTES,
  recoveryAfter,
  refusedAfter,
  sweptTo,
} from '@tandem-clouds/replication/heartbeat';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import type { Protocol } from '@tandem-clouds/replication/protocol';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { isAnyDue, sweep } from '@tandem-clouds/replication/sweep';
import { openVerifyQueue, timerEntry } from '#cloud';
import { openPeers } from '../shared/adapters/peers/open-peers.ts';
import { hasObjects } from '../shared/config/config.ts';
import { contentsOf } from '../shared/domain/content.ts';
import { reactsWhere } from '../shared/domain/reactions.ts';
import { contentGauges } from '../shared/operations/content-view.ts';
import { recordGauges } from '../shared/operations/gauges.ts';
import { keepIndexes } from '../shared/operations/index-upkeep.ts';
import { anyEntry, isDueBy, recordReactionGauges } from '../shared/operations/reaction-gauges.ts';
import { scanPending } from '../shared/operations/replication-view.ts';
import { entities } from '../shared/registry/entities.ts';
import { indexes } from '../shared/registry/indexes.ts';
import { openOwnOutbox, openRuntime, openSiteStore, openWaker, ownOf, sleep } from '../shared/runtime.ts';
import { archiveSenders } from './archive-sender.ts';
import { openDirections } from './open-directions.ts';

const runtime = openRuntime();
const { config, logger, metrics, site, tracing } = runtime;
const resources = {
  // What is at risk is waited for by nobody; live writes are.
  store: openSiteStore(runtime, 'background'),
  outbox: openOwnOutbox(runtime),
  peers: new Map([...openPeers(config.peers, { tracing }), ...archiveSenders(runtime)]),
  verifiers: new Map([
    ...openPeers(config.peers, { queue: 'verify', tracing }),
    [site.site, tracing.queue(openVerifyQueue(config), 'tandem-verify')],
  ]),
  waker: openWaker(runtime, entities),
  sleep,
};
/** Where this site has no place for objects it is to have none: nothing is fetched, and nothing measured. */
const isReacting = entities.some((entity) => reactsWhere(entity, hasObjects(config), ownOf(config)));
const contents = hasObjects(config) ? contentsOf(entities) : undefined;
const recordContents = contents && contentGauges(site, contents, resources, metrics);
const openSite = openDirections(site, resources.store);

export const handler = timerEntry(
  tracing.timer('sweep', async () => {
    if (isReacting) await attempt('nobody was woken', wakeReactions);
    if (site.peers.length === 0) {
      await attempt('no indexes', keepOwnIndexes);
      return false;
    }
    const heartbeat = await written(beat(site));
    if (heartbeat !== undefined)
      await attempt('no indexes', () => keepIndexes(site, indexes, heartbeat, resources));
    const sample = await attempt('no look', () => scanPending(site, resources.store));
    // Before the sweep: it may take long, or die, just when the figures matter. A site at rest is measured at its beats.
    if (sample !== undefined && (sample.page.entries.length > 0 || isJustWritten(heartbeat))) {
      await attempt('no gauges', () => recordGauges(site, resources.store, metrics, sample));
    }
    if (recordContents !== undefined && isJustWritten(heartbeat))
      await attempt('no gauges of contents', recordContents);
    if (sample === undefined || isAnyDue(sample.page, sample.nowMs)) return sweepFrom(heartbeat);
    if (heartbeat === undefined || hasNotes(heartbeat)) await written(leaveNotes(site, NO_NOTES));
    return false;
  }),
  { config, tickMs: sweepTickMs },
);

/** A site without peers has no heartbeat but what its indexes need. */
async function keepOwnIndexes(): Promise<void> {
  if (indexes.length === 0) return;
  const heartbeat = await resources.store.get(heartbeatKey(site.site));
  await keepIndexes(site, indexes, heartbeat?.record, resources);
}

/** Wakes what is due and was not run, and measures how much waits. A site that has nothing of it asks once. */
async function wakeReactions(): Promise<void> {
  const first = await anyEntry(resources.store);
  if (isDueBy(first, site.now())) {
    const { woken, oldestMs } = await drive(wakeDue(site), resources);
    if (woken > 0) logger.log('info', 'woken', { woken, oldestMs });
  }
  await recordReactionGauges(site, resources.store, metrics, first);
}

/** True when there may be more for peers that take it. */
async function sweepFrom(heartbeat: StoredRecord | undefined): Promise<boolean> {
  const after = heartbeat && sweptTo(heartbeat);
  const startMs = site.now();
  const { resume, ...report } = await drive(sweep(await openSite(), { after, packs: true }), resources);
  metrics.record({ SweptKeys: report.resent });
  if (report.scanned > 0) logger.log('warn', 'swept', { ...report, complete: resume === undefined });
  const refused = refusedAfter(heartbeat, { refused: report.refused, resume });
  const recovery = recoveryAfter(heartbeat, { startMs, resume, ...report });
  await written(leaveNotes(site, { sweptTo: resume, silent: report.silent, refused, recovery }));
  return resume !== undefined && Object.keys(report.silent).length === 0;
}

function isJustWritten(heartbeat: StoredRecord | undefined): boolean {
  const age = heardMsAgo(heartbeat, site.now());
  return age !== null && age < sweepTickMs / 2;
}

/**
 * A heartbeat that fails must not stop the sweep, for now or for good: the next try is ten seconds away, and its absence
 * shows.
 */
function written(write: Protocol<StoredRecord>): Promise<StoredRecord | undefined> {
  return attempt('no heartbeat', () => drive(write, resources));
}

async function attempt<Result>(failure: string, act: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.log(error.retryable ? 'warn' : 'error', failure, { error: String(error) });
    return undefined;
  }
}
