/**
 * Keys of requests, remembered for 24 hours.
 *
 * Invariant: what has the same key is done once; its first answer is repeated, an error with a 5xx status included, and other
 * parameters under the key are refused. Nothing is kept of a request that had not begun.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
import { createHash } from 'node:crypto';
import type { ApiReply } from '../core/api-server.ts';
import type { Account } from './account.ts';
import { invalid, StripeError } from './errors.ts';

/** The service forgets a key at some time after this. */
export const KEY_KEPT_MS = 24 * 3_600_000;
const KEY_CHARS_MAX = 255;
const COLLECTION = 'keys';

interface Kept {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly reply: ApiReply;
}

export interface KeyedRequest {
  readonly key: string | undefined;
  readonly path: string;
  readonly params: URLSearchParams;
}

/** @param run Does it. @throws StripeError when the key is of another request. */
export function once(account: Account, request: KeyedRequest, run: () => ApiReply): ApiReply {
  const { key } = request;
  if (key === undefined) return run();
  if (key.length > KEY_CHARS_MAX) throw invalid(`Idempotency keys have at most ${KEY_CHARS_MAX} characters.`);
  const fingerprint = fingerprintOf(request);
  const kept = account.documents.get<Kept>(COLLECTION, key);
  if (kept !== undefined && account.now() - kept.atMs < KEY_KEPT_MS) {
    if (kept.fingerprint !== fingerprint)
      throw new StripeError(
        400,
        {
          type: 'idempotency_error',
          message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        },
        { begun: false },
      );
    return { ...kept.reply, headers: { ...kept.reply.headers, 'idempotent-replayed': 'true' } };
  }
  const keep = (reply: ApiReply): void =>
    account.documents.put(COLLECTION, key, { fingerprint, atMs: account.now(), reply });
  try {
    const reply = run();
    keep(reply);
    return reply;
  } catch (error) {
    if (error instanceof StripeError && error.begun) keep(replyOf(error));
    throw error;
  }
}

export function replyOf({ status, body }: StripeError): ApiReply {
  return { status, body: { error: body }, headers: status === 429 ? { 'retry-after': '1' } : {} };
}

function fingerprintOf({ path, params }: KeyedRequest): string {
  const sorted = [...params].map(([name, value]) => `${name}=${value}`).toSorted();
  return createHash('sha256')
    .update(JSON.stringify([path, sorted]))
    .digest('hex');
}
