/**
 * Measurements as OTLP/HTTP takes them in JSON. Counts are of their stretch of time alone (delta): of the many processes of a
 * site none is there for long, and a sum of one that is gone would stay for ever.
 * @see https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality
 */
import type { Attributes } from '../../ports/tracing.ts';
import { attributesOf, nanosOf } from '../tracing/otlp.ts';
import type { Instrument } from './instruments.ts';
import type { Measured, Series } from './meter.ts';

/** `AGGREGATION_TEMPORALITY_DELTA`. */
const DELTA = 1;

export interface Sender {
  /** Of this process: `service.name`, `cloud.region`. */
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  /** What every point has. */
  readonly attributes: Attributes;
}

export function otlpMetricsBody({ resource, scope, attributes }: Sender, measured: Measured): string {
  const byInstrument = Map.groupBy(measured.series, ({ instrument }) => instrument.name);
  const metrics = [...byInstrument.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [otlpMetric([first, ...others], attributes, measured)],
  );
  return JSON.stringify({
    resourceMetrics: [
      { resource: { attributes: attributesOf(resource) }, scopeMetrics: [{ scope, metrics }] },
    ],
  });
}

function otlpMetric(
  series: readonly [Series, ...Series[]],
  attributes: Attributes,
  { startMs, endMs }: Measured,
): object {
  const { name, unit, description, kind, bounds = [] } = series[0].instrument;
  const dataPoints = series.map((each) => ({
    attributes: attributesOf({ ...attributes, ...each.attributes }),
    timeUnixNano: nanosOf(kind === 'gauge' ? each.atMs : endMs),
    ...(kind !== 'gauge' && { startTimeUnixNano: nanosOf(startMs) }),
    ...valuesOf(each, kind, bounds),
  }));
  const sum = kind === 'count' && { aggregationTemporality: DELTA, isMonotonic: true };
  const histogram = kind === 'histogram' && { aggregationTemporality: DELTA };
  const field = kind === 'count' ? 'sum' : kind;
  return { name, unit, description, [field]: { ...sum, ...histogram, dataPoints } };
}

function valuesOf(
  { value, count, buckets }: Series,
  kind: Instrument['kind'],
  bounds: readonly number[],
): object {
  if (kind !== 'histogram') return { asDouble: value };
  return {
    count: String(count),
    sum: value,
    ...(bounds.length > 0 && { bucketCounts: buckets.map(String), explicitBounds: bounds }),
  };
}
