/**
 * The token in the link by which a customer unsubscribes (RFC 8058): the digest of the address, signed. It names nobody to who
 * reads it, needs no record, and holds for as long as the key does.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of the key: so many characters are more than anybody guesses. */
export const unsubscribeKeyMin = 32;
const HASH_CHARS = 64;
/** Of a token: a SHA-256 in hexadecimal, and a MAC of as many bits in base64url. */
export const TOKEN_PATTERN = '^[0-9a-f]{64}[A-Za-z0-9_-]{43}$';

/** @param hash Of the address. @throws RangeError for a key that is too short. */
export function unsubscribeToken(hash: string, key: string): string {
  return hash + macOf(hash, key);
}

/** The digest of the address; undefined for a token that this key has not signed. @throws RangeError */
export function readUnsubscribeToken(token: string, key: string): string | undefined {
  const hash = token.slice(0, HASH_CHARS);
  const given = Buffer.from(token.slice(HASH_CHARS));
  const expected = Buffer.from(macOf(hash, key));
  return given.length === expected.length && timingSafeEqual(given, expected) ? hash : undefined;
}

function macOf(hash: string, key: string): string {
  if (key.length < unsubscribeKeyMin)
    throw new RangeError(`the secret unsubscribe-key must have at least ${unsubscribeKeyMin} characters`);
  return createHmac('sha256', key).update(`unsubscribe/${hash}`).digest('base64url');
}
