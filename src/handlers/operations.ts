/** What only operators may: everything below `/replication/`. Each group of routes is a file of its own. */
import os from 'node:os';
import { v7 as uuidv7 } from 'uuid';
import { heartbeatMs } from '@tandem-clouds/replication/bounds';
import { heartbeatKey } from '@tandem-clouds/replication/heartbeat-record';
import {
  cloudName,
  openDeadLetterBox,
  openInbox,
  openObjectsQueue,
  openProbes,
  openQueueDepths,
  openReactQueue,
  openVerifyQueue,
} from '#cloud';
import { openPeers } from '../shared/adapters/peers/open-peers.ts';
import { peerObjectProbes } from '../shared/adapters/peers/peer-object-probes.ts';
import { peerProbes } from '../shared/adapters/peers/peer-probes.ts';
import { hasObjects } from '../shared/config/config.ts';
import { contentsOf } from '../shared/domain/content.ts';
import { hasSubjects, subjectsOf } from '../shared/domain/persons/subjects.ts';
import { changeChecks, storedChecks } from '../shared/generated/validators.js';
import { conflictRoutes } from '../shared/http/operations/conflicts.ts';
import { contentRoutes } from '../shared/http/operations/contents.ts';
import { deadLetterRoutes } from '../shared/http/operations/dead-letters.ts';
import { firstCheckRoutes, memoryProbe, timerProbe } from '../shared/http/operations/first-check.ts';
import { pauseRoutes } from '../shared/http/operations/pauses.ts';
import { pendingRoutes } from '../shared/http/operations/pending.ts';
import { personRoutes } from '../shared/http/operations/persons.ts';
import { queueRoutes } from '../shared/http/operations/queues.ts';
import { reactionRoutes } from '../shared/http/operations/reactions.ts';
import { restoreRoutes } from '../shared/http/operations/restores.ts';
import { verificationRoutes } from '../shared/http/operations/verifications.ts';
import { writerRoutes } from '../shared/http/operations/writers.ts';
import { forOperators } from '../shared/http/operator.ts';
import { sendInventory } from '../shared/inventory-message.ts';
import { openSecrets } from '../shared/open-secrets.ts';
import { ConflictService } from '../shared/operations/conflict-service.ts';
import { DeadLetterService } from '../shared/operations/dead-letter-service.ts';
import { firstCheck } from '../shared/operations/first-check.ts';
import { pendingView } from '../shared/operations/pending-view.ts';
import { PersonService } from '../shared/operations/person-service.ts';
import { RestoreService } from '../shared/operations/restore-service.ts';
import { entities } from '../shared/registry/entities.ts';
import { entityWriters } from '../shared/registry/entity-sites.ts';
import {
  openOwnOutbox,
  openReplica,
  openRuntime,
  openSiteStore,
  openWaker,
  ownOf,
  reacting,
  serve,
  sleep,
} from '../shared/runtime.ts';
import { ERASURE_KEY, subjectIds } from '../shared/subject-id.ts';

const runtime = openRuntime();
const { config, site, tracing } = runtime;
const outbox = openOwnOutbox(runtime);
const ownVerifyQueue = tracing.queue(openVerifyQueue(config), 'tandem-verify');
const objectsQueue = tracing.queue(openObjectsQueue(config), 'tandem-objects');
const contents = contentsOf(entities);
const resources = {
  store: openSiteStore(runtime),
  outbox,
  peers: openPeers(config.peers, { tracing }),
  verifiers: new Map([[site.site, ownVerifyQueue]]),
  sleep,
};
const deadLetters = new DeadLetterService(
  openDeadLetterBox(config),
  new Map([
    ['tandem-in', openInbox(config)],
    ['tandem-out', outbox],
    ['tandem-verify', ownVerifyQueue],
    ['tandem-react', openReactQueue(config)],
    ['tandem-objects', objectsQueue],
  ]),
);

const secrets = openSecrets(runtime);
const persons = new PersonService({
  site: reacting(site, entities, config),
  resources: { ...resources, waker: openWaker(runtime, entities) },
  named: async () => subjectIds(await secrets.get(ERASURE_KEY)),
  subjectsBy: (named) => subjectsOf(entities, named),
  letters: deadLetters,
});

/** Milliseconds since the site's own sweeper wrote its heartbeat. */
async function beatAgeMs(): Promise<number | undefined> {
  const at = (await resources.store.get(heartbeatKey(site.site)))?.record.state.fields['at']?.[1];
  return typeof at === 'number' ? site.now() - at : undefined;
}

/** What the function has: its machine's memory, or what a container leaves of it (0 or beyond it: no limit). */
function memoryLimit(): number {
  return Math.min(os.totalmem(), process.constrainedMemory() || Infinity);
}

const checkAll = () =>
  firstCheck(
    [
      ...openProbes(config, uuidv7()),
      ...peerProbes({ site: site.site, cloud: cloudName, peers: config.peers }),
      peerObjectProbes(cloudName, config.peers),
      [timerProbe(beatAgeMs, heartbeatMs), memoryProbe(() => process.memoryUsage.rss(), memoryLimit)],
    ],
    () => performance.now(),
  );

export const handler = serve(
  runtime,
  forOperators(config.operatorKeys, [
    ...pauseRoutes(site, resources),
    ...deadLetterRoutes(deadLetters),
    ...pendingRoutes((limit) => pendingView(site, resources.store, limit)),
    ...queueRoutes(site.site, openQueueDepths(config)),
    ...conflictRoutes(
      new ConflictService(openReplica(runtime, entities), { checks: changeChecks, entities }),
    ),
    ...restoreRoutes(
      new RestoreService(openReplica(runtime, entities), {
        checks: { ...changeChecks, ...storedChecks },
        entities,
      }),
    ),
    ...reactionRoutes(
      reacting(site, entities, config),
      { ...resources, waker: openWaker(runtime, entities) },
      entities,
      ownOf(config),
    ),
    ...contentRoutes(
      site,
      resources,
      contents && {
        contents,
        ids: { next: uuidv7 },
        send: hasObjects(config) ? (step) => sendInventory(objectsQueue, step) : undefined,
      },
    ),
    ...(hasSubjects(entities) ? personRoutes(site.site, persons) : []),
    ...writerRoutes(site, resources, entityWriters),
    ...firstCheckRoutes(site.site, checkAll),
    ...verificationRoutes(site, resources, { ids: { next: uuidv7 }, writers: entityWriters }),
  ]),
);
