/** `Retry-After` in seconds (RFC 9110, section 10.2.3), as the interfaces of caches send it; undefined: it does not say. */
export function retryAfterMsOf(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after'] ?? '';
  return /^\d{1,5}$/.test(value) ? Number(value) * 1_000 : undefined;
}
