/** The vault port by Secrets Manager: the secret `<prefix>/<name>`, its current version. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretDeniedError } from '../../errors.ts';
import type { Vault } from '../../ports/secrets.ts';
import { missingSecret } from '../cached-secrets.ts';
import { vaultError } from './errors.ts';

/**
 * Not there, or marked for deletion.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
 */
const MISSING = new Set(['ResourceNotFoundException', 'InvalidRequestException']);

export interface SecretsManagerPlace {
  readonly region: string;
  /** Without a slash at its end. */
  readonly prefix: string;
}

export class SecretsManagerVault implements Vault {
  readonly #client: SecretsManagerClient;
  readonly #place: SecretsManagerPlace;

  constructor(client: SecretsManagerClient, place: SecretsManagerPlace) {
    this.#client = client;
    this.#place = place;
  }

  async read(name: string): Promise<string> {
    const SecretId = `${this.#place.prefix}/${name}`;
    try {
      const { SecretString, SecretBinary } = await this.#client.send(new GetSecretValueCommand({ SecretId }));
      return SecretString ?? Buffer.from(SecretBinary ?? []).toString('utf8');
    } catch (error) {
      const { name: code } = error as Error;
      if (MISSING.has(code)) throw missingSecret(this, name, `Secrets Manager (${SecretId})`, error);
      if (code === 'AccessDeniedException') {
        throw new SecretDeniedError(
          `this function may not read ${SecretId}: its role needs secretsmanager:GetSecretValue (docs/handlers.md)`,
          { cause: error },
        );
      }
      throw vaultError(error);
    }
  }

  howToSet(name: string): string {
    const { region, prefix } = this.#place;
    return `aws secretsmanager create-secret --region ${region} --name ${prefix}/${name} --secret-string file://<file>`;
  }
}
