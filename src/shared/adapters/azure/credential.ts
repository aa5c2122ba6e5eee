/**
 * How this process proves who it is to Azure: its managed identity on Azure; elsewhere a federated token
 * (`AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`). No stored secret either way.
 */
import {
  ChainedTokenCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
  type TokenCredential,
} from '@azure/identity';

let shared: TokenCredential | undefined;

/** One credential per process, so that tokens are cached. */
export function credential(): TokenCredential {
  shared ??= new ChainedTokenCredential(
    { getToken: (scopes, options) => new WorkloadIdentityCredential().getToken(scopes, options) },
    new ManagedIdentityCredential(),
  );
  return shared;
}
