/** What only operators may: everything below `/replication/`. Each group of routes is a file of its own. */
import {
  openDeadLetterBox,
  openInbox,
  openOutbox,
  openQueueDepths,
  openStore,
  openVerifyQueue,
} from '#cloud';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { DeadLetterService } from '../shared/dead-letter-service.ts';
import { deadLetterRoutes } from '../shared/http/operations/dead-letters.ts';
import { pauseRoutes } from '../shared/http/operations/pauses.ts';
import { queueRoutes } from '../shared/http/operations/queues.ts';
import { forOperators } from '../shared/http/operator.ts';
import { openRuntime, serve, sleep } from '../shared/runtime.ts';

const runtime = openRuntime();
const { config, site } = runtime;
const outbox = openOutbox(config);
const resources = { store: openStore(config), outbox, peers: openPeers(config.peers), sleep };
const deadLetters = new DeadLetterService(
  openDeadLetterBox(config),
  new Map([
    ['tandem-in', openInbox(config)],
    ['tandem-out', outbox],
    ['tandem-verify', openVerifyQueue(config)],
  ]),
);

export const handler = serve(
  runtime,
  forOperators(config.operatorKeys, [
    ...pauseRoutes(site, resources),
    ...deadLetterRoutes(deadLetters),
    ...queueRoutes(site.site, openQueueDepths(config)),
  ]),
);
