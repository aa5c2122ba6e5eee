/**
 * The control side of the emulator over HTTP on 127.0.0.1: `/_tandem/faults`, `/_tandem/usage`,
 * `GET /_tandem/queues` (counts of every queue), `GET /_tandem/queues/<name>/bodies` (the bodies of all messages,
 * whatever their state, taking none), `PUT /_tandem/namespace` with `{"tier":"Basic"}`, and `PUT /_tandem/queues/<name>` with queue options as JSON.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleControl, refuseForeign } from '../core/control.ts';
import type { Faults } from '../core/faults.ts';
import { bodyText, CONTROL_BODY_BYTES_MAX, controlStatus } from '../core/request-body.ts';
import { handleUsage, type UsageMeter } from '../core/usage.ts';
import { bodyOf } from './message.ts';
import { parseQueueOptions } from './queue-options.ts';
import type { QueueRegistry } from './queue-registry.ts';
import { isTier, TIERS } from './tiers.ts';

const NAMESPACE_PATH = '/_tandem/namespace';
const QUEUES_PATH = '/_tandem/queues';
const BODIES_PATH = /^\/_tandem\/queues\/([^/]+)\/bodies$/;

export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function listQueues(registry: QueueRegistry): Record<string, unknown> {
  registry.tick();
  return Object.fromEntries(
    registry.all().map(({ name, counts, settings }) => [name, { ...counts, settings }]),
  );
}

async function putQueue(
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  registry: QueueRegistry,
): Promise<void> {
  const body = await bodyText(request, CONTROL_BODY_BYTES_MAX);
  const options = parseQueueOptions(body === '' ? {} : (JSON.parse(body) as unknown));
  const queue = registry.createQueue(name, options);
  reply(response, 200, { name: queue.name, settings: queue.settings });
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { faults, usage, registry }: ControlContext,
): Promise<void> {
  if (handleUsage(request, response, usage)) return;
  if (await handleControl(request, response, faults)) return;
  const url = request.url ?? '';
  const isList = url === QUEUES_PATH;
  const [, named] = BODIES_PATH.exec(url) ?? [];
  if (named !== undefined && request.method === 'GET') {
    const queue = registry.find({ kind: 'queue', name: decodeURIComponent(named), deadLetters: false });
    if (queue === undefined) reply(response, 404, { message: `there is no queue ${named}` });
    else
      reply(
        response,
        200,
        [queue, queue.deadLetters].flatMap((part) => part?.peek(0, Infinity) ?? []).map(bodyOf),
      );
    return;
  }
  if (url === NAMESPACE_PATH && request.method === 'PUT') {
    const { tier } = JSON.parse(await bodyText(request, CONTROL_BODY_BYTES_MAX)) as {
      tier?: unknown;
    };
    if (!isTier(tier)) throw new TypeError(`tier: expected one of ${TIERS.join(', ')}`);
    registry.tier = tier;
    reply(response, 200, { tier });
    return;
  }
  if (!isList && !url.startsWith(`${QUEUES_PATH}/`)) {
    reply(response, 404, { message: `${url} is not a control path` });
  } else if (isList && request.method === 'GET') {
    reply(response, 200, listQueues(registry));
  } else if (!isList && request.method === 'PUT') {
    await putQueue(decodeURIComponent(url.slice(QUEUES_PATH.length + 1)), request, response, registry);
  } else {
    response.setHeader('allow', isList ? 'GET' : 'PUT');
    reply(response, 405, { message: `${request.method ?? ''} is not supported here` });
  }
}

/** What the control requests are about. */
interface ControlContext {
  readonly faults: Faults;
  readonly usage: UsageMeter;
  readonly registry: QueueRegistry;
}

/**
 * Starts the control server; port 0 picks a free one.
 * A mistake of the caller is answered with 400 and a message that names the field.
 */
export async function startControlServer(port: number, context: ControlContext): Promise<ControlServer> {
  const server: Server = createServer((request, response) => {
    if (refuseForeign(request, response)) return;
    route(request, response, context).catch((error: unknown) => {
      reply(response, controlStatus(error), {
        message: error instanceof Error ? error.message : String(error),
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
