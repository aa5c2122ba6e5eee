/** Queue-triggered: from the site's own queue to every peer's inbound queue. */
import { drive } from '@tandem-clouds/replication/drive';
import { forward } from '@tandem-clouds/replication/forward';
import { openDeadLetters, queueEntry } from '#cloud';
import { openPeers } from '../shared/adapters/peers/open-peers.ts';
import { openRuntime, openSiteStore, sleep } from '../shared/runtime.ts';
import { checkEvent } from '../shared/validation/check-event.ts';
import { archiveSenders } from './archive-sender.ts';
import { openDirections } from './open-directions.ts';

const runtime = openRuntime();
const { config, logger, metrics, site, tracing } = runtime;
const resources = {
  store: openSiteStore(runtime),
  peers: new Map([...openPeers(config.peers, { tracing }), ...archiveSenders(runtime)]),
  sleep,
};
const openSite = openDirections(site, resources.store);

export const handler = queueEntry(
  'tandem-out',
  tracing.batch('forward', 'tandem-out', async (messages, limit) =>
    drive(forward(await limit.run(openSite), messages, checkEvent), resources, limit),
  ),
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);
