/**
 * The public keys of an issuer (RFC 7517), kept.
 *
 * A key that the issuer has taken back is forgotten within ten minutes; one that it has begun to use is found when
 * the first token signed with it comes. While the issuer does not answer, the keys are good for a day.
 */
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import {
  signingKeysBytesMax,
  signingKeysFreshness,
  signingKeysKeptMs,
  signingKeysTimeoutMs,
  unknownKeyPauseMs,
} from '../bounds.ts';
import type { JwtIssuer } from '../config/config.ts';
import { keepFresh } from '../keep-fresh.ts';
import type { HttpClient } from '../ports/http-client.ts';

export function signingKeys(
  { issuer, jwksUri = `${issuer.replace(/\/$/, '')}/.well-known/jwks.json` }: JwtIssuer,
  client: HttpClient,
  now: () => number = Date.now,
): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    // How old they may be is said below: a failure to ask again must not lose those that there are.
    cacheMaxAge: Infinity,
    cooldownDuration: unknownKeyPauseMs,
    timeoutDuration: signingKeysTimeoutMs,
    [customFetch]: async (url, { headers }) => {
      const { status, body } = await client({
        method: 'GET',
        url: new URL(url),
        headers: Object.fromEntries(headers),
        timeoutMs: signingKeysTimeoutMs,
        bodyBytesMax: signingKeysBytesMax,
      });
      return new Response(body, { status });
    },
  });
  const fresh = keepFresh(
    async () => {
      await keys.reload();
      return { value: keys, expiresAtMs: now() + signingKeysKeptMs };
    },
    signingKeysFreshness,
    now,
  );
  return async (header, token) => (await fresh()).value(header, token);
}
