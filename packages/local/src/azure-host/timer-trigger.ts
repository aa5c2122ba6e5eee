/**
 * Timer triggers. As in the cloud: one run at a time, the next occurrence is counted from the end of a run, and
 * occurrences that a long run missed are not made up for.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
 */
import { parseSchedule } from './ncrontab.ts';
import type { TypedData } from './programming-model.ts';

/** `setTimeout` takes a signed 32-bit number of milliseconds. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export interface TimerTriggerOptions {
  /** NCRONTAB, in UTC. */
  readonly schedule: string;
  readonly runOnStartup: boolean;
  /** Runs the function with the timer object; must not reject. */
  readonly run: (input: TypedData) => Promise<void>;
  readonly now?: () => number;
}

export interface TimerTrigger {
  /** Starts no more runs and waits for the one under way. */
  close(): Promise<void>;
}

/** @throws SyntaxError when the schedule is not NCRONTAB. */
export function startTimer({
  schedule,
  runOnStartup,
  run,
  now = Date.now,
}: TimerTriggerOptions): TimerTrigger {
  const occurrences = parseSchedule(schedule);
  let timeout: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let closed = false;
  let lastMs: number | undefined;

  const fire = (): void => {
    const startedMs = now();
    running = run(timerInput({ lastMs, nextMs: occurrences.next(startedMs) })).then(() => {
      lastMs = startedMs;
      if (!closed) arm(occurrences.next(now()));
    });
  };
  const arm = (dueMs: number): void => {
    timeout = setTimeout(
      () => {
        // A timer may fire a moment early, and a long wait is cut into pieces.
        if (now() < dueMs) arm(dueMs);
        else fire();
      },
      Math.min(DELAY_MS_MAX, Math.max(0, dueMs - now())),
    );
  };

  if (runOnStartup) fire();
  else arm(occurrences.next(now()));
  return {
    async close() {
      closed = true;
      clearTimeout(timeout);
      await running;
    },
  };
}

/**
 * The object that a timer function gets. `isPastDue` says that the host was down when the timer was due, which it
 * knows from a blob that nothing here stands in for, so it is never true.
 */
function timerInput({ lastMs, nextMs }: { lastMs: number | undefined; nextMs: number }): TypedData {
  const last = lastMs === undefined ? '0001-01-01T00:00:00+00:00' : new Date(lastMs).toISOString();
  return {
    json: JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: { Last: last, LastUpdated: last, Next: new Date(nextMs).toISOString() },
      IsPastDue: false,
    }),
  };
}
