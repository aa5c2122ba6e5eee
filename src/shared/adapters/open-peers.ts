/** The inbound queues of the peers, whichever cloud each is on: the only place where both queue SDKs meet. */
import type { PeerConfig } from '../config.ts';
import type { QueueSender } from '../ports/queue.ts';
import type { SiteId } from '../replication/stamp.ts';
import { openSqsQueue } from './aws/open-queue.ts';
import { openServiceBusQueue } from './azure/open-queue.ts';

export function openPeers(peers: readonly PeerConfig[]): ReadonlyMap<SiteId, QueueSender> {
  return new Map(peers.map((peer) => [peer.site, openPeer(peer)]));
}

function openPeer(peer: PeerConfig): QueueSender {
  switch (peer.cloud) {
    case 'aws':
      return openSqsQueue({ region: peer.region, url: peer.inbox, endpoint: peer.endpoint });
    case 'azure':
      return openServiceBusQueue({
        queue: peer.inbox,
        namespace: peer.namespace,
        connectionString: peer.connectionString,
      });
  }
}
