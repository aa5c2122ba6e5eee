/**
 * Where the archive of this site is: at the cloud of the first peer whose configuration names a place for it. A module of its own,
 * loaded when something is to be written there, so that what never does pays nothing for the SDKs.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { PeerConfig } from '../../config/config.ts';
import type { Objects } from '../../ports/objects.ts';
import { openS3Objects } from '../aws/open-objects.ts';
import { openBlobObjects } from '../azure/open-objects.ts';
import { identityAt, roleAt } from './peer-credentials.ts';

/** @throws UnavailableError when no peer has a place for it. */
export function openArchive(peers: readonly PeerConfig[]): Objects {
  for (const peer of peers) {
    if (peer.cloud === 'aws' && peer.backupBucket !== undefined)
      return openS3Objects({
        region: peer.region,
        bucket: peer.backupBucket,
        endpoint: peer.backupEndpoint,
        credentials: roleAt(peer),
      });
    if (peer.cloud === 'azure' && peer.backupContainer !== undefined)
      return openBlobObjects({
        url: peer.backupUrl,
        container: peer.backupContainer,
        connectionString: peer.backupConnectionString,
        identity: identityAt(peer, { service: 'Blob Storage' }),
      });
  }
  throw new UnavailableError(
    'no peer has a place for the archive of this site: backupBucket or backupContainer',
  );
}
