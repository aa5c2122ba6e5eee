/** How Route 53 writes names and TXT values. */

/** One string of a TXT record holds so many bytes (RFC 1035, 3.3.14). */
const TXT_STRING_BYTES = 255;

/** Names come absolute, with octal escapes for what is not a letter, digit, hyphen or underscore, such as `\052` for `*`. */
export function nameFrom(text: string): string {
  return text
    .replace(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)))
    .replace(/\.$/, '');
}

/** Quoted, escaped and split. */
export function txtTo(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  const strings: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += TXT_STRING_BYTES) {
    strings.push(`"${[...bytes.subarray(at, at + TXT_STRING_BYTES)].map(escaped).join('')}"`);
  }
  return strings.join(' ');
}

/** The inverse of `txtTo`; reads what others have written as well. */
export function txtFrom(value: string): string {
  const bytes: number[] = [];
  for (const [, quoted, bare] of value.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/gs)) {
    for (const [, octal, literal, other] of (quoted ?? bare ?? '').matchAll(/\\(\d{3})|\\(.)|([^\\])/gsu)) {
      if (octal !== undefined) bytes.push(parseInt(octal, 8));
      else bytes.push(...Buffer.from(literal ?? other ?? '', 'utf8'));
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

function escaped(byte: number): string {
  const char = String.fromCharCode(byte);
  if (char === '"' || char === '\\') return `\\${char}`;
  return byte >= 32 && byte < 127 ? char : `\\${byte.toString(8).padStart(3, '0')}`;
}
