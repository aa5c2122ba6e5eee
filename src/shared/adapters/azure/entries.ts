/**
 * What the Functions worker calls (programming model v4), translated into the core's shapes and back. The app's entry
 * point, which registers these functions, is generated from the service definition
 * (infra/serverless/azure/entry-point.ts).
 * @see https://learn.microsoft.com/azure/azure-functions/functions-reference-node?pivots=nodejs-model-v4
 */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { BatchHandler, InboundMessage, QueueSender } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import { batchHandleMs, batchSendMs } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { DeadLetters, HttpHandler, TimerHandler } from '../../ports/cloud.ts';
import type { Logger, Metrics } from '../../ports/telemetry.ts';
import { decodePath } from '../../request-path.ts';
import { timeLimit } from '../../time-limit.ts';
import { attemptOf, sendAgain } from '../send-again.ts';
import { settleBatch } from '../settle-batch.ts';
import { withoutHeaders } from '../without-headers.ts';
import { openServiceBusQueue } from './open-queue.ts';
import { PLATFORM_HEADERS } from './platform-headers.ts';

/** What is read of the worker's `InvocationContext`. */
export interface FunctionContext {
  readonly invocationId: string;
  /** What the trigger says beside its input; an HTTP or timer function gets none. */
  readonly triggerMetadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What is read of the worker's `HttpRequest`. */
export interface FunctionRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case, with one value each. */
  readonly headers: Iterable<readonly [string, string]>;
  /** The body as it came. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface FunctionResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: none. A status such as 204 takes no body, not even an empty one. */
  readonly body?: string | Buffer;
}

export function httpEntry(
  handler: HttpHandler,
): (request: FunctionRequest, context: FunctionContext) => Promise<FunctionResponse> {
  return async (request, { invocationId }) => {
    const { statusCode, headers, body, isBase64Encoded } = await handler(
      await toGatewayEvent(request, invocationId),
      {
        awsRequestId: invocationId,
      },
    );
    const content = isBase64Encoded === true ? Buffer.from(body ?? '', 'base64') : (body ?? '');
    return {
      status: statusCode ?? 200,
      headers: headers as Record<string, string>,
      ...(content.length > 0 && { body: content }),
    };
  };
}

async function toGatewayEvent(request: FunctionRequest, requestId: string): Promise<APIGatewayProxyEventV2> {
  const { path, query } = splitUrl(request.url);
  const headers = Object.fromEntries(request.headers) as Readonly<Record<string, string>>;
  const body = Buffer.from(await request.arrayBuffer());
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: withoutHeaders(headers, PLATFORM_HEADERS),
    requestContext: {
      accountId: '',
      apiId: '',
      domainName: headers['host'] ?? '',
      domainPrefix: '',
      http: {
        method: request.method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: firstAddress(headers['x-forwarded-for']),
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...(body.length > 0
      ? { body: body.toString('base64'), isBase64Encoded: true }
      : { isBase64Encoded: false }),
  };
}

/** Path and query of an absolute URL: the path decoded and the query not, as API Gateway gives them. */
function splitUrl(url: string): { path: string; query: string } {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const mark = url.indexOf('?', start);
  if (start < 0) return { path: '/', query: '' };
  return mark < 0
    ? { path: onceDecoded(url.slice(start)), query: '' }
    : { path: onceDecoded(url.slice(start, mark)), query: url.slice(mark + 1) };
}

const UNRESERVED = /%(?:2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi;

/**
 * The host gives the path decoded once, with what a URL cannot hold encoded again. So a character that needs no encoding
 * and has one was encoded twice by the client, and one of the two is left.
 * @see https://github.com/dotnet/aspnetcore/blob/main/src/Http/Http.Abstractions/src/PathString.cs
 */
function onceDecoded(path: string): string {
  return decodePath(path.replace(UNRESERVED, (octet) => `%25${octet.slice(1)}`));
}

/** The client's own address in `X-Forwarded-For`, without its port. */
function firstAddress(forwarded: string | undefined): string {
  const first = forwarded?.split(',')[0]?.trim() ?? '';
  return first.includes('.') ? (first.split(':')[0] ?? '') : first;
}

/**
 * The host settles a batch as a whole. So a message that failed for a passing reason is sent again, later, as a
 * new message that counts its attempts, and the batch completes: nothing holds up, or takes down, its neighbours.
 * Only when that cannot be sent is the whole batch handed back; everything in it is idempotent.
 */
export function queueEntry(
  queue: string,
  handler: BatchHandler,
  services: {
    config: Config;
    deadLetters: DeadLetters;
    logger: Logger;
    metrics: Metrics;
    handleMs?: number;
  },
): (bodies: unknown, context: FunctionContext) => Promise<void> {
  return batchEntry(queue, handler, { ...services, own: openOwnQueue(queue, services.config) });
}

/** With the queue that retries go to. No batch takes longer than `batchWorstMs`, as its handler takes `batchHandleMs` at most. */
export function batchEntry(
  queue: string,
  handler: BatchHandler,
  {
    handleMs = batchHandleMs,
    ...services
  }: {
    own: QueueSender;
    deadLetters: DeadLetters;
    logger: Logger;
    metrics: Metrics;
    handleMs?: number | undefined;
  },
): (bodies: unknown, context: FunctionContext) => Promise<void> {
  const send = (): TimeLimit => timeLimit({ ms: batchSendMs });
  return async (bodies, context) => {
    const messages = toInbound(context, Array.isArray(bodies) ? bodies : [bodies]);
    const times = { handle: timeLimit({ ms: handleMs }), send };
    const retries = await settleBatch(queue, messages, handler, { ...services, times });
    const failed = (await sendAgain(services.own, retries, send())).find((result) => result !== undefined);
    if (failed !== undefined) throw failed;
  };
}

function openOwnQueue(queue: string, { azure }: Config): QueueSender {
  return openServiceBusQueue({
    queue,
    namespace: azure?.serviceBusNamespace,
    connectionString: azure?.serviceBusConnection,
  });
}

function toInbound(
  { triggerMetadata: metadata = {} }: FunctionContext,
  bodies: readonly unknown[],
): readonly InboundMessage[] {
  const ids = list(metadata['messageIdArray'] ?? [metadata['messageId']]);
  const properties = list(metadata['applicationPropertiesArray'] ?? [metadata['applicationProperties']]);
  return bodies.map((body, index) => {
    const attributes: Record<string, string> = {};
    for (const [name, value] of Object.entries(properties[index] ?? {})) attributes[name] = String(value);
    return {
      id: textOf(ids[index] ?? index),
      body: textOf(body),
      attributes,
      attempts: attemptOf(attributes),
    };
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Bytes, as the triggers declare (`dataType: binary`); of texts the worker would hand over some parsed. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  return JSON.stringify(body);
}

/** A run is billed for a second at least, so schedules are sparse, and one that stopped at a bound goes on at once. */
export function timerEntry(handler: TimerHandler): () => Promise<void> {
  return async () => {
    for (let run = 1; (await handler()) && run < RUNS_MAX; run += 1);
  };
}

const RUNS_MAX = 3;
