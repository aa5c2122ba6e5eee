/** The vault port by Key Vault: the secret of that name, its current version. */
import type { SecretClient } from '@azure/keyvault-secrets';
import { secretFreshness } from '../../bounds.ts';
import { SecretDeniedError } from '../../errors.ts';
import type { Vault } from '../../ports/secrets.ts';
import { missingSecret } from '../cached-secrets.ts';
import { vaultError } from './errors.ts';

interface Refusal {
  readonly statusCode?: number;
  readonly message?: string;
}

export class KeyVault implements Vault {
  readonly #client: SecretClient;

  constructor(client: SecretClient) {
    this.#client = client;
  }

  async read(name: string): Promise<string> {
    const { vaultUrl } = this.#client;
    try {
      const { value } = await this.#client.getSecret(name, {
        // The SDK's own limit is none. This one is for both attempts, and the token.
        abortSignal: AbortSignal.timeout(secretFreshness.timeoutMs),
      });
      if (value !== undefined) return value;
    } catch (error) {
      if (isMissing(error as Refusal)) throw missingSecret(this, name, vaultUrl, error);
      if ((error as Refusal).statusCode === 403) {
        throw new SecretDeniedError(
          `this app may not read '${name}' at ${vaultUrl}: its identity needs the role Key Vault Secrets User (docs/handlers.md)`,
          { cause: error },
        );
      }
      throw vaultError(error);
    }
    throw missingSecret(this, name, vaultUrl, undefined);
  }

  howToSet(name: string): string {
    const vault = new URL(this.#client.vaultUrl).hostname.split('.')[0] ?? '';
    return `az keyvault secret set --vault-name ${vault} --name ${name} --file <file>`;
  }
}

/**
 * Not there, or disabled, which is refused as what nobody may read.
 * @see https://learn.microsoft.com/azure/key-vault/secrets/about-secrets
 */
function isMissing({ statusCode, message = '' }: Refusal): boolean {
  return statusCode === 404 || (statusCode === 403 && message.includes('disabled secret'));
}
