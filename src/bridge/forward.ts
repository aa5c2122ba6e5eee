/** Queue-triggered: from the site's own queue to every peer's inbound queue. */
import { openDeadLetters, openStore, queueEntry } from '#cloud';
import { checkEvent } from '../shared/validation/check-event.ts';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { drive } from '../shared/replication/drive.ts';
import { forward } from '../shared/replication/forward.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';

const { config, logger, site } = openRuntime();
const resources = { store: openStore(config), peers: openPeers(config.peers), sleep };

export const handler = queueEntry(
  'tandem-out',
  (messages) => drive(forward(site, messages, checkEvent), resources),
  { config, logger, deadLetters: openDeadLetters(config) },
);
