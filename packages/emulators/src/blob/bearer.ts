/**
 * Tokens of Entra. With an issuer they are verified by its keys (audience, issuer, time); without one any is taken, and
 * then what it says of the object and the tenant, if anything, is believed.
 * @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
 */
import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { OBJECT, TENANT } from './account.ts';
import { BlobError } from './errors.ts';

export interface User {
  readonly objectId: string;
  readonly tenantId: string;
}

const RESOURCE = 'https://storage.azure.com';
/** @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#bearer-challenge */
const CHALLENGE = `Bearer authorization_uri=https://login.microsoftonline.com/${TENANT}/oauth2/authorize resource_id=${RESOURCE}`;

export type TokenCheck = (token: string) => Promise<User>;

/** @param account Also the account itself may be the audience. @param issuer Base address of an OpenID Connect issuer. */
export function tokenCheck(account: string, issuer: string | undefined): TokenCheck {
  if (issuer === undefined) return (token) => Promise.resolve(userOf(claimsIn(token)));
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
  const own = `https://${account}.blob.core.windows.net`;
  const audience = [RESOURCE, own].flatMap((name) => [name, `${name}/`]);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience });
      return userOf(payload);
    } catch (error) {
      throw unauthorized('InvalidAuthenticationInfo', reasonOf(error));
    }
  };
}

export function unauthorized(
  code: 'NoAuthenticationInformation' | 'InvalidAuthenticationInfo',
  detail?: string,
): BlobError {
  return new BlobError(code, detail === undefined ? {} : { AuthenticationErrorDetail: detail }, {
    headers: { 'www-authenticate': CHALLENGE },
  });
}

function claimsIn(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

function userOf({ oid, sub, tid }: JWTPayload): User {
  return {
    objectId: typeof oid === 'string' ? oid : (sub ?? OBJECT),
    tenantId: typeof tid === 'string' ? tid : TENANT,
  };
}

/** In the service's words, where they are known. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'Lifetime validation failed. The token is expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud'
      ? 'Audience validation failed. Audience did not match.'
      : 'Issuer validation failed. Issuer did not match.';
  }
  return 'Signature validation failed.';
}
