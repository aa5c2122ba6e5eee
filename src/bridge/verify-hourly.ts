/**
 * Timer-triggered: begins the hourly comparisons, each of which repairs what it finds, and removes old tombstones and what
 * this site holds and does not keep; once a day it begins an inventory of contents. One that
 * cannot be begun does not keep back the others; the invocation fails all the same, so that it is seen and repeated.
 */
import { beginCollection } from '@tandem-clouds/replication/anti-entropy/collect-tombstones';
import { begin } from '@tandem-clouds/replication/anti-entropy/compare';
import { beginPurge } from '@tandem-clouds/replication/anti-entropy/purge';
import { drive } from '@tandem-clouds/replication/drive';
import { beginInventory } from '@tandem-clouds/replication/objects/inventory-record';
import { openObjectsQueue, openVerifyQueue, timerEntry } from '#cloud';
import { openPeers } from '../shared/adapters/peers/open-peers.ts';
import { hasObjects } from '../shared/config/config.ts';
import { contentsOf } from '../shared/domain/content.ts';
import { hasSubjects } from '../shared/domain/persons/subjects.ts';
import { sendInventory } from '../shared/inventory-message.ts';
import { searchOpen } from '../shared/operations/person-service.ts';
import { entities } from '../shared/registry/entities.ts';
import { openOwnOutbox, openRuntime, openSiteStore, sleep } from '../shared/runtime.ts';

const runtime = openRuntime();
const { config, logger, site, tracing } = runtime;
const resources = {
  store: openSiteStore(runtime),
  outbox: openOwnOutbox(runtime),
  verifiers: new Map([
    ...openPeers(config.peers, { queue: 'verify', tracing }),
    [site.site, tracing.queue(openVerifyQueue(config), 'tandem-verify')],
  ]),
  sleep,
};

const hasContents = contentsOf(entities) !== undefined && hasObjects(config);
const objectsQueue = tracing.queue(openObjectsQueue(config), 'tandem-objects');

export const handler = timerEntry(
  tracing.timer('verify-hourly', async () => {
    const atMs = site.now();
    const failures: unknown[] = [];
    const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        failures.push(error);
        logger.log('error', `${what} failed`, { error: String(error) });
      }
    };
    // Of two sites the one with the lesser name begins, so that they are compared once.
    for (const to of site.peers.filter((peer) => site.site < peer)) {
      const job = { id: `hourly-${atMs}`, from: site.site, to, atMs, repair: true };
      await attempt(`the comparison with ${to}`, async () => {
        await drive(begin(site, job), resources);
        logger.log('info', 'comparison begun', { ...job });
      });
    }
    await attempt('the removal of tombstones', () => drive(beginCollection(site), resources));
    await attempt('the removal of what is kept elsewhere', () => drive(beginPurge(site), resources));
    if (hasSubjects(entities))
      await attempt('the search for what is to be erased', async () => {
        const open = await searchOpen(site, resources);
        if (open > 0) logger.log('info', 'search begun', { erasures: open });
      });
    if (hasContents)
      await attempt('the inventory', async () => {
        const step = await drive(beginInventory(site, { id: `daily-${atMs}` }), resources);
        if (step !== undefined) await sendInventory(objectsQueue, step);
      });
    if (failures.length > 0) throw failures[0];
    return false;
  }),
  { config },
);
