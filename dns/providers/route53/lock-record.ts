/** The lock as a TXT record set, which Route 53 creates only when there is none and deletes only when it is exactly this. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { LockNote } from '@tandem-clouds/zone/lock-note';
import { txtFrom, txtTo } from './text.ts';

const TTL_SECONDS = 60;
/** The last time that a Date can hold (ECMA-262, 21.4.1.1). */
const DATE_MAX_MS = 8.64e15;

export function lockName(zone: string): string {
  return `_tandem-lock.${zone}`;
}

export function lockSet({ owner, nonce, expiresAtMs }: LockNote, zone: string): ResourceRecordSet {
  const text = `owner=${owner} nonce=${nonce} expires=${new Date(expiresAtMs).toISOString()}`;
  return {
    Name: `${lockName(zone)}.`,
    Type: 'TXT',
    TTL: TTL_SECONDS,
    ResourceRecords: [{ Value: txtTo(text) }],
  };
}

/** A text that is not ours is somebody's lock without an end: only a person may remove it. */
export function lockFrom({ ResourceRecords }: ResourceRecordSet): LockNote {
  const written = ResourceRecords?.[0]?.Value ?? '';
  const text = txtFrom(written) ?? written;
  const { owner, nonce, expires } =
    /^owner=(?<owner>.*) nonce=(?<nonce>\S*) expires=(?<expires>\S+)$/.exec(text)?.groups ?? {};
  if (owner === undefined || nonce === undefined || Number.isNaN(Date.parse(expires ?? ''))) {
    return { owner: `an unknown '${text}'`, nonce: '', expiresAtMs: DATE_MAX_MS };
  }
  return { owner, nonce, expiresAtMs: Date.parse(expires ?? '') };
}
