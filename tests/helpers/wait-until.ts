/** Waits for a condition instead of a time. */

const FIRST_PAUSE_MS = 10;
const PAUSE_MAX_MS = 250;
/** Of the time that has passed: what takes long is noticed so much later, and costs little to wait for. */
const PAUSE_SHARE = 0.05;

/**
 * Resolves with the first value that is not undefined; rejects after the bound, saying what was waited for. The bound is
 * against what hangs: on a slow and busy machine the compiler alone needs two minutes.
 */
export async function waitUntil<T>(
  what: string | (() => string),
  sample: () => T | undefined | Promise<T | undefined>,
  withinMs = 240_000,
): Promise<T> {
  const begunAt = Date.now();
  for (;;) {
    const value = await sample();
    if (value !== undefined) return value;
    const passedMs = Date.now() - begunAt;
    if (passedMs > withinMs) {
      throw new Error(`not within ${withinMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(FIRST_PAUSE_MS, passedMs * PAUSE_SHARE));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
