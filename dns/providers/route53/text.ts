/** How Route 53 writes names and TXT values. */
import { lowerCase } from '../../policy/records.ts';
import { textFrom } from '../text.ts';

/** One string of a TXT record holds so many bytes (RFC 1035, 3.3.14). */
const TXT_STRING_BYTES = 255;

/**
 * A name without its final dot. Names come with octal escapes for what is not a letter, digit, hyphen or underscore: only
 * that of `*` is undone, as a name with any other is one that no policy can say, and `\056` is not the dot between labels.
 */
export function nameFrom(text: string): string {
  return lowerCase(text).replaceAll('\\052', '*').replace(/\.$/, '');
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

/** The inverse of `txtTo`; reads what others have written as well. Undefined when something would be lost. */
export function txtFrom(value: string): string | undefined {
  return textFrom(value, 8);
}

function escaped(byte: number): string {
  const char = String.fromCharCode(byte);
  if (char === '"' || char === '\\') return `\\${char}`;
  return byte >= 32 && byte < 127 ? char : `\\${byte.toString(8).padStart(3, '0')}`;
}
