/**
 * How many SMS a text is: of GSM's alphabet one has 160 septets, or 153 where there are several; of any other text 70 or 67 units of
 * UTF-16.
 * @see https://www.etsi.org/deliver/etsi_ts/123000_123099/123038/ (3GPP TS 23.038, section 6.2.1)
 */

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Two septets each. */
const EXTENDED = '\f^{}\\[~]|€';

export function smsPartsOf(text: string): number {
  const chars = Array.from(text);
  const isGsm = chars.every((char) => BASIC.includes(char) || EXTENDED.includes(char));
  const sizeOf = (char: string): number => {
    if (!isGsm) return char.length;
    return EXTENDED.includes(char) ? 2 : 1;
  };
  const [alone, joined] = isGsm ? [160, 153] : [70, 67];
  const size = chars.reduce((sum, char) => sum + sizeOf(char), 0);
  if (size <= alone) return 1;
  let [parts, used] = [1, 0];
  for (const char of chars) {
    if (used + sizeOf(char) > joined) [parts, used] = [parts + 1, 0];
    used += sizeOf(char);
  }
  return parts;
}
