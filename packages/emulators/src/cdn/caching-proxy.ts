/**
 * A shared cache in front of an origin, on loopback: what the caches of all three vendors have in common (RFC 9111). What they do
 * in ways of their own is in `CacheBehaviour`.
 *
 * One place, without tiers, eviction or ranges. A fetch that is under way while something is purged is kept when it ends: a real
 * cache may do so as well, and whoever relies on purges has to know.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyText, BodyTooLargeError } from '../core/request-body.ts';

export interface Asked {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How long an answer may be used, in seconds. */
export interface Lifetime {
  readonly freshSeconds: number;
  /** Beyond that, while the origin fails. */
  readonly staleIfErrorSeconds: number;
}

export interface CacheBehaviour {
  /** What tells two entries apart; undefined: the request goes to the origin. */
  readonly keyOf: (asked: Asked) => string | undefined;
  /** Undefined: it is not kept. */
  readonly lifetimeOf: (asked: Asked, answered: Answered) => Lifetime | undefined;
  /** Headers of the answer that say what the cache did. */
  readonly says: (did: 'hit' | 'miss' | 'stale' | 'bypass') => Readonly<Record<string, string>>;
  /** Headers of the origin that are not passed on. */
  readonly withholds?: readonly string[];
}

/** What is kept. */
export interface Entry {
  readonly target: string;
  readonly answered: Answered;
  readonly lifetime: Lifetime;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

export interface CachingProxy {
  readonly url: string;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Requests that went to the origin. */
  readonly fetched: () => number;
  /** Forgets what this says of. @returns How many entries. */
  purge(isPurged: (entry: Entry) => boolean): number;
  close(): Promise<void>;
}

export interface CachingProxyOptions {
  /** `http://127.0.0.1:3000`; a function where it is known later. */
  readonly origin: string | (() => string);
  readonly behaviour: CacheBehaviour;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** More than any body that the API takes. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** RFC 5861, section 4: 500, 502, 503, 504, and an origin that does not answer. */
const FAILING = new Set([500, 502, 503, 504]);
/** Hop by hop (RFC 9110, section 7.6.1), and what the new answer has of its own. */
const NOT_PASSED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host']);

/** The directives of a `Cache-Control`; a flag has an empty value. */
export function directivesOf(header: string | undefined): ReadonlyMap<string, string> {
  const parts = (header ?? '').split(',').map((part) => part.trim().toLowerCase());
  return new Map(
    parts
      .filter((part) => part !== '')
      .map((part) => {
        const [name = '', value = ''] = part.split('=', 2);
        return [name, value.replaceAll('"', '')] as const;
      }),
  );
}

/** The seconds of a directive; undefined where it is not there, or is no number. */
export function secondsOf(directives: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = directives.get(name);
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}

export async function startCachingProxy(options: CachingProxyOptions): Promise<CachingProxy> {
  const { origin, behaviour, now = Date.now } = options;
  const entries = new Map<string, Entry>();
  let fetched = 0;

  const fetchOrigin = async (asked: Asked, body: string, extra: Readonly<Record<string, string>> = {}) => {
    fetched += 1;
    const given = Object.entries({ ...asked.headers, ...extra }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !NOT_PASSED.has(entry[0]),
    );
    const response = await fetch(new URL(asked.target, typeof origin === 'string' ? origin : origin()), {
      method: asked.method,
      headers: given,
      redirect: 'manual',
      ...(body !== '' && { body }),
    });
    const headers = Object.fromEntries([...response.headers].filter(([name]) => !NOT_PASSED.has(name)));
    return { status: response.status, headers, body: await response.text() } satisfies Answered;
  };

  const answer = async (asked: Asked, body: string): Promise<Answered> => {
    const key = asked.method === 'GET' ? behaviour.keyOf(asked) : undefined;
    if (key === undefined) return said(await fetchOrigin(asked, body), 'bypass');
    const kept = entries.get(key);
    const ageMs = kept === undefined ? 0 : now() - kept.atMs;
    if (kept !== undefined && ageMs < kept.lifetime.freshSeconds * 1_000) return reply(asked, kept, 'hit');
    const failed = await revalidated(asked, key, kept);
    if (!('failure' in failed)) return failed;
    const { freshSeconds = 0, staleIfErrorSeconds = 0 } = kept?.lifetime ?? {};
    if (kept !== undefined && ageMs < (freshSeconds + staleIfErrorSeconds) * 1_000)
      return reply(asked, kept, 'stale');
    return failed.failure;
  };

  /** Of the origin, and kept; or what it failed with. */
  const revalidated = async (
    asked: Asked,
    key: string,
    kept: Entry | undefined,
  ): Promise<Answered | { readonly failure: Answered }> => {
    // What the cache keeps is whole: a caller's own condition is answered from it.
    const headers = { ...asked.headers };
    delete headers['if-none-match'];
    const etag = kept?.answered.headers['etag'];
    const given: Asked = { ...asked, headers };
    const found = await fetchOrigin(given, '', etag === undefined ? {} : { 'if-none-match': etag }).catch(
      (): Answered => ({ status: 502, headers: {}, body: 'the origin does not answer' }),
    );
    if (FAILING.has(found.status)) return { failure: said(found, 'miss') };
    const fresh =
      found.status === 304 && kept !== undefined
        ? { ...kept.answered, headers: { ...kept.answered.headers, ...found.headers } }
        : found;
    const lifetime = behaviour.lifetimeOf(asked, fresh);
    if (lifetime === undefined) {
      entries.delete(key);
      return said(fresh, 'miss');
    }
    const entry: Entry = { target: asked.target, answered: fresh, lifetime, atMs: now() };
    entries.set(key, entry);
    return reply(asked, entry, 'miss');
  };

  const reply = ({ headers }: Asked, { answered, atMs }: Entry, did: 'hit' | 'miss' | 'stale'): Answered => {
    const { etag } = answered.headers;
    const isSame = etag !== undefined && headers['if-none-match'] === etag;
    const aged = { ...answered.headers, age: String(Math.floor((now() - atMs) / 1_000)) };
    return said({ ...answered, headers: aged, ...(isSame && { status: 304, body: '' }) }, did);
  };

  const said = (answered: Answered, did: 'hit' | 'miss' | 'stale' | 'bypass'): Answered => ({
    ...answered,
    headers: {
      ...Object.fromEntries(
        Object.entries(answered.headers).filter(([name]) => !(behaviour.withholds ?? []).includes(name)),
      ),
      ...behaviour.says(did),
    },
  });

  const server = http.createServer((request, response) => {
    void (async () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
      );
      const asked = { method: request.method ?? 'GET', target: request.url ?? '/', headers };
      const { status, headers: given, body } = await answer(asked, await bodyText(request, BODY_BYTES_MAX));
      response.writeHead(status, given).end(body);
    })().catch((error: unknown) => response.writeHead(error instanceof BodyTooLargeError ? 413 : 502).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries,
    fetched: () => fetched,
    purge(isPurged) {
      const gone = [...entries].filter(([, entry]) => isPurged(entry));
      for (const [key] of gone) entries.delete(key);
      return gone.length;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
