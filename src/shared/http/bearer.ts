/** What a caller presents as `Authorization: Bearer …` (RFC 6750). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { bearerCharsMax } from '../bounds.ts';

/** `b64token` of RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export const CHALLENGE = 'Bearer realm="tandem"';
export const INVALID_TOKEN = `${CHALLENGE}, error="invalid_token"`;

/** The key or token; undefined when there is none, or one that is longer than any that is accepted. */
export function bearerOf(header: string | undefined): string | undefined {
  const [, key] = BEARER.exec(header ?? '') ?? [];
  return key !== undefined && key.length <= bearerCharsMax ? key : undefined;
}

/**
 * The positions of the SHA-256 digests that are a key's. Every one is compared, each in constant time: how long it
 * takes tells nothing about how much was right.
 */
export function digestsMatching(digests: readonly Buffer[], key: string): readonly number[] {
  const digest = createHash('sha256').update(key).digest();
  const matches = digests.map((known) => timingSafeEqual(known, digest));
  return matches.flatMap((match, position) => (match ? [position] : []));
}
