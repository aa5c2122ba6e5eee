/** The emulator of Key Vault, behind the real SDK; what the SDK never sends, by HTTP. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SecretClient } from '@azure/keyvault-secrets';
import { describe, expect, test } from '@jest/globals';
import { type EmulatorsOptions, startEmulators } from '@tandem-clouds/emulators';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';

const closing = closeAfterEach();

async function open(options: NonNullable<EmulatorsOptions['keyvault']> & { now?: () => number } = {}) {
  const { now, ...keyvault } = options;
  const emulators = await startEmulators({
    services: ['keyvault'],
    keyvault,
    ...(now !== undefined && { now }),
  });
  closing(() => emulators.close());
  const { vaultUrl, credential, options: clientOptions, faults } = emulators.keyvault;
  const client = new SecretClient(vaultUrl, credential, {
    ...clientOptions,
    retryOptions: { maxRetries: 0 },
  });
  const get = async (name: string) => (await client.getSecret(name)).value;
  return { client, get, faults, vaultUrl };
}

const AUTHORIZED = { authorization: 'Bearer local', 'content-type': 'application/json' };

describe('the emulator of Key Vault', () => {
  test('gives the version that was set last, and an older one by its id', async () => {
    const { client, get, vaultUrl } = await open();
    const one = await client.setSecret('stripe-key', 'one', {
      contentType: 'text/plain',
      tags: { of: 'shop' },
    });
    await client.setSecret('stripe-key', 'two');
    expect(await get('stripe-key')).toBe('two');
    const { version = '', id = '' } = one.properties;
    expect(version).toMatch(/^[0-9a-f]{32}$/);
    expect(id).toBe(`${vaultUrl}/secrets/stripe-key/${version}`);
    const old = await client.getSecret('stripe-key', { version });
    expect(old).toMatchObject({
      value: 'one',
      properties: { contentType: 'text/plain', tags: { of: 'shop' } },
    });
  });

  test('names are the same whatever their case', async () => {
    const { client, get } = await open();
    await client.setSecret('Stripe-Key', 'one');
    expect(await get('stripe-key')).toBe('one');
  });

  test('a request without a token gets 401 with the challenge that the SDK answers', async () => {
    const { vaultUrl } = await open();
    const response = await fetch(`${vaultUrl}/secrets/a?api-version=7.6`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}", resource="https:\/\/vault\.azure\.net"$/,
    );
    expect(await response.json()).toEqual({
      error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' },
    });
  });

  test.each([
    ['without a version of the API', '/secrets/a'],
    ['with one that there is not', '/secrets/a?api-version=6.9'],
  ])('a request %s is refused', async (_title, target) => {
    const { vaultUrl } = await open();
    const response = await fetch(vaultUrl + target, { headers: AUTHORIZED });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'BadParameter' } });
  });

  test('a secret that is not there is SecretNotFound', async () => {
    const { get } = await open();
    await expect(get('gone')).rejects.toMatchObject({
      statusCode: 404,
      code: 'SecretNotFound',
      message: expect.stringContaining(
        'A secret with (name/id) gone was not found in this key vault.',
      ) as unknown,
    });
  });

  test.each([
    ['an underscore in it', 'stripe_key'],
    ['a slash in it', 'shop%2Fkey'],
    ['more than 127 characters', 'n'.repeat(128)],
  ])('a name with %s is refused', async (_title, name) => {
    const { vaultUrl } = await open();
    const response = await fetch(`${vaultUrl}/secrets/${name}?api-version=7.6`, { headers: AUTHORIZED });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'BadParameter' } },
    ]);
  });

  test('a value of more than 25 kB is refused', async () => {
    const { client, get } = await open();
    await client.setSecret('a', 'v'.repeat(25_000));
    await expect(client.setSecret('a', 'v'.repeat(25_001))).rejects.toMatchObject({ statusCode: 400 });
    expect(await get('a')).toHaveLength(25_000);
  });

  test('a disabled secret is Forbidden, with the reason inside', async () => {
    const { client, get } = await open();
    const { properties } = await client.setSecret('a', 'one');
    await client.updateSecretProperties('a', properties.version ?? '', { enabled: false });
    await expect(get('a')).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringContaining('Operation get is not allowed on a disabled secret.') as unknown,
    });
  });

  test('a secret outside its dates is given all the same', async () => {
    const { client, get } = await open();
    await client.setSecret('a', 'one', {
      expiresOn: new Date(0),
      notBefore: new Date(Date.now() + 86_400_000),
    });
    expect(await get('a')).toBe('one');
  });

  test('a deleted secret keeps its name until it is purged', async () => {
    const { client, get } = await open();
    await client.setSecret('a', 'one');
    await (await client.beginDeleteSecret('a', { intervalInMs: 1 })).pollUntilDone();
    await expect(get('a')).rejects.toMatchObject({ code: 'SecretNotFound' });
    await expect(client.setSecret('a', 'two')).rejects.toMatchObject({ statusCode: 409, code: 'Conflict' });
    await client.purgeDeletedSecret('a');
    await client.setSecret('a', 'two');
    expect(await get('a')).toBe('two');
  });

  test('a deleted secret can be recovered', async () => {
    const { client, get } = await open();
    await client.setSecret('a', 'one');
    await (await client.beginDeleteSecret('a', { intervalInMs: 1 })).pollUntilDone();
    await (await client.beginRecoverDeletedSecret('a', { intervalInMs: 1 })).pollUntilDone();
    expect(await get('a')).toBe('one');
  });

  test('throttling is 429 with a time to wait', async () => {
    const { vaultUrl, faults } = await open();
    faults.add({ kind: 'error', operation: 'GetSecret', resource: 'a', times: 1 });
    const response = await fetch(`${vaultUrl}/secrets/a?api-version=7.6`, { headers: AUTHORIZED });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
  });

  test('holds what it is given', async () => {
    const { get } = await open({ secrets: { 'stripe-key': 'sk_given' } });
    expect(await get('stripe-key')).toBe('sk_given');
  });

  test('holds what a file says, anew when it changes, and no more when a line goes', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-'));
    closing(() => fs.rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, '.env');
    const { get } = await open({ secretsFile: file });
    await expect(get('stripe-key')).rejects.toMatchObject({ code: 'SecretNotFound' });
    fs.writeFileSync(file, 'SECRET_STRIPE_KEY=sk_one\n');
    expect(await get('stripe-key')).toBe('sk_one');
    fs.writeFileSync(file, 'SECRET_STRIPE_KEY=sk_number_two\n');
    expect(await get('stripe-key')).toBe('sk_number_two');
    fs.writeFileSync(file, 'MAIL_FROM=shop@example.com\n');
    await expect(get('stripe-key')).rejects.toMatchObject({ code: 'SecretNotFound' });
  });
});
