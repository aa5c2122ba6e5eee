/**
 * The query plan that a client asks for before it fans a query out over partitions: what it must merge itself, and the
 * query rewritten for one partition. The shape is what `@azure/cosmos` reads in
 * `PipelinedQueryExecutionContext`; ORDER BY rows become `{ _rid, orderByItems, payload }`, and an aggregate becomes a
 * partial result `[{ item }]`.
 */
import { badRequest } from './errors.ts';
import { payloadExpression, type PreparedQuery, prepareQuery, type QuerySpec } from './query.ts';
import type { Aggregate, QueryText } from './sql-text.ts';

/** The client puts its own condition here, or `true`. */
const FILTER_PLACEHOLDER = '{documentdb-formattableorderbyquery-filter}';

const AGGREGATE_TYPES: Readonly<Record<Aggregate['name'], string>> = {
  COUNT: 'Count',
  SUM: 'Sum',
  MIN: 'Min',
  MAX: 'Max',
  AVG: 'Average',
};

export interface QueryInfo {
  readonly distinctType: 'None' | 'Ordered' | 'Unordered';
  readonly top: number | null;
  readonly offset: number | null;
  readonly limit: number | null;
  readonly orderBy: readonly ('Ascending' | 'Descending')[];
  readonly orderByExpressions: readonly string[];
  readonly groupByExpressions: readonly string[];
  readonly groupByAliases: readonly string[];
  readonly aggregates: readonly string[];
  readonly groupByAliasToAggregateType: Readonly<Record<string, string>>;
  /** Empty when the query can go to a partition as it is. */
  readonly rewrittenQuery: string;
  readonly hasSelectValue: boolean;
  readonly hasNonStreamingOrderBy: boolean;
  readonly dCountInfo: null;
}

export interface QueryPlan {
  readonly partitionedQueryExecutionInfoVersion: 2;
  readonly queryInfo: QueryInfo;
  readonly queryRanges: readonly {
    readonly min: string;
    readonly max: string;
    readonly isMinInclusive: boolean;
    readonly isMaxInclusive: boolean;
  }[];
}

/** Whether the client has to merge: a single partition's answer is not a part of the whole answer. */
export function needsPlan({ distinct, top, limit, orderBy, aggregates }: QueryText): boolean {
  return distinct || top !== undefined || limit !== undefined || orderBy.length > 0 || aggregates.length > 0;
}

/** @throws CosmosError 400 for queries that are not valid or that no client could merge. */
export function buildQueryPlan(spec: QuerySpec): QueryPlan {
  const query = prepareQuery(spec);
  const { text } = query;
  const grouped = text.aggregates.length > 0 && !text.value;
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo: {
      distinctType: distinctType(text),
      top: text.top === undefined ? null : query.limit,
      offset: text.offset === undefined ? null : query.offset,
      limit: text.limit === undefined ? null : query.limit,
      orderBy: text.orderBy.map((term) => (term.descending ? 'Descending' : 'Ascending')),
      orderByExpressions: text.orderBy.map((term) => term.text),
      groupByExpressions: [],
      groupByAliases: grouped ? text.columns.map((column) => column.name) : [],
      aggregates: text.value ? text.aggregates.map(({ name }) => AGGREGATE_TYPES[name]) : [],
      groupByAliasToAggregateType: grouped ? aggregateTypes(text) : {},
      rewrittenQuery: rewrite(query),
      hasSelectValue: text.value,
      hasNonStreamingOrderBy: false,
      dCountInfo: null,
    },
    queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
  };
}

/** Ordered when equal results are neighbours: everything selected is an ORDER BY expression. */
function distinctType(text: QueryText): QueryInfo['distinctType'] {
  if (!text.distinct) return 'None';
  const selected = text.value ? [text.select] : text.columns.map((column) => column.text);
  const keys = text.orderBy.map((term) => term.text);
  const covered =
    selected.length === keys.length && selected.every((expression) => keys.includes(expression));
  return keys.length > 0 && covered ? 'Ordered' : 'Unordered';
}

