/**
 * A local emulator for one account of Azure Blob Storage: an HTTP server behind the real `@azure/storage-blob` 12.
 *
 * Block blobs with versions, conditions, checksums, tags, leases, policies and holds, soft delete, signed URLs, copies and
 * events. Bytes are in files, and pass through in pieces. Not there: append and page blobs, snapshots, stored access
 * policies, public containers, encryption keys of one's own, roles, rehydration, batches and queries.
 *
 * Faults name the operation (`PutBlob`, `PutBlockList`, `GetBlob`, `ListBlobs`, …) and the container.
 *
 * Invariants: a request is answered only after its effect is in the journal; one that is refused has no effect.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handleControl, refuseForeign } from '../core/control.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { FileWriteError } from '../core/files.ts';
import { handleUsage, UsageMeter } from '../core/usage.ts';
import { type Account, keyOf } from './account.ts';
import { authorize } from './authorize.ts';
import { type TokenCheck, tokenCheck } from './bearer.ts';
import { type Call, header, readCall } from './call.ts';
import { addContainer, createContainer } from './containers.ts';
import { corsHeaders, preflight } from './cors.ts';
import { BlobError, injectedError } from './errors.ts';
import { operationOf } from './operations.ts';
import { replyTo } from './reply.ts';
import { ROUTES } from './routes.ts';
import { EventSender, type EventSubscription } from './sender.ts';
import { DEFAULT_VERSION } from './service-versions.ts';
import { Store } from './store.ts';
import type { Reply } from './work.ts';

const HOST = '127.0.0.1';
const DEFAULT_ACCOUNT = 'local';
/** Metadata alone may have 8 kB. */
const HEADER_BYTES_MAX = 64 * 1024;

export interface BlobOptions extends EmulatorOptions {
  /** 3 to 24 lower-case letters and digits; default `local`. */
  readonly account?: string | undefined;
  /** Whether each write keeps the state before it. Default false, as of a new account. */
  readonly versioning?: boolean | undefined;
  /** Versions in new containers may be protected from deletion; needs `versioning`. Default false. */
  readonly versionImmutability?: boolean | undefined;
  /** Base address of the OpenID Connect issuer whose tokens are taken; without it any is. */
  readonly issuer?: string | undefined;
  /** The queue that is sent what happens to blobs. */
  readonly events?: EventSubscription | undefined;
  /** Containers that are there from the start. */
  readonly containers?: readonly string[] | undefined;
  /** Changes in the journal above which it may be compacted. */
  readonly compactAbove?: number | undefined;
}

export interface BlobEmulator extends Emulator {
  readonly account: string;
  /** In base64: of the account, for `StorageSharedKeyCredential`. */
  readonly key: string;
  /** From now on, and instead of another queue. @throws TypeError when the address is none of this machine. */
  sendEventsTo(subscription: EventSubscription): void;
  /** Serves a connection that somebody else has accepted. */
  accept(socket: Socket): void;
}

interface Context {
  readonly store: Store;
  readonly account: Account;
  readonly checkToken: TokenCheck;
  readonly faults: Faults;
  readonly usage: UsageMeter;
  readonly versionImmutability: boolean;
  sender: EventSender | undefined;
}

/**
 * Starts the server on 127.0.0.1; `endpoint` is the URL of the account: `http://127.0.0.1:<port>/local`.
 * @throws Error when the port is taken, another process uses the data folder, or the journal is damaged; TypeError for
 * options that do not go together.
 * @example
 * const blob = await startBlob({ versioning: true });
 * const client = new BlobServiceClient(blob.endpoint, new StorageSharedKeyCredential(blob.account, blob.key));
 */
