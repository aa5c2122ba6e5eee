/** What a creation of any declared entity takes beside its body: for whoever writes records without knowing of what kind. */
import { v7 as uuidv7 } from 'uuid';

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
