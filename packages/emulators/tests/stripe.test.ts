/** What Stripe publishes, seen through its own SDK. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { type Emulators, startEmulators } from '../src/start-emulators.ts';

const HOUR_MS = 3_600_000;
let nowMs: number;
let emulators: Emulators<'stripe'>;
let stripe: Stripe;

const start = async (options: object = {}): Promise<void> => {
  emulators = await startEmulators({ services: ['stripe'], now: () => nowMs, ...options });
  stripe = new Stripe(emulators.stripe.apiKey, { ...emulators.stripe.config, maxNetworkRetries: 0 });
};

beforeEach(async () => {
  nowMs = Date.parse('2026-06-01T12:00:00Z');
  await start();
});
afterEach(() => emulators.close());

const RETURN = 'https://shop.example/paid';
const asked = { amount: 1_050, currency: 'eur' };
const pay = (method: string, more: object = {}) =>
  stripe.paymentIntents.create({
    ...asked,
    payment_method: method,
    confirm: true,
    return_url: RETURN,
    ...more,
  });
const failureOf = async (run: Promise<unknown>): Promise<Partial<Stripe.errors.StripeError>> => {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Stripe.errors.StripeError) return error;
  throw new Error('no error of Stripe', { cause: error });
};
const raw = (route: string, init: RequestInit = {}, key = 'sk_test_local'): Promise<Response> =>
  fetch(`${emulators.stripe.endpoint}/v1/${route}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...(init.headers as Record<string, string>) },
  });

describe('requests', () => {
  test('without the right key are 401', async () => {
    expect((await raw('charges', {}, 'sk_test_other')).status).toBe(401);
    expect((await fetch(`${emulators.stripe.endpoint}/v1/charges`)).status).toBe(401);
    const basic = `Basic ${Buffer.from('sk_test_local:').toString('base64')}`;
    expect((await raw('charges', { headers: { authorization: basic } })).status).toBe(200);
  });

  test('with a body that is not form-encoded are refused', async () => {
    const json = { 'content-type': 'application/json' };
    const response = await raw('payment_intents', {
      method: 'POST',
      headers: json,
      body: JSON.stringify(asked),
    });
    expect(response.status).toBe(400);
  });

  test.each([
    ['an unknown parameter', { ...asked, colour: 'red' }, 'parameter_unknown'],
    ['no currency', { amount: 1 }, 'parameter_missing'],
    ['a fraction', { ...asked, amount: 10.5 }, 'parameter_invalid_integer'],
    ['nothing to pay', { ...asked, amount: 0 }, 'parameter_invalid_integer'],
    ['a negative amount', { ...asked, amount: -1 }, 'parameter_invalid_integer'],
    ['less than the minimum', { ...asked, amount: 49 }, 'amount_too_small'],
    ['nine digits', { ...asked, amount: 100_000_000 }, 'amount_too_large'],
    ['thousandths of a dinar', { amount: 1_231, currency: 'kwd' }, 'parameter_invalid_integer'],
    ['no such card', { ...asked, payment_method: 'pm_none' }, 'resource_missing'],
  ])('with %s are refused by code', async (_what, params, code) => {
    expect(await failureOf(stripe.paymentIntents.create(params as never))).toMatchObject({ code });
  });

  test('about what is not there are 404, resource_missing', async () => {
    const error = await failureOf(stripe.paymentIntents.retrieve('pi_none'));
    expect(error).toMatchObject({ statusCode: 404, code: 'resource_missing', param: 'intent' });
  });

  test('carry at most 50 keys of metadata', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v']));
    expect(await failureOf(stripe.paymentIntents.create({ ...asked, metadata }))).toMatchObject({
      param: 'metadata',
    });
  });
});

describe('keys of requests', () => {
  test('repeat the first answer for 24 hours, and then make another', async () => {
    const make = () => stripe.paymentIntents.create(asked, { idempotencyKey: 'one' });
    const first = await make();
    await stripe.paymentIntents.cancel(first.id);
    nowMs += 24 * HOUR_MS - 1;
    const again = await make();
    expect(again).toMatchObject({ id: first.id, status: 'requires_payment_method' });
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    nowMs += 1;
    expect((await make()).id).not.toBe(first.id);
  });

  test('are refused for other parameters, and another endpoint', async () => {
    await stripe.paymentIntents.create(asked, { idempotencyKey: 'one' });
    const other = await failureOf(
      stripe.paymentIntents.create({ ...asked, amount: 99 }, { idempotencyKey: 'one' }),
    );
    expect(other).toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError' });
    expect(
      await failureOf(stripe.payouts.create({ amount: 1, currency: 'eur' }, { idempotencyKey: 'one' })),
    ).toMatchObject({ type: 'StripeIdempotencyError' });
  });

  test('repeat a 5xx too, with its effect and without', async () => {
    for (const [code, made] of [
      ['api_error', 0],
      ['api_error_after', 1],
    ] as const) {
      emulators.stripe.faults.set([{ kind: 'error', operation: 'CreatePaymentIntent', times: 1, code }]);
      const make = () =>
        stripe.paymentIntents.create({ ...asked, metadata: { code } }, { idempotencyKey: code });
      expect(await failureOf(make())).toMatchObject({ statusCode: 500 });
      expect(await failureOf(make())).toMatchObject({ statusCode: 500 });
      const { data } = await stripe.paymentIntents.list();
      expect(data.filter(({ metadata }) => metadata['code'] === code)).toHaveLength(made);
    }
  });

  test('keep nothing of a request that had not begun', async () => {
    const options = { idempotencyKey: 'one' };
    await failureOf(stripe.paymentIntents.create({ ...asked, amount: 0 }, options));
    emulators.stripe.faults.set([
      { kind: 'error', operation: 'CreatePaymentIntent', times: 1, code: 'rate_limit' },
    ]);
    expect(await failureOf(stripe.paymentIntents.create(asked, options))).toMatchObject({ statusCode: 429 });
    expect((await stripe.paymentIntents.create(asked, options)).amount).toBe(1_050);
  });
});

describe('payment intents', () => {
  test.each([
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
  ])('of %s are declined by code', async (method, code, decline) => {
    const error = await failureOf(pay(method));
    expect(error).toMatchObject({ statusCode: 402, type: 'StripeCardError', code, decline_code: decline });
    const intent = await stripe.paymentIntents.retrieve(error.payment_intent!.id);
    expect(intent).toMatchObject({ status: 'requires_payment_method', amount_received: 0 });
    expect(intent.last_payment_error).toMatchObject({ code });
  });

  test.each([
    ['pm_card_threeDSecure2Required', 'success', 'succeeded'],
    ['pm_card_threeDSecure2Required', 'failure', 'requires_payment_method'],
    ['pm_card_threeDSecureRequiredChargeDeclined', 'success', 'requires_payment_method'],
  ] as const)('of %s wait for 3-D Secure: %s makes them %s', async (method, outcome, status) => {
    const { id, next_action: action } = await pay(method);
    expect(action?.redirect_to_url?.return_url).toBe(RETURN);
    const url = `${action?.redirect_to_url?.url ?? ''}?outcome=${outcome}`;
    const back = await fetch(url, { method: 'POST', redirect: 'manual' });
    expect(back.headers.get('location')).toContain(`payment_intent=${id}`);
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe(status);
  });

  test('are charged once and end there', async () => {
    const { id, latest_charge: charge } = await pay('pm_card_visa');
    for (const run of [
      stripe.paymentIntents.confirm(id),
      stripe.paymentIntents.cancel(id),
      stripe.paymentIntents.capture(id),
    ]) {
      expect(await failureOf(run)).toMatchObject({
        statusCode: 400,
        code: 'payment_intent_unexpected_state',
      });
    }
    expect((await stripe.charges.list({ payment_intent: id })).data.map((one) => one.id)).toEqual([charge]);
  });

  test('are held and captured, or cancelled', async () => {
    const hold = () => pay('pm_card_visa', { capture_method: 'manual' });
    const { id, status, amount_capturable: capturable } = await hold();
    expect([status, capturable]).toEqual(['requires_capture', 1_050]);
    expect(await failureOf(stripe.paymentIntents.capture(id, { amount_to_capture: 1_051 }))).toMatchObject({
      code: 'amount_too_large',
    });
    expect(await stripe.paymentIntents.capture(id, { amount_to_capture: 1_000 })).toMatchObject({
      status: 'succeeded',
      amount_received: 1_000,
    });
    expect((await stripe.paymentIntents.cancel((await hold()).id)).status).toBe('canceled');
  });

  test('of a bank debit are processing for a while', async () => {
    const { id, status } = await pay('pm_usBankAccount_success');
    expect(status).toBe('processing');
    nowMs += 60_000;
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('succeeded');
  });

  test('need an address to return to where their methods may redirect', async () => {
    const error = await failureOf(
      stripe.paymentIntents.create({ ...asked, payment_method: 'pm_card_visa', confirm: true }),
    );
    expect(error).toMatchObject({ param: 'return_url' });
  });
});

describe('lists', () => {
  test('come in pages, newest first, without a gap or a repeat', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.push((await stripe.paymentIntents.create(asked)).id);
    const listed = await stripe.paymentIntents.list({ limit: 2 }).autoPagingToArray({ limit: 10 });
    expect(listed.map(({ id }) => id)).toEqual(made.toReversed());
    expect(await failureOf(stripe.paymentIntents.list({ limit: 101 }))).toMatchObject({ param: 'limit' });
  });

  test('of a search are behind, and show what was', async () => {
    const { id } = await stripe.paymentIntents.create({ ...asked, metadata: { order: 'o-1' } });
    const search = () =>
      stripe.paymentIntents.search({ query: "metadata['order']:'o-1' AND currency:'eur'" });
    expect((await search()).data).toEqual([]);
    nowMs += 60_000;
    await stripe.paymentIntents.cancel(id);
    expect((await search()).data).toMatchObject([{ id, status: 'requires_payment_method' }]);
    nowMs += 60_000;
    expect((await search()).data).toMatchObject([{ id, status: 'canceled' }]);
    expect(await failureOf(stripe.paymentIntents.search({ query: 'order=1' }))).toMatchObject({
      param: 'query',
    });
  });
});

describe('money', () => {
  test('is paid back in parts, never more than was paid, and counted in the balance', async () => {
    const { id } = await pay('pm_card_visa');
    await stripe.refunds.create({ payment_intent: id, amount: 1_000 });
    const error = await failureOf(stripe.refunds.create({ payment_intent: id, amount: 51 }));
    expect(error).toMatchObject({ statusCode: 400, param: 'amount' });
    await stripe.refunds.create({ payment_intent: id });
    expect(await failureOf(stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'charge_already_refunded',
    });
    const { data } = await stripe.balanceTransactions.list({ expand: ['data.source'] });
    expect(data.map(({ type, amount }) => [type, amount])).toEqual([
      ['refund', -50],
      ['refund', -1_000],
      ['charge', 1_050],
    ]);
    expect(data[2]).toMatchObject({ fee: 60, net: 990, source: { object: 'charge', payment_intent: id } });
  });

  test('that a bank disputes is taken back with a fee, and comes again when the dispute is won', async () => {
    const { latest_charge: charge } = await pay('pm_card_createDispute');
    const [dispute] = (await stripe.disputes.list()).data;
    expect(dispute).toMatchObject({ charge, amount: 1_050, status: 'needs_response' });
    expect(await failureOf(stripe.refunds.create({ charge: charge as string }))).toMatchObject({
      code: 'charge_disputed',
    });
    emulators.stripe.closeDispute(dispute!.id, 'won');
    const { data } = await stripe.balanceTransactions.list({ type: 'adjustment' });
    expect(data.map(({ amount, fee, reporting_category: category }) => [amount, fee, category])).toEqual([
      [1_050, 0, 'dispute_reversal'],
      [-1_050, 1_500, 'dispute'],
    ]);
  });

  test('that a refund does not reach comes back', async () => {
    const { id } = await pay('pm_card_refundFail');
    expect(await stripe.refunds.create({ payment_intent: id })).toMatchObject({ status: 'failed' });
    const { data } = await stripe.balanceTransactions.list();
    expect(data.reduce((sum, { amount }) => sum + amount, 0)).toBe(1_050);
  });

  test('is paid out as far as there is some', async () => {
    await pay('pm_card_visa');
    expect(await failureOf(stripe.payouts.create({ amount: 991, currency: 'eur' }))).toMatchObject({
      code: 'balance_insufficient',
    });
    expect(await stripe.payouts.create({ amount: 990, currency: 'eur' })).toMatchObject({ status: 'paid' });
  });
});

describe('webhooks', () => {
  async function receiver(statuses: readonly number[] = []) {
    const received: { headers: http.IncomingHttpHeaders; body: string }[] = [];
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        received.push({ headers: request.headers, body });
        response.writeHead(statuses[received.length - 1] ?? 200).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return { url, received, [Symbol.asyncDispose]: close };
  }
  const types = ['payment_intent.succeeded'] as const;

  test('carry a signature with its time, which the SDK accepts for five minutes', async () => {
    await using target = await receiver();
    const { secret = '' } = await stripe.webhookEndpoints.create({
      url: target.url,
      enabled_events: [...types],
    });
    const { id } = await pay('pm_card_visa');
    await emulators.stripe.deliver();
    const [{ headers, body }] = target.received as [{ headers: http.IncomingHttpHeaders; body: string }];
    const read = (atMs: number) =>
      stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), secret, 300, undefined, atMs);
    expect(read(nowMs)).toMatchObject({ type: types[0], data: { object: { id } } });
    expect(() => read(nowMs + 301_000)).toThrow('tolerance');
    expect(() =>
      stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), 'whsec_other'),
    ).toThrow();
  });

  test('come again until they are taken, and more than once when faults say so', async () => {
    await using target = await receiver([500]);
    await stripe.webhookEndpoints.create({ url: target.url, enabled_events: [...types] });
    emulators.stripe.faults.set([{ kind: 'duplicate', operation: 'deliver', resource: types[0] }]);
    await pay('pm_card_visa');
    expect(await emulators.stripe.deliver()).toBe(0);
    expect(emulators.stripe.pendingWebhooks).toBe(1);
    nowMs += 5_000;
    expect(await emulators.stripe.deliver()).toBe(1);
    expect(target.received).toHaveLength(3);
    expect(new Set(target.received.map(({ body }) => body)).size).toBe(1);
  });

  test('overtake each other and are lost when faults say so', async () => {
    await using target = await receiver();
    await stripe.webhookEndpoints.create({ url: target.url, enabled_events: ['*'] });
    emulators.stripe.faults.set([
      { kind: 'latency', operation: 'deliver', resource: 'payment_intent.created', latencyMs: 60_000 },
      { kind: 'error', operation: 'deliver', resource: types[0], times: 1 },
    ]);
    await pay('pm_card_visa');
    for (let turn = 0; turn < 3; turn += 1) {
      await emulators.stripe.deliver();
      nowMs += 60_000;
    }
    const order = target.received.map(({ body }) => (JSON.parse(body) as Stripe.Event).type);
    expect(order).toEqual(['charge.succeeded', types[0], 'payment_intent.created']);
  });

  test('go to this machine only', async () => {
    const there = { url: 'https://shop.example/events', enabled_events: [...types] };
    expect(await failureOf(stripe.webhookEndpoints.create(there))).toMatchObject({ param: 'url' });
  });
});

test('everything is there after a start on the same folder', async () => {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'stripe-'));
  try {
    await emulators.close();
    await start({ dataDir });
    const made = await pay('pm_card_visa', { metadata: { order: 'o-1' } });
    const first = await stripe.paymentIntents.create(asked, { idempotencyKey: 'one' });
    await emulators.close();
    await start({ dataDir });
    expect(await stripe.paymentIntents.retrieve(made.id)).toMatchObject({
      status: 'succeeded',
      metadata: { order: 'o-1' },
    });
    expect((await stripe.paymentIntents.create(asked, { idempotencyKey: 'one' })).id).toBe(first.id);
  } finally {
    await emulators.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
});
