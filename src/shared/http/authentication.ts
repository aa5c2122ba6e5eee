/**
 * Who may read and write records: whoever presents a JSON Web Token of an issuer that the configuration names
 * (RFC 7519, checked as RFC 8725 asks), or a service's key, with the scope that the route wants.
 *
 * Invariant: a handler runs only after a check that passed. When an issuer's keys are not to be had the answer is 503,
 * never the record.
 */
import { decodeJwt, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import { tokenClockToleranceSeconds } from '../bounds.ts';
import type { Config, JwtIssuer } from '../config/config.ts';
import { ANY_OWNER, ANY_TENANT } from '../domain/scope.ts';
import { ForbiddenError, UnauthorizedError } from '../errors.ts';
import type { HttpClient } from '../ports/http-client.ts';
import { bearerOf, CHALLENGE, digestsMatching, INVALID_TOKEN, keyName } from './bearer.ts';
import type { Limited, LimitsOfCallers } from './caller-limits.ts';
import type { Authorize, Caller, HttpRequest, Route } from './route.ts';
import { signingKeys } from './signing-keys.ts';
import { waitSecondsOf } from './waiting-read.ts';

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

type Callers = Pick<Config, 'jwtIssuers' | 'serviceKeys'> & Partial<Pick<Config, 'trustsEverybody'>>;

/**
 * The same routes, for callers with the scope for them; for everybody when no issuer and no key is configured. What has
 * owners or tenants is then for nobody, unless the site trusts everybody.
 * @param limits How much one caller may ask; nothing of it where nobody is asked who they are.
 */
export function forCallers(
  callers: Callers,
  client: HttpClient,
  routes: readonly Route[],
  limits?: LimitsOfCallers,
): readonly Route[] {
  if (callers.jwtIssuers.length + callers.serviceKeys.length === 0) {
    return callers.trustsEverybody === true
      ? routes.map((route) => ({ ...route, authorize: asAnybody }))
      : routes;
  }
  const callerOf = openCheck(callers, client);
  return routes.map((route) => {
    const { scope = route.method === 'GET' ? READ : WRITE } = route;
    if (scope === null) return route;
    const authorize: Authorize = async (headers, known) => {
      const caller = await callerOf(headers['authorization']);
      known(caller);
      await limits?.take(caller.identity, neededFor(route, headers));
      if (!caller.scopes.includes(scope)) {
        const challenge = `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`;
        throw new ForbiddenError(`this needs the scope ${scope}`, challenge);
      }
    };
    return { ...route, authorize };
  });
}

/** Of which limits a request takes a token. */
function neededFor({ method }: Route, headers: HttpRequest['headers']): readonly Limited[] {
  if (method !== 'GET') return ['requests', 'writes'];
  const mayWait = headers['x-tandem-session'] !== undefined || waitSecondsOf(headers) !== undefined;
  return mayWait ? ['requests', 'waitingReads'] : ['requests'];
}

/** Whoever asks a site that trusts everybody, such as one on a laptop: may act for whom it names. */
const ANYBODY: Caller = {
  isAnybody: true,
  name: 'anybody',
  identity: 'anybody',
  subject: 'anybody',
  scopes: [READ, WRITE, ANY_OWNER, ANY_TENANT],
  claims: {},
};

const asAnybody: Authorize = (_headers, known) => known(ANYBODY);

/** Who presents a header. @throws UnauthorizedError, UnavailableError */
function openCheck(
  { jwtIssuers, serviceKeys }: Callers,
  client: HttpClient,
): (header: string | undefined) => Promise<Caller> {
  const prefixes = subjectPrefixes(jwtIssuers);
  const issuers = new Map(
    jwtIssuers.map((issuer) => [issuer.issuer, { issuer, verify: openIssuer(issuer, client) }]),
  );
  const digests = serviceKeys.map(({ sha256 }) => Buffer.from(sha256, 'hex'));
  return async (header) => {
    const bearer = bearerOf(header);
    if (bearer === undefined) {
      throw new UnauthorizedError('send Authorization: Bearer with a token of a known issuer', CHALLENGE);
    }
    const matching = digestsMatching(digests, bearer);
    if (matching.length > 0) {
      const presented = matching.flatMap((position) => serviceKeys[position] ?? []);
      const digest = digests[matching[0] ?? 0];
      const hex = digest?.toString('hex') ?? '';
      const { name = hex.slice(0, 32), claims = {} } = presented[0] ?? {};
      return {
        name: keyName('service', digest),
        identity: `service ${hex}`,
        subject: `${SERVICE}${name}`,
        scopes: presented.flatMap(({ scopes }) => scopes),
        claims,
      };
    }
    const known = issuers.get(issuerOf(bearer) ?? '');
    if (known === undefined) {
      throw new UnauthorizedError(
        'neither a token of an issuer nor a key that this site knows',
        INVALID_TOKEN,
      );
    }
    const payload = await known.verify(bearer);
    const issuer = textOf(payload.iss);
    const subject = textOf(payload.sub) ?? textOf(payload['client_id']);
    return {
      name: `${subject ?? '?'} of ${issuer ?? '?'}`,
      identity: JSON.stringify([issuer, subject]),
      subject: subjectFor(subject, known.issuer.issuer, prefixes),
      scopes: scopesIn(payload),
      claims: claimsIn(payload, known.issuer),
    };
  };
}

/** Ends what says whose subjects they are. */
const DIVIDER = '|';
/** Begins the subjects of service keys. */
const SERVICE = `service${DIVIDER}`;

/**
 * Issuer → what begins the subjects of its tokens: two issuers may know two people by one `sub`, and one must not own what is
 * the other's. As configured; where it is not, nothing for the only issuer, and its address beside others.
 */
function subjectPrefixes(issuers: readonly JwtIssuer[]): ReadonlyMap<string, string> {
  return new Map(
    issuers.map(({ issuer, subjects = issuers.length > 1 ? issuer : '' }) => [
      issuer,
      subjects === '' ? '' : `${subjects}${DIVIDER}`,
    ]),
  );
}

/** @throws UnauthorizedError for a subject that looks like one of somebody else's */
function subjectFor(
  sub: string | undefined,
  issuer: string,
  prefixes: ReadonlyMap<string, string>,
): string | undefined {
  if (sub === undefined) return undefined;
  const subject = `${prefixes.get(issuer) ?? ''}${sub}`;
  const others = [...prefixes].flatMap(([other, prefix]) =>
    other === issuer || prefix === '' ? [] : [prefix],
  );
  const borrowed = [SERVICE, ...others].find((prefix) => subject.startsWith(prefix));
  if (borrowed !== undefined) {
    throw new UnauthorizedError(
      `the token is not accepted: its subject begins with ${borrowed}`,
      INVALID_TOKEN,
    );
  }
  return subject;
}

/** As they were signed; a claim that the configuration knows by another name stands under that name, or is not there. */
function claimsIn(payload: JWTPayload, { claimNames = {} }: JwtIssuer): Caller['claims'] {
  const claims: Record<string, Json> = { ...(payload as Record<string, Json>) };
  for (const [name, claim] of Object.entries(claimNames)) {
    const value = Object.hasOwn(payload, claim) ? (payload[claim] as Json | undefined) : undefined;
    if (value === undefined) Reflect.deleteProperty(claims, name);
    else claims[name] = value;
  }
  return claims;
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
