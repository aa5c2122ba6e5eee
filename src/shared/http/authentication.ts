/**
 * Who may read and write records: whoever presents a JSON Web Token of an issuer that the configuration names
 * (RFC 7519, checked as RFC 8725 asks), or a service's key, with the scope that the route wants.
 *
 * Invariant: a handler runs only after a check that passed. When an issuer's keys are not to be had the answer is 503,
 * never the record.
 */
import { decodeJwt, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { tokenClockToleranceSeconds } from '../bounds.ts';
import type { Config, JwtIssuer } from '../config/config.ts';
import { ForbiddenError, UnauthorizedError } from '../errors.ts';
import type { HttpClient } from '../ports/http-client.ts';
import { bearerOf, CHALLENGE, digestsMatching, INVALID_TOKEN, keyName } from './bearer.ts';
import type { Authorize, Caller, Route } from './route.ts';
import { signingKeys } from './signing-keys.ts';

const READ = 'tandem/read';
const WRITE = 'tandem/write';
/** Asymmetric ones only: a key that anybody may read signs nothing. */
const ALGORITHMS = ['RS256', 'ES256'];
/** Why jose does not believe a token. Whatever else it throws is about the keys, and nobody's fault out there. */
const NOT_BELIEVED = new Set([
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
]);

type Callers = Pick<Config, 'jwtIssuers' | 'serviceKeys'>;

/** The same routes, for callers with the scope for them; for everybody when no issuer and no key is configured. */
export function forCallers(callers: Callers, client: HttpClient, routes: readonly Route[]): readonly Route[] {
  if (callers.jwtIssuers.length + callers.serviceKeys.length === 0) return routes;
  const callerOf = openCheck(callers, client);
  return routes.map((route) => {
    const scope = route.method === 'GET' ? READ : WRITE;
    const authorize: Authorize = async (headers, known) => {
      const caller = await callerOf(headers['authorization']);
      known(caller);
      if (!caller.scopes.includes(scope)) {
        const challenge = `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`;
        throw new ForbiddenError(`this needs the scope ${scope}`, challenge);
      }
    };
    return { ...route, authorize };
  });
}

/** Who presents a header. @throws UnauthorizedError, UnavailableError */
function openCheck(
  { jwtIssuers, serviceKeys }: Callers,
  client: HttpClient,
): (header: string | undefined) => Promise<Caller> {
  const issuers = new Map(jwtIssuers.map((issuer) => [issuer.issuer, openIssuer(issuer, client)]));
  const digests = serviceKeys.map(({ sha256 }) => Buffer.from(sha256, 'hex'));
  return async (header) => {
    const bearer = bearerOf(header);
    if (bearer === undefined) {
      throw new UnauthorizedError('send Authorization: Bearer with a token of a known issuer', CHALLENGE);
    }
    const matching = digestsMatching(digests, bearer);
    if (matching.length > 0) {
      const scopes = matching.flatMap((position) => serviceKeys[position]?.scopes ?? []);
      const digest = digests[matching[0] ?? 0];
      const name = keyName('service', digest);
      return {
        name,
        identity: `service ${digest?.toString('hex') ?? ''}`,
        subject: name,
        scopes,
        claims: {},
      };
    }
    const verify = issuers.get(issuerOf(bearer) ?? '');
    if (verify === undefined) {
      throw new UnauthorizedError(
        'neither a token of an issuer nor a key that this site knows',
        INVALID_TOKEN,
      );
    }
    const payload = await verify(bearer);
    const issuer = textOf(payload.iss);
    const subject = textOf(payload.sub) ?? textOf(payload['client_id']);
    return {
      name: `${subject ?? '?'} of ${issuer ?? '?'}`,
      identity: JSON.stringify([issuer, subject]),
      subject,
      scopes: scopesIn(payload),
      // What was signed is JSON (RFC 7519, section 7.2).
      claims: payload as Caller['claims'],
    };
  };
}

/** Only for the choice of who to ask: nothing is believed yet. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function openIssuer(issuer: JwtIssuer, client: HttpClient): (token: string) => Promise<JWTPayload> {
  const keys: JWTVerifyGetKey = signingKeys(issuer, client);
  const options = {
    issuer: issuer.issuer,
    algorithms: [...(issuer.algorithms ?? ALGORITHMS)],
    clockTolerance: tokenClockToleranceSeconds,
    requiredClaims: ['exp'],
    ...(issuer.audience !== undefined && { audience: issuer.audience }),
  };
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, options);
      checkClaims(issuer, payload);
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError && NOT_BELIEVED.has(error.code)) {
        throw new UnauthorizedError(`the token is not accepted: ${error.message}`, INVALID_TOKEN);
      }
      if (error instanceof UnauthorizedError) throw error;
      throw new UnavailableError(`the keys of ${issuer.issuer} are not to be had`, { cause: error });
    }
  };
}

function checkClaims({ clientIds, claims = {} }: JwtIssuer, payload: JWTPayload): void {
  const wrong = Object.keys(claims).filter((name) => payload[name] !== claims[name]);
  const clientId = textOf(payload['client_id']);
  if (clientIds !== undefined && (clientId === undefined || !clientIds.includes(clientId))) {
    wrong.push('client_id');
  }
  if (wrong.length > 0) {
    throw new UnauthorizedError(`the token is not accepted: unexpected ${wrong.join(', ')}`, INVALID_TOKEN);
  }
}

/**
 * `scope` is text (RFC 8693). Entra has `scp` for people and `roles` for programs; Cognito gives people who sign in
 * without its own pages no scope of ours, and tells their groups.
 */
function scopesIn({ scope, scp, roles, 'cognito:groups': groups }: JWTPayload): readonly string[] {
  return [scope, scp, roles, groups].flatMap((claim) =>
    typeof claim === 'string'
      ? claim.split(' ')
      : Array.isArray(claim)
        ? claim.flatMap((each: unknown) => textOf(each) ?? [])
        : [],
  );
}

/** A claim that is text; whoever signs a token may put anything in its place. */
function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' ? claim : undefined;
}
