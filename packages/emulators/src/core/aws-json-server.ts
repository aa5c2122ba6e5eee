/**
 * The HTTP side that the AWS emulators share: the AWS JSON protocols 1.0 and 1.1, the fault hooks and the control requests.
 *
 * Invariant: a fault is decided once per call, before the service sees it. `error` means no effect; `drop-ack` means
 * that the effect is complete before the socket is destroyed.
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handleControl, refuseForeign } from './control.ts';
import type { FaultResult, Faults } from './faults.ts';
import { bodyBytes, BodyTooLargeError } from './request-body.ts';
import { handleUsage, type UsageMeter } from './usage.ts';

const HOST = '127.0.0.1';

/** One API call, as a service handles it. */
interface AwsJsonCall {
  /** Action name from `X-Amz-Target`: `SendMessageBatch`, `PutItem`. */
  readonly operation: string;
  readonly input: Record<string, unknown>;
  /** `X-Amzn-Trace-Id`, which the AWS SDK adds inside a Lambda function. */
  readonly traceHeader: string | undefined;
  /** Aborted when the client goes away, so that a long poll takes nothing on its behalf. */
  readonly signal: AbortSignal;
  readonly fault: FaultResult;
}

/** A refusal as it goes over the wire. */
export interface AwsJsonError {
  /** HTTP status. */
  readonly status: number;
  /** Shape id, with its namespace: `com.amazonaws.sqs#QueueDoesNotExist`. */
  readonly type: string;
  readonly message: string;
  /** Further members of the error shape, such as `CancellationReasons`. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an emulator brings to the shared server. */
export interface AwsJsonService {
  /** Of the protocol, which differs in the media type only. Default 1.0. */
  readonly version?: '1.0' | '1.1';
  /** Of a request, as the service publishes it, or more than any that it takes can have. */
  readonly bodyBytesMax: number;
  /** What a larger one is refused by; undefined: 413, and nothing is said. */
  tooLarge(operation: string): AwsJsonError | undefined;
  readonly faults: Faults;
  /** What the service counts as it handles calls. */
  readonly usage: UsageMeter;
  /** Queues or tables that a call is about, for matching fault rules; `['']` when it is about none. */
  resources(operation: string, input: Record<string, unknown>): readonly string[];
  handle(call: AwsJsonCall): Promise<unknown>;
  /** Turns a refusal into its wire form; `undefined` for an error that is a defect of the emulator. */
  describeError(error: unknown): AwsJsonError | undefined;
  /** The error that a fault rule of kind `error` asks for; without a code, the service's own throttling error. */
  injectedError(code: string | undefined, operation: string): AwsJsonError;
  /** Answers control requests beyond the fault hooks; false when the request is not one. */
  control?(request: IncomingMessage, response: ServerResponse): boolean;
}

export interface AwsJsonServer {
  readonly endpoint: string;
  readonly port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** An answer that the server gives in place of the service: by a fault rule, or because nothing can be read. */
class InjectedError extends Error {
  override readonly name = 'InjectedError';
  readonly wire: AwsJsonError;
  constructor(wire: AwsJsonError) {
    super(wire.message);
    this.wire = wire;
  }
}

/** The base URL of a port on the loopback interface. */
export function endpointOf(port: number): string {
  return `http://${HOST}:${port}`;
}

/** Serves one emulator on the loopback interface. Port 0 picks a free one. */
export async function startAwsJsonServer(port: number, service: AwsJsonService): Promise<AwsJsonServer> {
  const server = http.createServer((request, response) => {
    void serve(request, response, service).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  // Closing an idle connection races with the client's next request on it: a fault that nobody asked for.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  return {
    endpoint: endpointOf(listening),
    port: listening,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  service: AwsJsonService,
): Promise<void> {
  if (refuseForeign(request, response, { relayed: true })) return;
  if (service.control?.(request, response) === true) return;
  if (handleUsage(request, response, service.usage)) return;
  if (await handleControl(request, response, service.faults)) return;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const { operation, input } = await readCall(request, service);
    const fault = decideFault(service, operation, input);
    // It keeps no process alive whose server has been closed meanwhile.
    if (fault.latencyMs > 0) await delay(fault.latencyMs, undefined, { ref: false });
    if (fault.error !== undefined) {
      throw new InjectedError(service.injectedError(fault.error.code, operation));
    }
    const traceHeader = request.headers['x-amzn-trace-id']?.toString();
    const output = await service.handle({ operation, input, traceHeader, signal: gone.signal, fault });
    if (fault.dropAck) request.socket.destroy();
    else reply(response, 200, output, service);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (error instanceof BodyTooLargeError) response.writeHead(413).end();
    else respondWithError(response, wireError(service, error), service);
  }
}

async function readCall(
  request: IncomingMessage,
  service: AwsJsonService,
): Promise<{ operation: string; input: Record<string, unknown> }> {
  const operation = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
  const { bodyBytesMax } = service;
  const body = await bodyBytes(request, bodyBytesMax, () => {
    const wire = service.tooLarge(operation);
    return wire === undefined ? new BodyTooLargeError(bodyBytesMax) : new InjectedError(wire);
  });
  if (request.method !== 'POST' || operation === '') throw new InjectedError(UNKNOWN_OPERATION);
  let input: unknown;
  try {
    input = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new InjectedError(NOT_JSON);
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw new InjectedError(NOT_JSON);
  return { operation, input: input as Record<string, unknown> };
}

/** A call about several tables meets the faults of each of them. */
function decideFault(
  service: AwsJsonService,
  operation: string,
  input: Record<string, unknown>,
): FaultResult {
  const results = service
    .resources(operation, input)
    .map((resource) => service.faults.hit(operation, resource));
  return {
    latencyMs: results.reduce((sum, result) => sum + result.latencyMs, 0),
    error: results.find((result) => result.error !== undefined)?.error,
    dropAck: results.some((result) => result.dropAck),
    duplicate: results.some((result) => result.duplicate),
    reorderMs: Math.max(0, ...results.map((result) => result.reorderMs)),
  };
}

const UNKNOWN_OPERATION: AwsJsonError = {
  status: 400,
  type: 'com.amazon.coral.service#UnknownOperationException',
  message: 'The request names no operation',
};
const NOT_JSON: AwsJsonError = {
  status: 400,
  type: 'com.amazon.coral.service#SerializationException',
  message: 'The request body is not a JSON object',
};

function wireError(service: AwsJsonService, error: unknown): AwsJsonError {
  if (error instanceof InjectedError) return error.wire;
  const described = service.describeError(error);
  if (described !== undefined) return described;
  console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, type: 'com.amazon.coral.service#InternalFailure', message };
}

function respondWithError(response: ServerResponse, error: AwsJsonError, service: AwsJsonService): void {
  for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
  reply(response, error.status, { __type: error.type, message: error.message, ...error.members }, service);
}

function reply(
  response: ServerResponse,
  status: number,
  body: unknown,
  { version = '1.0' }: AwsJsonService,
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': `application/x-amz-json-${version}`,
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
  });
  response.end(text);
}
