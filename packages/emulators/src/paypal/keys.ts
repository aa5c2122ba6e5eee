/**
 * `PayPal-Request-Id`: what has the same one is done once, and answered with the latest state of what it made, whatever the
 * body says. Only what has succeeded is remembered.
 * @see https://developer.paypal.com/api/rest/reference/idempotency/
 */
import type { Account } from './account.ts';
import { badRequest } from './errors.ts';

/** "The server stores keys for 6 hours. The API callers can request the times to up to 72 hours." */
export const ORDER_KEYS_KEPT_MS = 6 * 3_600_000;
/** "The server stores keys for 45 days." https://developer.paypal.com/docs/api/payments/v2/ */
export const PAYMENT_KEYS_KEPT_MS = 45 * 86_400_000;
const KEY_CHARS_MAX = 108;
const COLLECTION = 'keys';

/** @param run Does it, and returns the id of what it made. @returns The id, and whether it was made before. */
export function once(
  account: Account,
  {
    key,
    scope,
    keptMs,
  }: { readonly key: string | undefined; readonly scope: string; readonly keptMs: number },
  run: () => string,
): { readonly id: string; readonly repeated: boolean } {
  if (key === undefined) return { id: run(), repeated: false };
  if (key === '' || key.length > KEY_CHARS_MAX)
    throw badRequest('INVALID_STRING_LENGTH', 'PayPal-Request-Id');
  const name = `${scope}/${key}`;
  const kept = account.documents.get<{ readonly id: string; readonly atMs: number }>(COLLECTION, name);
  if (kept !== undefined && account.now() - kept.atMs < keptMs) return { id: kept.id, repeated: true };
  const id = run();
  account.documents.put(COLLECTION, name, { id, atMs: account.now() });
  return { id, repeated: false };
}
