/** The limit of time on the clock and the timers of this process. */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';

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
