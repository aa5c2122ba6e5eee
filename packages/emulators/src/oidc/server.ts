/**
 * A local OpenID Connect issuer: whoever asks gets a token. For trying the protected routes, and for tests.
 *
 *     POST /oauth2/token       grant_type=client_credentials, scope, client_id: both optional (RFC 6749, section 4.4);
 *                              a scope <resource>/.default makes the resource the audience, as Entra's does
 *     GET  /.well-known/openid-configuration, /.well-known/jwks.json
 *     POST /_tandem/rotate     a new key signs from now on; `?forget` takes the older ones back at once
 *
 * Keys live as long as the process. There is no login: it proves nothing about a person.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { refuseForeign } from '../core/control.ts';
import { bodyText, BodyTooLargeError } from '../core/request-body.ts';
import { AUDIENCE, TOKEN_PATH } from './protocol.ts';

export const ROTATE_PATH = '/_tandem/rotate';
const JWKS_PATH = '/.well-known/jwks.json';
const ALGORITHM = 'ES256';
const TOKEN_SECONDS = 3_600;
/** Our own: a client assertion, which is what can be long in it, has a few thousand. */
export const FORM_BYTES_MAX = 64 * 1024;
const SCOPES = 'tandem/read tandem/write';

export interface Issuer {
  /** `iss`, and the base of every route. */
  readonly url: string;
  close(): Promise<void>;
}

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** @param options.port On 127.0.0.1; 0 picks a free one. */
export async function startIssuer({ port = 0 }: { port?: number } = {}): Promise<Issuer> {
  const state = new IssuerState(await newKey());
  const server = http.createServer((request, response) => {
    if (refuseForeign(request, response)) return;
    received(state, request, response).catch((error: unknown) => {
      const isTooLarge = error instanceof BodyTooLargeError;
      reply(response, isTooLarge ? 413 : 500, {
        error: isTooLarge ? 'invalid_request' : 'server_error',
        error_description: String(error),
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: state.url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class IssuerState {
  url = '';
  /** The newest signs. */
  keys: readonly SigningKey[];

  constructor(key: SigningKey) {
    this.keys = [key];
  }
}

async function received(
  state: IssuerState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', state.url);
  switch (`${request.method ?? ''} ${pathname}`) {
    case 'GET /.well-known/openid-configuration':
      reply(response, 200, {
        issuer: state.url,
        jwks_uri: state.url + JWKS_PATH,
        token_endpoint: state.url + TOKEN_PATH,
        grant_types_supported: ['client_credentials'],
        id_token_signing_alg_values_supported: [ALGORITHM],
      });
      break;
    case `GET ${JWKS_PATH}`:
      reply(response, 200, { keys: state.keys.map(({ publicJwk }) => publicJwk) });
      break;
    case `POST ${TOKEN_PATH}`:
      await grant(state, new URLSearchParams(await bodyText(request, FORM_BYTES_MAX)), response);
      break;
    case `POST ${ROTATE_PATH}`:
      state.keys = [await newKey(), ...(searchParams.has('forget') ? [] : state.keys)];
      reply(response, 200, { keys: state.keys.map(({ publicJwk }) => publicJwk.kid) });
      break;
    default:
      reply(response, 404, { error: 'not_found' });
  }
}

async function grant(state: IssuerState, form: URLSearchParams, response: ServerResponse): Promise<void> {
  if (form.get('grant_type') !== 'client_credentials') {
    reply(response, 400, { error: 'unsupported_grant_type' });
    return;
  }
  const [key] = state.keys;
  if (key === undefined) throw new Error('no key');
  const scope = form.get('scope') ?? SCOPES;
  const client = form.get('client_id') ?? 'somebody';
  // https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope
  const [, resource] = /^(https:\/\/.+)\/\.default$/.exec(scope) ?? [];
  const token = await new SignJWT({ scope, client_id: client, token_use: 'access' })
    .setProtectedHeader({ alg: ALGORITHM, kid: key.publicJwk.kid ?? '', typ: 'at+jwt' })
    .setIssuer(state.url)
    .setAudience(resource ?? AUDIENCE)
    .setSubject(client)
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_SECONDS} s`)
    .sign(key.privateKey);
  reply(response, 200, { access_token: token, token_type: 'Bearer', expires_in: TOKEN_SECONDS, scope });
}

async function newKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const publicJwk = { ...(await exportJWK(publicKey)), kid: crypto.randomUUID(), alg: ALGORITHM, use: 'sig' };
  return { privateKey, publicJwk };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
