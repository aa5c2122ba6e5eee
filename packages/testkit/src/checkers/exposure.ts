/**
 * Invariant 11: a write that a peer's queue and store both lack carries a marker at its origin. So the oldest
 * marker is an exact figure of what would be lost if the origin vanished now.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { type Finding, vectorHolds } from '../history/facts.ts';

const invariant = '11 exposure';

/** One key between an origin and one peer, at one moment. */
export interface Exposure {
  readonly key: string;
  readonly origin: string;
  readonly peer: string;
  /** The stamp of the origin's newest write of the key that committed. */
  readonly newest: string;
  readonly atOrigin: StoredRecord | undefined;
  readonly atPeer: StoredRecord | undefined;
  /** Whether a message that includes the write is in the peer's inbound queue or among its dead letters. */
  readonly queued: boolean;
}

export function checkExposure({ key, origin, peer, newest, atOrigin, atPeer, queued }: Exposure): Finding[] {
  if (queued || vectorHolds(atPeer?.state.vector, origin, newest)) return [];
  const marker = atOrigin?.pending[peer];
  if (marker !== undefined && marker >= newest && atOrigin?.pendingSince !== undefined) return [];
  return [
    { invariant, key, detail: `${newest} of ${origin} is neither at ${peer} nor on its way nor marked` },
  ];
}
