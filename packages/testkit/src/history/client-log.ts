/**
 * What clients did and what they were told: the log that everything is judged by.
 *
 * Invariant: every value that a client writes names its operation, so a value in a store or an answer tells by itself
 * whose it is.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Vector } from '@tandem-clouds/replication/vector';

export type OperationKind = 'create' | 'change' | 'delete' | 'put' | 'read';

/** Whether the request took effect: certainly, certainly not, or nobody can say. */
export type WriteResult = 'acknowledged' | 'refused' | 'unknown';

/** What `X-Tandem-Session` says: a record's key and its vector. */
export interface Token {
  readonly key: string;
  readonly vector: Vector;
}

/** One request and its answer. Times are epoch milliseconds by the clock of the clients. */
export interface Attempt {
  /** Of the operation; a retry has the same. */
  readonly id: string;
  readonly kind: OperationKind;
  /** Absent while only the answer could tell. */
  readonly key?: string;
  /** The door that it went through: a site, or `edge`. */
  readonly via: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly result: WriteResult;
  /** Of HTTP; 0 without an answer. */
  readonly status: number;
  /** The site that answered. */
  readonly site?: string;
  /** What a write meant to set. */
  readonly fields: Readonly<Record<string, Json>>;
  readonly token?: Token;
  /** The token that a read carried. */
  readonly carried?: Token;
  /** The record as the answer showed it. */
  readonly shown?: Readonly<Record<string, Json>>;
  /** `Prefer: durability=all` was asked for; `applied` when the answer said `Preference-Applied`. */
  readonly durability?: 'requested' | 'applied';
  /** The answer was that of an earlier attempt. */
  readonly replayed: boolean;
  /** Requests that were sent for it, when one call sends several; absent: one. */
  readonly attempts?: number;
  /** What it adds to the counter `signIns`. */
  readonly increments?: number;
  /** Why there was no good answer. */
  readonly problem?: string;
}

/** The fields that hold values of clients; all others are the product's own. */
export const CLIENT_FIELDS: ReadonlySet<string> = new Set(['name', 'email', 'metadata', 'data']);
/** Every write but a delete sets one of these, whatever else it sets. */
export const MARK_FIELDS: readonly string[] = ['metadata', 'data'];

const MAIL_DOMAIN = '@chaos.example';

export function userFields(id: string): Record<'name' | 'email' | 'metadata', Json> {
  return { name: id, email: `${id}${MAIL_DOMAIN}`, metadata: { op: id } };
}

export function itemFields(id: string): Record<'data', Json> {
  return { data: { op: id, filling: 'x'.repeat(100) } };
}

/** The operation that wrote a value; undefined when it is no value of ours. */
export function operationOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') {
    return value.endsWith(MAIL_DOMAIN) ? value.slice(0, -MAIL_DOMAIN.length) : value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { op } = value as { op?: Json };
  return typeof op === 'string' ? op : undefined;
}

/** Reads a session token. @throws Error when it is none: the product gave it out. */
export function parseToken(text: string): Token {
  const [key, name, ...rest] = Buffer.from(text, 'base64url').toString('utf8').split(' ');
  if (key === undefined || name === undefined || rest.length > 0)
    throw new Error(`no session token: ${text}`);
  const stamps = name.split('_');
  return {
    key,
    vector: Object.fromEntries(stamps.map((stamp) => [stamp.slice(stamp.indexOf('.') + 1), stamp])),
  };
}

/** The token as a request header. */
export function tokenText({ key, vector }: Token): string {
  const name = Object.keys(vector)
    .sort()
    .map((site) => vector[site] ?? '')
    .join('_');
  return Buffer.from(`${key} ${name}`).toString('base64url');
}

export function isWrite({ kind }: Attempt): boolean {
  return kind !== 'read';
}

/** For evidence: the attempt in one line. */
export function lineOf(attempt: Attempt): string {
  const {
    startMs,
    endMs,
    id,
    kind,
    key = '?',
    via,
    site,
    status,
    result,
    token,
    durability,
    problem,
  } = attempt;
  return [
    `${new Date(startMs).toISOString()} +${endMs - startMs}ms`,
    `${id} ${kind} ${key} via ${via}${site !== undefined && site !== via ? ` at ${site}` : ''}`,
    `→ ${result} ${status}${durability === 'applied' ? ' durability=all' : ''}`,
    ...(token ? [`token ${Object.values(token.vector).join('_')}`] : []),
    ...(attempt.replayed ? ['replayed'] : []),
    ...(problem !== undefined ? [problem] : []),
  ].join(' ');
}
