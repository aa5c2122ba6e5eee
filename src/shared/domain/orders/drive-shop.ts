/** Drives a shop protocol with real, asynchronous effects. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import type { Effect, Protocol } from '@tandem-clouds/replication/protocol';
import type { Payment, PaymentProvider } from '../../ports/payment-provider.ts';
import type { PaymentCall, ShopProtocol } from './payment.ts';

/** Runs a protocol to its end. @throws whatever the protocol throws. */
export async function driveShop<Result>(
  protocol: ShopProtocol<Result>,
  resources: Resources,
  payments: PaymentProvider,
): Promise<Result> {
  let step = protocol.next();
  while (step.done !== true) {
    const effect = step.value;
    let result: unknown;
    try {
      result = await (effect.op === 'payment'
        ? callProvider(effect.call, payments)
        : drive(single(effect), resources));
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    step = protocol.next(result);
  }
  return step.value;
}

function* single(effect: Effect): Protocol<unknown> {
  return yield effect;
}

function callProvider(call: PaymentCall, payments: PaymentProvider): Promise<Payment | undefined> {
  switch (call.call) {
    case 'create':
      return payments.create(call.request);
    case 'confirm':
      return payments.confirm(call.id);
    case 'cancel':
      return payments.cancel(call.id);
    case 'lookup':
      return payments.lookup(call.key);
  }
}
