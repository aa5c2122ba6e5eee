/**
 * The lock as a CNAME record, as only one can be at a name (RFC 1034, 3.6.2) and the API refuses a second. It is replaced
 * in one batch, which is one transaction, by its id: whoever was faster made another id.
 */
import type { LockNote } from '@tandem-clouds/zone/lock-note';

/** The API's codes for "there is one already" and "there is none of this id". */
export const LOST_CODES: readonly number[] = [81044, 81053, 81054, 81057, 81058];

/** A top level domain that never resolves (RFC 6761). */
const SUFFIX = '.tandem-lock.invalid';

/** The last time that a Date can hold (ECMA-262, 21.4.1.1). */
const DATE_MAX_MS = 8.64e15;

export function lockName(zone: string): string {
  return `_tandem-lock.${zone}`;
}

export function lockContent({ owner, nonce, expiresAtMs }: LockNote): string {
  return `${expiresAtMs}.${nonce}.${label(owner)}${SUFFIX}`;
}

/** A content that is not ours is somebody's lock without an end: only a person may remove it. */
export function lockFrom(content: string): LockNote {
  const { expires, nonce, owner } =
    /^(?<expires>\d+)\.(?<nonce>[^.]+)\.(?<owner>[^.]+)\.tandem-lock\.invalid\.?$/.exec(content)?.groups ??
    {};
  if (nonce === undefined || owner === undefined) {
    return { owner: `an unknown '${content}'`, nonce: '', expiresAtMs: DATE_MAX_MS };
  }
  return { owner, nonce, expiresAtMs: Number(expires) };
}

/** Names are kept in lower case. */
function label(owner: string): string {
  return owner
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63);
}
