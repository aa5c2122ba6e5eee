import { eventErrors, takeEvent } from '../domain/payments/take-event.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';

/** What the providers of payments report (docs/payments.md): whichever site they reach looks at the payment again. */
export const payments = defineRoutes({
  name: 'payments',
  description: 'What the providers of payments report',
  uses: { payments: true, records: { order: 'write' }, actsForAnybody: true },
  operations: {
    takeStripeEvent: {
      method: 'POST',
      path: '/payments/stripe',
      summary: 'An event of Stripe',
      access: 'everybody',
      output: { received: { type: 'boolean' } },
      errors: eventErrors,
      handle: async ({ headers, rawBody }, { payments: gateway, records, now }) => {
        const orders = records.order.actingFor({});
        await takeEvent({ provider: 'stripe', gateway, headers, rawBody, now, orders });
        return { received: true };
      },
    },
    takePayPalEvent: {
      method: 'POST',
      path: '/payments/paypal',
      summary: 'An event of PayPal',
      access: 'everybody',
      output: { received: { type: 'boolean' } },
      errors: eventErrors,
      handle: async ({ headers, rawBody }, { payments: gateway, records, now }) => {
        const orders = records.order.actingFor({});
        await takeEvent({ provider: 'paypal', gateway, headers, rawBody, now, orders });
        return { received: true };
      },
    },
  },
});