function rewrite(query: PreparedQuery): string {
  const { text } = query;
  if (!needsPlan(text)) return '';
  if (text.aggregates.length > 0) return rewriteAggregates(text);
  if (text.orderBy.length > 0) return rewriteOrderBy(query);
  const modifiers = `${text.distinct ? 'DISTINCT ' : ''}${top(query)}${text.value ? 'VALUE ' : ''}`;
  return `SELECT ${modifiers}${text.select}${clauses(text, text.where)}${limits(query)}`;
}

/** A merged DISTINCT drops rows afterwards, so only without it may a partition stop at the limit. */
function top({ text, limit }: PreparedQuery): string {
  return text.top === undefined || text.distinct ? '' : `TOP ${limit} `;
}

function limits({ text, offset, limit }: PreparedQuery): string {
  return text.limit === undefined || text.distinct ? '' : ` OFFSET 0 LIMIT ${offset + limit}`;
}

function clauses(text: QueryText, where: string | undefined): string {
  return `${text.from === undefined ? '' : ` FROM ${text.from}`}${where === undefined ? '' : ` WHERE ${where}`}`;
}

function rewriteOrderBy(query: PreparedQuery): string {
  const { text } = query;
  if (text.alias === undefined) throw badRequest('ORDER BY across partitions needs FROM to name the item.');
  const items = text.orderBy.map((term) => `{"item": ${term.text}}`).join(', ');
  const where = text.where === undefined ? FILTER_PLACEHOLDER : `(${text.where}) AND (${FILTER_PLACEHOLDER})`;
  const order = text.orderBy.map((term) => `${term.text} ${term.descending ? 'DESC' : 'ASC'}`).join(', ');
  return (
    `SELECT ${top(query)}${text.alias}._rid, [${items}] AS orderByItems, ${payloadExpression(text)} AS payload` +
    `${clauses(text, where)} ORDER BY ${order}${limits(query)}`
  );
}

function rewriteAggregates(text: QueryText): string {
  if (text.orderBy.length > 0 || text.distinct) {
    throw badRequest('Aggregates with ORDER BY or DISTINCT are not supported across partitions.');
  }
  if (text.value) {
    const [only] = text.aggregates;
    if (only === undefined || !isWhole(text.select, only)) throw compositionError();
    return `SELECT VALUE [${partial(only)}]${clauses(text, text.where)}`;
  }
  const fields = text.columns.map((column, i) => {
    const call = text.aggregates[i];
    if (call === undefined || column.text !== text.select.slice(call.start, call.end))
      throw compositionError();
    return `${JSON.stringify(column.name)}: ${partial(call)}`;
  });
  return `SELECT {${fields.join(', ')}} AS payload${clauses(text, text.where)}`;
}

function isWhole(select: string, { start, end }: Aggregate): boolean {
  return start === 0 && end === select.length;
}

function compositionError(): Error {
  return badRequest('Compositions of aggregates and other expressions are not supported across partitions.');
}

/** What one partition contributes to an aggregate. */
function partial({ name, argument }: Aggregate): string {
  switch (name) {
    case 'COUNT':
    case 'SUM':
      return `{"item": ${name}(${argument})}`;
    case 'AVG':
      return `{"item": {"sum": SUM(${argument}), "count": COUNT(${argument})}}`;
    case 'MIN':
    case 'MAX': {
      const call = `${name}(${argument})`;
      return `{"item": ${call}, "item2": {"${name.toLowerCase()}": ${call}, "count": COUNT(${argument})}}`;
    }
  }
}

function aggregateTypes(text: QueryText): Record<string, string> {
  return Object.fromEntries(
    text.columns.map((column, i) => {
      const call = text.aggregates[i];
      if (call === undefined) throw compositionError();
      return [column.name, AGGREGATE_TYPES[call.name]];
    }),
  );
}
