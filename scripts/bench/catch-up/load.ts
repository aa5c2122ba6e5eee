/** How busy the machine was, and how long this process let others wait: what a rise of latencies must be held against. */
import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Load {
  /** Share of the processors' time that was used, by anybody on this machine. */
  readonly busy: number;
  /** Milliseconds that a timer of this process was late. */
  readonly loopDelayP99Ms: number;
}

interface Times {
  readonly idle: number;
  readonly all: number;
}

function times(): Times {
  const each = os.cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    all: user + nice + sys + idle + irq,
  }));
  return {
    idle: each.reduce((sum, { idle }) => sum + idle, 0),
    all: each.reduce((sum, { all }) => sum + all, 0),
  };
}

/** Begins to measure; what it returns ends it. */
export function measureLoad(): () => Load {
  const before = times();
  const histogram = monitorEventLoopDelay({ resolution: 10 });
  histogram.enable();
  return () => {
    histogram.disable();
    const after = times();
    return {
      busy: 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all),
      loopDelayP99Ms: histogram.percentile(99) / 1e6,
    };
  };
}
