/** What to say about a word that nobody knows. */
import { nearest } from './nearest.ts';

/** So much of a word says which one is meant. */
const PREFIX_MIN = 3;

/** `; did you mean 'status'?`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const best =
    nearest(word, known) ??
    (word.length < PREFIX_MIN ? undefined : known.find((one) => one.startsWith(word.toLowerCase())));
  return best === undefined ? '' : `; did you mean '${best}'?`;
}
