/** Waiting for something that another function will do, within a bound. */
import { pollPauseMaxMs, pollPauseMs } from './bounds.ts';

/**
 * The pauses of one wait in milliseconds: each twice as long as the one before, up to `pollPauseMaxMs`. They end
 * when `limitMs` are over by the clock or by their own sum, so a clock that stands still does not hold a request.
 */
export function* pauses(now: () => number, limitMs: number): Generator<number, undefined> {
  const startMs = now();
  let pausedMs = 0;
  for (let pauseMs = pollPauseMs; ; pauseMs = Math.min(pauseMs * 2, pollPauseMaxMs)) {
    const leftMs = limitMs - Math.max(pausedMs, now() - startMs);
    if (leftMs <= 0) return undefined;
    const nextMs = Math.min(pauseMs, leftMs);
    pausedMs += nextMs;
    yield nextMs;
  }
}
