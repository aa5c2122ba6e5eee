/** What only operators may: everything below `/replication/`. Each group of routes is a file of its own. */
import { v7 as uuidv7 } from 'uuid';
import {
  openDeadLetterBox,
  openInbox,
  openOutbox,
  openQueueDepths,
  openStore,
  openVerifyQueue,
} from '#cloud';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { ConflictService } from '../shared/conflict-service.ts';
import { DeadLetterService } from '../shared/dead-letter-service.ts';
import { changeChecks } from '../shared/generated/validators.js';
import { conflictRoutes } from '../shared/http/operations/conflicts.ts';
import { deadLetterRoutes } from '../shared/http/operations/dead-letters.ts';
import { pauseRoutes } from '../shared/http/operations/pauses.ts';
import { pendingRoutes } from '../shared/http/operations/pending.ts';
import { queueRoutes } from '../shared/http/operations/queues.ts';
import { verificationRoutes } from '../shared/http/operations/verifications.ts';
import { forOperators } from '../shared/http/operator.ts';
import { pendingView } from '../shared/pending-view.ts';
import { openReplica, openRuntime, serve, sleep } from '../shared/runtime.ts';

const runtime = openRuntime();
const { config, site } = runtime;
const outbox = openOutbox(config);
const ownVerifyQueue = openVerifyQueue(config);
const resources = {
  store: openStore(config),
  outbox,
  peers: openPeers(config.peers),
  verifiers: new Map([[site.site, ownVerifyQueue]]),
  sleep,
};
const deadLetters = new DeadLetterService(
  openDeadLetterBox(config),
  new Map([
    ['tandem-in', openInbox(config)],
    ['tandem-out', outbox],
    ['tandem-verify', ownVerifyQueue],
  ]),
);

export const handler = serve(
  runtime,
  forOperators(config.operatorKeys, [
    ...pauseRoutes(site, resources),
    ...deadLetterRoutes(deadLetters),
    ...pendingRoutes((limit) => pendingView(site, resources.store, limit)),
    ...queueRoutes(site.site, openQueueDepths(config)),
    ...conflictRoutes(new ConflictService(openReplica(runtime), changeChecks)),
    ...verificationRoutes(site, resources, { next: uuidv7 }),
  ]),
);
