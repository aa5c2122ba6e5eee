/**
 * How a function on AWS proves who it is to the workspace at Azure that takes its log: it takes a role that all functions may
 * take, AWS vouches for the role, and Entra gives a token for it. One role, because an identity of Entra trusts twenty subjects
 * at most, and a site has more functions than that.
 * @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { entraTimeoutMs } from '../../bounds.ts';
import type { Dated } from '../../keep-fresh.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import { roleIdentityToken } from '../aws/credential.ts';
import { CENTRAL_LOGS_AUDIENCE } from '../logging/central-logs.ts';

const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
const ENTRA = 'https://login.microsoftonline.com';
const ANSWER_BYTES_MAX = 64 * 1024;

interface TokenOptions {
  readonly roleArn: string | undefined;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly client: HttpClient;
  /** For tests. */
  readonly vouch?: (roleArn: string, audience: string) => Promise<string>;
}

/**
 * A token for the ingestion of logs. By Entra's own endpoint: its library is six times as large as all else that a function
 * of records holds.
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 */
export async function openCentralLogsToken({
  roleArn = '',
  tenantId = '',
  clientId = '',
  client,
  vouch = roleIdentityToken,
}: TokenOptions): Promise<Dated<string>> {
  const assertion = await vouch(roleArn, EXCHANGE_AUDIENCE);
  const askedAtMs = Date.now();
  const { status, body } = await client({
    method: 'POST',
    url: new URL(`${ENTRA}/${tenantId}/oauth2/v2.0/token`),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope: `${CENTRAL_LOGS_AUDIENCE}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }).toString(),
    timeoutMs: entraTimeoutMs,
    bodyBytesMax: ANSWER_BYTES_MAX,
  });
  const { access_token: value, expires_in: seconds, error } = parsed(body);
  if (status !== 200 || typeof value !== 'string' || typeof seconds !== 'number') {
    throw new UnavailableError(
      `central logs: Entra gives no token for ${clientId} (${status} ${typeof error === 'string' ? error : 'no reason'}); does a federated credential of that identity name this account's issuer and ${roleArn}?`,
    );
  }
  return { value, expiresAtMs: askedAtMs + seconds * 1_000 };
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
