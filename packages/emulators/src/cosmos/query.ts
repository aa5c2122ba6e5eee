/**
 * Runs one query, or one page of it, over a container or a list of definitions.
 *
 * Invariant: rows have a total order (ORDER BY keys, then the item's creation number, then the row's place within the
 * item), and a continuation names the last row of its page, so pages neither repeat nor skip an item that stays put.
 */
import type { Access, AccessRequest } from './access-path.ts';
import { aggregate } from './aggregates.ts';
import { badRequest } from './errors.ts';
import type { JsonObject, StoredItem } from './model.ts';
import { predicatesOf } from './predicates.ts';
import type { Parameters, QueryParameter, RowQuery } from './sql-engine.ts';
import { compileRowQuery, evaluateConstant, leafColumns, leafValue, parameterValues } from './sql-engine.ts';
import { fillTemplate, flattenConjunction, parseTemplate, type Template } from './sql-simplify.ts';
import { pathOf, type QueryText, splitQuery } from './sql-text.ts';
import { canonical, compareValues } from './values.ts';

/** A query as clients send it. */
export interface QuerySpec {
  readonly query: string;
  readonly parameters?: readonly QueryParameter[];
}

/** Where a query's candidates come from. */
export type QuerySource = (request: Omit<AccessRequest, 'partition' | 'useIndexes'>) => Access;

export interface PageRequest {
  /** Most rows to return. */
  readonly pageSize: number;
  readonly continuation?: string | undefined;
}

export interface QueryPage {
  readonly rows: readonly unknown[];
  readonly continuation: string | undefined;
  /** Items that were looked at. */
  readonly loaded: number;
  /** How the candidates were reached. */
  readonly access: string;
}

/**
 * What one answer holds, whatever number of rows was asked for.
 * https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
 */
const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;

interface Row {
  readonly keys: readonly unknown[];
  readonly number: number;
  readonly sub: number;
  readonly payload: unknown;
  /** Size of the payload, when it is an item as it is stored. */
  readonly itemBytes: number | undefined;
}

/** The last row of the previous page, and how many rows OFFSET and LIMIT have counted so far. */
interface Position {
  readonly keys: readonly unknown[];
  readonly number: number;
  readonly sub: number;
  readonly taken: number;
}

/** A query whose text has been split, whose rows are compiled and whose limits are numbers. */
export interface PreparedQuery {
  readonly text: QueryText;
  readonly parameters: Parameters;
  readonly rows: RowQuery;
  /** Undefined when the payload is the item itself, or an aggregate. */
  readonly payload: Template | undefined;
  readonly offset: number;
  /** Infinity without TOP or LIMIT. */
  readonly limit: number;
}

/** @throws CosmosError 400 when the query is not valid, or beyond what the emulator knows. */
export function prepareQuery(spec: QuerySpec): PreparedQuery {
  if (typeof spec.query !== 'string') throw badRequest('The request body must hold a query.');
  const text = splitQuery(spec.query);
  const parameters = parameterValues(spec.parameters);
  const count = (source: string | undefined, fallback: number): number => {
    if (source === undefined) return fallback;
    const value = evaluateConstant(source, parameters);
    if (Number.isInteger(value) && (value as number) >= 0) return value as number;
    throw badRequest(`'${source}' must be an integer of at least 0.`);
  };
  if ((text.offset === undefined) !== (text.limit === undefined))
    throw badRequest('OFFSET and LIMIT go together.');
  const limit = Math.min(count(text.top, Infinity), count(text.limit, Infinity));
  const leaves: string[] = [];
  const aggregated = text.aggregates.length > 0;
  const payload =
    aggregated || selectsItem(text) ? undefined : parseTemplate(payloadExpression(text), leaves);
  return {
    text,
    parameters,
    payload,
    rows: compileRowQuery(rowSql(text, leaves)),
    offset: count(text.offset, 0),
    limit,
  };
}

/** What a query asks for, as one expression over an item. */
export function payloadExpression(text: QueryText): string {
  if (text.value) return text.select;
  if (text.select !== '*') {
    return `{${text.columns.map((column) => `${JSON.stringify(column.name)}: ${column.text}`).join(', ')}}`;
  }
  if (text.alias === undefined || text.joined)
    throw badRequest("'SELECT *' is only valid with a single input set.");
  return text.alias;
}

/** The item itself is asked for: there is nothing to evaluate and nothing to copy. */
function selectsItem(text: QueryText): boolean {
  return text.alias !== undefined && !text.joined && payloadExpression(text) === text.alias;
}

/** The query for the rows of one item: leaves of the payload, order keys, arguments of aggregates. */
function rowSql(text: QueryText, leaves: readonly string[]): string {
  const columns = [
    ...text.orderBy.map((term, i) => `${term.text} AS k${i}`),
    ...text.aggregates.map(({ argument }, i) => `${argument} AS a${i}`),
    ...leafColumns(leaves),
  ];
  const from = text.from === undefined ? '' : ` FROM ${text.from}`;
  const where = text.where === undefined ? '' : ` WHERE ${flattenConjunction(text.where)}`;
  return `SELECT ${columns.join(', ')}${from}${where}`;
}

