/**
 * One call from its parameters to its result: the request is built by openapi-fetch, carried out by the failover, and what
 * its answer names is kept in the session.
 */
import createFetchClient from 'openapi-fetch';
import type { Answer } from './attempt.ts';
import { keysMax, waitMsMax } from './bounds.ts';
import { realClock } from './clock.ts';
import { type Failure, NotModifiedError, ProblemError } from './errors.ts';
import { type Answered, Failover } from './failover.ts';
import { FactsTable } from './find-facts.ts';
import { operationFacts } from './generated/operations.ts';
import { timedKey, untimedKey } from './keys.ts';
import { type CheckedOptions, checkOptions, type ClientOptions, type HeadersOf } from './options.ts';
import { isRead, type Repeat, repeatOf } from './repeat.ts';
import { type Carried, recordPath, Session } from './session.ts';
import type { AnyInit, CallOptions, Result } from './types.ts';

/** Where requests seem to go until a site is chosen; `.invalid` never resolves (RFC 2606). */
const NOWHERE = 'http://tandem.invalid';

/** A request that is ready for every attempt. */
interface Prepared {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly repeat: Repeat;
  /** The key was made for this very call. */
  readonly isNewKey: boolean;
  /** Those that do it, as the contract says. */
  readonly sites: readonly string[] | undefined;
  /** It may be about any record. */
  readonly isSeveral: boolean;
}

export class Calls {
  readonly session: Session;
  readonly #checked: CheckedOptions;
  readonly #failover: Failover;
  readonly #table: FactsTable;
  readonly #inner = createFetchClient<Record<string, never>>({ baseUrl: NOWHERE });
  readonly #own: () => Promise<HeadersOf>;

  /** @throws ClientOptionsError */
  constructor(options: ClientOptions) {
    const { headers = {}, clock = realClock, operations = operationFacts } = options;
    const fetch = options.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
    this.#checked = checkOptions(options);
    this.session = options.session ?? new Session();
    this.#failover = new Failover({ ...this.#checked, clock, fetch });
    this.#table = new FactsTable(operations);
    this.#own = async () => (typeof headers === 'function' ? await headers() : headers);
  }

  /** `/users/{userId}`, for `users`. @throws TypeError when the contract has none. */
  recordTemplate(collection: string): string {
    return this.#table.recordTemplate(collection);
  }

  /** @param template As in the contract: `/users/{userId}`. @throws TandemError */
  async call(
    method: string,
    template: string,
    { params, body, ...options }: AnyInit = {},
  ): Promise<Result<unknown>> {
    let result: Result<undefined> | undefined;
    const perform = async (request: Request): Promise<Response> => {
      const answered = await this.#send(await this.#prepare(request, template, options), options);
      result = resultOf(answered);
      return responseOf(answered);
    };
    const init = { params, body, fetch: perform } as never;
    const { data } = await this.#inner.request(method.toLowerCase() as never, template as never, init);
    if (result === undefined) throw new TypeError('openapi-fetch did not send the request');
    return { ...result, data };
  }

