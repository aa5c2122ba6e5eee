/** Time that passes only when somebody sleeps. */
import type { Clock } from '../../../dns/provider.ts';

export interface VirtualClock extends Clock {
  /** Every pause that was asked for. */
  readonly sleeps: readonly number[];
  /** Called after each pause, with the time. */
  onSleep: (nowMs: number) => void;
}

export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let nowMs = startMs;
  const sleeps: number[] = [];
  return {
    sleeps,
    onSleep: () => undefined,
    now: () => nowMs,
    async sleep(ms) {
      sleeps.push(ms);
      nowMs += ms;
      this.onSleep(nowMs);
      await Promise.resolve();
    },
  };
}
