/**
 * A local S3: the real `@aws-sdk/client-s3` 3.x talks to it, by path style and by virtual-host style.
 *
 * Signatures, checksums, conditions, versions and locks are checked as S3 does; content is streamed to files and from them,
 * so memory does not grow with an object. What is not there is in `facts.ts`.
 *
 * Faults name the API action (`PutObject`, `ListObjectsV2`) and the bucket. An `error` is 503 SlowDown unless it names
 * another code; `cut` and `corrupt` act on the content of a GET.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { endpointOf } from '../core/aws-json-server.ts';
import { handleControl } from '../core/control.ts';
import { lockDataDir } from '../core/data-lock.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { type FaultResult, Faults } from '../core/faults.ts';
import { bytesOf } from '../core/object-files.ts';
import { whyForeign } from '../core/this-machine.ts';
import { handleUsage, UsageMeter } from '../core/usage.ts';
import { ensureBucket } from './buckets.ts';
import { Call, type Reply } from './call.ts';
import { Deliveries } from './deliveries.ts';
import { errorXml, S3Error, statusOf } from './errors.ts';
import { operationOf } from './operations.ts';
import { loopbackHost, readRequest, type S3Request, withHoisted } from './request.ts';
import { authorize, type Credential } from './signature.ts';
import { S3Store } from './store.ts';

export interface S3Options extends EmulatorOptions {
  /** Default `us-east-1`. Requests that are signed for another are refused. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly account?: string;
  /** Default: `local` with the secret `local`, as all emulators of AWS are configured. */
  readonly credentials?: readonly Credential[];
  /** Base address of SQS, for notifications; see `deliverTo` as well. */
  readonly sqsEndpoint?: string | undefined;
  /** Private buckets that are there from the start, with their versions. */
  readonly buckets?: readonly string[];
  /** A queue that is sent what is removed from these. */
  readonly removalsTo?: string | undefined;
}

export interface S3Emulator extends Emulator {
  /** Objects and parts whose bytes are on their way. */
  readonly uploads: number;
  /** Where notifications go from now on: the base address of an SQS. */
  deliverTo(sqsEndpoint: string): void;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

const HOST = '127.0.0.1';
const LOCAL: readonly Credential[] = [{ accessKeyId: 'local', secretAccessKey: 'local' }];
/** What is left of a refused body is read up to here, so that the client gets to read the answer. */
const DRAINED_BYTES_MAX = 64 * 1024 * 1024;

interface Context {
  readonly store: S3Store;
  readonly deliveries: Deliveries;
  readonly faults: Faults;
  readonly usage: UsageMeter;
  readonly account: string;
  readonly credentials: readonly Credential[];
}

/** @throws Error when another living process has the data folder, or when the journal is damaged. */
export async function startS3(options: S3Options = {}): Promise<S3Emulator> {
  const { dataDir, region = 'us-east-1', account = '000000000000', now = Date.now } = options;
  const unlock = dataDir === undefined ? undefined : lockDataDir(dataDir);
  let store: S3Store | undefined;
  const release = async (): Promise<void> => {
    await store?.close();
    unlock?.();
  };
  try {
    store = new S3Store({ dataDir, region, now });
    for (const name of options.buckets ?? [])
      ensureBucket(
        store,
        name,
        options.removalsTo && `arn:aws:sqs:${region}:${account}:${options.removalsTo}`,
      );
    const deliveries = new Deliveries(store, options.sqsEndpoint);
    const credentials = options.credentials ?? LOCAL;
    const context = {
      store,
      deliveries,
      account,
      credentials,
      faults: new Faults(),
      usage: new UsageMeter(),
    };
    return await listen(options.port ?? 0, context, release);
  } catch (error) {
    await release();
    throw error;
  }
}

async function listen(port: number, context: Context, release: () => Promise<void>): Promise<S3Emulator> {
  const { store, deliveries, faults } = context;
  const running = new Set<Promise<void>>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const served = serve(request, response, context)
      .catch((error: unknown) => {
        if (!response.destroyed) console.error(error);
        response.destroy();
      })
      .finally(() => running.delete(served));
    running.add(served);
  };
  // A client that waits for 100 Continue sends its body only once it is read: a refusal costs it nothing.
  const server = http.createServer(onRequest).on('checkContinue', onRequest);
  // Closing an idle connection races with the client's next request on it; a large upload takes what it takes.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  deliveries.start();
  const listening = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await Promise.allSettled(running);
    await deliveries.close();
    await release();
  };
  return {
    endpoint: endpointOf(listening),
    port: listening,
    faults,
    get uploads() {
      return store.files.writing;
    },
    deliverTo: (endpoint) => {
      deliveries.endpoint = endpoint.replace(/\/$/, '');
      deliveries.start();
    },
    accept: (socket) => void server.emit('connection', socket),
    close: () => (closed ??= close()),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { host } = loopbackHost(request.headers.host ?? '');
  const isControl = request.url?.startsWith('/_tandem/') === true;
  const why = whyForeign(
    { headers: { ...request.headers, host }, socket: request.socket },
    { anyPort: !isControl },
  );
  if (why !== undefined) {
    response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ message: why }));
    return;
  }
  if (isControl && (await respondToControl(request, response, context))) return;
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  response.setHeader('x-amz-request-id', requestId);
  response.setHeader('x-amz-id-2', randomBytes(32).toString('base64'));
  response.setHeader('date', new Date(context.store.now()).toUTCString());
  response.setHeader('server', 'AmazonS3');
  try {
    await respond(request, response, { ...context, requestId });
  } catch (error) {
    await refuse(request, response, { error, requestId });
  }
}

