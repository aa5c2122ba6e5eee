/**
 * One HTTP service: middy around `@middy/http-router`, the same on both clouds.
 *
 * Invariant: whatever goes wrong, the client gets a problem document with the request's id, never a stack trace,
 * and every answer names the site.
 */
import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpRouter from '@middy/http-router';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AmbiguousError, NotKeptHereError, NotYetHereError } from '@tandem-clouds/replication/errors';
import { headerBytesMax, responseReserveMs, urlBytesMax } from '../bounds.ts';
import {
  HeadersTooLargeError,
  IndexIncompleteError,
  MethodNotAllowedError,
  RouteNotFoundError,
  UriTooLongError,
} from '../errors.ts';
import type { HttpHandler, InvocationContext } from '../ports/cloud.ts';
import type { Answered } from '../ports/metering.ts';
import type { Logger } from '../ports/telemetry.ts';
import { normalizePath } from '../request-path.ts';
import { traceparentOf } from '../traceparent.ts';
import { BODY_TYPES, readBody } from './body.ts';
import type { Elsewhere } from './elsewhere.ts';
import { type MiddlewareRequest, requestIdOf } from './middleware-request.ts';
import { problemReply } from './problem.ts';
import type { ReadThrough } from './read-through.ts';
import type { Caller, HttpRequest, Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';
import { toResult, withoutBody } from './to-result.ts';

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

const EXPOSED =
  'Accept-Patch, Date, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, X-Request-Id, X-Tandem-At, X-Tandem-Origin, X-Tandem-Session, X-Tandem-Site';

export interface ServiceOptions {
  readonly site: string;
  readonly routes: readonly Route[];
  readonly logger: Logger;
  /** Monotonic milliseconds, for the duration in the log. */
  readonly elapsed: () => number;
  /** What answers a read whose session is ahead of this site (`read-through.ts`); without it such a read is 503. */
  readonly readThrough?: ReadThrough;
  /** What sends requests to the sites that they must be asked of; without it they are 421. */
  readonly elsewhere?: Elsewhere;
  /** Is given the route of each request that has one. */
  readonly matched?: (method: string, path: string) => void;
  /** Is given every request when it has its answer. */
  readonly answered?: ((answered: Answered) => void) | undefined;
}

/** Builds the handler of a service. */
export function httpService(options: ServiceOptions): HttpHandler {
  const { site, routes, logger, elapsed, readThrough } = options;
  const callers: Callers = new WeakMap();
  const matchedRoutes: MatchedRoutes = new WeakMap();
  const matched = (event: Event, path: string): void => {
    matchedRoutes.set(event, path);
    options.matched?.(event.requestContext.http.method, path);
  };
  const router = httpRouter<Event, Result>({
    routes: routes.flatMap((route) => routerEntries(route, callers, matched)),
    notFoundResponse: ({ method, path }) => noRoute(routes, method, path),
  });
  const readTarget = targetReader(routes);
  const service = middy<Event, Result>({
    timeoutEarlyInMillis: responseReserveMs,
    timeoutEarlyResponse: outOfTime,
  })
    .use(requestLog({ site, logger, elapsed, callers, matchedRoutes, answered: options.answered }))
    .use(httpCors({ credentials: false, origins: ['*'], exposeHeaders: EXPOSED }))
    .use(securityHeaders)
    .use(problems(logger))
    .use({ before: checkHeaders })
    .use({ before: readTarget });
  if (readThrough !== undefined) service.use(readThrough);
  if (options.elsewhere !== undefined) service.use(options.elsewhere);
  return service.handler(router) as HttpHandler;
}

/** Where the platform says how long a request may still take: it would end the process, and nobody would be answered. */
function outOfTime(): never {
  throw new AmbiguousError('the function ran out of time');
}

/** Above what the narrower of the two gateways takes, a request is refused at both clouds alike. */
function checkHeaders({ event }: MiddlewareRequest): void {
  // A gateway may have decoded the path: that many bytes it has at least.
  const urlBytes = encodeURI(event.rawPath).length + event.rawQueryString.length;
  if (urlBytes > urlBytesMax) {
    throw new UriTooLongError(`path and query have ${urlBytes} bytes; ${urlBytesMax} are taken`);
  }
  let bytes = urlBytes;
  for (const value of Object.values(event.headers)) bytes += value?.length ?? 0;
  if (bytes > headerBytesMax) {
    throw new HeadersTooLargeError(`path and headers have ${bytes} bytes; ${headerBytesMax} are taken`);
  }
}

/**
 * Nothing further in sees the path as a gateway has made it, or a trace that is none. Of a path that two routes match, the
 * one without parameters says which methods there are.
 */
function targetReader(routes: readonly Route[]): (request: MiddlewareRequest) => void {
  return ({ event }) => {
    const { traceparent, ...headers } = event.headers;
    const valid = traceparentOf(traceparent);
    event.headers = valid === undefined ? headers : { ...headers, traceparent: valid };
    const { http } = event.requestContext;
    http.path = normalizePath(event.rawPath);
    delete event.pathParameters;
    const allow = allowedMethods(routes, http.path);
    if (allow.length > 0 && !allow.includes(http.method)) {
      throw new MethodNotAllowedError(`${http.path} does not take ${http.method}`, allow);
    }
  };
}

/** HEAD is GET without the body (RFC 9110, section 9.3.2). */
function routerEntries(
  route: Route,
  callers: Callers,
  matched: (event: Event, path: string) => void,
): { method: Method; path: string; handler: RouteHandler }[] {
  const handler: RouteHandler = async (event, context) => {
    matched(event, route.path);
    await route.authorize?.(event.headers, (caller) => callers.set(event, caller));
    const request = toRequest(event, route, callers.get(event));
    return toResult(await route.handle({ ...request, ...ofInvocation(event, context) }));
  };
  const entries: { method: Method; path: string; handler: RouteHandler }[] = [
    { method: route.method, path: route.path, handler },
  ];
  if (route.method === 'GET') {
    const head: RouteHandler = async (event, context) => withoutBody(await handler(event, context));
    entries.push({ method: 'HEAD', path: route.path, handler: head });
  }
  return entries;
}

/** Without a context, as some tests call, nothing is known of the invocation. */
function ofInvocation(
  event: Event,
  context: InvocationContext | undefined,
): Pick<HttpRequest, 'remainingMs' | 'requestId'> {
  if (context === undefined) return {};
  return {
    requestId: requestIdOf({ event, context }),
    remainingMs: context.getRemainingTimeInMillis?.bind(context),
  };
}

type Method = Route['method'] | 'HEAD';
type RouteHandler = (event: Event, context?: InvocationContext) => Promise<Result>;

/** Event → who asks, once that is known. */
type Callers = WeakMap<object, Caller>;

/** Event → the path of its route, once there is one. */
type MatchedRoutes = WeakMap<object, string>;

function toRequest(event: Event, route: Route, caller: Caller | undefined): HttpRequest {
  return {
    event,
    params: (event.pathParameters ?? {}) as Record<string, string>,
    query: queryOf(event.rawQueryString),
    headers: event.headers,
    caller,
    body: route.body === undefined ? undefined : readBody(event, { ...route, check: route.body }),
  };
}

/**
 * The one reader of queries. Several values of one name are joined by a comma, as API Gateway does; every name is an own
 * property, also `__proto__`.
 */
function queryOf(rawQueryString: string): Record<string, string> {
  const search = new URLSearchParams(rawQueryString);
  return Object.fromEntries([...new Set(search.keys())].map((name) => [name, search.getAll(name).join(',')]));
}

/** The answer to OPTIONS, which is also that to a CORS preflight, or 404. */
function noRoute(routes: readonly Route[], method: string, path: string): Result {
  const allow = allowedMethods(routes, path);
  if (allow.length === 0) throw new RouteNotFoundError(`${path} is not a route of this API`);
  if (method !== 'OPTIONS') throw new MethodNotAllowedError(`${path} does not take ${method}`, allow);
  return { statusCode: 204, headers: optionsHeaders(allow), body: '' };
}

/** What a path takes (RFC 9110, section 9.3.7; RFC 5789, section 3.1), for people and for CORS. */
function optionsHeaders(allow: readonly string[]): Record<string, string> {
  const methods = allow.join(', ');
  return {
    allow: methods,
    ...(allow.includes('PATCH') && { 'accept-patch': BODY_TYPES.join(', ') }),
    'access-control-allow-methods': methods,
    'access-control-allow-headers':
      'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Traceparent, X-Request-Id, X-Tandem-Follow, X-Tandem-Owner, X-Tandem-Session, X-Tandem-Tenant',
    'access-control-max-age': '600',
  };
}

/** The methods of the contract on a path, OPTIONS last. */
function allowedMethods(routes: readonly Route[], path: string): string[] {
  const segments = path.split('/');
  const matching = routes.filter((route) => matches(route.path, segments));
  const exact = matching.filter((route) => route.path === path);
  const methods = (exact.length > 0 ? exact : matching).flatMap((route) =>
    route.method === 'GET' ? ['GET', 'HEAD'] : [route.method],
  );
  return methods.length === 0 ? [] : [...new Set(methods), 'OPTIONS'];
}

function matches(template: string, segments: readonly string[]): boolean {
  const parts = template.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
  );
}

