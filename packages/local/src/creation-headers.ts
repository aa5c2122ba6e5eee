/** What a creation of any declared entity takes beside its body: for whoever writes records without knowing of what kind. */
import { v7 as uuidv7 } from 'uuid';

/** A key that was made at a moment, epoch milliseconds (RFC 9562, section 5.7): of one moment and number always the same. */
export function keyAt(bornMs: number, number: number): string {
  const time = Math.floor(bornMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** What of an entity says whether its creations need a key. */
interface Created {
  readonly ids?: object;
}

/**
 * The headers of one creation; a repeat of it takes the same ones.
 * @returns None for an entity whose creations need no key.
 */
export function creationHeaders({ ids }: Created): Readonly<Record<string, string>> {
  return ids === undefined ? {} : { 'idempotency-key': uuidv7() };
}
