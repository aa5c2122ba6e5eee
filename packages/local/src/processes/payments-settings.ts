/** What the process with the sandboxes of payment providers is started with, and what both sides of it know. */

export const PAYMENT_PROVIDERS = ['stripe', 'paypal'] as const;
export type PaymentProviderName = (typeof PAYMENT_PROVIDERS)[number];

export interface PaymentsSettings {
  /** TCP port of each sandbox. */
  readonly ports: Readonly<Record<PaymentProviderName, number>>;
  /** Where each sends its events. */
  readonly webhooks: Readonly<Record<PaymentProviderName, string>>;
  /** Absent: memory only. */
  readonly dataDir?: string | undefined;
  /** Whose secrets stand in place of `LOCAL_SECRETS`; absolute. */
  readonly secretsFile: string;
}

/** In the vaults of every site of this machine, and what the sandboxes take. No secrets: nothing leaves this machine. */
export const LOCAL_SECRETS = {
  'stripe-key': 'sk_test_local',
  'stripe-webhook-secret': 'whsec_local',
  'paypal-client-id': 'local',
  'paypal-client-secret': 'local',
  'paypal-webhook-id': 'WHLOCAL0000000000',
} as const;
