/** Outbound HTTP over the port of one request: time-outs, retries where they are safe, redirections, JSON. */
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import {
  outbound,
  outboundMost,
  outboundPauseMaxMs,
  outboundPauseMs,
  outboundRedirectsMax,
  responseReserveMs,
} from '../bounds.ts';
import { OutboundError, type OutboundReason } from '../errors.ts';
import type { HttpCall, HttpClient, HttpResponse } from '../ports/http-client.ts';
import type { OutboundHttp, OutboundRequest, OutboundResponse } from '../ports/outbound-http.ts';
import type { Invocation } from '../ports/services.ts';
import type { Logger } from '../ports/telemetry.ts';
import { NOT_SENT } from './vendor-error.ts';

/** RFC 9110, section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const SAFE = new Set(['GET', 'HEAD']);
/** That pass: RFC 9110, sections 15.5.9 and 15.6; RFC 6585, section 4. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const REDIRECTIONS = new Set([301, 302, 303, 307, 308]);
/** Printable ASCII (draft-ietf-httpapi-idempotency-key-header), at most what Stripe takes. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const CAUSES_MAX = 5;

export interface OutboundOptions {
  readonly client: HttpClient;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** Epoch milliseconds, for a `Retry-After` that is a date. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log?: Logger;
}

/** @param invocation Whose time bounds the calls, and whose trace they belong to. */
export function outboundHttp(options: OutboundOptions, invocation: Invocation = {}): OutboundHttp {
  const send = async (request: OutboundRequest): Promise<OutboundResponse> =>
    await new Exchange(options, invocation, request).run();
  return {
    send,
    async json(request) {
      const response = await send(request);
      if (response.ok) return response.json();
      throw failureOf(response, request, 'status');
    },
  };
}

/** A request from its first attempt to its answer. */
class Exchange {
  readonly #options: OutboundOptions;
  readonly #limit: TimeLimit | undefined;
  readonly #call: Omit<HttpCall, 'url' | 'timeoutMs'>;
  readonly #origin: string;
  readonly #bounds: { readonly attemptMs: number; readonly attemptsMax: number };
  readonly #isRepeatable: boolean;
  readonly #endsAtMs: number;
  #url: URL;
  #attempts = 0;
  #redirects = 0;

  /** @throws RangeError or TypeError */
  constructor(options: OutboundOptions, invocation: Invocation, request: OutboundRequest) {
    this.#options = options;
    this.#limit = invocation.limit;
    this.#url = urlOf(request.url);
    this.#origin = this.#url.origin;
    const headers = headersOf(request, invocation);
    const body = bodyOf(request);
    const method = request.method ?? (body === undefined ? 'GET' : 'POST');
    this.#isRepeatable = IDEMPOTENT.has(method) || headers['idempotency-key'] !== undefined;
    const bodyBytesMax = bound('bodyBytesMax', request);
    this.#call = { method, headers, body, bodyBytesMax, redirect: 'manual' };
    this.#bounds = { attemptMs: bound('attemptMs', request), attemptsMax: bound('attemptsMax', request) };
    const leftMs = (invocation.remainingMs?.() ?? Infinity) - responseReserveMs;
    this.#endsAtMs = options.elapsed() + Math.min(bound('totalMs', request), leftMs);
  }

