/**
 * How this process proves who it is to Azure: its managed identity on Azure; elsewhere a federated token
 * (`AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`). No stored secret either way.
 */
import {
  ChainedTokenCredential,
  ClientAssertionCredential,
  type ClientAssertionCredentialOptions,
  ManagedIdentityCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import type { Dated } from '../../keep-fresh.ts';

let shared: TokenCredential | undefined;

/** One credential per process, so that tokens are cached. */
export function credential(): TokenCredential {
  shared ??= new ChainedTokenCredential(
    { getToken: (scopes, options) => new WorkloadIdentityCredential().getToken(scopes, options) },
    new ManagedIdentityCredential(),
  );
  return shared;
}

/** Who a token is made out to that is to be exchanged for one of Entra. */
export const TOKEN_EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
export const SERVICE_BUS_SCOPE = 'https://servicebus.azure.net/.default';
/** @see https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory#use-a-microsoft-entra-account-to-authorize-access-to-blob-data */
export const STORAGE_SCOPE = 'https://storage.azure.com/.default';

/** A token of this app's own identity for Service Bus. */
export async function serviceBusToken(): Promise<string> {
  const token = await credential().getToken(SERVICE_BUS_SCOPE);
  if (token === null) throw new UnavailableError('the identity has given no token');
  return token.token;
}

/** A token of this app's own identity, made out to another application. @param audience Its ID URI, without a slash at the end. */
export async function ownToken(audience: string): Promise<string> {
  const token = await credential().getToken(`${audience}/.default`);
  if (token === null) throw new UnavailableError('the identity has given no token');
  return token.token;
}

/**
 * A token as an identity of another tenant, which trusts whoever signed `assertion`.
 * @param scope Of the service that it is for.
 * @param http What carries the requests to Entra; absent: the SDK's own.
 * @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
export async function exchangeToken(options: {
  tenantId: string;
  clientId: string;
  assertion: string;
  scope: string;
  http?: ClientAssertionCredentialOptions['httpClient'] | undefined;
}): Promise<Dated<string>> {
  const { tenantId, clientId, assertion, scope, http } = options;
  const exchange = new ClientAssertionCredential(tenantId, clientId, () => Promise.resolve(assertion), {
    retryOptions: { maxRetries: 1 },
    ...(http !== undefined && { httpClient: http }),
  });
  const { token, expiresOnTimestamp } = await exchange.getToken(scope);
  return { value: token, expiresAtMs: expiresOnTimestamp };
}
