/** `limit` and `cursor` of a list, and how a cursor is written. */
import { pageSizeDefault, pageSizeMax } from '../bounds.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';
import { type Failure, InvalidError } from '../errors.ts';
import type { HttpRequest } from './route.ts';

const LIMIT = /^[0-9]{1,4}$/;

/** How a list writes the place where its next page begins. */
export interface Cursor {
  /** Regular expression of every text that is taken; the contract has it, too. */
  readonly pattern: string;
  readonly write: (id: string) => string;
  /** The id after which the page begins, which need not exist. */
  readonly read: (cursor: string) => string;
}

/** The last id in base64url: it is not to be made by clients. */
export const opaqueCursor: Cursor = {
  pattern: '^[A-Za-z0-9_-]{2,172}$',
  write: (id) => Buffer.from(id).toString('base64url'),
  read: (cursor) => Buffer.from(cursor, 'base64url').toString('utf8'),
};

/** The last id itself. */
export const idCursor: Cursor = { pattern: ID_PATTERN, write: (id) => id, read: (cursor) => cursor };

/** How many entries a query asks for, and what is wrong with that. */
export function readLimit(
  limit: string | undefined,
  { byDefault, max }: { readonly byDefault: number; readonly max: number },
): { readonly size: number; readonly failures: readonly Failure[] } {
  if (limit === undefined) return { size: byDefault, failures: [] };
  const size = LIMIT.test(limit) ? Number(limit) : 0;
  if (size >= 1 && size <= max) return { size, failures: [] };
  const detail = `must be a whole number from 1 to ${max}`;
  return { size, failures: [{ pointer: '/query/limit', rule: 'range', detail }] };
}

/** What of a query no parameter is. */
export function unknownParameters(unknown: HttpRequest['query']): Failure[] {
  return Object.keys(unknown).map((name) => ({
    pointer: `/query/${name}`,
    rule: 'unknown',
    detail: 'is not a known parameter',
  }));
}

/** @throws InvalidError that names every wrong parameter. */
export function readPaging(
  query: HttpRequest['query'],
  { pattern, read }: Cursor,
): { limit: number; after: string | undefined } {
  const { limit, cursor, ...unknown } = query;
  const failures = unknownParameters(unknown);
  const { size, failures: wrong } = readLimit(limit, { byDefault: pageSizeDefault, max: pageSizeMax });
  failures.push(...wrong);
  if (cursor !== undefined && !new RegExp(pattern).test(cursor)) {
    failures.push({ pointer: '/query/cursor', rule: 'cursor', detail: 'is not a cursor of this list' });
  }
  if (failures.length > 0) throw new InvalidError('the query is invalid', failures);
  return { limit: size, after: cursor === undefined ? undefined : read(cursor) };
}
