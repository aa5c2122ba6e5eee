/** A span, and the spans of one invocation of a function. */
import { AppError } from '@tandem-clouds/replication/errors';
import { traceBounds } from '../../bounds.ts';
import type { Attributes } from '../../ports/tracing.ts';

/** As OTLP numbers them. */
export const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export type SpanKind = keyof typeof KINDS;

/** What crosses from one process to another (W3C Trace Context, section 3.2). */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** @param traceparent Checked (`traceparent.ts`). */
export function contextOf(traceparent: string): SpanContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    isSampled: (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1,
  };
}

export interface SpanOptions {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly SpanContext[];
}

export class Span implements SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly isSampled: boolean;
  readonly kind: SpanKind;
  readonly links: readonly SpanContext[];
  readonly invocation: Invocation;
  readonly startMs: number;
  name: string;
  attributes: Attributes;
  endMs: number | undefined;
  /** `error.type`; undefined: none. */
  failure: string | undefined;

  constructor(
    invocation: Invocation,
    { traceId, spanId, isSampled }: SpanContext,
    { parentId, name, kind, attributes = {}, links = [] }: SpanOptions & { parentId: string | undefined },
  ) {
    this.invocation = invocation;
    this.traceId = traceId;
    this.spanId = spanId;
    this.isSampled = isSampled;
    this.parentId = parentId;
    this.name = name;
    this.kind = kind;
    this.attributes = attributes;
    this.links = links.slice(0, traceBounds.linksMax);
    this.startMs = invocation.nowMs();
  }

  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-${this.isSampled ? '01' : '00'}`;
  }

  set(attributes: Attributes): void {
    this.attributes = { ...this.attributes, ...attributes };
  }

  /** Notes what went wrong by its kind alone: messages may hold values of records. */
  fail(error: unknown): void {
    this.failure =
      error instanceof AppError ? error.code : error instanceof Error ? error.name : String(error);
  }

  end(): void {
    if (this.endMs !== undefined) return;
    this.endMs = this.invocation.nowMs();
    this.invocation.take(this);
  }
}

/**
 * What ended in one invocation. Its clock goes by the monotonic one from the moment of the beginning on, so that within it
 * nothing ends before it began; a process may be frozen between two.
 */
export class Invocation {
  readonly #atMs: number;
  readonly #elapsed: () => number;
  readonly #elapsedAtMs: number;
  #spans: Span[] = [];
  #late: ((span: Span) => void) | undefined;
  hasFailed = false;
  /** The last to end, and always among them. */
  root: Span | undefined;

  constructor({ now, elapsed }: { now: () => number; elapsed: () => number }) {
    this.#atMs = now();
    this.#elapsed = elapsed;
    this.#elapsedAtMs = elapsed();
  }

  nowMs(): number {
    return this.#atMs + this.#elapsed() - this.#elapsedAtMs;
  }

  take(span: Span): void {
    if (span.failure !== undefined) this.hasFailed = true;
    if (this.#late !== undefined) this.#late(span);
    else if (this.#spans.length < traceBounds.invocationSpansMax || span === this.root)
      this.#spans.push(span);
  }

  /** @param late Gets what ends after the invocation has. */
  finish(late: (span: Span) => void): readonly Span[] {
    this.#late = late;
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }
}
