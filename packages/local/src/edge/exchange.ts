/**
 * One request at one site.
 *
 * Invariant: `not-sent` is certain. A request that may have effects travels on a connection of its own, and not one
 * byte of it is written before that connection stands; so when connecting fails, the site has seen nothing. A kept
 * connection could not tell: the site may close it in the moment in which the request goes out.
 */
import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import net from 'node:net';
import { requestHeaders } from './headers.ts';
import type { SiteHealth } from './health.ts';

/** API Gateway and the Functions front end give up later than this, so the site's own answer comes first. */
const RESPONSE_WITHIN_MS = 29_000;
const CONNECT_WITHIN_MS = 2_000;

/** Methods without effects (RFC 9110, section 9.2.1), which may be tried again wherever they failed. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export type ExchangeResult =
  /** The site answered; the body is still to be read. */
  | { readonly kind: 'answer'; readonly response: IncomingMessage }
  /** The site has not seen the request. */
  | { readonly kind: 'not-sent' }
  /** The request went out and no answer came: what became of it is not known. */
  | { readonly kind: 'lost'; readonly timedOut: boolean };

/** True when sending the request twice does no harm and is possible: there is no body that was used up. */
export function isRepeatable({ method = '', headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return SAFE.has(method) && !hasBody;
}

/** Connections to the sites, kept for repeatable requests. */
export class Exchanger {
  readonly #kept = new http.Agent({ keepAlive: true, maxFreeSockets: 64 });

  /**
   * Sends the request and waits for the head of the answer. Never throws.
   * @param signal Aborted when the client has gone away.
   */
  async send(request: IncomingMessage, site: SiteHealth, signal: AbortSignal): Promise<ExchangeResult> {
    return isRepeatable(request)
      ? await this.#sendRepeatable(request, site, signal)
      : await sendOnce(request, site, signal);
  }

  close(): void {
    this.#kept.destroy();
  }

  async #sendRepeatable(
    request: IncomingMessage,
    site: SiteHealth,
    signal: AbortSignal,
  ): Promise<ExchangeResult> {
    // When the site turns out to be down there is no use in waiting for it: another one can answer.
    const either = AbortSignal.any([signal, site.down]);
    const attempt = (agent: http.Agent | false) => {
      const upstream = http.request({ ...target(request, site), agent, signal: either });
      const effect = resultOf(upstream, site);
      upstream.end();
      return effect.then((result) => ({ result, reused: upstream.reusedSocket }));
    };
    const { result, reused } = await attempt(this.#kept);
    if (result.kind !== 'lost' || result.timedOut || !reused || either.aborted) return result;
    // The site had closed the kept connection. That says nothing about the site.
    return (await attempt(false)).result;
  }
}

async function sendOnce(
  request: IncomingMessage,
  site: SiteHealth,
  signal: AbortSignal,
): Promise<ExchangeResult> {
  const socket = await connect(site);
  if (socket === undefined) return { kind: 'not-sent' };
  const upstream = http.request({ ...target(request, site), createConnection: () => socket, signal });
  const result = resultOf(upstream, site);
  request.pipe(upstream);
  return await result;
}

function target(request: IncomingMessage, { origin }: SiteHealth): http.RequestOptions {
  return {
    host: origin.url.hostname,
    port: origin.url.port,
    method: request.method,
    path: request.url,
    headers: requestHeaders(request, origin.url.host),
  };
}

/** A connection that stands; undefined when there is none to be had. */
async function connect(site: SiteHealth): Promise<net.Socket | undefined> {
  const { hostname, port } = site.origin.url;
  const { promise, resolve } = Promise.withResolvers<net.Socket | undefined>();
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error('connecting took too long')), CONNECT_WITHIN_MS);
  const failed = (error: NodeJS.ErrnoException): void => {
    clearTimeout(timer);
    noteFailure(site, error);
    resolve(undefined);
  };
  socket.once('error', failed);
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.off('error', failed);
    resolve(socket);
  });
  return await promise;
}

/** Settles with the head of the answer, or with what is known without one. */
function resultOf(upstream: http.ClientRequest, site: SiteHealth): Promise<ExchangeResult> {
  const { promise, resolve } = Promise.withResolvers<ExchangeResult>();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    upstream.destroy();
  }, RESPONSE_WITHIN_MS);
  upstream.once('response', (response) => {
    clearTimeout(timer);
    resolve({ kind: 'answer', response });
  });
  // More than one error can come, such as a write after the connection broke.
  upstream.on('error', (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    noteFailure(site, error);
    resolve(error.code === 'ECONNREFUSED' ? { kind: 'not-sent' } : { kind: 'lost', timedOut });
  });
  upstream.once('close', () => {
    clearTimeout(timer);
    resolve({ kind: 'lost', timedOut });
  });
  return promise;
}

/** What a failed request says about its site: refused is proof, anything else is a reason to ask. */
function noteFailure(site: SiteHealth, error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNREFUSED') site.refused();
  else if (error.name !== 'AbortError') void site.probe();
}
