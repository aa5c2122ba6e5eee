/**
 * A local emulator for Azure Cosmos DB (NoSQL API): an HTTP server behind the real `@azure/cosmos` 4.
 *
 * Invariant: a request takes effect within one turn of the event loop, after the faults that delay or refuse it and
 * before the one that loses its answer.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Budget, handleBudget } from '../core/budget.ts';
import { handleControl, refuseForeign } from '../core/control.ts';
import type { Emulator, EmulatorOptions } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { FileWriteError } from '../core/files.ts';
import { bodyText } from '../core/request-body.ts';
import { handleUsage, UsageMeter } from '../core/usage.ts';
import { REFUSED_CHARGE } from './charges.ts';
import {
  accountResponse,
  containerRoute,
  databaseRoute,
  partitionRangesResponse,
} from './definition-routes.ts';
import { badRequest, CosmosError, injectedError, notFound, tooLarge, unauthorized } from './errors.ts';
import { type Call, header, type Response } from './http-types.ts';
import { itemRoute, operationOf, sessionHeaders } from './item-routes.ts';
import { metered } from './metering.ts';
import { Store } from './store.ts';

/** A well-formed key for `CosmosClient`; the server accepts any and verifies no signature. */
const KEY = Buffer.from('local emulator: any key will do').toString('base64');

/**
 * "Maximum request size (for example, stored procedure, CRUD operation)".
 * https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits
 */
export const REQUEST_BYTES_MAX = 2 * 1024 * 1024;

export interface CosmosOptions extends EmulatorOptions {
  /** Decides which requests a fault rule with a probability hits. Default `Math.random`. */
  readonly random?: () => number;
  /** Changes in the journal above which it may be compacted. Default 2,000. */
  readonly compactAbove?: number;
  /**
   * Request units a second, beyond which requests get 429; default none. A serverless container has 5,000, and here it
   * is for all containers together, because a site has one.
   * https://learn.microsoft.com/azure/cosmos-db/serverless-performance
   */
  readonly requestUnitsPerSecond?: number;
}

export interface CosmosEmulator extends Emulator {
  /** Any base64 key is accepted; a request without an authorization header is refused with 401. */
  readonly key: string;
}

/**
 * Starts the server on 127.0.0.1.
 * @throws Error when the port is taken, another process uses the data folder, or the journal is damaged.
 * @example
 * const cosmos = await startCosmos();
 * const client = new CosmosClient({ endpoint: cosmos.endpoint, key: cosmos.key }); // no agent: plain HTTP
 */
export async function startCosmos(options: CosmosOptions = {}): Promise<CosmosEmulator> {
  const { port = 0, dataDir, now = Date.now, random, compactAbove } = options;
  const faults = new Faults(random);
  const usage = new UsageMeter();
  const budget = new Budget({ perSecond: options.requestUnitsPerSecond, now });
  const store = new Store({ dataDir, now, compactAbove });
  let endpoint = '';
  const server = http.createServer((request, response) => {
    serve(request, response, { store, faults, usage, budget, endpoint: () => endpoint }).catch(
      (error: unknown) => {
        // The client went away in the middle of its request: there is nobody to answer.
        if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
      },
    );
  });
  // Closing an idle connection races with the client's next request on it, and the SDK does not repeat a write.
  server.keepAliveTimeout = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    store.close();
    throw error;
  }
  const { port: bound } = server.address() as AddressInfo;
  endpoint = `http://127.0.0.1:${bound}/`;
  return {
    endpoint,
    key: KEY,
    port: bound,
    faults,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      store.close();
    },
  };
}

interface Context {
  readonly store: Store;
  readonly faults: Faults;
  readonly usage: UsageMeter;
  readonly budget: Budget;
  readonly endpoint: () => string;
}

async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  context: Context,
): Promise<void> {
  if (refuseForeign(request, response, { relayed: true })) return;
  if (handleUsage(request, response, context.usage)) return;
  if (await handleBudget(request, response, context.budget)) return;
  if (await handleControl(request, response, context.faults)) return;
  const reply = await respondTo(request, context);
  if (reply.dropped === true) {
    request.socket.destroy();
    return;
  }
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'x-ms-activity-id': randomUUID(),
    'x-ms-request-charge': String(REFUSED_CHARGE),
    'x-ms-version': '2020-07-15',
    ...reply.headers,
  });
  const empty = reply.body === undefined || reply.status === 204 || reply.status === 304;
  response.end(empty ? undefined : JSON.stringify(reply.body));
}

