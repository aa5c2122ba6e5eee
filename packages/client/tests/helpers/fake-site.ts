/**
 * A site that fails in every way, as the client sees it: it remembers keys at itself and knows nothing of the other one,
 * as a site does while nothing crosses.
 */
import { createHash } from 'node:crypto';

/** What happens to one request. */
export type Fate =
  | 'well'
  /** Nobody listens. */
  | 'refused'
  /** Never arrives, and no answer either. */
  | 'lost'
  /** Done, and the connection breaks before the answer. */
  | 'reset-after'
  /** No answer in time; done later, when the client has given up. */
  | 'hang'
  /** Done, and the answer says that something failed. */
  | '500-after'
  | '503'
  /** Of a gateway, without a site behind it. */
  | '502'
  | '429'
  /** The record has forgotten requests that old. */
  | 'forgotten'
  /** The time of the key is ahead of the site's clock. */
  | 'future'
  /** The token is not taken. */
  | '401'
  /** What an earlier request did, and the record with it, has been deleted. */
  | 'gone'
  /** There is no such record any more. */
  | '404'
  | 'behind'
  /** The other site must be asked: azure. */
  | 'elsewhere'
  /** Nobody writes at the moment. */
  | 'moving'
  /** One that the client was not told of. */
  | 'far'
  /** Something in front of the site sends the client somewhere else. */
  | 'redirected';

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string | undefined;
}

/** One effect in the site's store. */
export interface Effect {
  readonly site: string;
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly body: unknown;
}

export class FakeSite {
  readonly name: string;
  readonly url: string;
  readonly effects: Effect[] = [];
  readonly sent: Sent[] = [];
  /** One for each request that comes; afterwards all is well. */
  readonly fates: Fate[] = [];
  /** What is done after the client has gone. */
  readonly #late: Sent[] = [];
  readonly #remembered = new Set<string>();
  readonly #deleted = new Set<string>();

  constructor(name: string) {
    this.name = name;
    this.url = `http://${name}.test`;
  }

  /** @param expire Lets the time of the attempt run out. */
  async fetch(sent: Sent, signal: AbortSignal, expire: () => void): Promise<Response> {
    this.sent.push(sent);
    const fate = this.fates.shift() ?? 'well';
    switch (fate) {
      case 'refused':
        throw failure('ECONNREFUSED');
      case 'lost':
        throw failure('ECONNRESET');
      case 'reset-after':
        this.handle(sent);
        throw failure('UND_ERR_SOCKET');
      case 'hang':
        this.#late.push(sent);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          expire();
        });
      case '500-after':
        this.handle(sent);
        return this.#problem(500, 'internal');
      case '503':
        return this.#problem(503, 'unavailable', { 'retry-after': '2' });
      case '502':
        return new Response('bad gateway', { status: 502 });
      case '429':
        return new Response('slow down', { status: 429, headers: { 'retry-after': '1' } });
      case 'forgotten':
        return this.#problem(422, 'request_forgotten', { date: 'Sun, 06 Nov 2044 08:49:37 GMT' });
      case 'future':
        return this.#problem(400, 'invalid', { date: 'Sun, 06 Nov 2044 08:49:37 GMT' }, [
          { pointer: '/headers/idempotency-key', rule: 'future', detail: 'the key was made in the future' },
        ]);
      case '401':
        return this.#problem(401, 'unauthorized');
      case 'gone':
        return this.#problem(410, 'gone');
      case '404':
        return this.#problem(404, 'not_found');
      case 'moving':
        return this.#problem(503, 'writer_moving', { 'retry-after': '2' });
      case 'behind':
        return this.#problem(503, 'not_yet_here', { 'retry-after': '2' });
      case 'elsewhere':
      case 'far': {
        const at = fate === 'far' ? 'far' : 'azure';
        const location = `http://${at}.test${sent.path}`;
        return this.#problem(421, 'not_kept_here', { 'x-tandem-at': at, location });
      }
      case 'redirected':
        return new Response(null, { status: 302, headers: { location: `${this.url}/elsewhere` } });
      case 'well':
        return this.handle(sent);
    }
  }

  /** What hung is done at last. */
  finish(): void {
    for (const sent of this.#late.splice(0)) this.handle(sent);
  }

  /** The site itself, when it is well. */
  handle({ method, path, headers, body }: Sent): Response {
    const key = headers.get('idempotency-key') ?? undefined;
    const parsed: unknown = body === undefined ? undefined : JSON.parse(body);
    if (method === 'GET') return this.#record(200, path, {});
    if (method === 'DELETE') {
      if (this.#deleted.has(path)) return this.#problem(404, 'not_found');
      this.#deleted.add(path);
      this.effects.push({ site: this.name, method, path, key, body: parsed });
      return new Response(null, { status: 204, headers: this.#headers(path) });
    }
    const replayed = key !== undefined && this.#remembered.has(key);
    if (!replayed) {
      if (key !== undefined) this.#remembered.add(key);
      this.effects.push({ site: this.name, method, path, key, body: parsed });
    }
    const id =
      method === 'POST'
        ? createHash('sha256')
            .update(key ?? 'none')
            .digest('hex')
            .slice(0, 8)
        : '';
    const at = id === '' ? path : `${path}/${id}`;
    const extra: Record<string, string> = replayed ? { 'idempotency-replayed': 'true' } : {};
    return this.#record(method === 'POST' ? 201 : 200, at, { location: at, ...extra });
  }

  #record(status: number, path: string, headers: Record<string, string>): Response {
    const body = JSON.stringify({ id: path.split('/').at(-1), name: 'Ada' });
    return new Response(body, {
      status,
      headers: { ...this.#headers(path), ...headers, 'content-type': 'application/json' },
    });
  }

  #headers(path: string): Record<string, string> {
    const token = Buffer.from(`${path} ${this.name}.${this.effects.length}`).toString('base64url');
    return {
      'x-tandem-site': this.name,
      etag: `"${this.name}.${this.effects.length}"`,
      'x-tandem-session': token,
    };
  }

  #problem(
    status: number,
    code: string,
    headers: Record<string, string> = {},
    errors: readonly object[] = [],
  ): Response {
    const problem = {
      type: 'urn:x',
      title: code,
      status,
      detail: `${code} at ${this.name}`,
      instance: 'urn:request:1',
      code,
      ...(errors.length > 0 && { errors }),
    };
    return new Response(JSON.stringify(problem), {
      status,
      headers: { ...headers, 'x-tandem-site': this.name, 'content-type': 'application/problem+json' },
    });
  }
}

/** As Node reports it: https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md */
function failure(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}
