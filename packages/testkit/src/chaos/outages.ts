/** How long a door was shut, as its clients saw it. Pure. */
import type { Attempt } from '../history/client-log.ts';

export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly failures: number;
}

/** A door answered when it took the request, or refused it for a reason of its own: not when it failed. */
function responded({ status }: Attempt): boolean {
  return status > 0 && status < 500;
}

/**
 * Every time in which requests failed and none was answered: from the answer before the first failure to the
 * first answer after it. `attempts` are those of one door.
 */
export function outagesOf(attempts: readonly Attempt[]): readonly Outage[] {
  const outages: Outage[] = [];
  let lastGoodMs: number | undefined;
  let failures = 0;
  for (const attempt of attempts.toSorted((a, b) => a.endMs - b.endMs)) {
    if (!responded(attempt)) {
      failures += 1;
      continue;
    }
    if (failures > 0)
      outages.push({ fromMs: lastGoodMs ?? attempt.startMs, untilMs: attempt.endMs, failures });
    lastGoodMs = attempt.endMs;
    failures = 0;
  }
  return outages;
}

/** Milliseconds of the longest; 0 when there was none. */
export function longestMs(outages: readonly Outage[]): number {
  return Math.max(0, ...outages.map(({ fromMs, untilMs }) => untilMs - fromMs));
}
