/**
 * Metrics that are sent to a collector by OTLP (docs/prometheus.md), beside the lines that each cloud makes metrics of: one
 * object that wraps the other ports, so that one place serves both clouds.
 *
 * Invariants: where a site is not configured to send metrics, each wrapper hands back what it was given; and whatever becomes
 * of them, no result is another one for it.
 */
import type { Metrics, OwnMetrics } from './telemetry.ts';
import type { Tracing } from './tracing.ts';

/** A request that was answered. */
export interface Answered {
  readonly method: string;
  /** `/items/{id}`; undefined: no route has the path. */
  readonly route: string | undefined;
  readonly status: number;
  /** From its arrival at the function to the answer. */
  readonly ms: number;
}

export interface Metering {
  metrics(metrics: Metrics): Metrics;
  own(metrics: OwnMetrics): OwnMetrics;
  /** What the platform calls: what there is to send is sent beside the spans, before its result is given. */
  tracing(tracing: Tracing): Tracing;
  readonly answered: ((answered: Answered) => void) | undefined;
}

/** Of a site that sends none. */
export const noMetering: Metering = {
  metrics: (metrics) => metrics,
  own: (metrics) => metrics,
  tracing: (tracing) => tracing,
  answered: undefined,
};
