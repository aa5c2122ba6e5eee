/**
 * Spans as OTLP/HTTP takes them in JSON: ids in hexadecimal, times and whole numbers as text.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import type { Attributes } from '../../ports/tracing.ts';
import { KINDS, type Span, type SpanContext } from './span.ts';

/** `STATUS_CODE_ERROR`; unset is what everything else is. */
const ERROR = 2;
const SAMPLED = 1;

/** @param resource Of this process: `service.name`, `cloud.region`. */
export function otlpBody(
  resource: Attributes,
  scope: { readonly name: string; readonly version: string },
  spans: readonly Span[],
): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope, spans: spans.map(otlpSpan) }],
      },
    ],
  });
}

function otlpSpan(span: Span): object {
  const { parentId, failure, links } = span;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(parentId !== undefined && { parentSpanId: parentId }),
    flags: flagsOf(span),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanosOf(span.startMs),
    endTimeUnixNano: nanosOf(span.endMs ?? span.startMs),
    attributes: attributesOf({ ...span.attributes, 'error.type': failure }),
    ...(links.length > 0 && { links: links.map(otlpLink) }),
    status: failure === undefined ? {} : { code: ERROR },
  };
}

function otlpLink(link: SpanContext): object {
  return { traceId: link.traceId, spanId: link.spanId, flags: flagsOf(link) };
}

function flagsOf({ isSampled }: SpanContext): number {
  return isSampled ? SAMPLED : 0;
}

/** A double holds microseconds since 1970, and no nanoseconds. */
export function nanosOf(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}

export function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  );
}

export function valueOf(value: string | number | boolean): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
