/**
 * The storages of the peers, to read: the only place where both SDKs of storages meet. A module of its own, beside
 * `open-peers.ts`, so that a bundle that reads no peer's objects has none of them.
 *
 * Invariant: a failure that is the peer's, or of the way to it, names the peer; what is wrong with an object does not change.
 */
import {
  AppError,
  isRetryable,
  RefusedError,
  ThrottledError,
  UnavailableError,
} from '@tandem-clouds/replication/errors';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import type { PeerConfig } from '../../config/config.ts';
import type { Objects, ReadableObjects } from '../../ports/objects.ts';
import { openS3Objects } from '../aws/open-objects.ts';
import { openBlobObjects } from '../azure/open-objects.ts';
import { identityAt, roleAt } from './peer-credentials.ts';

type OpenedObjects = ReadableObjects & Pick<Objects, 'close'>;

/** By site; those whose storage the configuration does not name are left out. */
export function openPeerObjects(peers: readonly PeerConfig[]): ReadonlyMap<SiteId, OpenedObjects> {
  return new Map(
    peers.flatMap((peer) => {
      const objects = openPeer(peer);
      return objects === undefined ? [] : [[peer.site, naming(peer.site, objects)] as const];
    }),
  );
}

function openPeer(peer: PeerConfig): OpenedObjects | undefined {
  switch (peer.cloud) {
    case 'aws':
      if (peer.objectsBucket === undefined) return undefined;
      return openS3Objects({
        region: peer.region,
        bucket: peer.objectsBucket,
        endpoint: peer.objectsEndpoint,
        credentials: roleAt(peer),
      });
    case 'azure':
      if (peer.objectsContainer === undefined) return undefined;
      return openBlobObjects({
        url: peer.objectsUrl,
        container: peer.objectsContainer,
        connectionString: peer.objectsConnectionString,
        identity: identityAt(peer, { service: 'Blob Storage' }),
      });
  }
}

function naming(site: SiteId, objects: OpenedObjects): OpenedObjects {
  const named = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      throw withName(site, error);
    }
  };
  return {
    head: (place) => named(objects.head(place)),
    read: async (key, options) => {
      const answer = await named(objects.read(key, options));
      return { ...answer, content: pieces(site, answer.content) };
    },
    close: () => objects.close(),
  };
}

async function* pieces(site: SiteId, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    throw withName(site, error);
  }
}

/** Signing in names the peer already (`peer-credentials.ts`). */
function withName(site: SiteId, error: unknown): unknown {
  if (!(error instanceof AppError) || error.message.startsWith(`${site}: `)) return error;
  const message = `${site}: ${error.message}`;
  const options = { cause: error };
  if (error instanceof ThrottledError)
    return new ThrottledError(message, { ...options, retryAfterMs: error.retryAfterMs });
  if (error instanceof RefusedError) return new RefusedError(message, options);
  return isRetryable(error) ? new UnavailableError(message, options) : error;
}
