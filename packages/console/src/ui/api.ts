/** What the page asks the console, and through it the sites. */
import { Turns } from './turns.ts';

const READS_MAX = 2;
const turnsOf: Record<string, Turns> = {};

interface Problem {
  readonly title?: string;
  /** Of a server of this machine, which has no more to say. */
  readonly message?: string;
  readonly detail?: string;
  readonly errors?: readonly BrokenRule[];
}

/** What is wrong with a request, and where: `/name`. */
export interface BrokenRule {
  readonly pointer: string;
  readonly detail: string;
}

/** An answer that is none, as a sentence that names field and rule. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** 0: no answer at all. */
  readonly status: number;
  readonly errors: readonly BrokenRule[];

  constructor(status: number, { title, detail, message, errors = [] }: Problem) {
    const broken = errors.map(({ pointer, detail: rule }) => `${pointer} ${rule}`).join('; ');
    const text = detail ?? message ?? title ?? `HTTP ${status}`;
    super(broken === '' ? text : `${text}: ${broken}`);
    this.status = status;
    this.errors = errors;
  }
}

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of whatever changes something: what the person has said; it is written down. */
  readonly why?: string;
  readonly signal?: AbortSignal;
}

/** An answer with what its headers say. */
export interface Answer<T> {
  /** 304: `value` is undefined, for the asker has it. */
  readonly status: number;
  readonly headers: Headers;
  readonly value: T;
}

/** @param path `/api/…` @throws ApiError */
export async function ask<T>(path: string, asked?: Asked): Promise<T> {
  return (await askWhole<T>(path, asked)).value;
}

/** @param path `/api/…` @throws ApiError */
export async function askWhole<T>(
  path: string,
  { method = 'GET', body, headers, why, signal }: Asked = {},
): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method !== 'GET' && { 'x-tandem-why': encodeURIComponent(why ?? '') }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, { detail: 'The console does not answer: is it still running?' });
  }
  const { status } = response;
  const text = await response.text();
  const value = parsed(text);
  if (!response.ok && status !== 304) throw new ApiError(status, value ?? {});
  if (value === undefined && text !== '') throw new ApiError(status, { detail: 'The answer is not JSON' });
  return { status, headers: response.headers, value: value as T };
}

/**
 * A route of a site: `ofSite('aws-us-east-1', 'replication/conflicts?limit=20')`. Only so many reads of one site are under way
 * at once: a browser opens six connections to the console, and a site that hangs must not have them all.
 */
export async function ofSite<T>(site: string, path: string, asked: Asked = {}): Promise<T> {
  const url = sitePath(site, path);
  if ((asked.method ?? 'GET') !== 'GET') return ask(url, asked);
  const turns = (turnsOf[site] ??= new Turns(READS_MAX));
  await turns.take(asked.signal);
  try {
    return await ask(url, asked);
  } finally {
    turns.give();
  }
}

/** Where the console passes a route of a site on. @param path Without a slash at its begin. */
export function sitePath(site: string, path: string): string {
  return `/api/sites/${encodeURIComponent(site)}/${path}`;
}

/** A query, with its `?` unless it is empty; what is undefined or empty is left out. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const kept = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return kept.length === 0 ? '' : `?${new URLSearchParams(kept)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
