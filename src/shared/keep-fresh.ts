/**
 * Keeps what is good until a date, such as a token, and renews it shortly before.
 *
 * Invariant: what has expired is never handed out, and what has not is not thrown away because a renewal failed.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Dated<T> {
  readonly value: T;
  readonly expiresAtMs: number;
}

export interface FreshnessBounds {
  /** How long before its end something is renewed. */
  readonly renewMs: number;
  /** What ends sooner than this is not handed out. */
  readonly marginMs: number;
  /** How long a renewal that failed is left alone while the old value is good. */
  readonly retryMs: number;
  /** How long a caller waits. */
  readonly timeoutMs: number;
}

/**
 * Answers with what `fetch` brought last. Callers who come while it is being fetched share that one call. A renewal
 * that fails is not tried again for a while, as long as the old value is good.
 * @throws what `fetch` threw, or an Error when it has not answered in time, when there is nothing good.
 */
export function keepFresh<T>(
  fetch: () => Promise<Dated<T>>,
  bounds: FreshnessBounds,
  now: () => number = Date.now,
): () => Promise<Dated<T>> {
  let held: Dated<T> | undefined;
  let failedAtMs: number | undefined;
  let pending: Promise<Dated<T>> | undefined;

  const goodFor = (ms: number) => (held !== undefined && held.expiresAtMs - now() > ms ? held : undefined);

  const renew = async (): Promise<Dated<T>> => {
    try {
      held = await fetch();
      failedAtMs = undefined;
      return held;
    } catch (error) {
      failedAtMs = now();
      throw error;
    } finally {
      pending = undefined;
    }
  };

  return async () => {
    const failedJustNow = failedAtMs !== undefined && Math.abs(now() - failedAtMs) < bounds.retryMs;
    const kept = goodFor(failedJustNow ? bounds.marginMs : bounds.renewMs);
    if (kept !== undefined) return kept;
    pending ??= renew();
    try {
      return await within(pending, bounds.timeoutMs);
    } catch (error) {
      const old = goodFor(bounds.marginMs);
      if (old === undefined) throw error;
      return old;
    }
  };
}

/** The call goes on when it is late: what it brings is for the next caller. */
async function within<T>(call: Promise<T>, ms: number): Promise<T> {
  const abandon = new AbortController();
  const late = delay(ms, undefined, { signal: abandon.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([call, late]);
  } finally {
    abandon.abort();
  }
}
