/** `rate(…)` schedules of EventBridge: the event that a rule sends, and a clock that sends it. */
import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from 'aws-lambda';

export interface ScheduleOptions {
  readonly periodMs: number;
  /** How soon the first run follows. */
  readonly firstAfterMs: number;
  /** Must not reject. */
  readonly run: () => Promise<void>;
}

/** The event of a scheduled rule, in the shape that EventBridge gives it. */
export function scheduledEvent(options: {
  readonly region: string;
  readonly rule: string;
  readonly now: Date;
}): EventBridgeEvent<'Scheduled Event', Record<string, never>> {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    // EventBridge gives whole seconds.
    time: options.now.toISOString().replace(/\.\d+Z$/, 'Z'),
    region: options.region,
    resources: [`arn:aws:events:${options.region}:000000000000:rule/${options.rule}`],
    detail: {},
  };
}

/** Runs at a fixed rate, whether or not the run before is over, like EventBridge. Returns how to stop it. */
export function startSchedule({ periodMs, firstAfterMs, run }: ScheduleOptions): () => void {
  let interval: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    interval = setInterval(() => void run(), periodMs);
    void run();
  }, firstAfterMs);
  return () => {
    clearTimeout(first);
    clearInterval(interval);
  };
}
