/** The emulator of Secrets Manager, behind the real SDK. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from '@jest/globals';
import { type EmulatorsOptions, startEmulators } from '@tandem-clouds/emulators';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';

const closing = closeAfterEach();

async function open(options: NonNullable<EmulatorsOptions['secretsmanager']> & { now?: () => number } = {}) {
  const { now, ...secretsmanager } = options;
  const emulators = await startEmulators({
    services: ['secretsmanager'],
    secretsmanager,
    ...(now !== undefined && { now }),
  });
  closing(() => emulators.close());
  const client = new SecretsManagerClient({ ...emulators.secretsmanager.config, maxAttempts: 1 });
  closing(() => client.destroy());
  const get = async (SecretId: string) =>
    (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
  return { client, get, faults: emulators.secretsmanager.faults, env: emulators.env };
}

function secretsFile(text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-'));
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, '.env');
  fs.writeFileSync(file, text);
  return file;
}

const TOKEN = 'a'.repeat(32);

describe('the emulator of Secrets Manager', () => {
  test('gives the current version, by name, by ARN and by ARN without its suffix', async () => {
    const { client, get, env } = await open();
    const { ARN = '' } = await client.send(
      new CreateSecretCommand({ Name: 'shop/stripe-key', SecretString: 'one' }),
    );
    expect(ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:\d{12}:secret:shop\/stripe-key-[A-Za-z0-9]{6}$/);
    await client.send(new PutSecretValueCommand({ SecretId: 'shop/stripe-key', SecretString: 'two' }));
    expect(await get('shop/stripe-key')).toBe('two');
    expect(await get(ARN)).toBe('two');
    expect(await get(ARN.slice(0, -7))).toBe('two');
    expect(env['AWS_ENDPOINT_URL_SECRETS_MANAGER']).toMatch(/^http:/);
  });

  test('keeps the version before the current one under its label', async () => {
    const { client } = await open();
    const { VersionId } = await client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'one' }));
    await client.send(new PutSecretValueCommand({ SecretId: 'a', SecretString: 'two' }));
    const before = await client.send(
      new GetSecretValueCommand({ SecretId: 'a', VersionStage: 'AWSPREVIOUS' }),
    );
    expect(before).toMatchObject({ SecretString: 'one', VersionId, VersionStages: ['AWSPREVIOUS'] });
    const described = await client.send(new DescribeSecretCommand({ SecretId: 'a' }));
    expect(Object.values(described.VersionIdsToStages ?? {}).sort()).toEqual([
      ['AWSCURRENT'],
      ['AWSPREVIOUS'],
    ]);
  });

  test.each([
    ['a secret that is not there', 'gone', 'ResourceNotFoundException', "can't find the specified secret."],
    ['a name with other characters', 'stripe key', 'ValidationException', 'Invalid name.'],
    [
      'a name of more than 512 characters',
      'n'.repeat(513),
      'ValidationException',
      'less than or equal to 512',
    ],
  ])('%s is refused', async (_title, id, name, message) => {
    const { get } = await open();
    await expect(get(id)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message) as unknown,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test.each([
    ['a value of more than 65,536 bytes', { SecretString: 'é'.repeat(32_769) }, 'ValidationException'],
    ['an empty value', { SecretString: '' }, 'ValidationException'],
    [
      'a text and bytes at once',
      { SecretString: 'a', SecretBinary: new Uint8Array([1]) },
      'InvalidParameterException',
    ],
    [
      'a token of fewer than 32 characters',
      { SecretString: 'a', ClientRequestToken: 'x' },
      'InvalidParameterException',
    ],
  ])('creating with %s is refused, and nothing is made', async (_title, input, name) => {
    const { client, get } = await open();
    await expect(client.send(new CreateSecretCommand({ Name: 'a', ...input }))).rejects.toMatchObject({
      name,
    });
    await expect(get('a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a value of 65,536 bytes is kept', async () => {
    const { client, get } = await open();
    await client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'v'.repeat(65_536) }));
    expect(await get('a')).toHaveLength(65_536);
  });

  test('a secret without a value has no current version', async () => {
    const { client, get } = await open();
    await client.send(new CreateSecretCommand({ Name: 'a' }));
    await expect(get('a')).rejects.toThrow('secret value for staging label: AWSCURRENT');
  });

  test('a token makes the same call safe to repeat, and another value under it is refused', async () => {
    const { client } = await open();
    await client.send(new CreateSecretCommand({ Name: 'a' }));
    const put = (SecretString: string) =>
      client.send(new PutSecretValueCommand({ SecretId: 'a', SecretString, ClientRequestToken: TOKEN }));
    expect((await put('one')).VersionId).toBe(TOKEN);
    expect((await put('one')).VersionId).toBe(TOKEN);
    await expect(put('two')).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test('a name that exists is refused', async () => {
    const { client } = await open();
    const create = () => client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'one' }));
    await create();
    await expect(create()).rejects.toMatchObject({ name: 'ResourceExistsException' });
  });

  test('a secret that is marked for deletion gives nothing until it is restored, and then is gone', async () => {
    let now = Date.now();
    const { client, get } = await open({ now: () => now });
    await client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'one' }));
    await client.send(new DeleteSecretCommand({ SecretId: 'a', RecoveryWindowInDays: 7 }));
    await expect(get('a')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await client.send(new RestoreSecretCommand({ SecretId: 'a' }));
    expect(await get('a')).toBe('one');
    await client.send(new DeleteSecretCommand({ SecretId: 'a', RecoveryWindowInDays: 7 }));
    now += 7 * 86_400_000;
    await expect(get('a')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a recovery window below 7 days is refused', async () => {
    const { client } = await open();
    await client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'one' }));
    await expect(
      client.send(new DeleteSecretCommand({ SecretId: 'a', RecoveryWindowInDays: 6 })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  test('throttling is retryable', async () => {
    const { client, get, faults } = await open();
    await client.send(new CreateSecretCommand({ Name: 'a', SecretString: 'one' }));
    faults.add({ kind: 'error', operation: 'GetSecretValue', resource: 'a', times: 1 });
    await expect(get('a')).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await get('a')).toBe('one');
  });

  test('holds what it is given, and what a file says instead', async () => {
    const secrets = { 'stripe-key': 'sk_given', other: 'o' };
    const { get } = await open({ secrets, prefix: 'shop' });
    expect([await get('shop/stripe-key'), await get('shop/other')]).toEqual(['sk_given', 'o']);
    const file = secretsFile('SECRET_STRIPE_KEY=sk_one\n');
    const both = await open({ secrets, secretsFile: file, prefix: 'shop' });
    expect([await both.get('shop/stripe-key'), await both.get('shop/other')]).toEqual(['sk_one', 'o']);
    fs.rmSync(file);
    expect(await both.get('shop/stripe-key')).toBe('sk_given');
  });

  test('holds what a file says, anew when it changes, and no more when a line goes', async () => {
    const file = secretsFile('SECRET_STRIPE_KEY="sk_one"\nMAIL_FROM=shop@example.com\nSECRET_EMPTY=\n');
    const { get } = await open({ secretsFile: file, prefix: 'shop' });
    expect(await get('shop/stripe-key')).toBe('sk_one');
    await expect(get('shop/mail-from')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(get('shop/empty')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    fs.writeFileSync(file, 'SECRET_STRIPE_KEY=sk_number_two\nSECRET_OTHER=o\n');
    expect(await get('shop/stripe-key')).toBe('sk_number_two');
    fs.writeFileSync(file, 'SECRET_OTHER=o\n');
    await expect(get('shop/stripe-key')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    fs.rmSync(file);
    await expect(get('shop/other')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
