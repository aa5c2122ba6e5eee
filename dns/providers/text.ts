/**
 * Quoted strings in a row, as providers write the text of a TXT record (RFC 1035, 5.1).
 *
 * Invariant: a text is read only when nothing of it is lost. Bytes that are no UTF-8, an escape that is no byte, a quote
 * that is not closed: none of these has a text, and the record is then left alone.
 */

/** How `\DDD` counts: decimal as in zone files (RFC 1035), octal at Route 53. */
export type EscapeBase = 8 | 10;

const DIGITS: Readonly<Record<EscapeBase, RegExp>> = { 8: /^[0-7]{3}/, 10: /^\d{3}/ };
const BYTE_MAX = 255;

/** The text of quoted or bare strings; undefined when it has none. One pass, so nothing is unescaped twice. */
export function textFrom(value: string, base: EscapeBase): string | undefined {
  const bytes: number[] = [];
  let isQuoted = false;
  for (let at = 0; at < value.length;) {
    const char = String.fromCodePoint(value.codePointAt(at) ?? 0);
    at += char.length;
    if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && /\s/.test(char)) continue;
    else if (char !== '\\') bytes.push(...Buffer.from(char));
    else {
      const escape = escaped(value.slice(at, at + 3), base);
      if (escape === undefined) return undefined;
      bytes.push(...escape.bytes);
      at += escape.length;
    }
  }
  return isQuoted ? undefined : decoded(Buffer.from(bytes));
}

/** What follows a backslash: three digits, or any other character as it is. */
function escaped(rest: string, base: EscapeBase): { bytes: readonly number[]; length: number } | undefined {
  if (rest === '') return undefined;
  if (!/^\d/.test(rest)) {
    const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    return { bytes: [...Buffer.from(char)], length: char.length };
  }
  const digits = DIGITS[base].exec(rest)?.[0];
  const byte = digits === undefined ? NaN : Number.parseInt(digits, base);
  return byte <= BYTE_MAX ? { bytes: [byte], length: 3 } : undefined;
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
