/**
 * What a list of an entity is asked for: everything in the order of the ids, or what an index finds.
 *
 * Invariant: a query that no index serves is refused with what there is; nothing is ever looked for by reading everything.
 */
import { hashText } from '@tandem-clouds/replication/hash';
import type { Json } from '@tandem-clouds/replication/json';
import { indexRangeBytesMax, pageSizeDefault, pageSizeMax, prefixCharsMax } from '../bounds.ts';
import type { DeclaredIndex } from '../domain/indexes/declared-index.ts';
import { fold } from '../domain/indexes/fold.ts';
import { withinOf } from '../domain/indexes/index-entry.ts';
import {
  beginning,
  bound,
  FIRST,
  LAST,
  type ListQuery,
  PREFIX,
  RANGE_OPERATORS,
  type RangeOperator,
} from '../domain/indexes/list-query.ts';
import { sortKey, type SortType } from '../domain/indexes/sort-key.ts';
import { type Failure, InvalidError } from '../errors.ts';
import { readLimit } from './paging.ts';
import type { HttpRequest } from './route.ts';

/** Of a list by an index: a place in it, at most so long, and what it belongs to. */
export const INDEX_CURSOR_PATTERN = `^[A-Za-z0-9_-]{2,${Math.ceil(((indexRangeBytesMax + 16) * 4) / 3)}}$`;
const CURSOR = new RegExp(INDEX_CURSOR_PATTERN);
const PLACE = /^[!-~]+$/;
const PARAMETER = /^([^[\]]+)\[([^[\]]*)\]$/;

export interface IndexedList {
  readonly query: ListQuery;
  readonly limit: number;
  /** The place in the index after which the page begins. */
  readonly after: string | undefined;
  /** How a cursor of this list is written. */
  readonly cursor: (place: string) => string;
}

/** Whether a query asks for anything but a page of everything. */
export function isByIndex(query: HttpRequest['query']): boolean {
  return Object.keys(query).some((name) => name !== 'limit' && name !== 'cursor');
}

/**
 * @param prefix What begins the keys of the records that may be listed.
 * @throws InvalidError that names every wrong parameter.
 */
export function readListQuery(
  query: HttpRequest['query'],
  indexes: readonly DeclaredIndex[],
  prefix: string,
): IndexedList {
  const { limit, cursor, order, ...filters } = query;
  const failures: Failure[] = [];
  const { size, failures: wrong } = readLimit(limit, { byDefault: pageSizeDefault, max: pageSizeMax });
  failures.push(...wrong);
  if (order !== undefined && order !== 'asc' && order !== 'desc')
    failures.push(failure('order', 'enum', 'must be asc or desc'));
  const conditions = Object.entries(filters).map(([name, text]) => conditionOf(name, text ?? ''));
  const index = indexFor(conditions, indexes, failures);
  const on = index && keyOf(index.onType, conditions.find(isEquality), failures);
  const range = index && rangeOf(index, conditions, failures);
  if (failures.length > 0 || index === undefined || on === undefined || range === undefined)
    throw new InvalidError('the query is invalid', failures);
  const within = withinOf(index, prefix);
  const asked: ListQuery = { index, within, on, ...range, descending: order === 'desc' };
  return { query: asked, limit: size, ...pages(asked, cursor) };
}

/** One parameter: `customerId=…`, or `createdAt[gte]=…`. */
interface Condition {
  readonly name: string;
  readonly field: string;
  readonly operator: string | undefined;
  readonly text: string;
}

function conditionOf(name: string, text: string): Condition {
  const [, field = name, operator] = PARAMETER.exec(name) ?? [];
  return { name, field, operator, text };
}

function isEquality({ operator }: Condition): boolean {
  return operator === undefined;
}

/** The index that serves all conditions; undefined, with what is wrong, where there is none. */
function indexFor(
  conditions: readonly Condition[],
  indexes: readonly DeclaredIndex[],
  failures: Failure[],
): DeclaredIndex | undefined {
  const known = new Set(indexes.flatMap(({ on, order }) => [on, order]));
  for (const { name, field, operator } of conditions) {
    if (!known.has(field))
      failures.push(failure(name, 'unknown', `is not a known parameter: ${served(indexes)}`));
    else if (operator !== undefined && !operatorsOf(field, indexes).includes(operator))
      failures.push(
        failure(name, 'operator', `must have one of the operators ${operatorsOf(field, indexes).join(', ')}`),
      );
  }
  if (failures.length > 0) return undefined;
  const equalities = conditions.filter(isEquality);
  const ranges = conditions.filter((condition) => !isEquality(condition));
  const index = indexes.find(
    ({ on, order }) =>
      equalities.length === 1 && equalities[0]?.field === on && ranges.every(({ field }) => field === order),
  );
  if (index !== undefined) return index;
  const [culprit] = [...equalities.slice(1), ...ranges, ...equalities].map(({ name }) => name);
  failures.push(failure(culprit ?? 'order', 'index', `no index serves this query: ${served(indexes)}`));
  return undefined;
}

