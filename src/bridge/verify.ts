/** Queue-triggered: one step of a comparison with a peer or of the removal of tombstones, or a pack of a peer's backlog. */
import { verify } from '@tandem-clouds/replication/anti-entropy/verify';
import { drive } from '@tandem-clouds/replication/drive';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import { openDeadLetters, openInbox, openVerifyQueue, queueEntry } from '#cloud';
import { openPeers } from '../shared/adapters/peers/open-peers.ts';
import { subjectsOf } from '../shared/domain/persons/subjects.ts';
import { openSecrets } from '../shared/open-secrets.ts';
import { entities } from '../shared/registry/entities.ts';
import { openOwnOutbox, openRuntime, openSiteStore, reacting, sleep } from '../shared/runtime.ts';
import { ERASURE_KEY, subjectIds } from '../shared/subject-id.ts';
import { checkEvent } from '../shared/validation/check-event.ts';
import { checkStep } from '../shared/validation/check-step.ts';
import { openDirections } from './open-directions.ts';
import { reportApplied } from './report-applied.ts';

const runtime = openRuntime();
const { config, logger, metrics, tracing, site: bare } = runtime;
// What a pack makes true is woken by the sweep.
const site = reacting(bare, entities, config);
const resources = {
  store: openSiteStore(runtime, 'background'),
  outbox: openOwnOutbox(runtime),
  peers: openPeers(config.peers, { tracing }),
  verifiers: new Map([
    ...openPeers(config.peers, { queue: 'verify', tracing }),
    [site.site, tracing.queue(openVerifyQueue(config), 'tandem-verify')],
  ]),
  sleep,
};

const secrets = openSecrets(runtime);
const inbox = tracing.queue(openInbox(config), 'tandem-in');
const applied = reportApplied(logger, metrics);
const openSite = openDirections(site, resources.store);

/** The queue of a paused peer: what a repair marks for it stays marked, and crosses when the pause ends. */
const closed: QueueSender = {
  send: (messages) => Promise.resolve(messages.map(() => new UnavailableError('paused by an operator'))),
  ping: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

export const handler = queueEntry(
  'tandem-verify',
  tracing.batch('verify', 'tandem-verify', async (messages) => {
    const { peers: open } = await openSite();
    const peers = [...resources.peers].map(
      ([peer, queue]) => [peer, open.includes(peer) ? queue : closed] as const,
    );
    // The key is asked for where there is something to erase, and by nobody else.
    const isErasing = messages.some(({ body }) => body.startsWith('{"kind":"erase"'));
    const subjects = isErasing ? subjectsOf(entities, subjectIds(await secrets.get(ERASURE_KEY))) : undefined;
    return drive(verify(site, messages, checkStep, { packs: { check: checkEvent, applied }, subjects }), {
      ...resources,
      // What is left of a pack goes on by the site's own inbound queue.
      peers: new Map([...peers, [site.site, inbox]]),
    });
  }),
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);
