/** Phone numbers in what providers say. */

/** A number or a short code, and no sender id of letters. */
export function isPhone(from: string): boolean {
  return /^\+?\d+$/.test(from);
}

/** A text of a provider for logs and records, without the number that it repeats. */
export function withoutPhone(text: string, phone: string): string {
  return text.replaceAll(phone, '…').replaceAll(phone.replace('+', ''), '…');
}