  async #prepare(
    request: Request,
    template: string,
    { durable, ifMatch, idempotencyKey, safeElsewhere, waitSeconds }: CallOptions,
  ): Promise<Prepared> {
    const { method } = request;
    const facts = this.#table.of(method, template);
    const headers = new Headers(request.headers);
    if (durable === true) headers.append('prefer', 'durability=all');
    if (waitSeconds !== undefined) headers.append('prefer', `wait=${Math.ceil(waitSeconds)}`);
    if (ifMatch !== undefined) headers.set('if-match', etagOf(ifMatch));
    const given = idempotencyKey ?? headers.get('idempotency-key') ?? undefined;
    const key = given ?? (facts?.keyed === true ? timedKey(Date.now()) : undefined);
    if (key !== undefined) headers.set('idempotency-key', key);
    if (facts?.sites !== undefined) headers.set('x-tandem-follow', '1');
    const body = request.body === null ? undefined : await request.text();
    const parsed: unknown = body === undefined ? undefined : JSON.parse(body);
    const repeat = repeatOf({ method, body: parsed, headers, facts });
    return {
      method,
      url: new URL(request.url),
      headers,
      body,
      repeat: safeElsewhere === true && repeat === 'here' ? 'elsewhere' : repeat,
      isNewKey: given === undefined,
      sites: facts?.sites,
      isSeveral: facts?.session === 'several',
    };
  }

  /**
   * A key that is as old as what a record has forgotten is refused. Of a new one that has done nothing anywhere, this shows
   * that the clock here is behind those of others: it is made anew by the site's clock, and at last without a time. So it is
   * with a key whose time a site takes for wrong, where a creation must have one; but that is never sent without a time.
   */
  async #send(prepared: Prepared, options: CallOptions): Promise<Answered> {
    let { isNewKey } = prepared;
    for (let keys = 1; ; keys += 1) {
      try {
        return await this.#sendOnce({ ...prepared, isNewKey }, options);
      } catch (error) {
        if (!(error instanceof ProblemError) || !isNewKey) throw error;
        const isMistimed = error.errors.some(isAboutKeyTime);
        if (error.code !== 'request_forgotten' && !isMistimed) throw error;
        isNewKey = keys < keysMax;
        // The header `Date` has no fractions of a second.
        const isTimed = isNewKey && error.dateMs !== undefined;
        if (isMistimed && !isTimed) throw error;
        prepared.headers.set('idempotency-key', isTimed ? timedKey(error.dateMs + 1_000) : untimedKey());
      }
    }
  }

  async #sendOnce(
    { method, url: { pathname, search }, headers, body, repeat, isNewKey, sites, isSeveral }: Prepared,
    { site, signal, totalMs = this.#checked.totalMs }: CallOptions,
  ): Promise<Answered> {
    const carry = (): Carried =>
      isSeveral ? this.session.carrySeveral() : this.session.carry(pathname, isRead(method));
    let carried = carry();
    const answered = await this.#failover.run({
      request: { method, path: pathname + search },
      repeat,
      key: headers.get('idempotency-key') ?? undefined,
      isNewKey,
      body,
      waitMs: isRead(method) ? waitMsIn(headers.get('prefer')) : 0,
      headers: async (isBound) => {
        carried = carry();
        const all = new Headers({ ...(await this.#own()) });
        headers.forEach((value, name) => all.set(name, value));
        if (isBound && carried.tokens.length > 0) all.set('x-tandem-session', carried.tokens.join(', '));
        return all;
      },
      totalMs,
      site,
      sites,
      signal,
    });
    if (!answered.stale) this.#keep(answered.answer, { pathname, isSeveral, carried });
    if (answered.answer.status !== 304) return answered;
    throw new NotModifiedError({ method, path: pathname }, 'is in the state that the caller holds');
  }

  #keep(
    { headers, site }: Answer,
    {
      pathname,
      isSeveral,
      carried,
    }: { readonly pathname: string; readonly isSeveral: boolean; readonly carried: Carried },
  ): void {
    const token = headers.get('x-tandem-session');
    if (token === null) return;
    const made = { token, site: headers.get('x-tandem-origin') ?? site };
    if (isSeveral) this.session.keepSeveral(made);
    else this.session.keep(recordPath(headers.get('location') ?? pathname), made, carried);
  }
}

/** How long a site may wait before it answers, in milliseconds. */
function waitMsIn(prefer: string | null): number {
  const [, seconds = '0'] = /(?:^|,)\s*wait\s*=\s*"?(\d+)/i.exec(prefer ?? '') ?? [];
  return Math.min(Number(seconds) * 1_000, waitMsMax);
}

/** A site's clock and the one here are apart. */
function isAboutKeyTime({ pointer, rule }: Failure): boolean {
  return pointer === '/headers/idempotency-key' && (rule === 'age' || rule === 'future');
}

/** For openapi-fetch, which reads the body by the status. */
function responseOf({ answer: { status, text, headers }, deletedBefore }: Answered): Response {
  const isEmpty = deletedBefore || status === 204;
  return new Response(isEmpty ? null : text, { status: isEmpty ? 204 : status, headers });
}

function resultOf({ answer: { status, headers, site }, stale, deletedBefore }: Answered): Result<undefined> {
  return {
    data: undefined,
    status: deletedBefore ? 204 : status,
    etag: headers.get('etag') ?? undefined,
    site,
    replayed: deletedBefore || headers.get('idempotency-replayed') === 'true',
    durable: headers.get('preference-applied')?.includes('durability=all') ?? false,
    stale,
    headers,
  };
}

/** @throws TypeError when a result has none. */
function etagOf(ifMatch: NonNullable<CallOptions['ifMatch']>): string {
  const etag = typeof ifMatch === 'string' ? ifMatch : ifMatch.etag;
  if (etag === undefined) throw new TypeError('ifMatch needs an ETag, and this result has none');
  return etag;
}
