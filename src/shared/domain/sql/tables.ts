/**
 * The table of an entity in PostgreSQL, made of its declaration. Pure (docs/sql.md).
 *
 * Invariant: every table orders its rows by `_version`, which grows with each state that a site holds of a record; so a write
 * that comes late, or twice, changes nothing, and what is deleted stays as a row that no older write brings back.
 */
import { RefusedError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { isDeleted, newestStamp, type StoredRecord } from '@tandem-clouds/replication/record';
import { type SiteId, stampMs } from '@tandem-clouds/replication/stamp';
import type { Statement } from '../../ports/sql.ts';
import { type Entity, policyOf } from '../entity.ts';
import { valuesOf } from '../field-changes.ts';
import type { JsonSchema } from '../json-schema.ts';
import { versionOf } from '../state-version.ts';

type Scalar = 'text' | 'bigint' | 'double precision' | 'boolean' | 'timestamp with time zone';
/** As `format_type` of PostgreSQL names it. */
export type SqlType = Scalar | `${Scalar}[]` | 'jsonb' | 'numeric';

export interface Column {
  readonly name: string;
  readonly type: SqlType;
  /** Of the record; undefined: of the table itself. */
  readonly field?: string;
  /** Behind the type, in a table that is made. */
  readonly rule?: string;
}

export interface Table {
  readonly entity: string;
  readonly name: string;
  readonly columns: readonly Column[];
}

export const KEY = '_key';
export const VERSION = '_version';
export const DELETED = '_deleted';
/** When the record was changed last, by the clock of the site that changed it; and when its row was. */
export const CHANGED_AT = '_changed_at';
export const PROJECTED_AT = '_projected_at';

/** PostgreSQL cuts longer names, which would make two of them one (NAMEDATALEN - 1). */
const NAME_MAX = 63;

/** @throws TypeError naming two fields that would have one column, or a name that is too long: a mistake of the declaration */
export function tableOf(entity: Entity): Table {
  const fields = Object.entries(entity.fields).map(([field, schema]) => ({
    name: snake(field),
    field,
    type: typeOf(entity, field, schema),
  }));
  const columns: Column[] = [
    { name: KEY, type: 'text', rule: 'PRIMARY KEY' },
    { name: snake(entity.idField), type: 'text', field: 'id' },
    ...fields,
    { name: 'created_at', type: 'timestamp with time zone', field: 'createdAt' },
    { name: VERSION, type: 'numeric', rule: 'NOT NULL' },
    { name: DELETED, type: 'boolean', rule: 'NOT NULL DEFAULT false' },
    { name: CHANGED_AT, type: 'timestamp with time zone' },
    { name: PROJECTED_AT, type: 'timestamp with time zone', rule: 'NOT NULL DEFAULT now()' },
  ];
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new TypeError(`${entity.name}: two fields have the column ${twice}`);
  const name = snake(entity.collection);
  const long = [name, ...names].find((one) => Buffer.byteLength(one) > NAME_MAX);
  if (long !== undefined)
    throw new TypeError(`${entity.name}: PostgreSQL takes names of ${NAME_MAX} bytes, which ${long} exceeds`);
  return { entity: entity.name, name, columns };
}

/** Of a site: both may use one database of a laptop. */
export function schemaOf(site: SiteId): string {
  return site.replaceAll('-', '_');
}

/** `paidAtMs` → `paid_at_ms`, `order-notifications` → `order_notifications` */
export function snake(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

/** A name as PostgreSQL takes any. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function typeOf(entity: Entity, field: string, schema: JsonSchema): SqlType {
  const policy = policyOf(entity, field);
  if (policy === 'counter') return 'bigint';
  if (policy === 'states') return 'text';
  const { type, items } = schema as { type?: unknown; items?: JsonSchema };
  if (type === 'array') {
    const of = scalarOf(items ?? {});
    return of === undefined ? 'jsonb' : `${of}[]`;
  }
  return scalarOf(schema) ?? 'jsonb';
}

function scalarOf(schema: JsonSchema): Scalar | undefined {
  const { type, format } = schema as { type?: unknown; format?: unknown };
  if (type === 'string') return format === 'date-time' ? 'timestamp with time zone' : 'text';
  if (type === 'integer') return 'bigint';
  if (type === 'number') return 'double precision';
  return type === 'boolean' ? 'boolean' : undefined;
}

/**
 * What makes the row of a record what the record is, unless the row is newer. Of what is deleted nothing stays but its id,
 * its version and when.
 * @throws RefusedError naming the column and the value that it does not take
 */
export function upsert(schema: string, entity: Entity, table: Table, record: StoredRecord): Statement {
  const isGone = isDeleted(record.state);
  const row: Readonly<Record<string, Json>> = valuesOf(entity, record);
  const stamp = newestStamp(record.state);
  const own: Readonly<Record<string, unknown>> = {
    [KEY]: record.key,
    [VERSION]: versionOf(record.state),
    [DELETED]: isGone,
    [CHANGED_AT]: stamp === undefined ? null : new Date(stampMs(stamp)).toISOString(),
    [PROJECTED_AT]: undefined,
  };
  const values: unknown[] = [];
  const cells = table.columns.map((column) => {
    if (column.name === PROJECTED_AT) return 'clock_timestamp()';
    const isKept = !isGone || column.field === 'id';
    const value =
      column.field === undefined ? own[column.name] : isKept ? fitted(record.key, table, column, row) : null;
    values.push(value);
    return `$${values.length}`;
  });
  const columns = table.columns.map(({ name }) => quoted(name));
  const changed = columns.filter((name) => name !== quoted(KEY)).map((name) => `${name} = excluded.${name}`);
  return {
    text:
      `INSERT INTO ${quoted(schema)}.${quoted(table.name)} AS held (${columns.join(', ')}) VALUES (${cells.join(', ')}) ` +
      `ON CONFLICT (${quoted(KEY)}) DO UPDATE SET ${changed.join(', ')} ` +
      `WHERE excluded.${quoted(VERSION)} > held.${quoted(VERSION)}`,
    values,
  };
}

/** As the client sends it; null where the record has none. @throws RefusedError */
function fitted(key: string, table: Table, column: Column, row: Readonly<Record<string, Json>>): unknown {
  const value = row[column.field ?? ''];
  if (value === undefined || value === null) return null;
  if (!takes(column.type, value))
    throw new RefusedError(
      `${key}: ${column.field} is ${shortened(value)}, which ${table.name}.${column.name} (${column.type}) does not take`,
    );
  return column.type === 'jsonb' ? JSON.stringify(value) : value;
}

function takes(type: SqlType, value: Json): boolean {
  if (type === 'jsonb') return !hasNul(value);
  if (type.endsWith('[]')) {
    const of = type.slice(0, -2) as Scalar;
    return Array.isArray(value) && value.every((each) => takes(of, each as Json));
  }
  if (type === 'text') return typeof value === 'string' && !hasNul(value);
  if (type === 'bigint') return Number.isSafeInteger(value);
  if (type === 'double precision' || type === 'numeric') return typeof value === 'number';
  if (type === 'boolean') return typeof value === 'boolean';
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** No text of PostgreSQL has the character U+0000. */
function hasNul(value: Json): boolean {
  return JSON.stringify(value).includes('\\u0000');
}

function shortened(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
