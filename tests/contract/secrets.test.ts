/** Secrets at both vaults, through the adapters that functions use: one suite. */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startEmulators } from '@tandem-clouds/emulators';
import type { Faults } from '@tandem-clouds/emulators/core/faults';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { openVault as openOnAws } from '../../src/shared/adapters/aws/cloud.ts';
import { openVault as openOnAzure } from '../../src/shared/adapters/azure/cloud.ts';
import { cachedSecrets } from '../../src/shared/adapters/cached-secrets.ts';
import { secretStaleMs } from '../../src/shared/bounds.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { SecretDeniedError, SecretMissingError } from '../../src/shared/errors.ts';
import type { Secrets, Vault } from '../../src/shared/ports/secrets.ts';
import { setEnvironment, startCloud } from '../helpers/sites.ts';

interface Owner {
  readonly env: Readonly<Record<string, string>>;
  readonly faults: Faults;
  set(name: string, value: string): Promise<unknown>;
  remove(name: string): Promise<unknown>;
  restore(name: string): Promise<unknown>;
  close(): Promise<void>;
}

async function ownAws(): Promise<Owner> {
  const emulators = await startEmulators({ services: ['secretsmanager'] });
  const client = new SecretsManagerClient(emulators.secretsmanager.config);
  const known = new Set<string>();
  return {
    env: { ...emulators.env, TANDEM_SECRETS_PREFIX: 'shop' },
    faults: emulators.secretsmanager.faults,
    set(name, SecretString) {
      const id = `shop/${name}`;
      if (known.has(id)) return client.send(new PutSecretValueCommand({ SecretId: id, SecretString }));
      known.add(id);
      return client.send(new CreateSecretCommand({ Name: id, SecretString }));
    },
    remove: (name) => client.send(new DeleteSecretCommand({ SecretId: `shop/${name}` })),
    restore: (name) => client.send(new RestoreSecretCommand({ SecretId: `shop/${name}` })),
    async close() {
      client.destroy();
      await emulators.close();
    },
  };
}

async function ownAzure(): Promise<Owner> {
  const emulators = await startEmulators({ services: ['keyvault'] });
  const { vaultUrl, credential, options, faults } = emulators.keyvault;
  const client = new SecretClient(vaultUrl, credential, options);
  return {
    env: emulators.env,
    faults,
    set: (name, value) => client.setSecret(name, value),
    remove: async (name) => (await client.beginDeleteSecret(name, { intervalInMs: 1 })).pollUntilDone(),
    restore: async (name) =>
      (await client.beginRecoverDeletedSecret(name, { intervalInMs: 1 })).pollUntilDone(),
    close: () => emulators.close(),
  };
}

const PERMANENT = { aws: 'AccessDeniedException', azure: 'Forbidden' } as const;
const OUTAGE = { aws: 'InternalServiceError', azure: 'ServiceUnavailable' } as const;
const READ = { aws: 'GetSecretValue', azure: 'GetSecret' } as const;

describe.each([
  ['aws', openOnAws, ownAws],
  ['azure', openOnAzure, ownAzure],
] as const)('secrets on %s', (cloud, open, own) => {
  let owner: Owner;
  let vault: Vault;
  let close: () => Promise<void>;
  let now = 0;
  let secrets: Secrets;
  let count = 0;
  const name = (): string => `stripe-key-${count}`;
  const reads = async (): Promise<number> => {
    const address = owner.env['AWS_ENDPOINT_URL_SECRETS_MANAGER'] ?? owner.env['KEY_VAULT_URL'] ?? '';
    const usage = (await (await fetch(`${address}/_tandem/usage`)).json()) as Record<
      string,
      Record<string, { requests: number }>
    >;
    const resource = cloud === 'aws' ? `shop/${name()}` : name();
    return usage[resource]?.[READ[cloud]]?.requests ?? 0;
  };

  beforeAll(async () => {
    const [site, vaultOwner] = await Promise.all([startCloud(cloud), own()]);
    owner = vaultOwner;
    const env = { ...site.env, ...owner.env };
    const restore = setEnvironment(env);
    vault = open(loadConfig(cloud, env));
    close = async () => {
      restore();
      await Promise.all([site.close(), owner.close()]);
    };
  });
  afterAll(() => close());
  beforeEach(() => {
    owner.faults.clear();
    count += 1;
    now = Date.now();
    secrets = cachedSecrets({ vault, now: () => now });
  });

  test('gives the value, and asks once for all who want it at the same time and later', async () => {
    await owner.set(name(), 'sk_one');
    const all = await Promise.all(Array.from({ length: 20 }, () => secrets.get(name())));
    expect(new Set(all)).toEqual(new Set(['sk_one']));
    await secrets.get(name());
    expect(await reads()).toBe(1);
  });

  test('keeps text as it is', async () => {
    const value = '{"user":"ü","password":"\\"🚀\\n"}';
    await owner.set(name(), value);
    expect(await secrets.get(name())).toBe(value);
  });

  test('sees a new version within five minutes', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    await owner.set(name(), 'sk_two');
    expect(await secrets.get(name())).toBe('sk_one');
    now += 5 * 60_000;
    expect(await secrets.get(name())).toBe('sk_two');
  });

  test('sees a new version at once when the old one was refused by its provider', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    await owner.set(name(), 'sk_two');
    now += 60_000;
    const all = await Promise.all([secrets.refresh(name(), 'sk_one'), secrets.refresh(name(), 'sk_one')]);
    expect(all).toEqual(['sk_two', 'sk_two']);
    expect(await secrets.get(name())).toBe('sk_two');
    expect(await reads()).toBe(2);
  });

  test('a secret that is not there is an error that says how to set it, and is found once it is set', async () => {
    const missing = secrets.get(name());
    await expect(missing).rejects.toThrow(SecretMissingError);
    await expect(missing).rejects.toThrow(
      cloud === 'aws'
        ? `aws secretsmanager create-secret --region us-east-1 --name shop/${name()}`
        : `az keyvault secret set --vault-name 127 --name ${name()}`,
    );
    await expect(missing).rejects.toThrow(`SECRET_STRIPE_KEY_${count}=… in .env`);
    await owner.set(name(), 'sk_one');
    now += 10_000;
    expect(await secrets.get(name())).toBe('sk_one');
  });

  test('a secret that was removed is not given any more, and is when it is back', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    await owner.remove(name());
    now += 5 * 60_000;
    await expect(secrets.get(name())).rejects.toThrow(SecretMissingError);
    await owner.restore(name());
    now += 10_000;
    expect(await secrets.get(name())).toBe('sk_one');
  });

  test('a right that is missing is named, and the old value is not used in spite of it', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    owner.faults.add({ kind: 'error', code: PERMANENT[cloud] });
    now += 5 * 60_000;
    await expect(secrets.get(name())).rejects.toThrow(SecretDeniedError);
  });

  test('gives the old value for an hour while the vault fails, asking seldom', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    owner.faults.add({ kind: 'error', code: OUTAGE[cloud] });
    now += 5 * 60_000;
    expect(await secrets.get(name())).toBe('sk_one');
    now = now - 5 * 60_000 + secretStaleMs - 1_000;
    expect(await secrets.get(name())).toBe('sk_one');
    now += 1_000 + 10_000;
    await expect(secrets.get(name())).rejects.toThrow(UnavailableError);
  });

  test('no error has the value in it', async () => {
    await owner.set(name(), 'sk_one');
    await secrets.get(name());
    owner.faults.add({ kind: 'error', code: OUTAGE[cloud] });
    now += 2 * secretStaleMs;
    const error: unknown = await secrets.get(name()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('sk_one');
  });
});
