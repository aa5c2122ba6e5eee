/**
 * How many SMS a text is.
 * @see https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/ (3GPP TS 23.038, section 6.2.1: the alphabet)
 * @see https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
 */

/** Of one SMS that stands alone, and of one of several, which carries a header: in septets, and in UTF-16 code units. */
export const PART = { 'GSM-7': { alone: 160, joined: 153 }, 'UCS-2': { alone: 70, joined: 67 } } as const;

export type Encoding = keyof typeof PART;

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Behind an escape, so they take two. */
const EXTENDED = new Set('\f^{}\\[~]|€');

export interface Parts {
  readonly encoding: Encoding;
  readonly parts: number;
}

/** One character outside the alphabet makes the whole text UCS-2. No part ends within a character. */
export function partsOf(text: string): Parts {
  const chars = Array.from(text);
  const isGsm = chars.every((char) => BASIC.has(char) || EXTENDED.has(char));
  const encoding = isGsm ? 'GSM-7' : 'UCS-2';
  const sizes = chars.map((char) => (isGsm ? (EXTENDED.has(char) ? 2 : 1) : char.length));
  const { alone, joined } = PART[encoding];
  if (sizes.reduce((sum, size) => sum + size, 0) <= alone) return { encoding, parts: 1 };
  let [parts, used] = [1, 0];
  for (const size of sizes) {
    if (used + size > joined) [parts, used] = [parts + 1, 0];
    used += size;
  }
  return { encoding, parts };
}
