/**
 * The one request and the one answer of the HTTP bench, the same for every contender: `POST /users` with a valid
 * body, answered 201 without any I/O, so that what is measured is the HTTP stack and nothing else.
 */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** Which platform calls: an API Gateway event (payload 2.0), or the `(context, request)` of Azure Functions. */
export type Shape = 'lambda' | 'azure';

export const SHAPES: readonly Shape[] = ['lambda', 'azure'];

/** The body that `user.create` lets through. */
export interface NewUser {
  readonly userId?: string;
  readonly name: string;
  readonly email: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface Response {
  readonly status: number;
  readonly body: unknown;
  /** What the route itself answers with; the stack adds its own. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The handler behind every contender, in the place of the entity service. */
export function createUser({ userId = '0198c0de', ...fields }: NewUser): Response {
  return {
    status: 201,
    body: { id: userId, userId, ...fields, createdAt: '2026-01-01T00:00:00.000Z' },
    headers: {
      etag: '"q0b3mXk2pV9sT1uR"',
      'cache-control': 'private, no-cache',
      location: `/users/${userId}`,
    },
  };
}

/** The other routes of the users service: there to be routed past, never called. */
export const OTHER_ROUTES = [
  { method: 'GET', path: '/users' },
  { method: 'GET', path: '/users/{userId}' },
  { method: 'PATCH', path: '/users/{userId}' },
  { method: 'DELETE', path: '/users/{userId}' },
  { method: 'POST', path: '/user' },
] as const;

/** What a handler of this shape is called with for request number `n`; `valid: false` breaks a rule of the schema. */
export function argumentsOf(shape: Shape, n: number, valid = true): readonly unknown[] {
  const body = JSON.stringify({
    userId: `bench-${n}`,
    name: valid ? `Ada Lovelace ${n}` : '',
    email: `ada.${n}@example.com`,
    metadata: { plan: 'pro', seats: n, tags: ['analytical', 'engine'] },
  });
  return shape === 'lambda' ? lambdaArguments(n, body) : azureArguments(n, body);
}

const headersOf = (body: string): Record<string, string> => ({
  accept: 'application/json',
  'accept-encoding': 'gzip, deflate, br',
  'content-length': String(Buffer.byteLength(body)),
  'content-type': 'application/json',
  host: 'api.example.com',
  origin: 'https://app.example.com',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-port': '443',
  'x-forwarded-proto': 'https',
});

function lambdaArguments(n: number, body: string): readonly unknown[] {
  const requestId = `JKJaXmPLvHcESHA-${n}`;
  const event: APIGatewayProxyEventV2 = {
    version: '2.0',
    routeKey: 'ANY /users',
    rawPath: '/users',
    rawQueryString: '',
    headers: headersOf(body),
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: {
        method: 'POST',
        path: '/users',
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.7',
        userAgent: 'Mozilla/5.0',
      },
      requestId,
      routeKey: 'ANY /users',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 1_767_225_600_000,
    },
    body,
    isBase64Encoded: false,
  };
  const context = {
    awsRequestId: `8f1d5c8e-0000-4000-8000-${String(n).padStart(12, '0')}`,
    functionName: 'tandem-prod-users',
    functionVersion: '$LATEST',
    memoryLimitInMB: '512',
    getRemainingTimeInMillis: () => 9_900,
  };
  // As the runtime hands it over: parsed from JSON.
  return [JSON.parse(JSON.stringify(event)), context];
}

function azureArguments(n: number, body: string): readonly unknown[] {
  const context = {
    invocationId: `8f1d5c8e-0000-4000-8000-${String(n).padStart(12, '0')}`,
  };
  const request = {
    method: 'POST',
    url: 'https://api.example.com/users',
    headers: new Headers(headersOf(body)),
    params: { path: '' },
    arrayBuffer: () => Promise.resolve(Uint8Array.from(Buffer.from(body)).buffer),
    text: () => Promise.resolve(body),
  };
  return [request, context];
}
