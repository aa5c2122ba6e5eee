/**
 * The points of metrics that OTLP sends as JSON. Counts are taken as differences (delta) alone: totals of many processes would
 * need to be kept apart. What is of another kind is refused, and named.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { type Attribute, attributesOf } from './attributes.ts';

const DELTA = 1;

interface OtlpPoint {
  readonly attributes?: readonly Attribute[];
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly count?: string | number;
  readonly sum?: number;
  readonly bucketCounts?: readonly (string | number)[];
  readonly explicitBounds?: readonly number[];
}
interface OtlpData {
  readonly dataPoints?: readonly OtlpPoint[];
  readonly aggregationTemporality?: number;
  readonly isMonotonic?: boolean;
}
interface OtlpMetric {
  readonly name?: string;
  readonly unit?: string;
  readonly description?: string;
  readonly gauge?: OtlpData;
  readonly sum?: OtlpData;
  readonly histogram?: OtlpData;
  readonly exponentialHistogram?: OtlpData;
  readonly summary?: OtlpData;
}

export interface MetricPoint {
  readonly name: string;
  /** UCUM; '' where there is none. */
  readonly unit: string;
  readonly description: string;
  /** `upDown`: a difference, which may be below 0. */
  readonly kind: 'gauge' | 'counter' | 'upDown' | 'histogram';
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The value, or the sum of a histogram. */
  readonly value: number;
  readonly count: number;
  /** Upper bounds, and one more count than there are of them. */
  readonly bounds: readonly number[];
  readonly buckets: readonly number[];
}

export interface MetricsRead {
  readonly points: readonly MetricPoint[];
  readonly rejected: number;
  /** Why, of the last of them. */
  readonly reason: string;
}

/** @throws TypeError when it is no export request */
export function pointsIn(request: unknown): MetricsRead {
  const { resourceMetrics } = (request ?? {}) as { resourceMetrics?: unknown };
  if (!Array.isArray(resourceMetrics)) throw new TypeError('resourceMetrics: a list is needed');
  const points: MetricPoint[] = [];
  let [rejected, reason] = [0, ''];
  for (const { scopeMetrics = [] } of resourceMetrics as { scopeMetrics?: { metrics?: OtlpMetric[] }[] }[])
    for (const metric of scopeMetrics.flatMap(({ metrics = [] }) => metrics)) {
      const why = refusalOf(metric);
      const given = dataOf(metric)?.dataPoints ?? [];
      const read = why === undefined ? given.flatMap((point) => readPoint(metric, point)) : [];
      points.push(...read);
      rejected += given.length - read.length;
      if (read.length < given.length)
        reason = `${metric.name ?? ''}: ${why ?? 'a value is none that it can have'}`;
    }
  return { points, rejected, reason };
}

function dataOf({ gauge, sum, histogram, exponentialHistogram, summary }: OtlpMetric): OtlpData | undefined {
  return gauge ?? sum ?? histogram ?? exponentialHistogram ?? summary;
}

function refusalOf({ name = '', gauge, sum, histogram }: OtlpMetric): string | undefined {
  if (name === '') return 'it has no name';
  if (gauge !== undefined) return undefined;
  const data = sum ?? histogram;
  if (data === undefined) return 'only gauges, sums and histograms are taken';
  return data.aggregationTemporality === DELTA ? undefined : 'only deltas are taken';
}

function readPoint(metric: OtlpMetric, point: OtlpPoint): MetricPoint[] {
  const { name = '', unit = '', description = '', gauge, sum, histogram } = metric;
  const kind =
    gauge !== undefined
      ? 'gauge'
      : histogram !== undefined
        ? 'histogram'
        : sum?.isMonotonic === true
          ? 'counter'
          : 'upDown';
  const value = Number(histogram === undefined ? (point.asDouble ?? point.asInt) : (point.sum ?? 0));
  const count = Number(histogram === undefined ? 1 : point.count);
  const bounds = (point.explicitBounds ?? []).map(Number);
  const buckets = (point.bucketCounts ?? []).map(Number);
  const isWhole =
    [value, count, ...bounds, ...buckets].every(Number.isFinite) &&
    (kind !== 'counter' || value >= 0) &&
    (buckets.length === 0 || buckets.length === bounds.length + 1);
  if (!isWhole) return [];
  const attributes = attributesOf(point.attributes);
  return [{ name, unit, description, kind, attributes, value, count, bounds, buckets }];
}