interface LogOptions extends Pick<ServiceOptions, 'site' | 'logger' | 'elapsed' | 'answered'> {
  readonly callers: Callers;
  readonly matchedRoutes: MatchedRoutes;
}

/** Outermost: names the site and the request in every answer and writes one line about it. */
function requestLog({ site, logger, elapsed, callers, matchedRoutes, answered }: LogOptions): object {
  const started = new WeakMap<object, number>();
  const finish = (request: MiddlewareRequest): void => {
    const { response, event, error } = request;
    if (!response) return;
    const requestId = requestIdOf(request);
    const origin = response.headers?.['x-tandem-origin'];
    const caller = callers.get(event);
    const { method } = event.requestContext.http;
    const ms = elapsed() - (started.get(event) ?? 0);
    const { statusCode: status = 200 } = response;
    answered?.({ method, route: matchedRoutes.get(event), status, ms });
    response.headers = { ...response.headers, 'x-request-id': requestId, 'x-tandem-site': site };
    logger.log('info', 'request', {
      requestId,
      method,
      // An id of what is not kept here does not stay in the log either.
      path: error instanceof NotKeptHereError ? `/${event.rawPath.split('/')[1] ?? ''}/…` : event.rawPath,
      status: response.statusCode,
      ...(origin !== undefined && { origin }),
      ...(caller !== undefined && { caller: caller.name }),
      ms: Math.round(ms * 100) / 100,
    });
  };
  return {
    before: ({ event }: MiddlewareRequest) => void started.set(event, elapsed()),
    after: finish,
    onError: finish,
  };
}

/** Turns an error that nothing further in has answered into its problem document. */
function problems(logger: Logger): object {
  return {
    onError: (request: MiddlewareRequest): void => {
      const { error } = request;
      if (request.response) return;
      const requestId = requestIdOf(request);
      const reply = problemReply(error, requestId);
      if (reply.status >= 500 && !isWaitedFor(error)) {
        // What a handler throws need not be an error.
        const thrown: unknown = error ?? 'unknown';
        const { message, stack, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
        const reason = cause instanceof Error ? cause.message : undefined;
        logger.log('error', 'request failed', { requestId, error: message, cause: reason, stack });
      }
      const result = toResult(reply);
      request.response = request.event.requestContext.http.method === 'HEAD' ? withoutBody(result) : result;
    },
  };
}

/**
 * What passes by itself, and what the client hears of: a session that is ahead of this site, or an index that is being
 * filled. The line about the request has its status; there is none for each who waits.
 */
function isWaitedFor(error: unknown): boolean {
  return error instanceof NotYetHereError || error instanceof IndexIncompleteError;
}
