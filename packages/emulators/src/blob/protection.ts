/**
 * What keeps a state of a blob from being deleted or changed: policies, legal holds and leases.
 * @see https://learn.microsoft.com/azure/storage/blobs/immutable-version-level-worm-policies
 */
import { type Call, header } from './call.ts';
import { BlobError } from './errors.ts';
import type { Blob, BlobVersion, Lease } from './model.ts';

/** @throws BlobError */
export function checkDeletable({ legalHold, immutability }: BlobVersion, nowMs: number): void {
  if (legalHold) throw new BlobError('BlobImmutableDueToLegalHold');
  if (immutability !== undefined && immutability.untilMs > nowMs)
    throw new BlobError('BlobImmutableDueToPolicy');
}

/** Metadata cannot be written either when a policy has expired, as long as it is there. @throws BlobError */
export function checkWritableMetadata({ legalHold, immutability }: BlobVersion): void {
  if (legalHold) throw new BlobError('BlobImmutableDueToLegalHold');
  if (immutability !== undefined) throw new BlobError('BlobImmutableDueToPolicy');
}

export function isLeased(lease: Lease | undefined, nowMs: number): lease is Lease {
  return lease !== undefined && lease.untilMs > nowMs && (lease.brokenMs ?? Infinity) > nowMs;
}

/** Of a write. A read needs no lease, but one that it names has to be the one. @throws BlobError */
export function checkLease(call: Call, blob: Blob | undefined, nowMs: number): void {
  const given = header(call, 'x-ms-lease-id');
  const lease = blob?.lease;
  if (isLeased(lease, nowMs)) {
    if (given === undefined) throw new BlobError('LeaseIdMissing');
    if (given.toLowerCase() !== lease.id) throw new BlobError('LeaseIdMismatchWithBlobOperation');
  } else if (given !== undefined) throw new BlobError('LeaseNotPresentWithBlobOperation');
}
