/**
 * Lines of a log as OTLP/HTTP takes them in JSON.
 * @see https://opentelemetry.io/docs/specs/otel/logs/data-model/
 */
import { logBounds } from '../../bounds.ts';
import type { LogLevel, LogLine } from '../../ports/telemetry.ts';
import type { Attributes } from '../../ports/tracing.ts';
import { attributesOf, nanosOf, valueOf } from '../tracing/otlp.ts';

/** The first number of each range: "DEBUG", "INFO", "WARN", "ERROR". */
export const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 };
const SAMPLED = 1;
/** Of what is longer than a line may be, its message is cut to this. */
const CUT_CHARS = 1_024;
/** What is nested deeper than any line of ours is. */
const DEPTH_MAX = 8;

/** @param records As `otlpLogRecord` makes them. */
export function otlpLogsBody(
  resource: Attributes,
  scope: { readonly name: string; readonly version: string },
  records: readonly string[],
): string {
  const from = JSON.stringify({ attributes: attributesOf(resource) });
  const scopeLogs = `[{"scope":${JSON.stringify(scope)},"logRecords":[${records.join(',')}]}]`;
  return `{"resourceLogs":[{"resource":${from},"scopeLogs":${scopeLogs}}]}`;
}

/**
 * One line, at most `lineCharsMax` long.
 * @param uid Of this line alone: two records that have it are one.
 * @see https://opentelemetry.io/docs/specs/semconv/general/logs/#general-log-identification-attributes
 */
export function otlpLogRecord({ atMs, level, message, fields = {}, span }: LogLine, uid: string): string {
  const record = {
    timeUnixNano: nanosOf(atMs),
    observedTimeUnixNano: nanosOf(atMs),
    severityNumber: SEVERITY[level],
    severityText: level,
    ...(span !== undefined && {
      traceId: span.traceId,
      spanId: span.spanId,
      flags: span.isSampled ? SAMPLED : 0,
    }),
  };
  const id = attributesOf({ 'log.record.uid': uid });
  const whole = JSON.stringify({
    ...record,
    body: { stringValue: message },
    attributes: [...id, ...keyValues(JSON.parse(JSON.stringify(fields)) as object, 0)],
  });
  if (whole.length <= logBounds.lineCharsMax) return whole;
  return JSON.stringify({
    ...record,
    body: { stringValue: message.slice(0, CUT_CHARS) },
    attributes: id,
    droppedAttributesCount: Object.keys(fields).length,
  });
}

function keyValues(values: object, depth: number): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value, depth) }));
}

/** Of a JSON value; nothing is an empty one. */
function anyValue(value: unknown, depth: number): object {
  if (value === null || depth > DEPTH_MAX) return {};
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyValue(each, depth + 1)) } };
  if (typeof value === 'object') return { kvlistValue: { values: keyValues(value, depth + 1) } };
  return valueOf(value as string | number | boolean);
}
