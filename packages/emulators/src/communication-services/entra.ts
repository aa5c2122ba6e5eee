/**
 * Tokens of Entra. With an issuer they are verified by its keys (audience, issuer, time); without one any is taken, as at the
 * emulator of Blob Storage.
 * @see https://learn.microsoft.com/azure/communication-services/concepts/authentication
 */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { denied } from './errors.ts';

const RESOURCE = 'https://communication.azure.com';

/** @throws CommunicationError */
export type TokenCheck = (authorization: string | undefined) => Promise<void>;

/** @param issuer Base address of an OpenID Connect issuer. */
export function tokenCheck(issuer: string | undefined): TokenCheck {
  const keys =
    issuer === undefined ? undefined : createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
  return async (authorization) => {
    const [, token] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? [];
    if (token === undefined) throw denied('A bearer token is needed.');
    if (keys === undefined || issuer === undefined) return;
    await jwtVerify(token, keys, { issuer, audience: [RESOURCE, `${RESOURCE}/`] }).catch(() => {
      throw denied('The token is not valid.');
    });
  };
}
