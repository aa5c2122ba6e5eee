/**
 * Text as people look for it: without case, accents and doubled spaces. Pure, and the same at every site, whatever its locale.
 *
 * Invariant: of a text that begins with another one, the folded text begins with the folded other one, where the other one ends
 * with a whole character; so beginnings are found by a range.
 */

/** Raised when a text is folded otherwise: then indexes are new ones, and are filled anew. */
export const FOLDING_VERSION = 1;

/** Letters that Unicode takes for letters of their own, and people who have no such key write like this. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
};

/** @see https://www.unicode.org/reports/tr15/ NFKD, of which the marks are left out. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþıς]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/\s+/gu, ' ')
    .trimStart();
}
