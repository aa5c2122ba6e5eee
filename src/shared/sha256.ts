import { createHash } from 'node:crypto';

/** The digest of text (FIPS 180-4), in hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
