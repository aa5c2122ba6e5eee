/**
 * A local Key Vault: the real `@azure/keyvault-secrets` 4.x talks to it.
 *
 * Secrets with their versions, attributes, soft delete, recovery and purge. Not there: keys, certificates, lists, backups,
 * roles, and who a token belongs to: any is taken, none is refused with the service's challenge. Everything is in memory;
 * what must be there at a start comes from a file (`core/secrets-file.ts`).
 *
 * Faults name the operation (`GetSecret`, `SetSecret`, `UpdateSecret`, `DeleteSecret`, …) and the secret.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handleControl, refuseForeign } from '../core/control.ts';
import type { Emulator } from '../core/emulator.ts';
import { Faults } from '../core/faults.ts';
import { bodyText, BodyTooLargeError } from '../core/request-body.ts';
import { handleUsage, UsageMeter } from '../core/usage.ts';
import { badParameter, injectedError, KeyVaultError } from './errors.ts';
import { attributesIn, type Secret, VaultStore, type Version } from './store.ts';

const HOST = '127.0.0.1';
/**
 * The service knows these, and refuses a request without one.
 * @see https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
 */
const API_VERSIONS = new Set(['2016-10-01', '7.0', '7.1', '7.2', '7.3', '7.4', '7.5', '7.6', '2025-07-01']);
/** @see https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses */
const CHALLENGE =
  'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"';
export const BODY_BYTES_MAX = 256 * 1024;
const RECOVERABLE_DAYS = 90;
const DAY_MS = 86_400_000;

export interface KeyVaultOptions {
  readonly port?: number;
  readonly now?: () => number;
  /** A `.env` file whose secrets are here; absolute. */
  readonly secretsFile?: string | undefined;
  /** Values by name that are there beside the file, which wins. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

interface Call {
  readonly method: string;
  readonly segments: readonly string[];
  readonly input: Readonly<Record<string, unknown>>;
  /** Of the vault: in the ids of what it answers. */
  readonly base: string;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

export async function startKeyVault(options: KeyVaultOptions = {}): Promise<Emulator> {
  const { port = 0, now = Date.now, secretsFile, secrets } = options;
  const store = new VaultStore({ now, secretsFile, secrets });
  const faults = new Faults();
  const usage = new UsageMeter();
  const server = http.createServer((request, response) => {
    void serve(request, response, { store, faults, usage }).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server.close((error) => (error === undefined ? resolve() : reject(error)));
      server.closeAllConnections();
    });
  return {
    endpoint: `http://${HOST}:${listening}`,
    port: listening,
    faults,
    close: () => (closed ??= close()),
  };
}

interface Context {
  readonly store: VaultStore;
  readonly faults: Faults;
  readonly usage: UsageMeter;
}

async function serve(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { store, faults, usage }: Context,
): Promise<void> {
  if (refuseForeign(request, response, { relayed: true })) return;
  if (handleUsage(request, response, usage)) return;
  if (await handleControl(request, response, faults)) return;
  try {
    const call = await read(request);
    const operation = operationOf(call);
    const name = call.segments[1] ?? '';
    const { latencyMs, error, dropAck } = faults.hit(operation, name);
    // It keeps no process alive whose server has been closed meanwhile.
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false });
    if (error !== undefined) throw injectedError(error.code);
    const result = OPERATIONS[operation](store, call);
    usage.add(name, operation, { requests: 1 });
    if (dropAck) request.socket.destroy();
    else reply(response, result);
  } catch (error) {
    if (!(error instanceof KeyVaultError)) console.error(error);
    const refusal =
      error instanceof KeyVaultError
        ? error
        : new KeyVaultError(500, 'InternalServerError', 'The emulator failed; see its output.');
    reply(response, { status: refusal.status, body: refusal.body }, refusal.headers);
  }
}

/** Who asks comes first: without a token nothing else of a request is looked at. */
async function read(request: http.IncomingMessage): Promise<Call> {
  const { method = 'GET', headers } = request;
  const { authorization, host = HOST } = headers;
  const body = await bodyText(request, BODY_BYTES_MAX).catch((error: unknown) => {
    if (error instanceof BodyTooLargeError) return undefined;
    throw error;
  });
  if (!/^Bearer \S+$/.test(authorization ?? '')) {
    throw new KeyVaultError(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.', {
      headers: { 'www-authenticate': CHALLENGE },
    });
  }
  const url = new URL(request.url ?? '/', `http://${host}`);
  const version = url.searchParams.get('api-version');
  if (version === null) throw badParameter('The query parameter api-version is required.');
  if (!API_VERSIONS.has(version)) throw badParameter(`The api-version ${version} is not supported.`);
  if (body === undefined) throw badParameter('The request body is too large.');
  return {
    method,
    segments: url.pathname.split('/').slice(1).map(decodeURIComponent),
    input: bodyOf(body, headers['content-type']),
    base: `http://${host}`,
  };
}

