/**
 * HTTP triggers: a request becomes the worker's terms, and what a function returns becomes the response.
 *
 * As in the cloud: no route is a bare 404, a function that throws is a bare 500, one that returns nothing an empty
 * 200 (204 when it has no HTTP output), several values of one header or query parameter are joined by a comma, and
 * several cookies need the `cookies` property.
 */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodePath, withoutDotSegments } from '../../../../src/shared/request-path.ts';
import type { FunctionDefinition } from './function-app.ts';
import type { Invocation, InvocationResult, RpcCookie, RpcHttp, TypedData } from './programming-model.ts';
import { type RouteParams, RouteTable } from './route-table.ts';

/** The host's default, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MB. */
const BODY_BYTES_MAX = 104_857_600;
/** Longer than what clients keep a connection for, so that they close it and meet no reset. */
const KEEP_ALIVE_MS = 120_000;

export interface HttpServerOptions {
  readonly functions: readonly FunctionDefinition[];
  readonly routePrefix: string;
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  readonly invoke: (definition: FunctionDefinition, invocation: Invocation) => Promise<InvocationResult>;
  readonly log: (line: string) => void;
}

export interface HttpServer {
  readonly url: string;
  /** @returns What makes these answer, in place of those from before. @throws SyntaxError of a route. */
  routing(functions: readonly FunctionDefinition[]): () => void;
  close(): Promise<void>;
}

