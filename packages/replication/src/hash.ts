/**
 * A 64-bit hash of text in two lanes of 32 bits, with the multipliers of MurmurHash3's finalizer (Appleby, 2011). Not
 * for security: whoever can choose the texts can make two of them collide.
 */
export function hashLanes(text: string): readonly [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return [a >>> 0, b >>> 0];
}

/** The hash as 14 characters that are safe in a key. */
export function hashText(text: string): string {
  return hashLanes(text)
    .map((lane) => lane.toString(36).padStart(7, '0'))
    .join('');
}
