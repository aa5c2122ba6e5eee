/**
 * Traces of this machine, in memory.
 *
 * Invariant: no more than `TRACES_MAX` traces of `SPANS_MAX` spans each are kept, those that began last, and none that has been
 * quiet for longer than `KEPT_MS`. A span that comes twice is one.
 */

export const TRACES_MAX = 2_000;
export const SPANS_MAX = 1_000;
export const KEPT_MS = 60 * 60_000;

/** Of OpenTelemetry's conventions: what a site answers as `X-Request-Id`. */
const INVOCATION = 'faas.invocation_id';

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

interface Kept {
  readonly spans: Map<string, SpanFacts>;
  heardMs: number;
}

export class Traces {
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;
  /** Spans that there was no room for. */
  dropped = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(traceId: string, span: SpanFacts): void {
    const kept = this.#kept.get(traceId) ?? { spans: new Map<string, SpanFacts>(), heardMs: 0 };
    kept.heardMs = this.#now();
    if (kept.spans.size < SPANS_MAX) kept.spans.set(span.spanId, span);
    else this.dropped += 1;
    this.#kept.set(traceId, kept);
    this.#makeRoom();
  }

  find(traceId: string): Trace | undefined {
    this.#makeRoom();
    const kept = this.#kept.get(traceId);
    return kept && { traceId, spans: [...kept.spans.values()].sort((a, b) => a.startMs - b.startMs) };
  }

  /** The newest first. */
  list({
    route,
    minMs = 0,
    failed = false,
    request,
    all = false,
    limit,
  }: TraceQuery): readonly TraceSummary[] {
    this.#makeRoom();
    const found: TraceSummary[] = [];
    for (const traceId of [...this.#kept.keys()].reverse()) {
      const spans = this.find(traceId)?.spans ?? [];
      const summary = summaryOf(traceId, spans);
      const isWanted =
        summary.ms >= minMs &&
        (!failed || summary.failed) &&
        (all || spans.some(({ kind }) => kind === 'server')) &&
        (route === undefined || spans.some(({ name }) => name.includes(route))) &&
        (request === undefined || spans.some(({ attributes }) => attributes[INVOCATION] === request));
      if (isWanted) found.push(summary);
      if (found.length >= limit) break;
    }
    return found;
  }

  #makeRoom(): void {
    const beforeMs = this.#now() - KEPT_MS;
    for (const [traceId, { heardMs }] of this.#kept) {
      if (this.#kept.size <= TRACES_MAX && heardMs >= beforeMs) return;
      this.#kept.delete(traceId);
    }
  }
}

function summaryOf(traceId: string, spans: readonly SpanFacts[]): TraceSummary {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const root = spans.find(({ parentId }) => parentId === undefined || !known.has(parentId)) ?? spans[0];
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.endMs));
  return {
    traceId,
    name: root?.name ?? '',
    at: new Date(startMs).toISOString(),
    ms: Math.round((endMs - startMs) * 1_000) / 1_000,
    spans: spans.length,
    sites: [...new Set(spans.map(({ site }) => site))],
    failed: spans.some(({ failure }) => failure !== undefined),
  };
}
