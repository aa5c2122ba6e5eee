/**
 * One computation for all who ask at the same time, and for a moment after it: what a question costs does not grow with
 * how often it is asked.
 *
 * Invariant: at most one computation is under way, and what it brings is never handed out later than `keptMs` after it.
 */

/**
 * Answers with what `compute` brought last, as long as that is fresh. What fails is reported to all who waited for it
 * and is not kept.
 * @param now Epoch or monotonic milliseconds. @throws what `compute` throws.
 */
export function cacheResponse<T>(
  keptMs: number,
  compute: () => Promise<T>,
  now: () => number = Date.now,
): () => Promise<T> {
  let held: { readonly value: T; readonly atMs: number } | undefined;
  let pending: Promise<T> | undefined;

  const renew = async (): Promise<T> => {
    try {
      const value = await compute();
      held = { value, atMs: now() };
      return value;
    } finally {
      pending = undefined;
    }
  };

  return () => {
    // A clock that was set back makes nothing last longer.
    if (held !== undefined && Math.abs(now() - held.atMs) < keptMs) return Promise.resolve(held.value);
    pending ??= renew();
    return pending;
  };
}
