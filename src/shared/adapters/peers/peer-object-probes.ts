/**
 * Probes of reading the storages of the peers. Apart from the others (`peer-probes.ts`), which `#cloud` knows: only the
 * function of operators has the SDKs of storages for it.
 */
import { storageName } from '@tandem-clouds/replication/objects/content';
import type { PeerConfig } from '../../config/config.ts';
import { NotCheckedError, type Probe, type ProbeGroup } from '../../ports/probe.ts';
import { openPeerObjects } from './open-peer-objects.ts';

/** No such object is ever written. */
const NOTHING = storageName('probe:none', 'probe');

export function peerObjectProbes(cloud: 'aws' | 'azure', peers: readonly PeerConfig[]): ProbeGroup {
  const storages = openPeerObjects(peers);
  return peers.map((peer): Probe => ({
    id: 'peer.objects',
    subject: peer.site,
    run: async () => {
      const objects = storages.get(peer.site);
      if (objects === undefined) throw new NotCheckedError('the peer names no storage');
      // Other roles than that of operations read it (infra/aws/peers.cjs).
      if (cloud === 'aws' && peer.cloud === 'aws')
        throw new NotCheckedError('in a region of the same account transfer reads it, by a right of its own');
      return (await objects.head({ key: NOTHING })) === undefined ? 'no such object' : 'an object';
    },
  }));
}
