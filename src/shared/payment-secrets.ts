/** The names of the secrets at each payment provider, in the vault of each cloud (docs/payments.md). */

export const stripeSecrets = { key: 'stripe-key', webhook: 'stripe-webhook-secret' } as const;

export const payPalSecrets = {
  clientId: 'paypal-client-id',
  clientSecret: 'paypal-client-secret',
  webhookId: 'paypal-webhook-id',
} as const;

/** What a function that takes payments reads, whichever provider its site is configured with. */
export const paymentSecrets: readonly string[] = [
  ...Object.values(stripeSecrets),
  ...Object.values(payPalSecrets),
];
