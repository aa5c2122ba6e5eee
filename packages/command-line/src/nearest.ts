/** What somebody probably meant to write. */

/** Slips of so many letters are recognised. */
const SLIPS_MAX = 2;

/** The one of these that a word is at most two letters away from; undefined when none is, or the word is too short. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((one) => ({ one, slips: slipsBetween(word.toLowerCase(), one.toLowerCase()) }))
    .filter(({ one, slips }) => slips <= Math.min(SLIPS_MAX, Math.floor(one.length / 2)))
    .sort((a, b) => a.slips - b.slips);
  return best?.one;
}

/** Letters that are added, left out or exchanged: the distance of Levenshtein, by rows. */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_value, index) => index);
  for (const [index, character] of Array.from(a).entries()) {
    const next = [index + 1];
    for (const [at, other] of Array.from(b).entries()) {
      const exchanged = (row[at] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(exchanged, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
