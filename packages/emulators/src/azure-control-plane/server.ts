/**
 * The control plane of Azure, as far as a deployment calls it: Entra's token endpoint, Resource Manager and the deployment
 * service of an app, told apart by host. What it does not know, it refuses. Memory only.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyBytes, BodyTooLargeError } from '../core/request-body.ts';
import { type Login, respondToLogin } from './entra.ts';
import { armError, type Request, type Response } from './http.ts';
import { type PackageReader, type Publishing, respondToPublishing } from './publishing.ts';
import { type Manager, respondAsManager } from './resource-manager.ts';

/**
 * A template has 4 MB at most, and its parameters as much; ours for both together.
 * https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits
 */
export const ARM_BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Ours: the service takes 2,048 MB (https://learn.microsoft.com/azure/app-service/deploy-zip), which memory would have to hold. */
const PACKAGE_BYTES_MAX = 256 * 1024 * 1024;

export interface AzureControlPlane {
  readonly port: number;
  readonly manager: Manager;
  readonly publishing: Publishing;
  /** Every request, as `method host path`. */
  readonly requested: string[];
  /** From now on, the token that was given is an old one. */
  expired: boolean;
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly subscription: string;
  readonly login: Login;
  readonly packages: PackageReader;
}

export async function startAzureControlPlane({
  subscription,
  login,
  packages,
}: ControlPlaneOptions): Promise<AzureControlPlane> {
  const publishing: Publishing = { ...packages, published: new Map(), fault: undefined, pollsLeft: 0 };
  const manager: Manager = {
    subscription,
    groups: new Map(),
    softDeleted: new Set(),
    throughputs: new Map(),
    throughputMax: 1_000_000,
    refuses: () => undefined,
    refusesAtOnce: () => undefined,
    functionsOf: (app) => publishing.published.get(app) ?? [],
  };
  const reply = (request: Request): Response => {
    if (request.host === 'login.microsoftonline.com') return respondToLogin(request, login);
    if (request.bearer !== login.token || emulator.expired) {
      const message = 'The access token expiry UTC time is earlier than current UTC time.';
      return armError(401, 'ExpiredAuthenticationToken', message);
    }
    if (request.host === 'management.azure.com') return respondAsManager(request, manager);
    if (request.host.endsWith('.scm.azurewebsites.net')) return respondToPublishing(request, publishing);
    return { status: 502, body: `the emulator knows no ${request.host}` };
  };
  const server = http.createServer((incoming, response) => {
    void (async () => {
      const request = await read(incoming);
      emulator.requested.push(`${request.method} ${request.host} ${request.path}`);
      const { status, headers = {}, body } = reply(request);
      const text = body === undefined ? '' : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
    })().catch((error: unknown) =>
      response.writeHead(error instanceof BodyTooLargeError ? 413 : 500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const emulator: AzureControlPlane = {
    port: (server.address() as AddressInfo).port,
    manager,
    publishing,
    requested: [],
    expired: false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return emulator;
}

async function read(incoming: http.IncomingMessage): Promise<Request> {
  const { method = '', headers } = incoming;
  const asked = (headers.host ?? '').replace(/:\d+$/, '');
  // Whoever was given this server's own address was given it in place of Resource Manager's.
  const host = asked === '127.0.0.1' ? 'management.azure.com' : asked;
  const url = new URL(incoming.url ?? '/', 'http://loopback');
  return {
    method,
    host,
    path: url.pathname,
    query: url.searchParams,
    bearer: /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1],
    type: headers['content-type'] ?? '',
    body: await bodyBytes(
      incoming,
      host.endsWith('.scm.azurewebsites.net') ? PACKAGE_BYTES_MAX : ARM_BODY_BYTES_MAX,
    ),
  };
}
