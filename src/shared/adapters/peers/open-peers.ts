/** The queues of the peers, whichever cloud each is on: the only place where both queue SDKs meet. */
import type { QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import type { PeerConfig } from '../../config/config.ts';
import { noTracing, type Tracing } from '../../ports/tracing.ts';
import { openSqsQueue } from '../aws/open-queue.ts';
import { openServiceBusQueue } from '../azure/open-queue.ts';
import { identityAt, roleAt } from './peer-credentials.ts';

const NAMES = { inbox: 'tandem-in', verify: 'tandem-verify' } as const;

/** Opens one queue of each peer: by default the inbound one, `verify` for the one of comparisons. */
export function openPeers(
  peers: readonly PeerConfig[],
  { queue = 'inbox', tracing = noTracing }: { queue?: 'inbox' | 'verify'; tracing?: Tracing } = {},
): ReadonlyMap<SiteId, QueueSender> {
  return new Map(
    peers.map((peer) => [peer.site, tracing.queue(openPeer(peer, peer[queue]), NAMES[queue], peer.site)]),
  );
}

/** @param address The URL of a queue on SQS, the name of one on Service Bus. */
function openPeer(peer: PeerConfig, address: string): QueueSender {
  switch (peer.cloud) {
    case 'aws':
      return openSqsQueue({
        region: peer.region,
        url: address,
        endpoint: peer.endpoint,
        credentials: roleAt(peer),
      });
    case 'azure':
      return openServiceBusQueue({
        queue: address,
        namespace: peer.namespace,
        connectionString: peer.connectionString,
        identity: identityAt(peer),
      });
  }
}
