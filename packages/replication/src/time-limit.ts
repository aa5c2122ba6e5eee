/**
 * A bound on how long something may take that is made of calls: a batch of a queue, whose lock, or whose function, ends
 * at a known time.
 *
 * Invariant: nothing is begun once the time is over, and nothing is waited for beyond it. What was begun goes on by itself
 * and its end is of no interest, so it may take effect: whoever uses a limit must be able to do the same again.
 */
import { AmbiguousError, UnavailableError } from './errors.ts';

export interface TimeLimit {
  readonly isOver: boolean;
  /**
   * @param shares Into how many equal parts the whole time is divided, of which this call has one; 1: all that is left.
   * @throws UnavailableError when the time was over before; AmbiguousError when it, or the share, ran out meanwhile.
   */
  run<Result>(call: () => Promise<Result>, shares?: number): Promise<Result>;
}

export interface TimeLimitOptions {
  /** From now on. */
  readonly ms: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export function timeLimit({ ms, now = Date.now }: TimeLimitOptions): TimeLimit {
  const endsAtMs = now() + ms;
  return {
    get isOver() {
      return now() >= endsAtMs;
    },
    async run<Result>(call: () => Promise<Result>, shares = 1): Promise<Result> {
      const leftMs = endsAtMs - now();
      if (leftMs <= 0) throw new UnavailableError('the time for this batch is over');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new AmbiguousError('no answer in the time for this batch')),
          shares > 1 ? Math.min(leftMs, ms / shares) : leftMs,
        );
      });
      try {
        return await Promise.race([call(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
