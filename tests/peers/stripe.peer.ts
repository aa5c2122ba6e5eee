/**
 * Every request of the adapter for Stripe, and every object of the emulator, against Stripe's own stripe-mock, which refuses
 * what is not in the published API; `npm run test:peers -- stripe` starts it and says where it is. It keeps nothing, and
 * answers with examples: what comes of a call is shown over the emulator (tests/contract/payments.test.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { fetchClient } from '../../src/shared/adapters/fetch-client.ts';
import { outboundHttp } from '../../src/shared/adapters/outbound-http.ts';
import { StripePayments } from '../../src/shared/adapters/payments/stripe.ts';
import { PaymentMismatchError } from '../../src/shared/ports/payment-errors.ts';

const endpoint = process.env['TANDEM_PEER_STRIPE_MOCK'];
if (endpoint === undefined) throw new Error('TANDEM_PEER_STRIPE_MOCK is not set; run npm run test:peers');
const { hostname: host, port } = new URL(endpoint);

const gateway = new StripePayments({
  http: outboundHttp({
    client: fetchClient,
    sleep: () => Promise.resolve(),
    elapsed: () => performance.now(),
    now: Date.now,
    random: Math.random,
  }),
  refreshKey: (refused) => Promise.resolve(refused),
  apiKey: () => Promise.resolve('sk_test_123'),
  webhookSecret: () => Promise.resolve('whsec_123'),
  returnUrl: 'https://shop.example/paid',
  endpoint,
  now: Date.now,
});
const mock = new Stripe('sk_test_123', { host, port, protocol: 'http' });
const failureOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('requests', () => {
  test('that create and claim are taken; the answer is an example, which is not what was asked for', async () => {
    const request = {
      key: 'order-1',
      amountMinor: 1_051,
      currency: 'EUR',
      claim: 'a',
    };
    expect(await failureOf(gateway.create(request))).toBeInstanceOf(PaymentMismatchError);
  });

  test('that read, look up, cancel and list are taken', async () => {
    const id = 'pi_123';
    const runs = [
      () => gateway.read(id),
      () => gateway.confirm(id),
      () => gateway.cancel(id),
      () => gateway.lookup('order-1'),
      () => gateway.list(0, Date.now()),
    ];
    for (const run of runs) expect(await failureOf(run())).toBeUndefined();
  });

  test('that confirm and refund are taken', async () => {
    await mock.paymentIntents.confirm('pi_123', {
      return_url: 'https://shop.example/paid',
      payment_method: 'pm_card_visa',
    });
    await mock.refunds.list({ payment_intent: 'pi_123', limit: 100 });
    await mock.refunds.create({ payment_intent: 'pi_123', amount: 1, metadata: { refund: 'r', order: 'o' } });
  });

  test('with a parameter that there is none of are refused, so that the others say something', async () => {
    const error = await failureOf(
      mock.paymentIntents.create({ amount: 1, currency: 'eur', colour: 'red' } as never),
    );
    expect(error).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
  });
});

describe('objects of the emulator', () => {
  let emulators: Emulators<'stripe'>;
  let ours: Stripe;
  beforeAll(async () => {
    emulators = await startEmulators({ services: ['stripe'] });
    ours = new Stripe(emulators.stripe.apiKey, emulators.stripe.config);
    const paid = { amount: 1_000, currency: 'usd', payment_method: 'pm_card_createDispute', confirm: true };
    await ours.paymentIntents.create({ ...paid, return_url: 'https://shop.example/paid' });
    const { id } = await ours.paymentIntents.create({
      ...paid,
      payment_method: 'pm_card_visa',
      return_url: 'https://shop.example/paid',
    });
    await ours.refunds.create({ payment_intent: id, amount: 10 });
    await ours.payouts.create({ amount: 10, currency: 'usd' }).catch(() => undefined);
  });
  afterAll(() => emulators.close());

  test.each(['paymentIntents', 'charges', 'refunds', 'disputes', 'balanceTransactions', 'events'] as const)(
    '%s have no field that Stripe’s have not',
    async (kind) => {
      const list = (stripe: Stripe): Promise<{ readonly data: readonly object[] }> =>
        (stripe[kind].list as (params: object) => Promise<{ data: object[] }>)({ limit: 1 });
      const [[own], [theirs]] = [(await list(ours)).data, (await list(mock)).data];
      expect(own).toBeDefined();
      expect(Object.keys(own!).filter((field) => !Object.hasOwn(theirs!, field))).toEqual([]);
    },
  );
});
