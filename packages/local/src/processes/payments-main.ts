/**
 * The sandboxes of both payment providers in a process of their own, which outlives every site: money does not go with a cloud.
 * Each is loaded when somebody first connects. Its argument is a `PaymentsSettings` as JSON.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FAULTS_PATH } from '@tandem-clouds/emulators/core/control';
import { secretsIn } from '@tandem-clouds/emulators/core/secrets-file';
import { endAtStart } from '../exit-codes.ts';
import { HOST } from '../ports.ts';
import { announce } from '../run-registry.ts';
import { type LazyServer, listenLazily } from './lazy-server.ts';
import { LOCAL_SECRETS, type PaymentProviderName, type PaymentsSettings } from './payments-settings.ts';

/** What the sites have in their vaults: the file says otherwise, or not. */
function secretsOf({ secretsFile }: PaymentsSettings): Record<keyof typeof LOCAL_SECRETS, string> {
  const text = fs.existsSync(secretsFile) ? fs.readFileSync(secretsFile, 'utf8') : '';
  return { ...LOCAL_SECRETS, ...Object.fromEntries(secretsIn(text)) };
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as PaymentsSettings;
  const { ports, webhooks, dataDir } = settings;
  const folderOf = (name: PaymentProviderName): { dataDir?: string } =>
    dataDir === undefined ? {} : { dataDir: path.join(dataDir, name) };
  const stripe = await listenLazily(ports.stripe, async () => {
    const { startStripe } = await import('@tandem-clouds/emulators/stripe/server');
    const { 'stripe-key': apiKey, 'stripe-webhook-secret': secret } = secretsOf(settings);
    return startStripe({ apiKey, webhooks: [{ url: webhooks.stripe, secret }], ...folderOf('stripe') });
  });
  const paypal = await listenLazily(ports.paypal, async () => {
    const { startPayPal } = await import('@tandem-clouds/emulators/paypal/server');
    const secrets = secretsOf(settings);
    return startPayPal({
      clientId: secrets['paypal-client-id'],
      clientSecret: secrets['paypal-client-secret'],
      webhooks: [{ url: webhooks.paypal, id: secrets['paypal-webhook-id'] }],
      // What has happened is in the books at once: nobody waits three hours here.
      reportLagMs: 0,
      ...folderOf('paypal'),
    });
  });
  const stop = (): void => {
    void Promise.allSettled([stripe.close(), paypal.close()]).finally(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('payments', { ...urlsOf('stripe', stripe), ...urlsOf('paypal', paypal) });
}

function urlsOf(name: PaymentProviderName, { port }: LazyServer): Record<string, string> {
  const url = `http://${HOST}:${port}`;
  return { [name]: url, [`${name}.faults`]: url + FAULTS_PATH };
}

main().catch(endAtStart);
