/** What the steps of orders ask of the payment provider, asked of the one that is plugged in. */
import type { OutsideEffect } from '@tandem-clouds/replication/reactions/react';
import type { PaymentGateway } from '../../ports/payment-provider.ts';
import { type PaymentCall, PAYMENTS } from './payment.ts';

/** @param open Throws UnavailableError where no provider is plugged in. @throws what the gateway throws */
export async function askPayments(
  { service, call }: OutsideEffect,
  open: () => PaymentGateway,
): Promise<unknown> {
  if (service !== PAYMENTS) throw new TypeError(`nobody is asked for ${service}`);
  const gateway = open();
  const asked = call as PaymentCall;
  switch (asked.call) {
    case 'create':
      return await gateway.create(asked.request);
    case 'confirm':
      return await gateway.confirm(asked.id, asked.method);
    case 'cancel':
      return await gateway.cancel(asked.id);
    case 'lookup':
      return await gateway.lookup(asked.key);
    case 'refund':
      return await gateway.refund(asked.request);
  }
}
