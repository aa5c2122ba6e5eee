/**
 * What the Functions host calls (programming model of `function.json`), translated into the core's shapes and back.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-reference-node
 */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Config } from '../../config.ts';
import type { DeadLetters, HttpHandler, TimerHandler } from '../../ports/cloud.ts';
import type { BatchHandler, InboundMessage, QueueSender } from '../../ports/queue.ts';
import type { Logger, Metrics } from '../../ports/telemetry.ts';
import { decodePath } from '../../http/path.ts';
import { settleBatch, type Retry } from '../settle-batch.ts';
import { openServiceBusQueue } from './open-queue.ts';

/** What is read of the host's context. */
export interface FunctionContext {
  readonly invocationId: string;
  readonly bindingData: Readonly<Record<string, unknown>>;
}

/** What is read of an HTTP request. */
export interface FunctionRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly bufferBody?: Uint8Array;
  /** The body as the worker has decoded it: with replacements where it was not UTF-8. */
  readonly rawBody?: unknown;
}

export interface FunctionResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export function httpEntry(
  handler: HttpHandler,
): (context: FunctionContext, request: FunctionRequest) => Promise<FunctionResponse> {
  return async ({ invocationId }, request) => {
    const { statusCode, headers, body, isBase64Encoded } = await handler(
      toGatewayEvent(request, invocationId),
      {
        awsRequestId: invocationId,
      },
    );
    return {
      status: statusCode ?? 200,
      headers: headers as Record<string, string>,
      body: isBase64Encoded === true ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
    };
  };
}

function toGatewayEvent(request: FunctionRequest, requestId: string): APIGatewayProxyEventV2 {
  const { path, query } = splitUrl(request.url);
  const { headers } = request;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers,
    queryStringParameters: request.query,
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
    ...bodyOf(request),
  };
}

function bodyOf({ bufferBody, rawBody }: FunctionRequest): { body?: string; isBase64Encoded: boolean } {
  if (bufferBody !== undefined) {
    return { body: Buffer.from(bufferBody).toString('base64'), isBase64Encoded: true };
  }
  const body = rawBody === undefined || rawBody === null ? {} : { body: textOf(rawBody) };
  return { ...body, isBase64Encoded: false };
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
  services: { config: Config; deadLetters: DeadLetters; logger: Logger; metrics: Metrics },
): (context: FunctionContext, bodies: unknown) => Promise<void> {
  const own = openOwnQueue(queue, services.config);
  return async (context, bodies) => {
    const messages = toInbound(context, Array.isArray(bodies) ? bodies : [bodies]);
    const retries = await settleBatch(queue, messages, handler, services);
    if (retries.length > 0) await sendAgain(own, retries);
  };
}

const ATTEMPTS = 'tandemAttempts';
const RETRY_DELAY_SECONDS_MAX = 60;
/** The store has been asked again for seconds already (`throttling` in `bounds.ts`). */
const THROTTLED_SECONDS = 2;

async function sendAgain(queue: QueueSender, retries: readonly Retry[]): Promise<void> {
  const outcomes = await queue.send(
    retries.map(({ message, isNoAttempt }, index) => ({
      id: String(index),
      body: message.body,
      attributes: {
        ...message.attributes,
        [ATTEMPTS]: String(message.receives - (isNoAttempt === true ? 1 : 0)),
      },
      delaySeconds:
        isNoAttempt === true ? THROTTLED_SECONDS : Math.min(2 ** message.receives, RETRY_DELAY_SECONDS_MAX),
    })),
  );
  const failed = outcomes.find((outcome) => outcome !== undefined);
  if (failed !== undefined) throw failed;
}

function openOwnQueue(queue: string, { azure }: Config): QueueSender {
  return openServiceBusQueue({
    queue,
    namespace: azure?.serviceBusNamespace,
    connectionString: azure?.serviceBusConnection,
  });
}

function toInbound({ bindingData }: FunctionContext, bodies: readonly unknown[]): readonly InboundMessage[] {
  const ids = list(bindingData['messageIdArray'] ?? [bindingData['messageId']]);
  const counts = list(bindingData['deliveryCountArray'] ?? [bindingData['deliveryCount']]);
  const properties = list(
    bindingData['applicationPropertiesArray'] ?? [bindingData['applicationProperties']],
  );
  return bodies.map((body, index) => {
    const attributes: Record<string, string> = {};
    for (const [name, value] of Object.entries(properties[index] ?? {})) attributes[name] = String(value);
    const earlier = Number(attributes[ATTEMPTS] ?? 0);
    return {
      id: textOf(ids[index] ?? index),
      body: textOf(body),
      attributes,
      receives: earlier + Math.max(1, Number(counts[index] ?? 1)),
    };
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The host hands JSON over parsed, other text as a string and the rest as bytes. */
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
