/** What to say about a word that nobody knows. */
import { nearest } from './nearest.ts';

/** So much of a word says which one is meant. */
const PREFIX_MIN = 3;

/** `; did you mean 'status'?`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const begun = known.filter((one) => one.startsWith(word.toLowerCase()));
  const [shortest = ''] = begun.toSorted((a, b) => a.length - b.length);
  // `conflicts` begins `conflicts list` too, and is what `conf` means.
  const isOne =
    word.length >= PREFIX_MIN && begun.length > 0 && begun.every((one) => one.startsWith(shortest));
  const best = isOne ? shortest : nearest(word, known);
  return best === undefined ? '' : `; did you mean '${best}'?`;
}
