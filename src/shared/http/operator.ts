/**
 * Who is an operator: whoever presents a key whose SHA-256 the configuration lists, as `Authorization: Bearer <key>`
 * (RFC 6750). The keys themselves are in no configuration, so reading one gives nobody access.
 */
import { ForbiddenError, UnauthorizedError } from '../errors.ts';
import { bearerOf, CHALLENGE, digestsMatching, INVALID_TOKEN, keyName } from './bearer.ts';
import type { Authorize, Route } from './route.ts';

/** The same routes, for operators only. @param keys Digests, as the configuration holds them. */
export function forOperators(keys: readonly string[], routes: readonly Route[]): Route[] {
  const accepted = keys.map((key) => Buffer.from(key, 'hex'));
  const authorize: Authorize = (headers, known) => {
    const digest = checkOperator(accepted, headers['authorization']);
    const name = keyName('operator', digest);
    known({ name, identity: digest?.toString('hex') ?? '', subject: name, scopes: [], claims: {} });
  };
  return routes.map((route) => ({ ...route, authorize }));
}

/** The digest of the key. @throws ForbiddenError without any accepted key @throws UnauthorizedError for a missing or a wrong one */
function checkOperator(accepted: readonly Buffer[], header: string | undefined): Buffer | undefined {
  if (accepted.length === 0) {
    throw new ForbiddenError(
      'this site accepts no operator: TANDEM_OPERATOR_KEYS holds no SHA-256 digest of a key',
    );
  }
  const key = bearerOf(header);
  if (key === undefined) {
    throw new UnauthorizedError('only for operators: send Authorization: Bearer <key>', CHALLENGE);
  }
  const matching = digestsMatching(accepted, key);
  if (matching.length === 0) {
    throw new UnauthorizedError('the operator key is not accepted at this site', INVALID_TOKEN);
  }
  return accepted[matching[0] ?? 0];
}
