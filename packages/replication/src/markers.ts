/**
 * Markers: what of a record a peer's durable queue has not accepted yet.
 *
 * Invariant: a marker goes only once the peer has accepted the state that it was set for, or a later one. A local write's
 * marker is its stamp: an accepted event of it or of a later write clears it. A repair sends what was merged, which no stamp
 * of this site tells from what was sent before, so its marker is a name of its own: just what was read is cleared. The
 * revision that it replaces makes it unique, because a record is marked on condition that it is still at that revision.
 */
import { hashText } from './hash.ts';
import type { Stamp } from './stamp.ts';

const REPAIR = '#';

/** The marker of a repair; sorts behind the version, and before every later one. */
export function repairMarker(version: Stamp, revision: string): string {
  return `${version}${REPAIR}${hashText(revision)}`;
}

/** Whether a marker goes by name only, and not together with an older one. */
export function isRepairMarker(marker: string): boolean {
  return marker.includes(REPAIR);
}

/** Whether a marker goes when a peer has accepted what `accepted` stands for. */
export function isCleared(marker: string, accepted: string | undefined): boolean {
  if (accepted === undefined) return false;
  return isRepairMarker(accepted) ? marker === accepted : marker <= accepted;
}
