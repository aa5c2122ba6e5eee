/** A payment provider that is plugged in by settings and secrets, against its sandbox. Runs once per cloud. */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { cloudName } from '#cloud';
import { SecretMissingError } from '../../src/shared/errors.ts';
import { openPayments } from '../../src/shared/open-payments.ts';
import { openServices } from '../../src/shared/open-services.ts';
import type { PaymentGateway } from '../../src/shared/ports/payment-provider.ts';
import type { Invocation } from '../../src/shared/ports/services.ts';
import { openRuntime } from '../../src/shared/runtime.ts';
import { timeLimit } from '../../src/shared/time-limit.ts';
import { setEnvironment, startCloud } from '../helpers/sites.ts';

const ORDER = { key: 'order-1', amountMinor: 1_050, currency: 'EUR', claim: 'aws-us-east-1' };

let sandboxes: Emulators<'stripe' | 'paypal'>;
let envFile: string;
let aheadMs = 0;
let restore: () => void = () => undefined;
const closing: (() => unknown)[] = [];

/** Writes the vault's secrets. */
function secrets(values: Readonly<Record<string, string>>): void {
  const lines = Object.entries(values).map(([name, value]) => `SECRET_${name}=${value}\n`);
  fs.writeFileSync(envFile, lines.join(''));
}

const GOOD = {
  STRIPE_KEY: 'sk_test_local',
  STRIPE_WEBHOOK_SECRET: 'whsec_local',
  PAYPAL_CLIENT_ID: 'local',
  PAYPAL_CLIENT_SECRET: 'local',
  PAYPAL_WEBHOOK_ID: 'WH-1',
};

beforeAll(async () => {
  envFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'payments-')), '.env');
  secrets(GOOD);
  const [cloud, vaults, started] = await Promise.all([
    startCloud(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile: envFile, prefix: 'tandem' },
      keyvault: { secretsFile: envFile },
    }),
    startEmulators({ services: ['stripe', 'paypal'] }),
  ]);
  sandboxes = started;
  closing.push(
    setEnvironment({ ...vaults.env, ...cloud.env, TANDEM_LOG_LEVEL: 'error' }),
    () => cloud.close(),
    () => vaults.close(),
    () => started.close(),
    () => fs.rmSync(path.dirname(envFile), { recursive: true }),
  );
});
afterAll(async () => {
  for (const close of closing) await close();
});
beforeEach(() => {
  aheadMs = 0;
  secrets(GOOD);
  const { now } = Date;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
});
afterEach(() => {
  restore();
  jest.restoreAllMocks();
});

/** A process of a function whose site is configured so; each call of what is returned is one invocation. */
function configured(env: Readonly<Record<string, string>>): (invocation?: Invocation) => PaymentGateway {
  restore();
  restore = setEnvironment(env);
  const runtime = openRuntime();
  const services = openServices(runtime);
  const payments = openPayments(runtime);
  return (invocation = {}) => payments(services.within(invocation));
}

const settingsOf = (provider: 'stripe' | 'paypal', url = sandboxes[provider].endpoint) => ({
  TANDEM_PAYMENTS: provider,
  TANDEM_PAYMENTS_URL: url,
});

describe.each(['stripe', 'paypal'] as const)('%s', (provider) => {
  /** In the sandbox, in place of the key that it takes. */
  const wrongKey = (): void => secrets({ ...GOOD, STRIPE_KEY: 'sk_old', PAYPAL_CLIENT_SECRET: 'old' });

  test('is plugged in by a setting, and its keys are secrets', async () => {
    const open = configured(settingsOf(provider));
    expect(open().name).toBe(provider);
    const { id } = await open().create(ORDER);
    expect(await open().read(id)).toMatchObject({ id, status: 'open', claim: ORDER.claim });
  });

  test('a key that is refused is asked for anew at once, and the next invocation has it', async () => {
    wrongKey();
    const open = configured(settingsOf(provider));
    await expect(open().create({ ...ORDER, key: 'order-2' })).rejects.toThrow(UnavailableError);
    secrets(GOOD);
    // Beyond the pause between two reads for a refused value, and before the vault would be asked anyway.
    aheadMs = 60_000;
    const { id } = await open().create({ ...ORDER, key: 'order-2' });
    expect(await open().read(id)).toMatchObject({ status: 'open' });
  });

  test('a secret that is not there is named, and nothing is sent', async () => {
    secrets({});
    const open = configured(settingsOf(provider));
    const failure: unknown = await open()
      .create({ ...ORDER, key: 'order-3' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SecretMissingError);
    expect(String(failure)).toMatch(provider === 'stripe' ? 'stripe-key' : 'paypal-client');
  });

  test('no call goes on when the time of its invocation is over', async () => {
    const sockets: unknown[] = [];
    const silent = http.createServer(() => undefined).on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    try {
      const { port } = silent.address() as AddressInfo;
      const open = configured(settingsOf(provider, `http://127.0.0.1:${port}`));
      const over = open({ remainingMs: () => 100 });
      await expect(over.read('x')).rejects.toThrow(UnavailableError);
      await expect(open({ limit: timeLimit({ ms: 0 }) }).read('x')).rejects.toThrow(UnavailableError);
      expect(sockets).toEqual([]);
      // What has been sent may have taken effect; getting PayPal's token has none.
      const short = open({ remainingMs: () => 600 }).create({ ...ORDER, key: 'order-4' });
      await expect(short).rejects.toThrow(provider === 'stripe' ? AmbiguousError : UnavailableError);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

test('a site without a provider says which setting there is, and everything else goes on', () => {
  const open = configured({});
  expect(() => open()).toThrow(UnavailableError);
  expect(() => open()).toThrow(/TANDEM_PAYMENTS to stripe or paypal/);
});

test.each([
  ['another provider', { TANDEM_PAYMENTS: 'cash' }, /TANDEM_PAYMENTS: must be one of stripe, paypal/],
  [
    'an address without a provider',
    { TANDEM_PAYMENTS_URL: 'https://a.example' },
    /TANDEM_PAYMENTS: is required/,
  ],
  [
    'an address without TLS',
    { TANDEM_PAYMENTS: 'stripe', TANDEM_PAYMENTS_URL: 'http://a.example' },
    /TANDEM_PAYMENTS_URL/,
  ],
])('%s is refused at cold start, by the variable', (_what, env, message) => {
  expect(() => configured(env)).toThrow(message);
});