async function respondTo(request: http.IncomingMessage, context: Context): Promise<Response> {
  let call: Call | undefined;
  try {
    call = await readCall(request);
    if (header(call, 'authorization') === undefined) throw unauthorized();
    return await route(call, context);
  } catch (error) {
    return errorResponse(error, call && containerHeaders(call, context.store));
  }
}

async function readCall(request: http.IncomingMessage): Promise<Call> {
  const { pathname } = new URL(request.url ?? '/', 'http://local');
  const body = await bodyText(request, REQUEST_BYTES_MAX, tooLarge);
  try {
    const segments = pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
    const parsed: unknown = body === '' ? undefined : JSON.parse(body);
    return { method: request.method ?? 'GET', segments, headers: request.headers, body: parsed };
  } catch {
    throw badRequest('The request path or body is not well formed.');
  }
}

async function route(call: Call, { store, faults, usage, budget, endpoint }: Context): Promise<Response> {
  const { segments } = call;
  if (segments.length === 0) return accountResponse(endpoint());
  const [dbs, databaseId = '', colls, containerId = '', kind] = segments;
  // A serverless account has no offers: throughput can be asked for, and there is none.
  if (dbs === 'offers') return { status: 200, body: { _rid: '', Offers: [], _count: 0 } };
  if (dbs !== 'dbs') throw notFound();
  if (segments.length <= 2) return databaseRoute(store, call);
  if (colls !== 'colls') throw unsupported(call);
  if (kind === undefined) return containerRoute(store, call);
  const container = store.owner(databaseId, containerId);
  if (kind === 'pkranges') return partitionRangesResponse(container);
  if (kind !== 'docs' || segments.length > 6) throw unsupported(call);
  return withFaults(faults, operationOf(call), containerId, () =>
    metered(call, containerId, { usage, budget }, () =>
      // Looked up again: a fault may have let time pass, and the container may be gone.
      itemRoute(store, store.owner(databaseId, containerId), call, budget),
    ),
  );
}

async function withFaults(
  faults: Faults,
  operation: string,
  resource: string,
  effect: () => Response,
): Promise<Response> {
  if (operation === 'QueryPlan') return effect();
  const { latencyMs, error, dropAck } = faults.hit(operation, resource);
  // It keeps no process alive whose server has been closed meanwhile.
  if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false });
  if (error !== undefined) throw injectedError(error.code);
  if (!dropAck) return effect();
  try {
    return { ...effect(), dropped: true };
  } catch (refused) {
    if (!(refused instanceof CosmosError)) throw refused;
    return { status: refused.status, dropped: true };
  }
}

function unsupported(call: Call): CosmosError {
  return badRequest(`/${call.segments.join('/')} is not supported by this emulator.`);
}

/** The service sends the session token with refusals too, and the SDK keeps it. */
function containerHeaders({ segments }: Call, store: Store): Record<string, string> {
  const container = store.databases.get(segments[1] ?? '')?.containers.get(segments[3] ?? '');
  return container === undefined || segments[4] !== 'docs' ? {} : sessionHeaders(container);
}

function errorResponse(error: unknown, headers: Record<string, string> = {}): Response {
  if (error instanceof CosmosError) {
    const subStatus = error.subStatus === undefined ? {} : { 'x-ms-substatus': String(error.subStatus) };
    return {
      status: error.status,
      body: error.body,
      headers: { ...headers, ...subStatus, ...error.headers },
    };
  }
  if (error instanceof FileWriteError) {
    console.error(error.message);
    return { status: 503, body: { code: 'ServiceUnavailable', message: error.message } };
  }
  // A defect of the emulator: shown where whoever runs it looks, because the client only learns that it happened.
  console.error(error);
  return {
    status: 500,
    body: { code: 'InternalServerError', message: 'The emulator failed; see its output.' },
  };
}
