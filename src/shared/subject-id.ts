/**
 * How a person is named in what is kept about their erasure: by a keyed hash (HMAC-SHA-256) of their subject. It stands there for
 * as long as anything might bring their data back, and says nothing to who has not the key. The key is a secret of the
 * application, the same at every site, in the vault of each cloud.
 */
import { createHmac } from 'node:crypto';

/** Its name in the vault of each cloud. */
export const ERASURE_KEY = 'erasure-key';
/** Characters: more than anybody guesses. */
export const erasureKeyMin = 32;

/** @returns What hashes subjects by a key. @throws RangeError for a key that is too short. */
export function subjectIds(key: string): (subject: string) => string {
  if (key.length < erasureKeyMin)
    throw new RangeError(`the secret ${ERASURE_KEY} must have at least ${erasureKeyMin} characters`);
  return (subject) => createHmac('sha256', key).update(`subject/${subject}`).digest('hex');
}
