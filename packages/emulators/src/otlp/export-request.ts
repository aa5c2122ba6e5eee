/**
 * What OTLP sends as JSON, read with tolerance: what is not understood is left out.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { type Attribute, attributesOf } from './attributes.ts';
import type { SpanFacts } from './trace.ts';

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];
const ERROR = 2;
const ID = /^[0-9a-f]+$/;

interface OtlpSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string | number;
  readonly endTimeUnixNano?: string | number;
  readonly attributes?: readonly Attribute[];
  readonly links?: readonly { readonly traceId?: string; readonly spanId?: string }[];
  readonly status?: { readonly code?: number };
}
interface ExportRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[];
  }[];
}

/** @throws TypeError when it is no export request */
export function spansIn(request: unknown): { readonly traceId: string; readonly span: SpanFacts }[] {
  const { resourceSpans } = (request ?? {}) as ExportRequest;
  if (!Array.isArray(resourceSpans)) throw new TypeError('resourceSpans: a list is needed');
  return (resourceSpans as NonNullable<ExportRequest['resourceSpans']>).flatMap(
    ({ resource, scopeSpans = [] }) => {
      const named = attributesOf(resource?.attributes);
      const site = String(named['tandem.site'] ?? named['service.name'] ?? 'unknown');
      return scopeSpans.flatMap(({ spans = [] }) => spans.flatMap((span) => read(span, site)));
    },
  );
}

function read(span: OtlpSpan, site: string): { traceId: string; span: SpanFacts }[] {
  const { traceId = '', spanId = '', parentSpanId = '', kind = 0, links = [] } = span;
  if (!ID.test(traceId) || !ID.test(spanId)) return [];
  const attributes = attributesOf(span.attributes);
  const startMs = msOf(span.startTimeUnixNano);
  return [
    {
      traceId,
      span: {
        spanId,
        ...(parentSpanId !== '' && { parentId: parentSpanId }),
        name: span.name ?? '',
        kind: KINDS[kind] ?? 'internal',
        site,
        startMs,
        endMs: Math.max(startMs, msOf(span.endTimeUnixNano)),
        ...(span.status?.code === ERROR && { failure: String(attributes['error.type'] ?? 'error') }),
        attributes,
        links: links.map((link) => ({ traceId: link.traceId ?? '', spanId: link.spanId ?? '' })),
      },
    },
  ];
}

/** Epoch milliseconds, with microseconds behind the point; 0: none. */
export function msOf(nanos: string | number = 0): number {
  const text = String(nanos);
  return /^\d{1,20}$/.test(text) ? Number(BigInt(text) / 1_000n) / 1_000 : 0;
}