/** Listens and serves; rejects when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { invoke, log, port, functions, routePrefix } = options;
  let routes = routesOf(functions, routePrefix);
  const server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(routes, invoke, request, response).catch((error: unknown) => {
      log(`${request.method ?? ''} ${request.url ?? ''}: ${describe(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    routing(others) {
      const next = routesOf(others, routePrefix);
      return () => {
        routes = next;
      };
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function routesOf(
  functions: readonly FunctionDefinition[],
  routePrefix: string,
): RouteTable<FunctionDefinition> {
  return new RouteTable(
    functions.map((definition) => ({
      template: [routePrefix, definition.trigger.route ?? definition.name]
        .filter((part) => part !== '')
        .join('/'),
      methods:
        definition.trigger.methods &&
        new Set(definition.trigger.methods.map((method) => method.toUpperCase())),
      target: definition,
    })),
  );
}

async function serve(
  routes: RouteTable<FunctionDefinition>,
  invoke: HttpServerOptions['invoke'],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Taken apart by hand: `new URL` would refuse some targets and normalise others.
  const [target = '/', ...query] = (request.url ?? '/').split('?');
  // Kestrel removes dot segments, encoded ones too, before anything is routed.
  const pathname = withoutDotSegments(target.replace(/%2e/gi, '.'));
  const found = routes.find(request.method ?? 'GET', pathname);
  if (found === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = await readBody(request);
  if (body === undefined) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const input = toRpcHttp({ request, pathname, query: query.join('?'), params: found.params, body });
  const result = await invoke(found.target, {
    input: { http: input },
    traceparent: request.headers['traceparent'] as string | undefined,
  });
  writeResponse(response, responseOf(result));
}

/**
 * Undefined: larger than the host takes. A body whose length the request does not state is not handed to a function:
 * the host reads one only where `ContentLength > 0`.
 * @see https://github.com/Azure/azure-functions-host/blob/v4.1037.0/src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs
 * @see https://github.com/Azure/azure-functions-nodejs-worker/issues/524
 */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const stated = Number(request.headers['content-length'] ?? 0);
  if (stated > BODY_BYTES_MAX) return undefined;
  if (stated === 0) {
    request.resume();
    return Buffer.alloc(0);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What a function sees of a path: Kestrel has decoded it, but for encoded slashes and what is not UTF-8, and the host
 * has made it a part of a URL again. There is no way back: what was encoded twice looks like what was encoded once.
 * @see https://github.com/dotnet/aspnetcore/blob/main/src/Http/Http.Abstractions/src/PathString.cs
 */
function onceDecoded(pathname: string): string {
  const decoded = pathname
    .split(/(%2f)/i)
    .map((piece, index) => (index % 2 === 1 ? piece : decodePath(piece)))
    .join('');
  return decoded.replace(/%[\da-f]{2}|[^\w\-.~!$&'()*+,;=:@/]/giu, (found) =>
    found.length === 3 && found.startsWith('%') ? found : encodeURIComponent(found.toWellFormed()),
  );
}

interface RequestParts {
  readonly request: IncomingMessage;
  /** Percent-encoded, without dot segments. */
  readonly pathname: string;
  readonly query: string;
  readonly params: RouteParams;
  readonly body: Buffer;
}

function toRpcHttp({ request, pathname, query, params, body }: RequestParts): RpcHttp {
  const search = new URLSearchParams(query);
  const joined = (pairs: Iterable<readonly [string, string]>) =>
    Object.fromEntries([...pairs].map(([name, value]) => [name, { value }]));
  return {
    method: request.method ?? 'GET',
    url: `http://${request.headers.host ?? ''}${onceDecoded(pathname)}${query === '' ? '' : `?${query}`}`,
    nullableHeaders: joined([
      ...Object.entries(request.headersDistinct).map(([name, values = []]): [string, string] => [
        name,
        utf8(values.join(name === 'cookie' ? '; ' : ',')),
      ]),
      ...frontEndHeaders(request),
    ]),
    nullableParams: joined(Object.entries(params)),
    nullableQuery: joined([...new Set(search.keys())].map((name) => [name, search.getAll(name).join(',')])),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
}

/**
 * What the front end of App Service adds to a request, as functions have seen it.
 * @see https://github.com/Azure/azure-functions-host/issues/2659
 */
function frontEndHeaders({ url = '/', headers, socket }: IncomingMessage): [string, string][] {
  const { remoteAddress = '127.0.0.1', remotePort = 0 } = socket;
  const client = `${remoteAddress}:${remotePort}`;
  const { host = '', 'x-forwarded-for': forwarded } = headers;
  return [
    ['max-forwards', '10'],
    ['x-client-ip', remoteAddress],
    ['x-client-port', String(remotePort)],
    ['client-ip', client],
    ['is-service-tunneled', '0'],
    ['x-arr-log-id', randomUUID()],
    [
      'x-arr-ssl',
      '2048|256|CN=Microsoft Azure RSA TLS Issuing CA 03, O=Microsoft Corporation, C=US|CN=*.azurewebsites.net',
    ],
    ['disguised-host', host],
    ['was-default-hostname', host],
    ['x-site-deployment-id', 'tandem'],
    ['x-original-url', url],
    ['x-waws-unencoded-url', url],
    ['x-forwarded-for', forwarded === undefined ? client : `${String(forwarded)}, ${client}`],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-tlsversion', '1.3'],
    ['x-appservice-proto', 'https'],
  ];
}

/** Kestrel reads the values of headers as UTF-8; Node as Latin-1. */
function utf8(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** The response that a function returned, or wrote to its HTTP output; undefined: it gave none. */
function responseOf({ returnValue, outputData }: InvocationResult): RpcHttp | undefined {
  return returnValue?.http ?? outputData?.find(({ data }) => data.http !== undefined)?.data.http;
}

function writeResponse(response: ServerResponse, rpc: RpcHttp | undefined): void {
  if (rpc === undefined) {
    response.writeHead(204).end();
    return;
  }
  const { content, contentType } = contentOf(rpc.body);
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(rpc.headers ?? {})) headers[name.toLowerCase()] = value;
  // The server knows the length; a HEAD response alone states the length of what it does not send.
  if (response.req.method !== 'HEAD') delete headers['content-length'];
  delete headers['transfer-encoding'];
  if (content !== undefined) headers['content-type'] ??= contentType;
  if (rpc.cookies !== undefined && rpc.cookies.length > 0)
    headers['set-cookie'] = rpc.cookies.map(formatCookie);
  response.writeHead(Number(rpc.statusCode ?? 200), headers).end(content);
}

interface Content {
  readonly content?: string | Uint8Array;
  readonly contentType?: string;
}

function contentOf(body: TypedData = {}): Content {
  if (body.bytes?.length === 0) return {};
  if (body.bytes !== undefined) return { content: body.bytes, contentType: 'application/octet-stream' };
  if (body.string !== undefined) return { content: body.string, contentType: 'text/plain; charset=utf-8' };
  const json = body.json ?? (body.int ?? body.double)?.toString();
  return json === undefined ? {} : { content: json, contentType: 'application/json; charset=utf-8' };
}

/** @see https://www.rfc-editor.org/rfc/rfc6265#section-4.1 */
function formatCookie(cookie: RpcCookie): string {
  const attributes = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.expires)
    attributes.push(`expires=${new Date(cookie.expires.value.seconds * 1_000).toUTCString()}`);
  if (cookie.maxAge) attributes.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain) attributes.push(`domain=${cookie.domain.value}`);
  attributes.push(`path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value === true) attributes.push('secure');
  if (cookie.sameSite === 'lax' || cookie.sameSite === 'strict')
    attributes.push(`samesite=${cookie.sameSite}`);
  if (cookie.sameSite === 'explicitNone') attributes.push('samesite=none');
  if (cookie.httpOnly?.value === true) attributes.push('httponly');
  return attributes.join('; ');
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
