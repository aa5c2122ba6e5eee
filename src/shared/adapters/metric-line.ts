/** What both clouds write about measurements: a log line of its own, whatever the log level is. */
import type { MetricValues } from '../ports/telemetry.ts';

export interface MetricsOptions {
  readonly site: string;
  /** Receives whole lines, newline included. */
  readonly write: (line: string) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** The line as an object; `peer` is absent from a measurement of the whole site. */
export function metricLine(
  { site, now }: MetricsOptions,
  values: MetricValues,
  peer: string | undefined,
): Record<string, unknown> {
  const time = new Date(now()).toISOString();
  return { time, level: 'info', site, message: 'metrics', ...(peer !== undefined && { peer }), ...values };
}
