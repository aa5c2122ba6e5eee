/** Waits for a condition instead of a time. */

/** Resolves with the first value that is not undefined; rejects after the bound, saying what was waited for. */
export async function waitUntil<T>(
  what: string,
  sample: () => T | undefined | Promise<T | undefined>,
  withinMs = 120_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await sample();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
