/** Calls a handler as its platform would: an API Gateway event on AWS, a Functions request on Azure. */
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { HttpResponse } from '../../infra/rollout/contract-breaches.ts';
import { decodePath } from '../../src/shared/request-path.ts';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string and bytes go as they are, anything else as JSON. */
  readonly body?: unknown;
}

export type Invoke = (handler: unknown, call: Call) => Promise<HttpResponse>;

function prepared({ path, headers = {}, body }: Call): {
  pathname: string;
  search: URLSearchParams;
  headers: Record<string, string>;
  bytes: Buffer | undefined;
} {
  const [pathname = '', query = ''] = path.split('?');
  const bytes = body === undefined ? undefined : bytesOf(body);
  const type = bytes === undefined ? {} : { 'content-type': 'application/json' };
  return { pathname, search: new URLSearchParams(query), headers: { ...type, ...headers }, bytes };
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** As API Gateway hands a body over: text of a type of text as it is, everything else in base64. */
function gatewayBody(bytes: Buffer | undefined, type: string): { body?: string; isBase64Encoded: boolean } {
  if (bytes === undefined || bytes.length === 0) return { isBase64Encoded: false };
  const isText = /^application\/json\s*(?:;|$)|^text\//i.test(type) && isUtf8(bytes);
  return { body: bytes.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

export const invokeLambda: Invoke = async (handler, call) => {
  const { pathname, search, headers, bytes } = prepared(call);
  const event = {
    version: '2.0',
    routeKey: '$default',
    rawPath: decodePath(pathname),
    rawQueryString: search.toString(),
    headers,
    ...(search.size > 0 && { queryStringParameters: Object.fromEntries(search) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      http: {
        method: call.method,
        path: decodePath(pathname),
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'test',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      timeEpoch: 0,
    },
    ...gatewayBody(bytes, headers['content-type'] ?? ''),
  };
  const invoke = handler as (event: unknown, context: unknown) => Promise<LambdaResult>;
  const result = await invoke(event, { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => 10_000 });
  return { status: result.statusCode, headers: lowerCased(result.headers), text: result.body ?? '' };
};

interface LambdaResult {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

export const invokeFunction: Invoke = async (handler, call) => {
  const { pathname, search, headers, bytes } = prepared(call);
  const query = search.size > 0 ? `?${search.toString()}` : '';
  const request = {
    method: call.method,
    url: `https://tandem.example${pathname}${query}`,
    headers: new Headers(headers),
    // A view of a pool, cut out of it.
    arrayBuffer: () => Promise.resolve(Uint8Array.from(bytes ?? []).buffer),
  };
  const invoke = handler as (request: unknown, context: unknown) => Promise<FunctionResult>;
  const { status, body = '', ...result } = await invoke(request, { invocationId: randomUUID() });
  return { status, headers: lowerCased(result.headers), text: body };
};

interface FunctionResult {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

export interface Delivery {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** How often it has been received, this time included. Default 1. */
  readonly receives?: number;
}

/**
 * Calls a queue or timer function as its platform would. Resolves to the ids handed back as partial batch failures
 * (`m0`, `m1`, …), which only AWS has; on Azure a batch that is handed back rejects.
 */
export async function deliver(
  cloud: 'aws' | 'azure',
  handler: unknown,
  messages: readonly Delivery[] | 'timer',
): Promise<string[]> {
  const invoke = handler as (first: unknown, second?: unknown) => Promise<unknown>;
  if (messages === 'timer') {
    await (cloud === 'aws' ? invoke({ 'detail-type': 'Scheduled Event' }) : invoke({ isPastDue: false }, {}));
    return [];
  }
  if (cloud === 'azure') {
    const triggerMetadata = {
      messageIdArray: messages.map((_, i) => `m${i}`),
      deliveryCountArray: messages.map(({ receives = 1 }) => receives),
      applicationPropertiesArray: messages.map(({ attributes = {} }) => attributes),
    };
    await invoke(
      messages.map(({ body }) => body),
      { invocationId: randomUUID(), triggerMetadata },
    );
    return [];
  }
  const Records = messages.map(({ body, attributes = {}, receives = 1 }, i) => ({
    messageId: `m${i}`,
    receiptHandle: `r${i}`,
    body,
    attributes: { ApproximateReceiveCount: String(receives) },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
    ),
    eventSource: 'aws:sqs',
  }));
  const response = (await invoke({ Records })) as
    { batchItemFailures: { itemIdentifier: string }[] } | null | undefined;
  // Lambda takes no answer for a batch without failures.
  return (response?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
}