/** What may stand in the brackets behind a field. */
function operatorsOf(field: string, indexes: readonly DeclaredIndex[]): readonly string[] {
  const isFolded = indexes.some(({ order, folded }) => folded && order === field);
  return isFolded ? [...RANGE_OPERATORS, PREFIX] : RANGE_OPERATORS;
}

/** What may be asked for, in words. */
function served(indexes: readonly DeclaredIndex[]): string {
  if (indexes.length === 0) return 'this list is in the order of the ids';
  const lists = indexes.map(
    ({ on, order, folded }) => `${on}=… with a range${folded ? ' or a beginning' : ''} of ${order}`,
  );
  return `there is ${lists.join('; ')}`;
}

function keyOf(type: SortType, condition: Condition | undefined, failures: Failure[]): string | undefined {
  if (condition === undefined) return undefined;
  const key = sortKey(type, valueOf(type, condition.text));
  if (key === undefined) failures.push(failure(condition.name, 'type', MUST_BE[type]));
  return key;
}

const MUST_BE: Readonly<Record<SortType, string>> = {
  string: 'must be text',
  number: 'must be a number',
  boolean: 'must be true or false',
  instant: 'must be a date-time, such as 2030-01-31T12:00:00Z; a + is written %2B',
};

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function valueOf(type: SortType, text: string): Json | undefined {
  switch (type) {
    case 'number':
      return NUMBER.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : undefined;
    case 'string':
    case 'instant':
      return text;
  }
}

function rangeOf(
  { orderType: type, folded }: DeclaredIndex,
  conditions: readonly Condition[],
  failures: Failure[],
): Pick<ListQuery, 'from' | 'to'> {
  let range: Partial<Pick<ListQuery, 'from' | 'to'>> = {};
  for (const condition of conditions.filter((each) => !isEquality(each))) {
    if (condition.operator === PREFIX) checkPrefix(condition, failures);
    const asked = folded ? { ...condition, text: fold(condition.text) } : condition;
    const key = keyOf(type, asked, failures);
    if (key === undefined) continue;
    const end =
      condition.operator === PREFIX ? beginning(key) : bound(condition.operator as RangeOperator, key);
    if (Object.keys(end).some((name) => Object.hasOwn(range, name)))
      failures.push(failure(condition.name, 'range', 'is the second condition on one end of the range'));
    range = { ...range, ...end };
  }
  return { from: FIRST, to: LAST, ...range };
}

/** No character of it means anything but itself. */
function checkPrefix({ name, text }: Condition, failures: Failure[]): void {
  if (fold(text) === '')
    failures.push(failure(name, 'minLength', 'must have a letter, a digit or a sign: leave it out for all'));
  // A sign may fold to many letters; five characters of a key each, and the key of an index has a bound.
  if (text.length > prefixCharsMax || fold(text).length > 2 * prefixCharsMax)
    failures.push(failure(name, 'maxLength', `must have at most ${prefixCharsMax} characters`));
}

/** A cursor names what it belongs to, so that one of another list is refused and not taken for a place in this one. */
function pages(
  { index, within, on, descending }: ListQuery,
  cursor: string | undefined,
): Pick<IndexedList, 'after' | 'cursor'> {
  const list = hashText(`${index.id} ${within}${on} ${descending}`);
  const write = (place: string): string => Buffer.from(`${list}${place}`).toString('base64url');
  if (cursor === undefined) return { after: undefined, cursor: write };
  const text = CURSOR.test(cursor) ? Buffer.from(cursor, 'base64url').toString('latin1') : '';
  const after = text.slice(list.length);
  if (text.startsWith(list) && PLACE.test(after) && after.length <= indexRangeBytesMax)
    return { after, cursor: write };
  throw new InvalidError('the query is invalid', [
    failure('cursor', 'cursor', 'is not a cursor of this list'),
  ]);
}

function failure(name: string, rule: string, detail: string): Failure {
  return { pointer: `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, rule, detail };
}
