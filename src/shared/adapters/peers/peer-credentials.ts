/**
 * How a site on one cloud proves who it is to a peer on the other: the only place where both ways to sign in meet.
 * Each error names the peer, which of the two steps failed and what to look at.
 */
import type { TokenCredential } from '@azure/identity';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { credentialFreshness } from '../../bounds.ts';
import type { PeerConfig } from '../../config/config.ts';
import { keepFresh } from '../../keep-fresh.ts';
import { assumeRole, type RoleCredentials, webIdentityToken } from '../aws/credential.ts';
import {
  exchangeToken,
  ownToken,
  SERVICE_BUS_SCOPE,
  STORAGE_SCOPE,
  TOKEN_EXCHANGE_AUDIENCE,
} from '../azure/credential.ts';

type Peer<Cloud> = Extract<PeerConfig, { readonly cloud: Cloud }>;

interface IdentityOptions {
  readonly service?: keyof typeof SCOPES;
  readonly http?: Parameters<typeof exchangeToken>[0]['http'];
}

/** The peer's role, for a site on Azure; undefined for a peer that names none. */
export function roleAt(peer: Peer<'aws'>): (() => Promise<RoleCredentials>) | undefined {
  const { site, region, roleArn, audience } = peer;
  if (roleArn === undefined || audience === undefined) return undefined;
  const fresh = keepFresh(async () => {
    const token = await explained(
      ownToken(audience),
      `${site}: the app's identity has no token for ${audience}`,
      'does the app have a managed identity, and its tenant an application with that ID URI?',
    );
    return explained(
      assumeRole({ roleArn, region, token }),
      `${site}: ${roleArn} cannot be assumed`,
      "does the role trust the issuer of the app's tenant, that audience and the object id of the app's identity?",
    );
  }, credentialFreshness);
  return async () => (await explained(fresh(), `${site}: no AWS credentials`)).value;
}

const SCOPES = { 'Service Bus': SERVICE_BUS_SCOPE, 'Blob Storage': STORAGE_SCOPE } as const;

/**
 * The peer's identity, for a site on AWS; undefined for a peer that names none. Its tokens are good for one service, and kept.
 * @param options.http For tests.
 */
export function identityAt(
  peer: Peer<'azure'>,
  { service = 'Service Bus', http }: IdentityOptions = {},
): TokenCredential | undefined {
  const { site, tenantId, clientId } = peer;
  if (tenantId === undefined || clientId === undefined) return undefined;
  const fresh = keepFresh(async () => {
    const assertion = await explained(
      webIdentityToken(TOKEN_EXCHANGE_AUDIENCE),
      `${site}: AWS does not vouch for this function`,
      'is outbound identity federation on in this account, and may the role sts:GetWebIdentityToken?',
    );
    return explained(
      exchangeToken({ tenantId, clientId, assertion, scope: SCOPES[service], http }),
      `${site}: Entra gives no token for ${clientId}`,
      "does a federated credential of that identity name this account's issuer and the ARN of this function's role?",
    );
  }, credentialFreshness);
  return {
    getToken: async () => {
      const { value, expiresAtMs } = await explained(fresh(), `${site}: no token for ${service}`);
      return { token: value, expiresOnTimestamp: expiresAtMs };
    },
  };
}

async function explained<T>(call: Promise<T>, what: string, question?: string): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof UnavailableError && question === undefined) throw cause;
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    throw new UnavailableError([`${what} (${name}: ${message})`, question].filter(Boolean).join('; '), {
      cause,
    });
  }
}
