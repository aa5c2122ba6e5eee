/** Digests of texts that nobody can make equal: SHA-256 (FIPS 180-4). */
import { createHash } from 'node:crypto';

/** 64 characters of hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The first 122 bits of a digest as a UUID of version 8 (RFC 9562, section 5.8). */
export function uuidOf(hash: Buffer): string {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A short name: the first 192 bits, as 32 characters of base64url (RFC 4648, section 5). */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32);
}
