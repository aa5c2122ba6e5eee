/** Traces as the collector shows them: for whoever lists or draws them, and without anything that a browser has not. */

/** Of one trace; what comes then is counted as dropped. */
export const SPANS_MAX = 10_000;

export interface SpanFacts {
  readonly spanId: string;
  readonly parentId?: string;
  readonly name: string;
  /** `server`, `client`, `producer`, `consumer` or `internal`. */
  readonly kind: string;
  /** The site that it is of: `tandem.site`, or what the sender is called. */
  readonly site: string;
  /** Epoch milliseconds, with microseconds behind the point. */
  readonly startMs: number;
  readonly endMs: number;
  /** `error.type`; absent: it did not fail. */
  readonly failure?: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface Trace {
  readonly traceId: string;
  /** In the order in which they began. */
  readonly spans: readonly SpanFacts[];
}

export interface TraceSummary {
  readonly traceId: string;
  /** Of what began it, as far as it is known. */
  readonly name: string;
  /** RFC 3339. */
  readonly at: string;
  /** From the first beginning to the last end. */
  readonly ms: number;
  readonly spans: number;
  readonly sites: readonly string[];
  readonly failed: boolean;
}

export interface TraceQuery {
  /** Of the names of its spans, one has this in it. */
  readonly route?: string | undefined;
  readonly minMs?: number | undefined;
  readonly failed?: boolean;
  /** A span is of the invocation that answered with this `X-Request-Id`. */
  readonly request?: string | undefined;
  /** Also what no request began: timers, and what they send. */
  readonly all?: boolean;
  readonly limit: number;
}
