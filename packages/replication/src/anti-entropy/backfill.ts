/**
 * Whether a site that was rebuilt has been filled. Pure.
 *
 * Invariant: it is said to be filled only when, for every peer, a comparison of the two has ended without a difference.
 * The id of a rebuilt site is new, so no such result can be from before it was rebuilt.
 */
import type { StoredRecord } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import { verificationKey, verificationOf } from './verification.ts';

type Sites = Readonly<{ site: SiteId; peers: readonly SiteId[] }>;

/** Keys of the results that tell of it: either site may have begun a comparison. */
export function backfillKeys({ site, peers }: Sites): readonly string[] {
  return peers.flatMap((peer) => pairKeys(site, peer));
}

export interface BackfillState {
  readonly ok: boolean;
  /** A sentence about what is still missing. */
  readonly detail: string;
}

/** @param held The records that are held of `backfillKeys`. */
export function backfillState(
  { site, peers }: Sites,
  held: ReadonlyMap<string, { readonly record: StoredRecord }>,
): BackfillState {
  if (peers.length === 0) return { ok: false, detail: 'there is no peer to be filled from' };
  const open = peers.filter((peer) =>
    pairKeys(site, peer).every((key) => verificationOf(held.get(key)?.record)?.lastCleanAtMs === undefined),
  );
  return open.length === 0
    ? { ok: true, detail: `compared without a difference with ${peers.join(', ')}` }
    : { ok: false, detail: `not yet compared without a difference with ${open.join(', ')}` };
}

function pairKeys(site: SiteId, peer: SiteId): readonly string[] {
  return [verificationKey({ from: site, to: peer }), verificationKey({ from: peer, to: site })];
}
