/**
 * Where serverless-offline, which serves with hapi, does otherwise than API Gateway's HTTP APIs: what a function gets of
 * a request.
 *
 * | | API Gateway | serverless-offline |
 * |---|---|---|
 * | `rawPath` | decoded once | as sent |
 * | headers of one name | joined by commas | the last one |
 * | no `Content-Type` | none | `application/json` |
 * | a body that is no text | in base64 | as text, with replacements |
 * | ranges, conditions, compression | the function's answer | applied to it |
 * | its own headers | added | none |
 * | CORS without `cors` | the function's answer | headers of its own, and 200 for a preflight |
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { decodePath, withoutDotSegments } from '../../../../src/shared/request-path.ts';

/** The part of a hapi request that is used. */
interface HapiRequest {
  readonly headers: Record<string, unknown>;
  readonly info: { acceptEncoding: string };
  readonly response: { charset(name: string): void };
  readonly route: { readonly settings: { readonly response: { ranges: boolean } } };
  readonly payload: unknown;
  readonly raw: { readonly req: IncomingMessage };
  setUrl(url: string): void;
}

interface Toolkit {
  readonly continue: symbol;
}

/** The part of a hapi server that is used. */
export interface HapiServer {
  readonly listener: http.Server;
  readonly info: { readonly uri: string };
  ext(
    event: 'onRequest' | 'onPreHandler' | 'onPostHandler',
    method: (request: HapiRequest, toolkit: Toolkit) => symbol,
  ): void;
}

/** What API Gateway hands over as text; everything else comes in base64. */
const TEXT_TYPE = /^\s*(?:text\/|application\/(?:json|javascript|xml)\s*(?:;|$))/i;

const HEEDED_BY_HAPI = ['cookie', 'range', 'if-none-match', 'if-modified-since'];

const BINARY_TYPE = 'application/octet-stream';

/** Puts it right, for every request from now on. */
export function actAsApiGateway(server: HapiServer): void {
  server.ext('onRequest', (request, toolkit) => {
    const { req } = request.raw;
    req.rawHeaders = [...joined([...req.rawHeaders, ...forwardedFor(req)]), ...gatewayHeaders()];
    // hapi would refuse, or do by itself, what the function is to see.
    request.headers['content-type'] = 'text/plain';
    for (const name of HEEDED_BY_HAPI) Reflect.deleteProperty(request.headers, name);
    request.info.acceptEncoding = 'identity';
    const url = req.url ?? '/';
    if (url.startsWith('/')) request.setUrl(routedAs(url));
    return toolkit.continue;
  });
  server.ext('onPreHandler', (request, toolkit) => {
    request.route.settings.response.ranges = false;
    const { pathname, search } = targetOf(request.raw.req.url ?? '/');
    Object.defineProperty(request, 'url', {
      value: { pathname: decodePath(pathname), search, searchParams: new URLSearchParams(search) },
    });
    if (Buffer.isBuffer(request.payload) && request.payload.length > 0) {
      const type = contentTypeOf(request.raw.req);
      // None is the same as this one (RFC 9110, section 8.3), which serverless-offline leaves alone.
      if (type === undefined) request.raw.req.rawHeaders.push('content-type', BINARY_TYPE);
      if (!TEXT_TYPE.test(type ?? '') || !isUtf8(request.payload))
        request.headers['content-type'] = BINARY_TYPE;
    }
    return toolkit.continue;
  });
  // serverless-offline adds its own CORS headers, and turns every preflight answer into a 200, when a request names an
  // origin. API Gateway without `cors` passes the function's answer on; so does this.
  server.ext('onPostHandler', (request, toolkit) => {
    delete request.headers['origin'];
    request.response.charset('');
    return toolkit.continue;
  });
}

function contentTypeOf({ rawHeaders }: IncomingMessage): string | undefined {
  const position = rawHeaders.findIndex((text, index) => index % 2 === 0 && text === 'content-type');
  return position < 0 ? undefined : rawHeaders[position + 1];
}

/** Appended to what the client, or a proxy before, has put there. */
function forwardedFor({ socket }: IncomingMessage): string[] {
  return ['x-forwarded-for', socket.remoteAddress ?? '127.0.0.1'];
}

/**
 * What API Gateway adds to a request, as in the example of an event.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
function gatewayHeaders(): string[] {
  const seconds = Math.floor(Date.now() / 1_000).toString(16);
  const trace = `Root=1-${seconds}-${randomBytes(12).toString('hex')}`;
  return ['x-amzn-trace-id', trace, 'x-forwarded-port', '443', 'x-forwarded-proto', 'https'];
}

/** The path without dot segments and the query, both as sent. */
function targetOf(url: string): { pathname: string; search: string } {
  const mark = url.indexOf('?');
  const [path, search] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)];
  return { pathname: withoutDotSegments(path.replace(/%2e/gi, '.')), search };
}

/** A URL that hapi can decode, whatever the client has sent. */
function routedAs(url: string): string {
  const { pathname, search } = targetOf(url);
  const segments = pathname.split('/').map((segment) => encodeURIComponent(decodePath(segment)));
  return segments.join('/') + search;
}

/** Names in lower case and values in turn, with one value for each name. */
function joined(rawHeaders: readonly string[]): string[] {
  const values = new Map<string, string[]>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    values.set(name.toLowerCase(), [...(values.get(name.toLowerCase()) ?? []), value]);
  }
  // To serverless-offline an empty one is none.
  if (values.get('content-type')?.join('') === '') values.delete('content-type');
  return [...values].flatMap(([name, all]) => [name, all.join(name === 'cookie' ? '; ' : ',')]);
}