function bodyOf(body: string, type: string | undefined): Readonly<Record<string, unknown>> {
  if (body === '') return {};
  if (type?.startsWith('application/json') !== true) {
    throw new KeyVaultError(415, 'UnsupportedMediaType', 'The content type must be application/json.');
  }
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw badParameter('The request body is not a JSON object.');
}

/** @throws KeyVaultError for what is not served. */
function operationOf({ method, segments }: Call): keyof typeof OPERATIONS {
  const [collection, , third = ''] = segments;
  const key = `${method} ${collection ?? ''}${third === 'recover' ? '/recover' : ''}`;
  const operation = ROUTES[key];
  if (operation === undefined || segments.length > 3) {
    throw new KeyVaultError(
      404,
      'NotFound',
      `${method} /${segments.join('/')} is not served by this emulator.`,
    );
  }
  return operation;
}

const ROUTES: Readonly<Record<string, keyof typeof OPERATIONS | undefined>> = {
  'GET secrets': 'GetSecret',
  'PUT secrets': 'SetSecret',
  'PATCH secrets': 'UpdateSecret',
  'DELETE secrets': 'DeleteSecret',
  'GET deletedsecrets': 'GetDeletedSecret',
  'POST deletedsecrets/recover': 'RecoverDeletedSecret',
  'DELETE deletedsecrets': 'PurgeDeletedSecret',
};

const OPERATIONS = {
  SetSecret(store: VaultStore, { segments: [, name = ''], input, base }: Call): Reply {
    const { secret, version } = store.set(name, input);
    return { status: 200, body: bundle(secret, version, base) };
  },

  /** Also before `nbf` and after `exp`, which are for whoever uses the secret. */
  GetSecret(store: VaultStore, { segments: [, name = '', id = ''], base }: Call): Reply {
    const secret = store.live(name);
    const version = store.version(secret, id);
    if (!version.attributes.enabled) {
      throw new KeyVaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', {
        inner: 'SecretDisabled',
      });
    }
    return { status: 200, body: bundle(secret, version, base) };
  },

  UpdateSecret(store: VaultStore, { segments: [, name = '', id = ''], input, base }: Call): Reply {
    const secret = store.live(name);
    const version = store.version(secret, id);
    version.attributes = attributesIn(input['attributes'], version.attributes);
    version.updatedMs = store.now();
    const { value: _, ...shown } = bundle(secret, version, base);
    return { status: 200, body: shown };
  },

  DeleteSecret(store: VaultStore, { segments: [, name = ''], base }: Call): Reply {
    const secret = store.live(name);
    secret.deletedMs = store.now();
    return { status: 200, body: deletedBundle(store, secret, base) };
  },

  GetDeletedSecret(store: VaultStore, { segments: [, name = ''], base }: Call): Reply {
    return { status: 200, body: deletedBundle(store, store.deleted(name), base) };
  },

  RecoverDeletedSecret(store: VaultStore, { segments: [, name = ''], base }: Call): Reply {
    const secret = store.deleted(name);
    secret.deletedMs = undefined;
    const { value: _, ...shown } = bundle(secret, store.version(secret, ''), base);
    return { status: 200, body: shown };
  },

  PurgeDeletedSecret(store: VaultStore, { segments: [, name = ''] }: Call): Reply {
    store.purge(store.deleted(name));
    return { status: 204 };
  },
};

function bundle(secret: Secret, version: Version, base: string) {
  const { id, value, attributes, createdMs, updatedMs, contentType, tags } = version;
  return {
    value,
    ...(contentType !== undefined && { contentType }),
    id: `${base}/secrets/${secret.name}/${id}`,
    attributes: {
      ...attributes,
      created: Math.floor(createdMs / 1_000),
      updated: Math.floor(updatedMs / 1_000),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: RECOVERABLE_DAYS,
    },
    ...(tags !== undefined && { tags }),
  };
}

function deletedBundle(store: VaultStore, secret: Secret, base: string): unknown {
  const { value: _, ...shown } = bundle(secret, store.version(secret, ''), base);
  const deletedMs = secret.deletedMs ?? store.now();
  return {
    recoveryId: `${base}/deletedsecrets/${secret.name}`,
    deletedDate: Math.floor(deletedMs / 1_000),
    scheduledPurgeDate: Math.floor((deletedMs + RECOVERABLE_DAYS * DAY_MS) / 1_000),
    ...shown,
  };
}

function reply(
  response: http.ServerResponse,
  { status, body }: Reply,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(text !== '' && { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(text),
    'x-ms-request-id': randomUUID(),
    ...headers,
  });
  response.end(text);
}
