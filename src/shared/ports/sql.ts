/** The database that a site keeps tables of its records in (docs/sql.md). */

/** A statement and what stands for `$1`, `$2`, … in it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface SqlDatabase {
  /**
   * Runs one statement.
   * @throws UnavailableError when it did not run and may later; AmbiguousError when nobody knows; RefusedError when the
   * database takes none of its values, for good.
   */
  run(statement: Statement): Promise<void>;
}
