/** Opens Key Vault. A module of its own, so that a bundle without secrets has nothing of its SDK. */
import { SecretClient } from '@azure/keyvault-secrets';
import { vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Vault } from '../../ports/secrets.ts';
import { credential } from './credential.ts';
import { KeyVault } from './vault.ts';

export function openVault({ azure }: Config): Vault {
  const vaultUrl = azure?.vaultUrl;
  if (vaultUrl === undefined) throw new TypeError('KEY_VAULT_URL is needed to read secrets');
  // What has no TLS is on this machine (config-schema.ts), and is no host below the domain that the challenge names.
  const isLocal = vaultUrl.startsWith('http:');
  const client = new SecretClient(vaultUrl, credential(), {
    allowInsecureConnection: isLocal,
    disableChallengeResourceVerification: isLocal,
    retryOptions: { maxRetries: vendorAttemptsMax - 1, retryDelayInMs: 100, maxRetryDelayInMs: 500 },
  });
  return new KeyVault(client);
}
