/** Opens Secrets Manager. A module of its own, so that a bundle without secrets has nothing of its SDK. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { vaultTimeoutMs, vendorAttemptsMax } from '../../bounds.ts';
import type { Config } from '../../config/config.ts';
import type { Vault } from '../../ports/secrets.ts';
import { SecretsManagerVault } from './vault.ts';

export function openVault({ region, aws }: Config): Vault {
  if (aws === undefined) throw new TypeError('this bundle runs on AWS and has no AWS settings');
  const client = new SecretsManagerClient({
    region,
    maxAttempts: vendorAttemptsMax,
    requestHandler: { requestTimeout: vaultTimeoutMs, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
  });
  return new SecretsManagerVault(client, { region, prefix: aws.secretsPrefix });
}
