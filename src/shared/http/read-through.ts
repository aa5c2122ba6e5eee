/**
 * Read-through: a read whose session is ahead of this site, once it has waited, is asked of a site that made what is
 * missing here.
 *
 * Invariant: what is passed on was answered by that very site, which has applied the guarantee to the same tokens; so
 * it is never older than what the client has seen. A request that was passed on is not passed on again.
 */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { NotYetHereError, UnavailableError } from '@tandem-clouds/replication/errors';
import { readThroughBytesMax, readThroughMs } from '../bounds.ts';
import type { HttpClient, HttpResponse } from '../ports/http-client.ts';
import { type MiddlewareRequest, requestIdOf } from './middleware-request.ts';

/** The loop guard: names the site that asks. */
const GUARD = 'x-tandem-read-through';
/** What the answer depends on. */
const REQUESTED_WITH = [
  'accept',
  'authorization',
  'if-none-match',
  'traceparent',
  'x-tandem-owner',
  'x-tandem-session',
  'x-tandem-tenant',
] as const;
/** What belongs to the answer itself; this site adds its own of the rest. */
const RESPONDED_WITH = [
  'cache-control',
  'content-type',
  'etag',
  'link',
  'location',
  'vary',
  'x-tandem-session',
] as const;

export interface ReadThroughOptions {
  readonly site: string;
  /** Where the other sites are. */
  readonly peers: readonly { readonly site: string; readonly url: string }[];
  readonly client: HttpClient;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
}

/** A middleware, to be used last: what it does not answer is a problem as before. */
export interface ReadThrough {
  readonly onError: (request: MiddlewareRequest) => Promise<void>;
}

export function readThrough(options: ReadThroughOptions): ReadThrough {
  return {
    async onError(request) {
      const { event, error } = request;
      const { method } = event.requestContext.http;
      if (!(error instanceof NotYetHereError) || event.headers[GUARD] !== undefined) return;
      if (method !== 'GET' && method !== 'HEAD') return;
      const response = await queryOrigins(options, error.origins, {
        method,
        event,
        headers: headersFor(event, { [GUARD]: options.site, 'x-request-id': requestIdOf(request) }),
      });
      if (response !== undefined) request.response = response;
    },
  };
}

interface Question {
  readonly method: 'GET' | 'HEAD';
  readonly event: APIGatewayProxyEventV2;
  readonly headers: Readonly<Record<string, string>>;
}

/** One after the other; each has an equal share of the time that is left, so that none can use up that of the next. */
async function queryOrigins(
  { peers, client, elapsed }: ReadThroughOptions,
  origins: readonly string[],
  { method, event, headers }: Question,
): Promise<APIGatewayProxyStructuredResultV2 | undefined> {
  const untilMs = elapsed() + readThroughMs;
  const requested = origins.flatMap((origin) => peers.find(({ site }) => site === origin) ?? []);
  for (const [index, { site, url }] of requested.entries()) {
    const timeoutMs = Math.floor((untilMs - elapsed()) / (requested.length - index));
    if (timeoutMs <= 0) return undefined;
    try {
      const call = {
        ...{ method, url: urlAt(url, event), headers, timeoutMs },
        ...{ bodyBytesMax: readThroughBytesMax, redirect: 'manual' as const },
      };
      const response = await client(call);
      if (isItsResponse(response, site, event)) return passedOn(response, { site, method });
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
  return undefined;
}

/** Only path and query are the client's: whatever they hold, the host is the peer's. */
export function urlAt(base: string, { rawPath, rawQueryString }: APIGatewayProxyEventV2): URL {
  const url = new URL(base);
  url.pathname = rawPath.split('/').map(encodeURIComponent).join('/');
  url.search = rawQueryString;
  return url;
}

function headersFor(
  { headers }: APIGatewayProxyEventV2,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...picked(headers, REQUESTED_WITH), ...own };
}

/**
 * Only content is answered by a redirection, to a storage (`content-requests.ts`).
 *
 * A 404 of a gateway in front of a site that is gone says nothing about the record: the site itself must have spoken.
 */
function isItsResponse(
  { status, headers }: HttpResponse,
  site: string,
  { rawPath }: APIGatewayProxyEventV2,
): boolean {
  const isThere = status === 302 && rawPath.endsWith('/content');
  const isFinal = isThere || (status >= 200 && status < 300) || [304, 404, 410].includes(status);
  return isFinal && headers['x-tandem-site'] === site;
}

function passedOn(
  { status, headers, body }: HttpResponse,
  { site, method }: { site: string; method: Question['method'] },
): APIGatewayProxyStructuredResultV2 {
  // Of an answer without its body, this is the only one who knows the length.
  const length = method === 'HEAD' ? picked(headers, ['content-length']) : {};
  return {
    statusCode: status,
    headers: { ...picked(headers, RESPONDED_WITH), ...length, 'x-tandem-origin': site },
    body,
  };
}

function picked(
  headers: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