export async function startBlob(options: BlobOptions = {}): Promise<BlobEmulator> {
  const { port = 0, dataDir, now = Date.now, versioning = false, versionImmutability = false } = options;
  if (versionImmutability && !versioning) throw new TypeError('versionImmutability: versioning is needed');
  const name = options.account ?? DEFAULT_ACCOUNT;
  const store = new Store({ dataDir, now, versioning, compactAbove: options.compactAbove });
  const context: Context = {
    store,
    account: { name, key: keyOf(name) },
    checkToken: tokenCheck(name, options.issuer),
    faults: new Faults(),
    usage: new UsageMeter(),
    versionImmutability,
    sender: undefined,
  };
  const server = http.createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    serve(request, response, context).catch((error: unknown) => {
      // The client went away in the middle: there is nobody to answer.
      if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
    });
  });
  // Closing an idle connection races with the client's next request on it.
  server.keepAliveTimeout = 0;
  // An upload may take as long as it takes.
  server.requestTimeout = 0;
  try {
    for (const container of options.containers ?? [])
      if (!store.containers.has(container)) addContainer(store, container, { versionImmutability });
    if (options.events !== undefined) context.sender = new EventSender(store, options.events);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, HOST, resolve);
    });
  } catch (error) {
    await context.sender?.close();
    await store.close();
    throw error;
  }
  const { port: bound } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await Promise.all([ended, context.sender?.close()]);
    await store.close();
  };
  return {
    endpoint: `http://${HOST}:${bound}/${name}`,
    port: bound,
    account: name,
    key: context.account.key,
    faults: context.faults,
    sendEventsTo(subscription) {
      const next = new EventSender(store, subscription);
      void context.sender?.close();
      context.sender = next;
    },
    accept: (socket) => void server.emit('connection', socket),
    close: () => (closed ??= close()),
  };
}

async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  context: Context,
): Promise<void> {
  if (refuseForeign(request, response, { relayed: true })) return;
  const { store, faults, usage } = context;
  if (handleUsage(request, response, usage)) return;
  if (await handleControl(request, response, faults)) return;
  const requestId = randomUUID();
  const about: Record<string, string | undefined> = {
    'x-ms-request-id': requestId,
    'x-ms-version': DEFAULT_VERSION,
    ...corsHeaders(request.headers, request.method ?? '', store.service.cors),
  };
  let reply: Answer;
  try {
    reply = await respondTo(request, context, about);
  } catch (error) {
    reply = { ...errorReply(error, requestId, store.now()), isDropped: false };
  }
  await replyTo({ request, response }, { ...reply, headers: { ...about, ...reply.headers } }, reply);
}

interface Answer extends Reply {
  readonly isDropped: boolean;
  readonly fault?: 'cut' | 'corrupt' | undefined;
}

async function respondTo(
  request: http.IncomingMessage,
  context: Context,
  about: Record<string, string | undefined>,
): Promise<Answer> {
  const { store, account, checkToken, faults, usage, sender } = context;
  if (request.method === 'OPTIONS')
    return { ...preflight(request.headers, store.service.cors), isDropped: false };
  const call = readCall(request);
  about['x-ms-client-request-id'] = header(call, 'x-ms-client-request-id');
  if (call.account !== account.name) throw new BlobError('ResourceNotFound');
  const operation = operationOf(call);
  const rights = await authorize(call, operation, { account, checkToken, now: store.now });
  about['x-ms-version'] = rights.version;
  const fault = faults.hit(operation, call.container);
  // It keeps no process alive whose server has been closed meanwhile.
  if (fault.latencyMs > 0) await delay(fault.latencyMs, undefined, { ref: false });
  if (fault.error !== undefined) throw injectedError(fault.error.code);
  const work = { call, rights, store, account, hasSubscriber: sender !== undefined };
  try {
    const reply =
      operation === 'CreateContainer'
        ? createContainer(work, context.versionImmutability)
        : await ROUTES[operation](work);
    count(usage, { call, operation, reply });
    sender?.send();
    return { ...reply, isDropped: fault.dropAck, fault: fault.content };
  } catch (error) {
    if (!fault.dropAck || !(error instanceof BlobError)) throw error;
    return { status: error.status, isDropped: true };
  }
}

function count(
  usage: UsageMeter,
  { call, operation, reply }: { readonly call: Call; readonly operation: string; readonly reply: Reply },
): void {
  const { body } = reply;
  const bytesOut = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.bytes;
  const bytesIn = Number(call.headers['content-length'] ?? 0);
  usage.add(call.container, operation, { requests: 1, bytesIn, bytesOut });
}

function errorReply(error: unknown, requestId: string, nowMs: number): Reply {
  let refusal: BlobError;
  if (error instanceof BlobError) refusal = error;
  else if (error instanceof FileWriteError) {
    console.error(error.message);
    refusal = new BlobError('ServerBusy', { Reason: error.message });
  } else if (isGone(error)) throw error;
  else {
    // A defect of the emulator: shown where whoever runs it looks.
    console.error(error);
    refusal = new BlobError('InternalError');
  }
  return {
    status: refusal.status,
    headers: {
      'content-type': 'application/xml',
      'x-ms-error-code': refusal.code,
      ...refusal.headers,
    },
    body: refusal.body(requestId, new Date(nowMs).toISOString()),
  };
}

/** The client broke off. */
function isGone(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
