/** One request to one site, and what can be said of it afterwards. */
import { AttemptTimeout, type Clock } from './clock.ts';
import type { Problem } from './errors.ts';
import { isRead } from './repeat.ts';

/** An answer, read to its end: a connection that breaks in the middle of it is no answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The site that gave it. */
  readonly site: string;
}

/**
 * - `answered`: by a site of Tandem: done, or refused for good.
 * - `behind`: the site has not got what the session has seen.
 * - `moved`: another site must be asked; certain that nothing has happened.
 * - `not-done`: certain that nothing has happened.
 * - `lost`: nobody can say.
 */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'behind'; readonly cause: unknown; readonly retryAfterMs: number }
  | { readonly kind: 'moved'; readonly answer: Answer; readonly to: MovedTo; readonly cause: unknown }
  | ({ readonly kind: 'not-done' | 'lost'; readonly cause: unknown } & Fault);

/** The site that is to be asked, as the one that was asked knows it. */
export interface MovedTo {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
}

interface Fault {
  /** The site itself does not work, as far as one can see; false: it answered, and about this request only. */
  readonly isDown: boolean;
  /** Before so long it does not want to be asked. */
  readonly retryAfterMs?: number;
}

export interface AttemptOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly url: string;
  readonly init: Pick<RequestInit, 'body' | 'headers' | 'method'>;
  readonly withinMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Rejects only when the caller's signal ends it. */
export async function attempt(options: AttemptOptions): Promise<Outcome> {
  const { fetch, clock, url, init, withinMs, signal } = options;
  const timeout = clock.timeout(withinMs);
  const either = signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]);
  try {
    // A write is never followed: what answers 301, 302 or 303 would be asked with GET, and its answer is of something else
    // (https://fetch.spec.whatwg.org/#http-redirect-fetch). Sites answer 421 instead to whoever sends `x-tandem-follow`.
    const redirect = isRead(init.method ?? 'GET') ? 'follow' : 'manual';
    const response = await fetch(url, { ...init, signal: either, redirect });
    const text = await response.text();
    return outcomeOf(response, text);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (timeout.signal.aborted) return { kind: 'lost', isDown: true, cause: timeout.signal.reason };
    return { kind: neverConnected(error) ? 'not-done' : 'lost', isDown: true, cause: error };
  } finally {
    timeout.cancel();
  }
}

function outcomeOf({ status, headers }: Response, text: string): Outcome {
  const site = headers.get('x-tandem-site');
  const problem = problemOf(text);
  const cause = new FailedAnswer(status, site ?? undefined, problem);
  const asked = retryAfterMs(headers.get('retry-after'));
  const retryAfter = asked === undefined ? {} : { retryAfterMs: asked };
  if (status === 429) return { kind: 'not-done', isDown: false, retryAfterMs: asked ?? 1_000, cause };
  // A gateway in front of a site that is gone says nothing about a record: the site itself must have spoken.
  if (site === null) return { kind: 'lost', isDown: true, ...retryAfter, cause };
  if (status >= 300 && status < 400 && status !== 304) return { kind: 'lost', isDown: false, cause };
  const to = status === 421 ? movedTo(headers) : undefined;
  if (to !== undefined) return { kind: 'moved', answer: { status, headers, text, site }, to, cause };
  if (status < 500 && status !== 408) return { kind: 'answered', answer: { status, headers, text, site } };
  // Which site writes is being changed there; it has done nothing.
  if (problem?.code === 'writer_moving')
    return { kind: 'not-done', isDown: false, retryAfterMs: asked ?? 1_000, cause };
  if (problem?.code === 'not_yet_here') return { kind: 'behind', retryAfterMs: asked ?? 1_000, cause };
  return { kind: 'lost', isDown: false, ...retryAfter, cause };
}

/** Where `location` leads, as far as the site is named; undefined: nowhere. */
function movedTo(headers: Headers): MovedTo | undefined {
  const [name, location] = [headers.get('x-tandem-at'), headers.get('location')];
  if (name === null || location === null || !URL.canParse(location)) return undefined;
  const { protocol, origin } = new URL(location);
  return /^https?:$/.test(protocol) ? { name, url: origin } : undefined;
}

/** What a failed attempt was answered with. */
export class FailedAnswer extends Error {
  override readonly name = 'FailedAnswer';
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(status: number, site: string | undefined, problem: Problem | undefined) {
    const who = site ?? 'something that is no site';
    super(`${who} answered ${status}${problem === undefined ? '' : ` ${problem.code}, ${problem.instance}`}`);
    this.status = status;
    this.problem = problem;
  }
}

/** A problem document; undefined when the text is none. */
export function problemOf(text: string): Problem | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Problem> | null;
    if (typeof parsed?.code !== 'string' || typeof parsed.status !== 'number') return undefined;
    return { type: '', title: '', detail: '', instance: '', ...parsed } as Problem;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date of HTTP (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/**
 * What Node says when no connection came about; a browser says nothing, so there it is unknown.
 * @see https://nodejs.org/api/errors.html#common-system-errors
 */
const NO_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Of several addresses that were tried, none may have been reached. */
function neverConnected(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly errors?: unknown } };
  if (cause === undefined) return false;
  const all = Array.isArray(cause.errors) ? (cause.errors as { readonly code?: string }[]) : [cause];
  return all.length > 0 && all.every(({ code }) => code !== undefined && NO_CONNECTION.has(code));
}

/** Whether an attempt ended because its own time was over. */
export function isTimeout(cause: unknown): boolean {
  return cause instanceof AttemptTimeout;
}
