/** Text from elsewhere for a line of a terminal or a file: what is not to be seen, line breaks included, is escaped. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
