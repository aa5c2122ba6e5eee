/**
 * One HTTP service: middy around `@middy/http-router`, the same on both clouds.
 *
 * Invariant: whatever goes wrong, the client gets a problem document with the request's id, never a stack trace,
 * and every answer names the site.
 */
import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpRouter from '@middy/http-router';
import { securityHeaders } from './security-headers.ts';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { headerBytesMax } from '../bounds.ts';
import {
  HeadersTooLargeError,
  MethodNotAllowedError,
  NotYetHereError,
  RouteNotFoundError,
} from '../errors.ts';
import type { HttpHandler } from '../ports/cloud.ts';
import type { Logger } from '../ports/telemetry.ts';
import { readBody } from './body.ts';
import { problemReply } from './problem.ts';
import { requestIdOf, type MiddlewareRequest } from './middleware-request.ts';
import type { ReadThrough } from './read-through.ts';
import type { HttpReply, HttpRequest, Route } from './route.ts';

type Event = APIGatewayProxyEventV2;
type Result = APIGatewayProxyStructuredResultV2;

const EXPOSED =
  'ETag, Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, X-Request-Id, X-Tandem-Origin, X-Tandem-Session, X-Tandem-Site';

export interface ServiceOptions {
  readonly site: string;
  readonly routes: readonly Route[];
  readonly logger: Logger;
  /** Monotonic milliseconds, for the duration in the log. */
  readonly elapsed: () => number;
  /** What answers a read whose session is ahead of this site (`read-through.ts`); without it such a read is 503. */
  readonly readThrough?: ReadThrough;
}

/** Builds the handler of a service. */
export function httpService({ site, routes, logger, elapsed, readThrough }: ServiceOptions): HttpHandler {
  const router = httpRouter<Event, Result>({
    routes: routes.flatMap((route) => routerEntries(route)),
    notFoundResponse: ({ method, path }) => noRoute(routes, method, path),
  });
  const service = middy<Event, Result>()
    .use(requestLog({ site, logger, elapsed }))
    .use(httpCors({ credentials: false, origins: ['*'], exposeHeaders: EXPOSED }))
    .use(securityHeaders)
    .use(problems(logger))
    .use({ before: checkHeaders });
  if (readThrough !== undefined) service.use(readThrough);
  return service.handler(router) as HttpHandler;
}

/** Above what the narrower of the two gateways takes, a request is refused at both clouds alike. */
function checkHeaders({ event }: MiddlewareRequest): void {
  let bytes = event.rawPath.length + event.rawQueryString.length;
  for (const value of Object.values(event.headers)) bytes += value?.length ?? 0;
  if (bytes > headerBytesMax) {
    throw new HeadersTooLargeError(`path and headers have ${bytes} bytes; ${headerBytesMax} are taken`);
  }
}

/** HEAD is GET without the body (RFC 9110, section 9.3.2). */
function routerEntries(route: Route): { method: Method; path: string; handler: RouteHandler }[] {
  const handler: RouteHandler = async (event) => toResult(await route.handle(await toRequest(event, route)));
  const entries: { method: Method; path: string; handler: RouteHandler }[] = [
    { method: route.method, path: route.path, handler },
  ];
  if (route.method === 'GET') {
    const head: RouteHandler = async (event) => ({ ...(await handler(event)), body: '' });
    entries.push({ method: 'HEAD', path: route.path, handler: head });
  }
  return entries;
}

type Method = Route['method'] | 'HEAD';
type RouteHandler = (event: Event) => Promise<Result>;

async function toRequest(event: Event, route: Route): Promise<HttpRequest> {
  await route.authorize?.(event.headers);
  return {
    event,
    params: decoded(event.pathParameters),
    query: event.queryStringParameters ?? {},
    headers: event.headers,
    body: route.body === undefined ? undefined : readBody(event, route.body),
  };
}

function decoded(params: Event['pathParameters']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(params ?? {})) {
    try {
      result[name] = decodeURIComponent(value ?? '');
    } catch {
      throw new RouteNotFoundError('the path is not valid UTF-8');
    }
  }
  return result;
}

function toResult({ status, body, headers }: HttpReply): Result {
  return {
    statusCode: status,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/** 404, 405 with what is allowed, or the answer to a CORS preflight. */
function noRoute(routes: readonly Route[], method: string, path: string): Result {
  const allow = allowedMethods(routes, path);
  if (allow.length === 0) throw new RouteNotFoundError(`${path} is not a route of this API`);
  if (method === 'OPTIONS') {
    return { statusCode: 204, headers: preflightHeaders(allow), body: '' };
  }
  throw new MethodNotAllowedError(`${path} does not take ${method}`, allow);
}

function preflightHeaders(allow: readonly string[]): Record<string, string> {
  const methods = allow.join(', ');
  return {
    allow: methods,
    'access-control-allow-methods': methods,
    'access-control-allow-headers':
      'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Traceparent, X-Request-Id, X-Tandem-Session',
    'access-control-max-age': '600',
  };
}

/** The methods of the contract on a path, OPTIONS last. */
function allowedMethods(routes: readonly Route[], path: string): string[] {
  const segments = path.replace(/\/$/, '').split('/');
  const methods = routes
    .filter((route) => matches(route.path, segments))
    .flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]));
  return methods.length === 0 ? [] : [...new Set(methods), 'OPTIONS'];
}

function matches(template: string, segments: readonly string[]): boolean {
  const parts = template.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
  );
}

/** Outermost: names the site and the request in every answer and writes one line about it. */
function requestLog({ site, logger, elapsed }: Pick<ServiceOptions, 'site' | 'logger' | 'elapsed'>): object {
  const started = new WeakMap<object, number>();
  const finish = (request: MiddlewareRequest): void => {
    const { response, event } = request;
    if (!response) return;
    const requestId = requestIdOf(request);
    const origin = response.headers?.['x-tandem-origin'];
    response.headers = { ...response.headers, 'x-request-id': requestId, 'x-tandem-site': site };
    logger.log('info', 'request', {
      requestId,
      method: event.requestContext.http.method,
      path: event.rawPath,
      status: response.statusCode,
      ...(origin !== undefined && { origin }),
      ms: Math.round((elapsed() - (started.get(event) ?? 0)) * 100) / 100,
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
      // A session ahead of this site is the network's doing, and the client is told: no line per read of it.
      if (reply.status >= 500 && !(error instanceof NotYetHereError)) {
        const { message, stack, cause } = error ?? new Error('unknown');
        const reason = cause instanceof Error ? cause.message : undefined;
        logger.log('error', 'request failed', { requestId, error: message, cause: reason, stack });
      }
      const result = toResult(reply);
      request.response =
        request.event.requestContext.http.method === 'HEAD' ? { ...result, body: '' } : result;
    },
  };
}
