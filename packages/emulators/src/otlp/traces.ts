/**
 * Traces of this machine, in the collector's database.
 *
 * Invariant: a span that comes twice is one, and of one trace no more than `SPANS_MAX` are kept.
 */
import type { TelemetryDb } from './telemetry-db.ts';
import { type SpanFacts, SPANS_MAX, type Trace, type TraceQuery, type TraceSummary } from './trace.ts';

/** Of OpenTelemetry's conventions: what a site answers as `X-Request-Id`. */
const INVOCATION = 'faas.invocation_id';

interface SpanRow {
  readonly span_id: string;
  readonly parent_id: string | null;
  readonly name: string;
  readonly kind: string;
  readonly site: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly failure: string | null;
  readonly attributes: string;
  readonly links: string;
}
interface TraceRow {
  readonly seq: number;
  readonly trace_id: string;
  readonly start_ms: number;
  readonly ms: number;
  readonly spans: number;
  readonly failed: number;
}

const ROOT = `SELECT name FROM spans AS span WHERE trace = ? AND NOT EXISTS (
  SELECT 1 FROM spans AS parent WHERE parent.trace = span.trace AND parent.span_id = span.parent_id
) ORDER BY start_ms LIMIT 1`;
const FIRST = 'SELECT name FROM spans WHERE trace = ? ORDER BY start_ms LIMIT 1';

export class Traces {
  readonly #db: TelemetryDb;
  /** Spans that there was no room for. */
  dropped = 0;

  constructor(db: TelemetryDb) {
    this.#db = db;
  }

  add(given: readonly { readonly traceId: string; readonly span: SpanFacts }[]): void {
    this.#db.transaction(() => {
      for (const { traceId, span } of given) this.#add(traceId, span);
    });
  }

  find(traceId: string): Trace | undefined {
    const [found] = this.#db.all<TraceRow>(
      'SELECT seq FROM traces WHERE trace_id = ? AND heard_ms >= ?',
      traceId,
      this.#db.sinceMs,
    );
    if (found === undefined) return undefined;
    const rows = this.#db.all<SpanRow>('SELECT * FROM spans WHERE trace = ? ORDER BY start_ms', found.seq);
    return { traceId, spans: rows.map(factsOf) };
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
    const wanted: [string, ...(string | number)[]][] = [['heard_ms >= ?', this.#db.sinceMs]];
    if (minMs > 0) wanted.push(['ms >= ?', minMs]);
    if (failed) wanted.push(['failed = 1']);
    if (!all) wanted.push(['requested = 1']);
    if (route !== undefined)
      // Names are few: those with this in them first, then their traces.
      wanted.push([
        'seq IN (SELECT trace FROM trace_names WHERE name IN (SELECT id FROM names WHERE instr(name, ?) > 0))',
        route,
      ]);
    if (request !== undefined)
      wanted.push(['seq IN (SELECT trace FROM spans WHERE invocation = ?)', request]);
    const rows = this.#db.all<TraceRow>(
      `SELECT seq, trace_id, start_ms, ms, spans, failed FROM traces
       WHERE ${wanted.map(([condition]) => condition).join(' AND ')} ORDER BY seq DESC LIMIT ?`,
      ...wanted.flatMap(([, ...values]) => values),
      limit,
    );
    return rows.map((row) => this.#summaryOf(row));
  }

  #add(traceId: string, span: SpanFacts): void {
    const { seq, spans } = this.#heard(traceId, span);
    const { name, kind, startMs, endMs, failure } = span;
    if (spans >= SPANS_MAX) {
      this.dropped += 1;
      return;
    }
    const { changed } = this.#db.run(
      'INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      ...[seq, span.spanId, span.parentId ?? null, name, kind, span.site, startMs, endMs, failure ?? null],
      invocationOf(span),
      ...[JSON.stringify(span.attributes), JSON.stringify(span.links)],
    );
    if (changed === 0) return;
    this.#db.run(
      `UPDATE traces SET spans = spans + 1, start_ms = min(start_ms, ?), end_ms = max(end_ms, ?),
       failed = max(failed, ?), requested = max(requested, ?) WHERE seq = ?`,
      ...[startMs, endMs, failure === undefined ? 0 : 1, kind === 'server' ? 1 : 0, seq],
    );
    this.#db.run('INSERT INTO names (name) VALUES (?) ON CONFLICT DO NOTHING', name);
    this.#db.run(
      'INSERT INTO trace_names SELECT id, ? FROM names WHERE name = ? ON CONFLICT DO NOTHING',
      ...[seq, name],
    );
  }

  #heard(traceId: string, { startMs, endMs }: SpanFacts): { seq: number; spans: number } {
    const [found] = this.#db.all<{ seq: number; spans: number }>(
      `INSERT INTO traces (trace_id, heard_ms, start_ms, end_ms, spans, failed, requested) VALUES (?, ?, ?, ?, 0, 0, 0)
       ON CONFLICT (trace_id) DO UPDATE SET heard_ms = excluded.heard_ms RETURNING seq, spans`,
      ...[traceId, this.#db.now(), startMs, endMs],
    );
    if (found === undefined) throw new Error('an insert has returned no row');
    return found;
  }

  #summaryOf({ seq, trace_id: traceId, start_ms: startMs, ms, spans, failed }: TraceRow): TraceSummary {
    const name = (query: string): string | undefined => this.#db.all<{ name: string }>(query, seq)[0]?.name;
    return {
      traceId,
      name: name(ROOT) ?? name(FIRST) ?? '',
      at: new Date(startMs).toISOString(),
      ms: Math.round(ms * 1_000) / 1_000,
      spans,
      sites: this.#db
        .all<{ site: string }>(
          'SELECT site FROM spans WHERE trace = ? GROUP BY site ORDER BY min(start_ms)',
          seq,
        )
        .map(({ site }) => site),
      failed: failed === 1,
    };
  }
}

function invocationOf({ attributes }: SpanFacts): string | null {
  const invocation = attributes[INVOCATION];
  return invocation === undefined ? null : String(invocation);
}

function factsOf(row: SpanRow): SpanFacts {
  return {
    spanId: row.span_id,
    ...(row.parent_id !== null && { parentId: row.parent_id }),
    name: row.name,
    kind: row.kind,
    site: row.site,
    startMs: row.start_ms,
    endMs: row.end_ms,
    ...(row.failure !== null && { failure: row.failure }),
    attributes: JSON.parse(row.attributes) as SpanFacts['attributes'],
    links: JSON.parse(row.links) as SpanFacts['links'],
  };
}
