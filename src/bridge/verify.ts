/** Queue-triggered: one step of a comparison with a peer, or of the removal of tombstones. */
import { openDeadLetters, openOutbox, openStore, openVerifyQueue, queueEntry } from '#cloud';
import { openPeers } from '../shared/adapters/open-peers.ts';
import { verify } from '../shared/replication/anti-entropy/verify.ts';
import { drive } from '../shared/replication/drive.ts';
import { openRuntime, sleep } from '../shared/runtime.ts';
import { checkStep } from '../shared/validation/check-step.ts';

const { config, logger, metrics, site } = openRuntime();
const resources = {
  store: openStore(config),
  outbox: openOutbox(config),
  peers: openPeers(config.peers),
  verifiers: new Map([...openPeers(config.peers, 'verify'), [site.site, openVerifyQueue(config)]]),
  sleep,
};

export const handler = queueEntry(
  'tandem-verify',
  (messages) => drive(verify(site, messages, checkStep), resources),
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);
