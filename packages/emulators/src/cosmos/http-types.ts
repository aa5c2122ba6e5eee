/** A request and an answer as the routes see them, without sockets. */
import type { IncomingHttpHeaders } from 'node:http';
import { badRequest } from './errors.ts';
import type { PartitionKey } from './model.ts';

export interface Call {
  readonly method: string;
  /** Decoded parts of the path: `['dbs', 'shop', 'colls', 'users', 'docs', 'u1']`. */
  readonly segments: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

export interface Response {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request took effect, and the connection is cut instead of answered. */
  readonly dropped?: boolean;
}

export function header({ headers }: Call, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Boolean headers come as `true` and as `True`. */
export function flag(call: Call, name: string): boolean {
  return header(call, name)?.toLowerCase() === 'true';
}

/** Whether a POST asks a question instead of creating something. */
export function isQuery(call: Call): boolean {
  return (
    flag(call, 'x-ms-documentdb-isquery') ||
    header(call, 'content-type')?.startsWith('application/query+json') === true
  );
}

/** The partition key of a request, if it names one. @throws CosmosError 400 when the header is not a JSON list. */
export function partitionKeyHeader(call: Call): PartitionKey | undefined {
  const text = header(call, 'x-ms-documentdb-partitionkey');
  if (text === undefined || text === '') return undefined;
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    key = undefined;
  }
  if (!Array.isArray(key)) throw badRequest('Partition key header is invalid.');
  return key.length === 0 ? undefined : key;
}

/** Rows per page when the client names no number. */
const PAGE_SIZE_DEFAULT = 100;
/** Rows per page when the client leaves it to the service (-1), and the most that it may ask for. */
const PAGE_SIZE_MAX = 1_000;

export function pageSize(call: Call): number {
  const text = header(call, 'x-ms-max-item-count');
  if (text === undefined) return PAGE_SIZE_DEFAULT;
  const size = Number(text);
  if (!Number.isInteger(size) || size === 0 || size < -1)
    throw badRequest(`Invalid x-ms-max-item-count '${text}'.`);
  return size === -1 ? PAGE_SIZE_MAX : size;
}
