/**
 * The composition of the payment provider that a site is configured with. A module of its own: a function that does not import
 * it has no SDK of a provider in its bundle.
 *
 * @example
 * const payments = openPayments(runtime); // once per process
 * const gateway = payments(services.within(invocationOf(request))); // or context.services of a reaction
 * await gateway.confirm(id);
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { PayPalPayments } from './adapters/payments/paypal.ts';
import type { PayPalToken } from './adapters/payments/paypal-client.ts';
import { StripePayments } from './adapters/payments/stripe.ts';
import { payPalSecrets, stripeSecrets } from './payment-secrets.ts';
import type { PaymentGateway } from './ports/payment-provider.ts';
import type { Services } from './ports/services.ts';
import type { Runtime } from './runtime.ts';

/**
 * The provider, for one invocation: its calls end with those of `services.http`, and its keys come from `services.secrets`.
 * @throws UnavailableError where no provider is configured.
 */
export type Payments = (services: Pick<Services, 'http' | 'secrets'>) => PaymentGateway;

/** Opened once per process. Nothing is read and nobody is called before somebody uses a gateway. */
export function openPayments({ config, site }: Runtime): Payments {
  const { payments } = config;
  const token: PayPalToken = {};
  return ({ http, secrets }) => {
    if (payments === undefined)
      throw new UnavailableError(
        'this site has no payment provider: set TANDEM_PAYMENTS to stripe or paypal (docs/payments.md)',
      );
    const { provider, url: endpoint, returnUrl } = payments;
    const common = { http, endpoint, now: site.now };
    if (provider === 'stripe')
      return new StripePayments({
        ...common,
        returnUrl,
        apiKey: () => secrets.get(stripeSecrets.key),
        refreshKey: (refused) => secrets.refresh(stripeSecrets.key, refused),
        webhookSecret: () => secrets.get(stripeSecrets.webhook),
      });
    const names = payPalSecrets;
    return new PayPalPayments({
      ...common,
      token,
      credentials: async () => {
        const [clientId, clientSecret] = await Promise.all([
          secrets.get(names.clientId),
          secrets.get(names.clientSecret),
        ]);
        return { clientId, clientSecret };
      },
      refreshCredentials: async (refused) => {
        const [clientId, clientSecret] = await Promise.all([
          secrets.refresh(names.clientId, refused.clientId),
          secrets.refresh(names.clientSecret, refused.clientSecret),
        ]);
        return { clientId, clientSecret };
      },
      webhookId: () => secrets.get(names.webhookId),
    });
  };
}
