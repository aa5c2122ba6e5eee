/**
 * Reading a queue of the namespace at Azure Resource Manager: `GET <id of the namespace>/queues/<name>` answers with its
 * settings and counts. Beside it the endpoint at which an app asks for a token of its own identity. On Azure they are
 * management.azure.com and a service of the platform; here they share the port of AMQP.
 *
 * Invariant: only reading one queue, with a token of that endpoint and an API version; it takes the credits of a management
 * operation and no more. Queues come from the template. What the identity may read is not checked here: the tests of
 * rights put a proxy in front (tests/helpers/rights/azure.ts).
 *
 * @see https://learn.microsoft.com/rest/api/servicebus/controlplane-stable/queues/get
 * @see https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Faults } from '../core/faults.ts';
import { type Credits, MANAGEMENT_CREDITS } from './credits.ts';
import { BrokerError } from './errors.ts';
import type { Queue } from './queue.ts';
import type { QueueRegistry } from './queue-registry.ts';

export interface ResourceManagerContext {
  readonly faults: Faults;
  readonly credits: Credits;
  readonly registry: QueueRegistry;
}

/** What the local namespace is called; every name is taken, as is every key of a connection string. */
export const NAMESPACE_ID =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.ServiceBus/namespaces/local';

const TOKEN_PATH = '/msi/token';
const TOKEN = 'token-of-the-local-app';
const IDENTITY_HEADER = 'local';
const QUEUE =
  /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ServiceBus\/namespaces\/[^/]+)\/queues\/([^/]+)$/i;
const API_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/** What an app on Azure finds in its settings, or is given by the platform. @param origin Of the emulator. */
export function resourceManagerSettings(origin: string): Record<string, string> {
  return {
    RESOURCE_MANAGER_ENDPOINT: origin,
    SERVICE_BUS_ID: NAMESPACE_ID,
    IDENTITY_ENDPOINT: `${origin}${TOKEN_PATH}`,
    IDENTITY_HEADER,
  };
}

/** A server that listens nowhere: connections are given to it. */
export function resourceManager(context: ResourceManagerContext): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://local');
    try {
      if (url.pathname === TOKEN_PATH) giveToken(request, response, url);
      else readQueue(request, response, url, context);
    } catch (error) {
      const isBusy = error instanceof BrokerError;
      fail(response, isBusy ? error.status : 500, isBusy ? 'ServerBusy' : 'InternalError', String(error));
    }
  });
}

function giveToken(request: IncomingMessage, response: ServerResponse, url: URL): void {
  // The header keeps an app that fetches what strangers name from fetching its own token.
  if (request.headers['x-identity-header'] !== IDENTITY_HEADER) {
    fail(response, 401, 'Unauthorized', 'X-IDENTITY-HEADER is not that of the app');
    return;
  }
  const resource = url.searchParams.get('resource');
  if (resource === null || url.searchParams.get('api-version') !== '2019-08-01') {
    fail(response, 400, 'BadRequest', 'a resource and the API version 2019-08-01 are needed');
    return;
  }
  reply(response, 200, {
    access_token: TOKEN,
    expires_on: String(Math.floor(Date.now() / 1_000) + 86_400),
    resource,
    token_type: 'Bearer',
  });
}

function readQueue(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { faults, credits, registry }: ResourceManagerContext,
): void {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    fail(
      response,
      401,
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing.",
    );
    return;
  }
  if (!API_VERSION.test(url.searchParams.get('api-version') ?? '')) {
    fail(
      response,
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
    return;
  }
  const [, namespaceId = '', name = ''] = QUEUE.exec(decodeURIComponent(url.pathname)) ?? [];
  if (request.method !== 'GET' || name === '') {
    fail(response, 405, 'NotImitated', 'only reading a queue is imitated: queues come from the template');
    return;
  }
  const { error } = faults.hit('getQueue', name);
  if (error !== undefined) {
    const isDenied = error.code === 'amqp:unauthorized-access';
    fail(response, isDenied ? 403 : 503, isDenied ? 'AuthorizationFailed' : 'ServerBusy', 'by a fault rule');
    return;
  }
  credits.spend(MANAGEMENT_CREDITS);
  registry.tick();
  const queue = registry.find({ kind: 'queue', name, deadLetters: false });
  if (queue === undefined) {
    fail(response, 404, 'MessagingGatewayNotFoundStatusCode', 'The requested resource does not exist.');
    return;
  }
  reply(response, 200, resourceOf(queue, namespaceId));
}

function resourceOf({ name, settings, counts, sizeInBytes }: Queue, namespaceId: string): object {
  const active = counts.active + counts.deferred;
  return {
    id: `${namespaceId}/queues/${name}`,
    name,
    type: 'Microsoft.ServiceBus/namespaces/queues',
    properties: {
      countDetails: {
        activeMessageCount: active,
        deadLetterMessageCount: counts.deadLetter,
        scheduledMessageCount: counts.scheduled,
        transferMessageCount: 0,
        transferDeadLetterMessageCount: 0,
      },
      messageCount: active + counts.deadLetter + counts.scheduled,
      sizeInBytes,
      maxDeliveryCount: settings.maxDeliveryCount,
      requiresSession: settings.requiresSession,
      deadLetteringOnMessageExpiration: settings.deadLetterOnExpiry,
      status: 'Active',
    },
  };
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  reply(response, status, { error: { code, message } });
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
