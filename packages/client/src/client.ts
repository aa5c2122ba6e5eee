/**
 * A client of Tandem's API: typed by the contract, for Node and browsers. It makes idempotency keys, carries what the
 * session has seen, goes to another site when one fails, and does nothing twice.
 *
 * @example
 * const tandem = createTandemClient({ sites: ['https://aws.example.com', 'https://azure.example.com'] });
 * const { data: ada } = await tandem.collection('users').create({ name: 'Ada', email: 'ada@example.com' });
 * for await (const user of tandem.collection('users').list()) console.log(user.name);
 */
import createFetchClient from 'openapi-fetch';
import type { Answer } from './attempt.ts';
import { realClock } from './clock.ts';
import { type Collection, collectionOf } from './collection.ts';
import { NotModifiedError } from './errors.ts';
import { Failover } from './failover.ts';
import { FactsTable } from './find-facts.ts';
import { operationFacts } from './generated/operations.ts';
import type { paths } from './generated/schema.ts';
import { checkOptions, type ClientOptions } from './options.ts';
import { isRead, repeatOf } from './repeat.ts';
import { recordPath, Session } from './session.ts';
import type { AnyCall, AnyInit, CallOptions, CollectionName, Method, Result } from './types.ts';

export type { paths } from './generated/schema.ts';

export interface TandemClient<Paths extends object = paths> {
  readonly GET: Method<Paths, 'get'>;
  readonly POST: Method<Paths, 'post'>;
  readonly PUT: Method<Paths, 'put'>;
  readonly PATCH: Method<Paths, 'patch'>;
  readonly DELETE: Method<Paths, 'delete'>;
  /** The records of one kind: `users`. */
  collection<Name extends CollectionName<Paths>>(name: Name): Collection<Paths, Name>;
  /** What was seen so far. */
  readonly session: Session;
}

/** Where requests seem to go until a site is chosen; `.invalid` never resolves (RFC 2606). */
const NOWHERE = 'http://tandem.invalid';

/** @throws ClientOptionsError that names every mistake. */
export function createTandemClient(options: ClientOptions): TandemClient;
/** Of another contract than this project's: `paths` as openapi-typescript writes them. */
export function createTandemClient<Paths extends object>(options: ClientOptions): TandemClient<Paths>;
export function createTandemClient(options: ClientOptions): unknown {
  const checked = checkOptions(options);
  const fetch = options.fetch ?? ((url: string, init: RequestInit) => globalThis.fetch(url, init));
  const failover = new Failover({ ...checked, clock: options.clock ?? realClock, fetch });
  const session = options.session ?? new Session();
  const table = new FactsTable(options.operations ?? operationFacts);
  const inner = createFetchClient<Record<string, never>>({ baseUrl: NOWHERE });
  const own = async (): Promise<Readonly<Record<string, string>>> =>
    typeof options.headers === 'function' ? await options.headers() : (options.headers ?? {});

  const call: AnyCall = async (method, template, { params, body, ...options } = {}) => {
    let result: Result<undefined> | undefined;
    const perform = async (request: Request): Promise<Response> => {
      const performed = await send(request, template, options);
      result = performed.result;
      return performed.response;
    };
    const init = { params, body, fetch: perform } as never;
    const { data } = await inner.request(method.toLowerCase() as never, template as never, init);
    if (result === undefined) throw new TypeError('openapi-fetch did not send the request');
    return { ...result, data };
  };

  async function send(
    request: Request,
    template: string,
    { durable, ifMatch, idempotencyKey, safeElsewhere, site, signal, totalMs }: CallOptions,
  ): Promise<{ response: Response; result: Result<undefined> }> {
    const { method } = request;
    const { pathname, search } = new URL(request.url);
    const facts = table.of(method, template);
    const headers = new Headers(request.headers);
    if (durable === true) headers.set('prefer', 'durability=all');
    if (ifMatch !== undefined) headers.set('if-match', etagOf(ifMatch));
    if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey);
    else if (facts?.keyed === true && !headers.has('idempotency-key'))
      headers.set('idempotency-key', newKey());
    const text = request.body === null ? undefined : await request.text();
    const body: unknown = text === undefined ? undefined : JSON.parse(text);
    const repeat = repeatOf({ method, body, headers, facts });
    let carried = session.carry(pathname, isRead(method));
    const { answer, stale, deletedBefore } = await failover.run({
      request: { method, path: pathname + search },
      repeat: safeElsewhere === true && repeat === 'here' ? 'elsewhere' : repeat,
      key: headers.get('idempotency-key') ?? undefined,
      body: text,
      headers: async (isBound) => {
        carried = session.carry(pathname, isRead(method));
        const all = new Headers({ ...(await own()) });
        headers.forEach((value, name) => all.set(name, value));
        if (isBound && carried.tokens.length > 0) all.set('x-tandem-session', carried.tokens.join(', '));
        return all;
      },
      totalMs: totalMs ?? checked.totalMs,
      site,
      signal,
    });
    if (!stale) keep(answer, pathname, carried);
    if (answer.status === 304)
      throw new NotModifiedError({ method, path: pathname }, 'is in the state that the caller holds');
    return {
      response: new Response(deletedBefore || answer.status === 204 ? null : answer.text, {
        status: deletedBefore ? 204 : answer.status,
        headers: answer.headers,
      }),
      result: resultOf(answer, { stale, deletedBefore }),
    };
  }

  function keep(answer: Answer, pathname: string, carried: ReturnType<Session['carry']>): void {
    const token = answer.headers.get('x-tandem-session');
    if (token === null) return;
    const site = answer.headers.get('x-tandem-origin') ?? answer.site;
    session.keep(recordPath(answer.headers.get('location') ?? pathname), { token, site }, carried);
  }

  const method = (name: string) => (path: string, init?: AnyInit) => call(name, path, init);
  return {
    GET: method('GET'),
    POST: method('POST'),
    PUT: method('PUT'),
    PATCH: method('PATCH'),
    DELETE: method('DELETE'),
    collection: (name: string) => collectionOf(name, { call, one: table.recordTemplate(name) }),
    session,
  };
}

function resultOf(
  { status, headers, site }: Answer,
  { stale, deletedBefore }: { stale: boolean; deletedBefore: boolean },
): Result<undefined> {
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

/** 128 random bits; `randomUUID` is only for pages that came over HTTPS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
