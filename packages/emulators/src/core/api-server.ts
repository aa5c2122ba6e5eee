/** A server for an API of resources and JSON answers: faults, counters, control, and what the service itself says. */
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handleControl, refuseForeign } from './control.ts';
import type { Faults } from './faults.ts';
import { bodyText, BodyTooLargeError } from './request-body.ts';
import { handleUsage, type UsageMeter } from './usage.ts';

const HOST = '127.0.0.1';

export interface ApiCall {
  readonly method: string;
  /** Without the query, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** `http://127.0.0.1:<port>`, as the client calls it. */
  readonly base: string;
}

export interface ApiReply {
  readonly status: number;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiRoute {
  /** As fault rules name it. */
  readonly operation: string;
  readonly resource: string;
  /** @param injected Code of an error that a fault rule asks for; '' for the default of the service. */
  readonly run: (injected: string | undefined) => ApiReply | Promise<ApiReply>;
}

export interface ApiService {
  readonly bodyBytesMax: number;
  readonly faults: Faults;
  readonly usage: UsageMeter;
  /** @throws what `refusal` turns into an answer. */
  route(call: ApiCall): ApiRoute;
  /** Undefined for a defect. */
  refusal(error: unknown): ApiReply | undefined;
  tooLarge(): ApiReply;
  /** Answers control requests beyond the fault hooks; false when the request is not one. */
  control?(request: http.IncomingMessage, response: http.ServerResponse): boolean;
}

export interface ApiServer {
  readonly endpoint: string;
  readonly port: number;
  /** Serves a connection that somebody else has accepted. */
  readonly accept: (socket: Socket) => void;
  close(): Promise<void>;
}

export async function startApiServer(port: number, service: ApiService): Promise<ApiServer> {
  const server = http.createServer((request, response) => {
    void serve(request, response, service).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  return {
    endpoint: `http://${HOST}:${listening}`,
    port: listening,
    accept: (socket) => void server.emit('connection', socket),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  service: ApiService,
): Promise<void> {
  const { faults, usage } = service;
  if (refuseForeign(request, response, { relayed: true })) return;
  if (service.control?.(request, response) === true) return;
  if (handleUsage(request, response, usage)) return;
  if (await handleControl(request, response, faults)) return;
  try {
    const { operation, resource, run } = service.route(await callOf(request, service.bodyBytesMax));
    const { latencyMs, error, dropAck } = faults.hit(operation, resource);
    // It keeps no process alive whose server has been closed meanwhile.
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false });
    const answer = await run(error === undefined ? undefined : (error.code ?? ''));
    if (error === undefined) usage.add(resource, operation, { requests: 1 });
    if (dropAck) request.socket.destroy();
    else reply(response, answer);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      reply(response, service.tooLarge());
      return;
    }
    const refusal = service.refusal(error);
    if (refusal === undefined) {
      console.error(error);
      reply(response, { status: 500, body: { message: 'The emulator failed; see its output.' } });
    } else reply(response, refusal);
  }
}

async function callOf(request: http.IncomingMessage, bodyBytesMax: number): Promise<ApiCall> {
  const { method = 'GET', headers } = request;
  const body = await bodyText(request, bodyBytesMax);
  const base = `http://${headers.host ?? HOST}`;
  const { pathname, searchParams } = new URL(request.url ?? '/', base);
  const segments = pathname.split('/').slice(1).map(decoded);
  return { method, segments, query: searchParams, headers, body, base };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function reply(response: http.ServerResponse, { status, body, headers = {} }: ApiReply): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