async function respondToControl(
  request: IncomingMessage,
  response: ServerResponse,
  { usage, faults }: Context,
): Promise<boolean> {
  return handleUsage(request, response, usage) || (await handleControl(request, response, faults));
}

async function respond(
  incoming: IncomingMessage,
  response: ServerResponse,
  context: Context & { readonly requestId: string },
): Promise<void> {
  const { store, deliveries, faults, usage, account, credentials, requestId } = context;
  const asSent = readRequest(incoming);
  const payload = authorize(asSent, { credentials, region: store.region, now: store.now });
  const request = withHoisted(asSent);
  const owner = request.headers['x-amz-expected-bucket-owner'];
  if (owner !== undefined && owner !== account) throw new S3Error('AccessDenied', 'Access Denied');
  const operation = operationOf(request);
  const fault = faults.hit(operation.name, request.bucket);
  if (fault.latencyMs > 0) await delay(fault.latencyMs, undefined, { ref: false });
  if (fault.error !== undefined) throw injected(fault.error.code);
  const raw = bodyAsItComes(incoming, response);
  const sourceAddress = incoming.socket.remoteAddress ?? HOST;
  const call = new Call({ request, payload, raw, store, deliveries, requestId, sourceAddress });
  const reply = await operation.run(call);
  usage.add(request.bucket, operation.name, {
    requests: 1,
    bytesIn: Number(
      request.headers['x-amz-decoded-content-length'] ?? request.headers['content-length'] ?? 0,
    ),
    bytesOut: bytesOf(reply.content ?? []),
  });
  try {
    if (fault.dropAck) incoming.socket.destroy();
    else await send(response, reply, { fault, store, request });
  } finally {
    store.files.release(reply.content ?? []);
  }
}

/** Reading it lets a client go on that waits for that. */
async function* bodyAsItComes(incoming: IncomingMessage, response: ServerResponse): AsyncGenerator<Buffer> {
  if (/100-continue/i.test(incoming.headers.expect ?? '')) response.writeContinue();
  // The connection stays when this is left early: the answer goes over it.
  yield* incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

class Injected extends Error {
  override readonly name = 'Injected';
  readonly code: string;
  constructor(code: string) {
    super(code === 'SlowDown' ? 'Please reduce your request rate.' : `${code}, injected by a fault rule`);
    this.code = code;
  }
}

const injected = (code = 'SlowDown'): Injected => new Injected(code);

interface Sending {
  readonly fault: FaultResult;
  readonly store: S3Store;
  readonly request: S3Request;
}

async function send(
  response: ServerResponse,
  reply: Reply,
  { fault, store, request }: Sending,
): Promise<void> {
  const { status, headers = {}, text, content } = reply;
  if (text !== undefined) {
    const type = { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) };
    response.writeHead(status, { ...type, ...headers });
    response.end(text);
    return;
  }
  const length = status === 204 || request.method === 'HEAD' ? {} : { 'content-length': 0 };
  response.writeHead(status, { ...length, ...headers });
  if (content === undefined) {
    response.end();
    return;
  }
  const cutAt = fault.content === 'cut' ? Math.floor(bytesOf(content) / 2) : Infinity;
  let sent = 0;
  for await (const piece of store.files.read(content)) {
    if (fault.content === 'corrupt') piece[0] = (piece[0] ?? 0) ^ 0xff;
    const part = piece.subarray(0, cutAt - sent);
    sent += part.length;
    if (!response.write(part)) await drained(response);
    if (response.destroyed) return;
    if (sent >= cutAt) break;
  }
  if (sent >= cutAt) {
    // What was written is on its way before the connection breaks.
    await new Promise((resolve) => response.write('', resolve));
    response.destroy();
  } else response.end();
}

/** Until more can be written, or nobody reads any more. */
async function drained(response: ServerResponse): Promise<void> {
  // Its end has been told to whoever listened then.
  if (response.destroyed) return;
  const settled = new AbortController();
  const waits = ['drain', 'close'].map((event) => once(response, event, { signal: settled.signal }));
  await Promise.race(waits).catch(() => undefined);
  settled.abort();
  await Promise.allSettled(waits);
}

async function refuse(
  incoming: IncomingMessage,
  response: ServerResponse,
  { error, requestId }: { readonly error: unknown; readonly requestId: string },
): Promise<void> {
  // Nobody is there to be told.
  if (incoming.socket.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const isKnown = error instanceof S3Error || error instanceof Injected;
  if (!isKnown) console.error(error);
  const code = isKnown ? error.code : 'InternalError';
  const message = isKnown ? error.message : 'We encountered an internal error. Please try again.';
  const { elements = {}, headers = {} } = error instanceof S3Error ? error.details : {};
  const status = statusOf(code);
  const [resource = ''] = incoming.url?.split('?') ?? [];
  const text =
    incoming.method === 'HEAD' || status === 304
      ? ''
      : errorXml({ code, message, elements }, { resource, requestId });
  const isBodyLeft = !incoming.complete;
  const waits = /100-continue/i.test(incoming.headers.expect ?? '');
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) }),
    ...headers,
    ...(isBodyLeft && { connection: 'close' }),
  });
  response.end(text);
  if (isBodyLeft && !waits) await drain(incoming);
}

async function drain(incoming: IncomingMessage): Promise<void> {
  let drained = 0;
  // Once it has been answered, nobody but its socket says that no more will come.
  const end = (): void => void incoming.destroy();
  incoming.socket.once('close', end);
  try {
    for await (const piece of incoming) {
      drained += (piece as Buffer).length;
      if (drained > DRAINED_BYTES_MAX) incoming.socket.destroy();
    }
  } catch {
    // The client went away.
  } finally {
    incoming.socket.off('close', end);
  }
}
