/** Lines of logs of this machine, in the collector's database. A line that comes twice, by its id, is one. */
import { LEVELS, type LogLine, type LogQuery } from './log-line.ts';
import type { TelemetryDb } from './telemetry-db.ts';

interface LineRow {
  readonly at_ms: number;
  readonly severity: number;
  readonly level: string;
  readonly site: string;
  readonly message: string;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly attributes: string;
}

export class Logs {
  readonly #db: TelemetryDb;

  constructor(db: TelemetryDb) {
    this.#db = db;
  }

  add(given: readonly { readonly uid: string | undefined; readonly line: LogLine }[]): void {
    this.#db.transaction(() => {
      for (const { uid, line } of given)
        this.#db.run(
          `INSERT INTO lines (uid, heard_ms, at_ms, severity, level, site, message, trace_id, span_id, attributes)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
          ...[uid ?? null, this.#db.now(), line.atMs, line.severity, line.level, line.site, line.message],
          ...[line.traceId ?? null, line.spanId ?? null, JSON.stringify(line.attributes)],
        );
    });
  }

  /** The newest first. */
  list({ trace, level, text, site, limit }: LogQuery): readonly LogLine[] {
    const wanted: [string, ...(string | number)[]][] = [['heard_ms >= ?', this.#db.sinceMs]];
    if (trace !== undefined) wanted.push(['trace_id = ?', trace]);
    if (level !== undefined) wanted.push([`severity >= ${LEVELS[level]}`]);
    if (site !== undefined) wanted.push(['site = ?', site]);
    if (text !== undefined) wanted.push(["instr(lower(message || ' ' || attributes), lower(?)) > 0", text]);
    return this.#db
      .all<LineRow>(
        `SELECT at_ms, severity, level, site, message, trace_id, span_id, attributes FROM lines
         WHERE ${wanted.map(([condition]) => condition).join(' AND ')} ORDER BY seq DESC LIMIT ?`,
        ...wanted.flatMap(([, ...values]) => values),
        limit,
      )
      .map(lineOf);
  }
}

function lineOf(row: LineRow): LogLine {
  return {
    atMs: row.at_ms,
    severity: row.severity,
    level: row.level,
    site: row.site,
    message: row.message,
    ...(row.trace_id !== null && { traceId: row.trace_id }),
    ...(row.span_id !== null && { spanId: row.span_id }),
    attributes: JSON.parse(row.attributes) as LogLine['attributes'],
  };
}