/** Runs a query and returns one page. @throws CosmosError 400 for a continuation that is not one. */
export function runQuery(query: PreparedQuery, source: QuerySource, request: PageRequest): QueryPage {
  const position = request.continuation === undefined ? undefined : parsePosition(request.continuation);
  const { text, parameters } = query;
  const wholeSet = text.aggregates.length > 0 || text.distinct;
  const descending = text.orderBy.length > 0 && text.orderBy.every((term) => term.descending);
  const access = source({
    predicates: predicatesOf(query.rows.condition, text.alias, parameters),
    orderProperties: orderProperties(text, descending),
    descending,
    stopsEarly: !wholeSet,
    after: wholeSet ? undefined : position,
  });
  const counted = { loaded: 0 };
  const rows = rowsOf(query, access.items, counted);
  const page = (payloads: readonly unknown[], next?: Position): QueryPage => ({
    rows: payloads,
    continuation: next && formatPosition(next),
    loaded: counted.loaded,
    access: access.description,
  });

  if (text.aggregates.length > 0)
    return page(
      aggregate(
        text,
        [...rows].map(([, fields]) => fields),
        parameters,
      ),
    );
  const compare = rowOrder(text, descending);
  const wanted = (row: Row): boolean => wholeSet || position === undefined || compare(row, position) > 0;
  let ordered: Iterable<Row> = filterRows(rows, query.payload, wanted);
  if (!access.ordered) ordered = [...ordered].sort(compare);
  if (text.distinct) ordered = skip(distinctRows(ordered), position?.taken ?? 0);
  const { taken, next } = takePage(ordered, query, request.pageSize, position?.taken ?? 0);
  return page(
    taken.map((row) => row.payload),
    next,
  );
}

/** Rows of a page, without those that OFFSET skips, and where the next page begins. */
function takePage(
  rows: Iterable<Row>,
  { offset, limit }: PreparedQuery,
  pageSize: number,
  takenBefore: number,
): { taken: Row[]; next: Position | undefined } {
  const skipped = Math.max(0, offset - takenBefore);
  const take = Math.min(skipped + pageSize, offset + limit - takenBefore);
  const taken: Row[] = [];
  let bytes = 0;
  if (take <= 0) return { taken, next: undefined };
  for (const row of rows) {
    const last = taken.at(-1);
    if (taken.length >= skipped) bytes += row.itemBytes ?? Buffer.byteLength(JSON.stringify(row.payload));
    if (last !== undefined && (taken.length === take || bytes > RESPONSE_BYTES_MAX)) {
      const { keys, number, sub } = last;
      const position = { keys, number, sub, taken: takenBefore + taken.length };
      return { taken: taken.slice(skipped), next: position.taken < offset + limit ? position : undefined };
    }
    taken.push(row);
  }
  return { taken: taken.slice(skipped), next: undefined };
}

function* rowsOf(
  { text, rows, parameters }: PreparedQuery,
  items: Iterable<StoredItem>,
  counted: { loaded: number },
): Generator<[StoredItem | undefined, JsonObject]> {
  if (text.from === undefined) {
    for (const fields of rows.run({}, parameters)) yield [undefined, fields as JsonObject];
    return;
  }
  for (const item of items) {
    counted.loaded += 1;
    for (const fields of rows.run(item.doc, parameters)) {
      yield [item, fields as JsonObject];
    }
  }
}

function* filterRows(
  rows: Iterable<[StoredItem | undefined, JsonObject]>,
  template: Template | undefined,
  wanted: (row: Row) => boolean,
): Generator<Row> {
  let previous: StoredItem | undefined;
  let sub = 0;
  for (const [item, fields] of rows) {
    sub = item !== undefined && item === previous ? sub + 1 : 0;
    previous = item;
    const payload = template === undefined ? item?.doc : fillTemplate(template, leafValue(fields));
    // SELECT VALUE of something that the item lacks yields no row.
    if (payload === undefined) continue;
    const itemBytes = payload === item?.doc ? item.bytes : undefined;
    const row = { keys: orderKeys(fields), number: item?.number ?? 0, sub, payload, itemBytes };
    if (wanted(row)) yield row;
  }
}

function orderKeys(fields: JsonObject): unknown[] {
  const keys: unknown[] = [];
  for (const [name, value] of Object.entries(fields))
    if (/^k\d+$/.test(name)) keys[Number(name.slice(1))] = value;
  return keys;
}

function* distinctRows(rows: Iterable<Row>): Generator<Row> {
  const seen = new Set<string>();
  for (const row of rows) {
    const key = canonical(row.payload);
    if (!seen.has(key)) yield row;
    seen.add(key);
  }
}

function* skip<T>(rows: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const row of rows) {
    if (left > 0) left -= 1;
    else yield row;
  }
}

function rowOrder(
  text: QueryText,
  descending: boolean,
): (a: Omit<Row, 'payload' | 'itemBytes'>, b: Omit<Row, 'payload' | 'itemBytes'>) => number {
  return (a, b) => {
    for (const [i, term] of text.orderBy.entries()) {
      const order = compareValues(a.keys[i], b.keys[i]);
      if (order !== 0) return term.descending ? -order : order;
    }
    return (descending ? b.number - a.number : a.number - b.number) || a.sub - b.sub;
  };
}

/** The ORDER BY properties when they are all top-level ones of the item and go one way. */
function orderProperties(text: QueryText, descending: boolean): string[] | undefined {
  const names = text.orderBy.map((term) => {
    const path = pathOf(term.text);
    return path?.length === 2 && path[0] === text.alias && term.descending === descending
      ? path[1]
      : undefined;
  });
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** JSON, in which each key is wrapped in a list so that undefined, an empty list, differs from null. */
function formatPosition(position: Position): string {
  return JSON.stringify({ ...position, keys: position.keys.map((key) => (key === undefined ? [] : [key])) });
}

function parsePosition(continuation: string): Position {
  try {
    const { keys, number, sub, taken } = JSON.parse(continuation) as Partial<Position>;
    if (Array.isArray(keys) && keys.every(Array.isArray) && [number, sub, taken].every(Number.isInteger)) {
      return { keys: keys.map((key: unknown[]) => key[0]), number, sub, taken } as Position;
    }
  } catch {
    // Answered below, like a token of the wrong shape.
  }
  throw badRequest('The continuation token is not valid.');
}
