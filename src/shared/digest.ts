/** Digests of texts that nobody can make equal: SHA-256 (FIPS 180-4). */
import { createHash } from 'node:crypto';

/** 64 characters of hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A short name: the first 192 bits, as 32 characters of base64url (RFC 4648, section 5). */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32);
}