  async run(): Promise<OutboundResponse> {
    const begunAtMs = this.#options.elapsed();
    try {
      const response = await this.#answer();
      this.#log(begunAtMs, { status: response.status });
      return { ...response, ok: isOk(response), attempts: this.#attempts, json: () => this.#parse(response) };
    } catch (error) {
      this.#log(begunAtMs, { reason: error instanceof OutboundError ? error.reason : 'defect' });
      throw error;
    }
  }

  async #answer(): Promise<HttpResponse> {
    for (;;) {
      const isLast = this.#attempts + 1 >= this.#bounds.attemptsMax;
      try {
        const response = await this.#attempt();
        if (this.#follows(response)) continue;
        if (isLast || !this.#isRepeatable || !PASSING.has(response.status)) return response;
        if (!(await this.#pause(retryAfterMs(response, this.#options.now)))) return response;
      } catch (error) {
        const failure = this.#failureOf(error);
        const isSafe = this.#isRepeatable || !failure.mayHaveTakenEffect;
        const passes = failure.reason === 'unreachable' || failure.reason === 'timeout';
        if (isLast || !isSafe || !passes || !(await this.#pause(0))) throw failure;
      }
    }
  }

  #attempt(): Promise<HttpResponse> {
    const leftMs = this.#leftMs();
    if (leftMs <= 0 || this.#limit?.isOver === true)
      throw new OutOfTimeError('no time is left for an attempt');
    this.#attempts += 1;
    const timeoutMs = Math.ceil(Math.min(this.#bounds.attemptMs, leftMs));
    const call = (): Promise<HttpResponse> =>
      this.#options.client({ ...this.#call, url: this.#url, timeoutMs });
    return this.#limit === undefined ? call() : this.#limit.run(call);
  }

  /** Goes where a safe request is sent on, within the origin. @throws OutboundError for another origin. */
  #follows({ status, headers: { location } }: HttpResponse): boolean {
    if (!REDIRECTIONS.has(status) || location === undefined || !SAFE.has(this.#call.method)) return false;
    const to = URL.parse(location, this.#url.href);
    this.#redirects += 1;
    if (to?.origin !== this.#origin || this.#redirects > outboundRedirectsMax) {
      const where =
        to?.origin === this.#origin ? `more than ${outboundRedirectsMax} times` : 'to another origin';
      throw this.#error('redirect', `redirects ${where}`, { status });
    }
    this.#url = to;
    this.#attempts -= 1;
    return true;
  }

  /** Waits before another attempt; false when there is no time for one after it. */
  async #pause(askedMs: number): Promise<boolean> {
    const { random, sleep } = this.#options;
    const most = Math.min(outboundPauseMaxMs, outboundPauseMs * 2 ** (this.#attempts - 1));
    const ms = Math.max(askedMs, Math.ceil(most * random()));
    if (ms >= this.#leftMs() || this.#limit?.isOver === true) return false;
    await sleep(ms);
    return true;
  }

  #leftMs(): number {
    return this.#endsAtMs - this.#options.elapsed();
  }

  #failureOf(error: unknown): OutboundError {
    if (error instanceof OutboundError) return error;
    if (error instanceof OutOfTimeError) {
      // What an earlier attempt has done is not known either.
      return this.#error('timeout', 'no time is left', { mayHave: this.#attempts > 0, cause: error });
    }
    const { isLarge, isLate, isUnsent } = kindOf(error);
    if (isLarge) {
      return this.#error('too_large', `an answer of more than ${this.#call.bodyBytesMax} bytes`, {
        cause: error,
      });
    }
    const mayHave = !isUnsent && !SAFE.has(this.#call.method);
    const text = isLate ? 'no answer in time' : 'no connection, or it broke';
    return this.#error(isLate ? 'timeout' : 'unreachable', text, { mayHave, cause: error });
  }

  #parse(response: HttpResponse): unknown {
    try {
      return JSON.parse(response.body) as unknown;
    } catch {
      // The parser's own message would repeat a part of the body.
      throw this.#error('body', 'the answer is not JSON', { status: response.status });
    }
  }

  #error(
    reason: OutboundReason,
    text: string,
    { status, mayHave = false, cause }: { status?: number; mayHave?: boolean; cause?: unknown } = {},
  ): OutboundError {
    const attempts = this.#attempts;
    return new OutboundError(
      `${this.#call.method} ${this.#origin}: ${text} (attempts: ${attempts})`,
      { reason, status, attempts, mayHaveTakenEffect: mayHave },
      { cause },
    );
  }

  #log(begunAtMs: number, fields: Readonly<Record<string, unknown>>): void {
    const ms = Math.round(this.#options.elapsed() - begunAtMs);
    const { method } = this.#call;
    this.#options.log?.log('debug', 'call', {
      method,
      origin: this.#origin,
      ...fields,
      attempts: this.#attempts,
      ms,
    });
  }
}

class OutOfTimeError extends Error {
  override readonly name = 'OutOfTimeError';
}

function failureOf(response: OutboundResponse, request: OutboundRequest, reason: 'status'): OutboundError {
  const { status, attempts, headers } = response;
  const method = request.method ?? (bodyOf(request) === undefined ? 'GET' : 'POST');
  const mayHave = status >= 500 && !SAFE.has(method);
  const after = retryAfterMs({ headers }, Date.now);
  return new OutboundError(`${method} ${urlOf(request.url).origin}: ${status} (attempts: ${attempts})`, {
    reason,
    status,
    attempts,
    mayHaveTakenEffect: mayHave,
    ...(after > 0 && { retryAfterMs: after }),
  });
}

function isOk({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

/** @throws TypeError */
function urlOf(url: string | URL): URL {
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw new TypeError('url: https://… is needed');
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError('url: no credentials in it, use a header');
  return new URL(parsed);
}

/** @throws RangeError */
function headersOf(
  { headers = {}, json, idempotencyKey }: OutboundRequest,
  { traceparent }: Invocation,
): Record<string, string> {
  const given = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const key = idempotencyKey ?? given['idempotency-key'];
  if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
    throw new RangeError('idempotencyKey: 1 to 255 visible ASCII characters');
  }
  return {
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...(traceparent !== undefined && { traceparent }),
    ...given,
    ...(key !== undefined && { 'idempotency-key': key }),
  };
}

/** @throws TypeError */
function bodyOf({ json, body }: OutboundRequest): string | undefined {
  if (json !== undefined && body !== undefined) throw new TypeError('json, body: one of them');
  return json === undefined ? body : JSON.stringify(json);
}

/** @throws RangeError */
function bound(name: keyof typeof outbound, request: OutboundRequest): number {
  const value = request[name] ?? outbound[name];
  if (Number.isInteger(value) && value >= 1 && value <= outboundMost[name]) return value;
  throw new RangeError(`${name}: a whole number from 1 to ${outboundMost[name]} is needed, not ${value}`);
}

/** RFC 9110, section 10.2.3: seconds, or a date. 0 where nothing is said. */
function retryAfterMs({ headers }: Pick<HttpResponse, 'headers'>, now: () => number): number {
  const text = headers['retry-after'] ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - now());
}

/** What the network has said, in the chain of causes. */
function kindOf(error: unknown): { isLarge: boolean; isLate: boolean; isUnsent: boolean } {
  const chain: Cause[] = [];
  for (let at = error; isCause(at) && chain.length < CAUSES_MAX; at = at.cause) chain.push(at);
  const names = chain.map(({ name }) => name);
  return {
    isLarge: names.includes('RangeError'),
    isLate: names.includes('TimeoutError') || names.includes('AmbiguousError'),
    isUnsent: chain.some(
      ({ code, errors = [] }) =>
        isUnsent(code) || (errors.length > 0 && errors.every((one) => isUnsent(one.code))),
    ),
  };
}

/** By its members: what Node throws may be of another realm. */
interface Cause {
  readonly name?: string;
  readonly code?: string;
  readonly cause?: unknown;
  /** Of an AggregateError: one for each address that was tried. */
  readonly errors?: readonly { readonly code?: string }[];
}

function isCause(value: unknown): value is Cause {
  return typeof value === 'object' && value !== null;
}

function isUnsent(code: string | undefined): boolean {
  return code !== undefined && (NOT_SENT.has(code) || code === 'UND_ERR_CONNECT_TIMEOUT');
}
