/**
 * From what a database has to what the declarations say, as statements that a person sees before anything is done. Pure.
 *
 * Invariant: nothing that holds data is dropped. A column that no field has, and a type that cannot be changed without loss, are
 * named and left to a person.
 */
import { type Column, quoted, type SqlType, type Table } from './tables.ts';

/** A column as the database has it. */
export interface FoundColumn {
  readonly table: string;
  readonly column: string;
  /** As `format_type` names it. */
  readonly type: string;
}

export interface Plan {
  readonly statements: readonly string[];
  /** What a person has to decide, as sentences. */
  readonly problems: readonly string[];
}

/** Type → those that hold all its values, so that PostgreSQL converts them by itself. */
const WIDER: Readonly<Partial<Record<string, readonly SqlType[]>>> = {
  bigint: ['numeric', 'double precision'],
  integer: ['bigint', 'numeric', 'double precision'],
  'character varying': ['text'],
};

export function planOf(schema: string, tables: readonly Table[], found: readonly FoundColumn[]): Plan {
  const statements: string[] = [];
  const problems: string[] = [];
  for (const table of tables) {
    const held = new Map(
      found.filter((one) => one.table === table.name).map(({ column, type }) => [column, type]),
    );
    const name = `${quoted(schema)}.${quoted(table.name)}`;
    if (held.size === 0) {
      statements.push(createTable(name, table));
      continue;
    }
    for (const column of table.columns) {
      const type = held.get(column.name);
      if (type === undefined) statements.push(`ALTER TABLE ${name} ADD COLUMN ${definition(column)}`);
      else if (type !== column.type && WIDER[type]?.includes(column.type) === true)
        statements.push(`ALTER TABLE ${name} ALTER COLUMN ${quoted(column.name)} TYPE ${column.type}`);
      else if (type !== column.type)
        problems.push(
          `${table.name}.${column.name} is ${type}, and ${table.entity} says ${column.type}: not every value can become one, so change it by hand, or drop the column and fill it again with tandem sql backfill`,
        );
    }
    const declared = new Set(table.columns.map((column) => column.name));
    for (const column of held.keys())
      if (!declared.has(column))
        problems.push(
          `${table.name}.${column} is no field of ${table.entity}: nothing fills it; drop it by hand once nobody reads it`,
        );
  }
  return {
    statements:
      statements.length > 0 && found.length === 0
        ? [`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`, ...statements]
        : statements,
    problems,
  };
}

function createTable(name: string, { columns }: Table): string {
  return `CREATE TABLE ${name} (\n${columns.map((column) => `  ${definition(column)}`).join(',\n')}\n)`;
}

/** The key cannot come later: a table without it was not made here. */
function definition({ name, type, rule }: Column): string {
  return [quoted(name), type, ...(rule === undefined ? [] : [rule])].join(' ');
}

/** Asks for every column of a schema. */
export const FOUND_COLUMNS = `SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, NULL) AS "type"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum`;
