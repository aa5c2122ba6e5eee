/**
 * A collector of traces, metrics and logs: it takes OTLP over HTTP as JSON, keeps traces and logs of the last hour in SQLite, and
 * in memory what the metrics add up to since it began.
 *
 *     POST /v1/traces            OTLP, application/json; protobuf is refused with 415
 *     POST /v1/logs              the same
 *     POST /v1/metrics           the same; differences (delta) alone
 *     GET  /metrics              what they add up to, for Prometheus
 *     GET  /_tandem/traces       summaries, the newest first: ?route=, ?minMs=, ?failed=true, ?request=,
 *                               ?all=true, ?limit=
 *     GET  /_tandem/traces/<id>  one with its spans
 *     GET  /_tandem/logs         lines, the newest first: ?trace=, ?level= and above, ?text=, ?site=, ?limit=
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuseForeign } from '../core/control.ts';
import { bodyText, BodyTooLargeError } from '../core/request-body.ts';
import { spansIn } from './export-request.ts';
import { type Level, LEVELS, type LogQuery } from './log-line.ts';
import { Logs } from './logs.ts';
import { linesIn } from './logs-request.ts';
import { Metrics } from './metrics.ts';
import { pointsIn } from './metrics-request.ts';
import { TEXT_TYPE, toText } from './prometheus-text.ts';
import { TelemetryDb } from './telemetry-db.ts';
import { Traces } from './traces.ts';

const HOST = '127.0.0.1';
export const TRACES_PATH = '/_tandem/traces';
export const LOGS_PATH = '/_tandem/logs';
export const METRICS_PATH = '/metrics';
const TRACE_PATH = /^\/_tandem\/traces\/([0-9a-f]{1,32})$/;
/** Our own: a sender of ours sends some 300 kB at most. */
export const EXPORT_BYTES_MAX = 4 * 1024 * 1024;
export const LIST_MAX = 500;
const LIST_DEFAULT = 20;
const TRACE_ID = /^[0-9a-f]{1,32}$/;

export interface Collector {
  readonly url: string;
  readonly traces: Traces;
  readonly logs: Logs;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

export interface CollectorOptions {
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port?: number;
  /** Where traces and logs are kept; absent: in memory. */
  readonly file?: string | undefined;
}

/** @throws Error when the port is taken, the file cannot be made, or Node has no SQLite */
export async function startCollector({ port = 0, file }: CollectorOptions = {}): Promise<Collector> {
  const db = new TelemetryDb({ file });
  const kept = { traces: new Traces(db), logs: new Logs(db), metrics: new Metrics() };
  const server = http.createServer((request, response) => {
    if (refuseForeign(request, response)) return;
    serve(request, response, kept).catch((error: unknown) => {
      reply(response, statusOf(error), { message: error instanceof Error ? error.message : String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    ...kept,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          db.close();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

type Kept = Pick<Collector, 'traces' | 'logs' | 'metrics'>;

const EXPORTS: Readonly<Record<string, (kept: Kept, body: unknown) => object>> = {
  '/v1/traces': ({ traces }, body) => {
    traces.add(spansIn(body));
    return {};
  },
  '/v1/logs': ({ logs }, body) => {
    logs.add(linesIn(body));
    return {};
  },
  '/v1/metrics': ({ metrics }, body) => {
    const { points, rejected, reason } = pointsIn(body);
    for (const point of points) metrics.add(point);
    return rejected === 0 ? {} : { rejectedDataPoints: String(rejected), errorMessage: reason };
  },
};

async function serve(request: IncomingMessage, response: ServerResponse, kept: Kept): Promise<void> {
  const { traces, logs, metrics } = kept;
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
  const [, id] = TRACE_PATH.exec(pathname) ?? [];
  const take = request.method === 'POST' && Object.hasOwn(EXPORTS, pathname) ? EXPORTS[pathname] : undefined;
  if (take !== undefined) {
    if (request.headers['content-type']?.startsWith('application/json') !== true) {
      reply(response, 415, { message: 'application/json is needed' });
      return;
    }
    const body: unknown = JSON.parse(await bodyText(request, EXPORT_BYTES_MAX));
    reply(response, 200, { partialSuccess: take(kept, body) });
  } else if (request.method === 'GET' && pathname === METRICS_PATH) {
    response.writeHead(200, { 'content-type': TEXT_TYPE, 'cache-control': 'no-store' });
    response.end(toText(metrics.families()));
  } else if (request.method === 'GET' && pathname === TRACES_PATH) {
    const limit = limitIn(searchParams);
    const minMs = Number(searchParams.get('minMs') ?? 0);
    if (!(minMs >= 0)) throw new TypeError('minMs: a number from 0');
    const items = traces.list({
      route: searchParams.get('route') ?? undefined,
      minMs,
      failed: searchParams.get('failed') === 'true',
      request: searchParams.get('request') ?? undefined,
      all: searchParams.get('all') === 'true',
      limit,
    });
    reply(response, 200, { items, dropped: traces.dropped });
  } else if (request.method === 'GET' && pathname === LOGS_PATH) {
    reply(response, 200, { items: logs.list(logQueryIn(searchParams)) });
  } else if (request.method === 'GET' && id !== undefined) {
    const trace = traces.find(id);
    if (trace === undefined) reply(response, 404, { message: `no trace ${id}` });
    else reply(response, 200, trace);
  } else reply(response, 404, { message: 'There is no such page' });
}

/** @throws TypeError */
function limitIn(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? LIST_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_MAX)
    throw new TypeError(`limit: a whole number from 1 to ${LIST_MAX}`);
  return limit;
}

/** @throws TypeError */
function logQueryIn(query: URLSearchParams): LogQuery {
  const given = (name: string): string | undefined => query.get(name) ?? undefined;
  const [trace, level] = [given('trace'), given('level')];
  if (trace !== undefined && !TRACE_ID.test(trace)) throw new TypeError('trace: an id in hexadecimal');
  if (level !== undefined && !Object.hasOwn(LEVELS, level))
    throw new TypeError(`level: one of ${Object.keys(LEVELS).join(', ')}`);
  return {
    trace,
    level: level as Level | undefined,
    text: given('text'),
    site: given('site'),
    limit: limitIn(query),
  };
}

function statusOf(error: unknown): number {
  if (error instanceof BodyTooLargeError) return 413;
  return error instanceof SyntaxError || error instanceof TypeError ? 400 : 500;
}

function reply(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
