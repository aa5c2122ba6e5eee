/**
 * The storage account: its name, its key, and the keys that are delegated to users.
 *
 * Invariant: a delegated key is a function of the account's key and of what stands in a signature beside it, so a signature
 * is verified without anything having been kept, also after a restart.
 * @see https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of Entra: what Microsoft's own examples have for a tenant and an object. */
export const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
export const OBJECT = '00000000-0000-0000-0000-000000000001';

export interface Account {
  readonly name: string;
  /** In base64, as in a connection string. */
  readonly key: string;
}

/** What a user asked for, and what a signature made with it repeats. */
export interface DelegatedKey {
  /** Of who asked. */
  readonly objectId: string;
  readonly tenantId: string;
  /** ISO 8601 to the second, in UTC. */
  readonly start: string;
  readonly expiry: string;
  /** `b`, of blobs. */
  readonly service: string;
  readonly version: string;
  readonly delegatedTenantId: string | undefined;
}

/** A key that is well formed and always the same, so that what was signed before a restart still holds. */
export function keyOf(name: string): string {
  return createHmac('sha512', 'the local emulator of Blob Storage').update(name).digest('base64');
}

export function hmac(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
}

/** In constant time. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** In base64. */
export function delegatedKeyValue({ key }: Account, delegated: DelegatedKey): string {
  const { objectId, tenantId, start, expiry, service, version, delegatedTenantId = '' } = delegated;
  return hmac(
    key,
    ['delegated', objectId, tenantId, start, expiry, service, version, delegatedTenantId].join('\n'),
  );
}
