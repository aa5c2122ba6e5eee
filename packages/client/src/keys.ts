/** Idempotency keys, as the client makes them. */

/**
 * A UUID of version 7 (RFC 9562, section 5.7): its time lets a site refuse a repeat whose first run it has forgotten.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function timedKey(nowMs: number): string {
  const time = Math.max(0, Math.floor(nowMs)).toString(16).padStart(12, '0').slice(-12);
  const random = untimedKey();
  const variant = ((Number.parseInt(random.slice(3, 4), 16) & 3) | 8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

/** 128 random bits; `randomUUID` is only for pages that came over HTTPS. */
export function untimedKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
