/**
 * Addresses that get nothing, or less: records named by the digest of an address, never by the address.
 *
 * Invariant: a creation sets only what it knows, so two sites that hear of one address at the same time keep both.
 */
import { localWrite } from '@tandem-clouds/replication/local-write';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { isLive, plainValues } from '@tandem-clouds/replication/record';
import { sha256 } from '../../digest.ts';
import { type Suppression, suppressionOf } from './notice.ts';

/** The claim of a token that would read them, and the tenant they belong to: no caller's, so only this code sees them. */
export const SUPPRESSION_CLAIM = 'suppressions';
const TENANT = 'shop';

/** Names an address or a phone, 64 characters: mail servers that tell capitals apart are none that anybody uses. */
export function addressHash(address: string): string {
  return sha256(address.toLowerCase());
}

function keyOf(hash: string): string {
  return `suppression:${TENANT}~${hash}`;
}

/** What this site knows of an address. */
export function* readSuppression(site: Site, hash: string): Protocol<Suppression> {
  const record = (yield* get(keyOf(hash)))?.record;
  if (record === undefined || !isLive(record.state, site.now())) return {};
  return suppressionOf(plainValues(record.state));
}

/** What is noted about an address. */
export type Noted = 'hard' | 'soft' | 'unsubscribed' | 'resubscribed' | 'lifted';

/** @param name Names this report: the same one is noted once. Returns what is known from now on. @throws what `localWrite` throws */
export function* noteAddress(
  site: Site,
  { hash, noted, name }: { readonly hash: string; readonly noted: Noted; readonly name: string },
): Protocol<Suppression> {
  const record = yield* localWrite(site, {
    key: keyOf(hash),
    operationId: `${noted}/${name}`,
    creates: { keepUnseenTombstone: true },
    decide: (current, live) => {
      const known = live && current !== undefined ? suppressionOf(plainValues(current.state)) : {};
      const createdAt = !live && { createdAt: new Date(site.now()).toISOString() };
      switch (noted) {
        case 'hard':
          return known.bounced === true ? undefined : { bounced: true, ...createdAt };
        case 'unsubscribed':
          return known.unsubscribed === true ? undefined : { unsubscribed: true, ...createdAt };
        case 'resubscribed':
          return live && known.unsubscribed !== true ? undefined : { unsubscribed: false, ...createdAt };
        case 'soft':
          return { softBounces: increment(1), ...createdAt };
        case 'lifted':
          // What its owner has asked for stays.
          return { bounced: false, softBounces: increment(-(known.softBounces ?? 0)), ...createdAt };
      }
    },
  });
  return suppressionOf(plainValues(record.state));
}
