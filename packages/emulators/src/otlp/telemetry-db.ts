/**
 * The database of the collector: SQLite of Node, in a file or in memory, loaded when the first collector starts. What is in the
 * file stays when the process of the collector dies; not when the machine does (nothing is synced).
 *
 * Invariant: no more than `bytesMax` is kept, and nothing that is older than `KEPT_MS`; the oldest goes first.
 */
import fs from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export const KEPT_MS = 60 * 60_000;
export const BYTES_MAX = 256 * 1024 * 1024;
/** Of a file with other tables: it is made anew. */
const VERSION = 1;
/** How much goes at once when there is no more room, so that it is not asked for each time. */
const SHARE_REMOVED = 10;

const SCHEMA = `
CREATE TABLE traces (
  seq INTEGER PRIMARY KEY, trace_id TEXT NOT NULL UNIQUE, heard_ms REAL NOT NULL,
  start_ms REAL NOT NULL, end_ms REAL NOT NULL, ms REAL GENERATED ALWAYS AS (end_ms - start_ms) STORED,
  spans INTEGER NOT NULL, failed INTEGER NOT NULL, requested INTEGER NOT NULL
) STRICT;
CREATE INDEX traces_heard ON traces (heard_ms);
CREATE INDEX traces_ms ON traces (ms);
CREATE INDEX traces_failed ON traces (seq) WHERE failed = 1;
CREATE INDEX traces_requested ON traces (seq) WHERE requested = 1;
CREATE TABLE spans (
  trace INTEGER NOT NULL REFERENCES traces (seq) ON DELETE CASCADE,
  span_id TEXT NOT NULL, parent_id TEXT, name TEXT NOT NULL, kind TEXT NOT NULL, site TEXT NOT NULL,
  start_ms REAL NOT NULL, end_ms REAL NOT NULL, failure TEXT, invocation TEXT,
  attributes TEXT NOT NULL, links TEXT NOT NULL,
  UNIQUE (trace, span_id)
) STRICT;
CREATE INDEX spans_start ON spans (trace, start_ms);
CREATE INDEX spans_invocation ON spans (invocation) WHERE invocation IS NOT NULL;
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE trace_names (
  name INTEGER NOT NULL, trace INTEGER NOT NULL REFERENCES traces (seq) ON DELETE CASCADE,
  PRIMARY KEY (name, trace)
) STRICT, WITHOUT ROWID;
CREATE INDEX trace_names_trace ON trace_names (trace);
CREATE TABLE lines (
  seq INTEGER PRIMARY KEY, uid TEXT UNIQUE, heard_ms REAL NOT NULL, at_ms REAL NOT NULL,
  severity INTEGER NOT NULL, level TEXT NOT NULL, site TEXT NOT NULL, message TEXT NOT NULL,
  trace_id TEXT, span_id TEXT, attributes TEXT NOT NULL
) STRICT;
CREATE INDEX lines_heard ON lines (heard_ms);
CREATE INDEX lines_trace ON lines (trace_id, seq) WHERE trace_id IS NOT NULL;
CREATE INDEX lines_site ON lines (site, seq);
CREATE INDEX lines_severe ON lines (seq) WHERE severity >= 13;
PRAGMA user_version = ${VERSION};
`;

export interface TelemetryDbOptions {
  /** Absent: in memory. */
  readonly file?: string | undefined;
  /** Epoch milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly bytesMax?: number | undefined;
}

export class TelemetryDb {
  readonly now: () => number;
  readonly #db: DatabaseSync;
  readonly #bytesMax: number;
  readonly #prepared = new Map<string, StatementSync>();

  /** @throws Error when Node has no SQLite, or the file cannot be made. */
  constructor({ file, now = Date.now, bytesMax = BYTES_MAX }: TelemetryDbOptions = {}) {
    this.now = now;
    this.#bytesMax = bytesMax;
    this.#db = open(file);
  }

  /** @param query Kept prepared: values belong into `values`. */
  run(query: string, ...values: (string | number | null)[]): { changed: number; rowId: number } {
    const { changes, lastInsertRowid } = this.#statement(query).run(...values);
    return { changed: Number(changes), rowId: Number(lastInsertRowid) };
  }

  all<Row>(query: string, ...values: (string | number | null)[]): Row[] {
    return this.#statement(query).all(...values) as unknown as Row[];
  }

  /** All of what `write` does, or nothing of it; then what is too old or too much goes. */
  transaction(write: () => void): void {
    this.#db.exec('BEGIN');
    try {
      write();
      this.#makeRoom();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** What is older than this is not shown, whether it was removed yet or not. */
  get sinceMs(): number {
    return this.now() - KEPT_MS;
  }

  /** What is in use of the file. */
  get bytes(): number {
    const pragma = (name: string): number =>
      this.all<Record<string, number>>(`PRAGMA ${name}`)[0]?.[name] ?? 0;
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  close(): void {
    this.#db.close();
  }

  #statement(query: string): StatementSync {
    const found = this.#prepared.get(query) ?? this.#db.prepare(query);
    this.#prepared.set(query, found);
    return found;
  }

  #makeRoom(): void {
    this.run('DELETE FROM traces WHERE heard_ms < ?', this.sinceMs);
    this.run('DELETE FROM lines WHERE heard_ms < ?', this.sinceMs);
    while (this.bytes > this.#bytesMax) {
      const removed = ['traces', 'lines'].map((table) =>
        this.run(
          `DELETE FROM ${table} WHERE seq <= (SELECT min(seq) + (max(seq) - min(seq)) / ${SHARE_REMOVED} FROM ${table})`,
        ),
      );
      this.run('DELETE FROM names WHERE id NOT IN (SELECT name FROM trace_names)');
      if (removed.every(({ changed }) => changed === 0)) return;
    }
  }
}

function open(file: string | undefined): DatabaseSync {
  // A package that nobody asks for traces runs on a Node that has no SQLite.
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (sqlite === undefined)
    throw new Error(
      'the collector keeps what it takes in SQLite of Node, which this Node does not have: 22.13 has',
    );
  if (file === undefined) return made(new sqlite.DatabaseSync(':memory:'));
  const db = new sqlite.DatabaseSync(file);
  if (versionOf(db) === VERSION) return ready(db);
  db.close();
  for (const suffix of ['', '-wal', '-shm']) fs.rmSync(file + suffix, { force: true });
  return made(new sqlite.DatabaseSync(file));
}

function made(db: DatabaseSync): DatabaseSync {
  ready(db).exec(SCHEMA);
  return db;
}

function ready(db: DatabaseSync): DatabaseSync {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON');
  return db;
}

/** What is no database, or a damaged one, has none. */
function versionOf(db: DatabaseSync): number | undefined {
  try {
    return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
  } catch {
    return undefined;
  }
}
