/** Waiting for something that another function will do, within a bound. */
import { pollPauseMaxMs, pollPauseMs } from './bounds.ts';

/**
 * The pauses of one wait in milliseconds: each twice as long as the one before, up to the longest. They end
 * when `limitMs` are over by the clock or by their own sum, so a clock that stands still does not hold a request.
 */
export function* pauses(
  now: () => number,
  limitMs: number,
  { first, longest } = { first: pollPauseMs, longest: pollPauseMaxMs },
): Generator<number, undefined> {
  const startMs = now();
  let pausedMs = 0;
  for (let pauseMs = first; ; pauseMs = Math.min(pauseMs * 2, longest)) {
    const leftMs = limitMs - Math.max(pausedMs, now() - startMs);
    if (leftMs <= 0) return undefined;
    const nextMs = Math.min(pauseMs, leftMs);
    pausedMs += nextMs;
    yield nextMs;
  }
}
