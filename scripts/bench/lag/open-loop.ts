/**
 * An open-loop schedule: every call has its time, and a slow answer delays no later call, as with real clients.
 * A closed loop would write less while the system is slow, and so would not see how slow it is
 * ("coordinated omission").
 */

export interface Schedule {
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Milliseconds until the first call. */
  readonly offsetMs: number;
}

/** Monotonic milliseconds, and waiting; injected for tests. */
export interface Time {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/**
 * Starts `call(n, dueAt)` at each due time without waiting for it, and resolves with all results once the last has
 * settled. Latency is to be measured from `dueAt`: starting late is the system's fault too.
 * @throws whatever the first failed call throws, after all have settled.
 */
export async function openLoop<Result>(
  { rate, seconds, offsetMs }: Schedule,
  { now, sleep }: Time,
  call: (n: number, dueAt: number) => Promise<Result>,
): Promise<Result[]> {
  const begin = now() + offsetMs;
  const calls: Promise<Result>[] = [];
  const count = Math.round(rate * seconds);
  for (let n = 0; n < count; n += 1) {
    const dueAt = begin + (n * 1_000) / rate;
    const wait = dueAt - now();
    if (wait > 0) await sleep(wait);
    const started = call(n, dueAt);
    // It is looked at below; until then a failure is not an unhandled one.
    started.catch(() => undefined);
    calls.push(started);
  }
  await Promise.allSettled(calls);
  return Promise.all(calls);
}
