/** Both payment providers, through their adapters over the sandboxes: one suite, under faults. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Stripe from 'stripe';
import { startEmulators } from '@tandem-clouds/emulators';
import type { FaultRule, Faults } from '@tandem-clouds/emulators/core/faults';
import { AmbiguousError, isRetryable, UnavailableError } from '@tandem-clouds/replication/errors';
import { fetchClient } from '../../src/shared/adapters/fetch-client.ts';
import { outboundHttp } from '../../src/shared/adapters/outbound-http.ts';
import { PayPalPayments } from '../../src/shared/adapters/payments/paypal.ts';
import { StripePayments } from '../../src/shared/adapters/payments/stripe.ts';
import { linesOf } from '../../src/shared/domain/ledger/ledger.ts';
import { reconcile } from '../../src/shared/domain/ledger/reconcile.ts';
import { AmountError, CurrencyError } from '../../src/shared/money.ts';
import { PaymentKeySpentError, RefundRefusedError } from '../../src/shared/ports/payment-errors.ts';
import type {
  Payment,
  PaymentGateway,
  PaymentRequest,
  WebhookReading,
} from '../../src/shared/ports/payment-provider.ts';

const START_MS = Date.parse('2026-06-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEBHOOK_SECRET = 'whsec_of_the_endpoint';

/** A request that a webhook has made. */
interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** What the gateway made of it there and then. */
  readonly reading: WebhookReading;
}

interface Sandbox {
  readonly faults: Faults;
  gateway(options?: { readonly endpoint?: string; readonly wrongKey?: boolean }): PaymentGateway;
  /** What a charge that succeeds, or is declined, is made with; and what the customer does for it. */
  readonly methods: { readonly good: string; readonly bad: string };
  agree(id: string, how: 'good' | 'bad'): void;
  /** What is charged only after the customer has answered, on a page of the provider or of their bank. */
  readonly asking: string;
  answer(id: string): void;
  /** Operations of a fault rule, and how often one has to fail until the adapter sees it. */
  readonly operations: { readonly create: string; readonly confirm: string; readonly refund: string };
  readonly losses: number;
  readonly keysKeptMs: number;
  /** Until a search shows everything. */
  readonly lagMs: number;
  /** Makes the provider send events there from now on. */
  listen(url: string): Promise<void>;
  deliver(): Promise<number>;
  /** The bank takes back what was charged. */
  dispute(payment: Payment): Promise<void>;
  close(): Promise<void>;
}

let nowMs = START_MS;
const now = (): number => nowMs;
const call = outboundHttp({
  client: fetchClient,
  sleep: () => Promise.resolve(),
  elapsed: () => performance.now(),
  now,
  random: () => 0,
});

async function stripeSandbox(): Promise<Sandbox> {
  const emulators = await startEmulators({ services: ['stripe'], now });
  const { stripe } = emulators;
  const client = new Stripe(stripe.apiKey, stripe.config);
  let secret = WEBHOOK_SECRET;
  return {
    faults: stripe.faults,
    gateway: ({ endpoint = stripe.endpoint, wrongKey = false } = {}) =>
      new StripePayments({
        http: call,
        apiKey: () => Promise.resolve(wrongKey ? 'sk_test_other' : stripe.apiKey),
        refreshKey: (refused) => Promise.resolve(refused),
        webhookSecret: () => Promise.resolve(secret),
        returnUrl: 'https://shop.example/paid',
        endpoint,
        now,
      }),
    methods: { good: 'pm_card_visa', bad: 'pm_card_visa_chargeDeclined' },
    agree: () => undefined,
    asking: 'pm_card_threeDSecure2Required',
    answer: (id) => void stripe.authenticate(id),
    operations: { create: 'CreatePaymentIntent', confirm: 'ConfirmPaymentIntent', refund: 'CreateRefund' },
    losses: 1,
    keysKeptMs: DAY_MS,
    lagMs: 60_000,
    async listen(url) {
      ({ secret = '' } = await client.webhookEndpoints.create({ url, enabled_events: ['*'] }));
    },
    deliver: () => stripe.deliver(),
    async dispute({ id }) {
      const { latest_charge: charge } = await client.paymentIntents.retrieve(id);
      stripe.dispute(charge as string);
    },
    close: () => emulators.close(),
  };
}

async function payPalSandbox(): Promise<Sandbox> {
  const emulators = await startEmulators({ services: ['paypal'], now });
  const { paypal } = emulators;
  let webhookId = 'NONE';
  return {
    faults: paypal.faults,
    gateway: ({ endpoint = paypal.endpoint, wrongKey = false } = {}) =>
      new PayPalPayments({
        credentials: () =>
          Promise.resolve({
            clientId: paypal.clientId,
            clientSecret: wrongKey ? 'other' : paypal.clientSecret,
          }),
        refreshCredentials: (refused) => Promise.resolve(refused),
        webhookId: () => Promise.resolve(webhookId),
        endpoint,
        http: call,
        now,
      }),
    methods: { good: '', bad: '' },
    agree: (id, how) => void paypal.approve(id, how === 'good' ? undefined : 'PAYER_CANNOT_PAY'),
    asking: '',
    answer: (id) => void paypal.approve(id),
    operations: { create: 'CreateOrder', confirm: 'CaptureAuthorization', refund: 'RefundCapture' },
    losses: 1,
    keysKeptMs: 6 * HOUR_MS,
    lagMs: 3 * HOUR_MS,
    async listen(url) {
      const response = await fetch(`${paypal.endpoint}/v1/notifications/webhooks`, {
        method: 'POST',
        headers: { authorization: `Bearer ${paypal.token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ url, event_types: [{ name: '*' }] }),
      });
      ({ id: webhookId } = (await response.json()) as { id: string });
    },
    deliver: () => paypal.deliver(),
    async dispute({ id }) {
      const response = await fetch(`${paypal.endpoint}/v2/checkout/orders/${id}`, {
        headers: { authorization: `Bearer ${paypal.token()}` },
      });
      const order = (await response.json()) as {
        purchase_units: { payments: { captures: { id: string }[] } }[];
      };
      paypal.dispute(order.purchase_units[0]!.payments.captures[0]!.id);
    },
    close: () => emulators.close(),
  };
}

async function serve(answer: http.RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const reasonOf = (error: unknown): unknown => (error instanceof RefundRefusedError ? error.reason : error);

describe.each([
  ['Stripe', stripeSandbox],
  ['PayPal', payPalSandbox],
] as const)('%s', (name, open) => {
  let sandbox: Sandbox;
  let gateway: PaymentGateway;
  let orders = 0;

  beforeAll(async () => {
    sandbox = await open();
    gateway = sandbox.gateway();
  });
  afterAll(() => sandbox.close());

  function order(more: Partial<PaymentRequest> = {}): PaymentRequest {
    orders += 1;
    return {
      key: `order-${name}-${orders}`,
      amountMinor: 1_050,
      currency: 'EUR',
      claim: 'aws-us-east-1',
      ...more,
    };
  }

  /** What the provider's form gave to the browser; nothing where the customer agrees elsewhere. */
  const method = (how: 'good' | 'bad' = 'good'): string | undefined => sandbox.methods[how] || undefined;

  /** Created, and agreed to by the customer. */
  async function agreed(more: Partial<PaymentRequest> = {}, how: 'good' | 'bad' = 'good'): Promise<Payment> {
    const payment = await gateway.create(order(more));
    sandbox.agree(payment.id, how);
    return payment;
  }

  async function charged(more: Partial<PaymentRequest> = {}): Promise<Payment> {
    return await gateway.confirm((await agreed(more)).id, method());
  }

  async function under<Result>(rule: FaultRule, run: () => Promise<Result>): Promise<Result> {
    sandbox.faults.set([rule]);
    try {
      return await run();
    } finally {
      sandbox.faults.clear();
    }
  }

  const failure = (run: Promise<unknown>): Promise<unknown> =>
    run.then(
      (value) => new Error(`no error, but ${JSON.stringify(value)}`),
      (error: unknown) => error,
    );

  test('a key makes one payment, whose claim is that of the first caller', async () => {
    const request = order();
    const first = await gateway.create(request);
    const other = await sandbox.gateway().create({ ...request, claim: 'azure-eastus' });
    expect(first).toMatchObject({ status: 'open', claim: 'aws-us-east-1' });
    expect(other).toMatchObject({ id: first.id, status: 'open', claim: 'aws-us-east-1' });
  });

  test('callers at the same time get one payment with one claim', async () => {
    const request = order();
    const claims = ['a', 'b', 'c', 'd'];
    const payments = await Promise.all(
      claims.map((claim) => sandbox.gateway().create({ ...request, claim })),
    );
    expect(new Set(payments.map(({ id }) => id)).size).toBe(1);
    expect(new Set(payments.map(({ claim }) => claim)).size).toBe(1);
  });

  test('what is charged stays charged', async () => {
    const { id } = await charged();
    expect(await gateway.confirm(id, method())).toMatchObject({ status: 'charged', claim: 'aws-us-east-1' });
    expect(await gateway.cancel(id)).toMatchObject({ status: 'charged' });
  });

  test('what is cancelled is never charged, whatever the customer does then', async () => {
    const { id } = await gateway.create(order());
    expect(await gateway.cancel(id)).toMatchObject({ status: 'cancelled', claim: 'aws-us-east-1' });
    sandbox.agree(id, 'good');
    expect(await gateway.confirm(id, method())).toMatchObject({ status: 'cancelled' });
    expect(await gateway.cancel(id)).toMatchObject({ status: 'cancelled' });
  });

  test('a refusal of the bank is a decline, and can be cancelled', async () => {
    const { id } = await agreed({}, 'bad');
    expect(await gateway.confirm(id, method('bad'))).toMatchObject({ status: 'declined' });
    expect(await gateway.cancel(id)).toMatchObject({ status: 'cancelled' });
  });

  test('what the customer has to do first is named, and then it is charged', async () => {
    const { id } = await gateway.create(order());
    for (let turn = 0; turn < 2; turn += 1) {
      const asked = await gateway.confirm(id, sandbox.asking || undefined);
      expect(asked).toMatchObject({ status: 'open', action: { kind: 'redirect' } });
    }
    sandbox.answer(id);
    const charged = await gateway.confirm(id);
    expect(charged).toMatchObject({ status: 'charged' });
    expect(charged.action).toBeUndefined();
  });

  test('of a charge and a cancellation at the same time one comes about, and everybody learns which', async () => {
    const fates = new Set<string>();
    for (let round = 0; round < 8; round += 1) {
      const { id } = await agreed();
      const confirm = (): Promise<Payment> => sandbox.gateway().confirm(id, method());
      const cancel = (): Promise<Payment> => sandbox.gateway().cancel(id);
      const runs = round % 2 === 0 ? [confirm, cancel, confirm] : [cancel, confirm, cancel];
      const results = await Promise.all(runs.map((run) => run()));
      const { status } = await gateway.read(id);
      expect(['charged', 'cancelled']).toContain(status);
      for (const result of results) expect([status, 'open']).toContain(result.status);
      fates.add(status);
    }
    expect(fates.size).toBeGreaterThan(0);
  });

  test('a lost answer to a creation says nothing, and the next attempt finds the payment', async () => {
    const request = order();
    const lost: FaultRule = { kind: 'drop-ack', operation: sandbox.operations.create, times: sandbox.losses };
    expect(await failure(under(lost, () => gateway.create(request)))).toBeInstanceOf(AmbiguousError);
    const [one, two] = [await gateway.create(request), await gateway.create(request)];
    expect(two).toEqual(one);
  });

  test('a lost answer to a charge says nothing, and it is charged once', async () => {
    const { id } = await agreed();
    const lost: FaultRule = {
      kind: 'drop-ack',
      operation: sandbox.operations.confirm,
      times: sandbox.losses,
    };
    expect(await failure(under(lost, () => gateway.confirm(id, method())))).toBeInstanceOf(AmbiguousError);
    expect(await gateway.confirm(id, method())).toMatchObject({ status: 'charged' });
    expect(await gateway.cancel(id)).toMatchObject({ status: 'charged' });
  });

  test('a failure of the provider says nothing, a refusal for now had no effect, and both may be tried again', async () => {
    const { id } = await agreed();
    const failing: FaultRule = { kind: 'error', operation: sandbox.operations.confirm, times: 1 };
    expect(await failure(under(failing, () => gateway.confirm(id, method())))).toBeInstanceOf(AmbiguousError);
    const code = name === 'Stripe' ? 'rate_limit' : 'RATE_LIMIT_REACHED';
    const slow = await failure(under({ ...failing, code }, () => gateway.confirm(id, method())));
    expect(slow).toBeInstanceOf(UnavailableError);
    expect(await gateway.read(id)).toMatchObject({ status: 'open' });
    expect(await gateway.confirm(id, method())).toMatchObject({ status: 'charged' });
  });

  test('a creation whose failure is remembered spends its key, and the next key makes the payment', async () => {
    // PayPal remembers only what has succeeded.
    const isKept = name === 'Stripe';
    const request = order();
    const code = isKept ? 'api_error_after' : 'INTERNAL_SERVER_ERROR';
    const failing: FaultRule = { kind: 'error', operation: sandbox.operations.create, times: 1, code };
    expect(await failure(under(failing, () => gateway.create(request)))).toBeInstanceOf(AmbiguousError);
    if (!isKept) {
      expect(await gateway.create(request)).toMatchObject({ status: 'open', claim: request.claim });
      return;
    }
    for (const claim of ['aws-us-east-1', 'azure-eastus'])
      expect(await failure(gateway.create({ ...request, claim }))).toBeInstanceOf(PaymentKeySpentError);
    const made = await gateway.create({ ...request, spentKeys: 1 });
    const other = await gateway.create({ ...request, spentKeys: 1, claim: 'azure-eastus' });
    expect(made).toMatchObject({ status: 'open', claim: 'aws-us-east-1' });
    expect(other).toEqual(made);
    nowMs += sandbox.lagMs + 1_000;
    // What was made under the spent key is nobody's, so it is not taken for the order's payment.
    expect(await gateway.lookup(request.key)).toEqual(made);
  });

  test('a claim whose failure is remembered leaves a payment that can be cancelled', async () => {
    if (name !== 'Stripe') return;
    const request = order();
    const failing: FaultRule = {
      kind: 'error',
      operation: 'UpdatePaymentIntent',
      times: 1,
      code: 'api_error',
    };
    expect(await failure(under(failing, () => gateway.create(request)))).toBeInstanceOf(AmbiguousError);
    const unclaimed = await gateway.create(request);
    expect(unclaimed).toMatchObject({ status: 'open', claim: '' });
    nowMs += sandbox.lagMs + 1_000;
    expect(await gateway.lookup(request.key)).toBeUndefined();
    expect(await gateway.cancel(unclaimed.id)).toMatchObject({ status: 'cancelled' });
  });

  test('a provider that is away, or refuses our key, is unavailable', async () => {
    const closed = await serve(() => undefined);
    await closed.close();
    const away = sandbox.gateway({ endpoint: closed.url });
    for (const run of [() => away.create(order()), () => away.read('x'), () => away.lookup('x')])
      expect(await failure(run())).toBeInstanceOf(UnavailableError);
    const wrong = sandbox.gateway({ wrongKey: true });
    expect(await failure(wrong.create(order()))).toBeInstanceOf(UnavailableError);
  });

  test('an answer that is none never counts as one', async () => {
    const page = await serve((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>welcome</html>');
    });
    try {
      const strange = sandbox.gateway({ endpoint: page.url });
      for (const run of [() => strange.create(order()), () => strange.read('x'), () => strange.lookup('x')])
        expect(isRetryable(await failure(run()))).toBe(true);
    } finally {
      await page.close();
    }
  });

  test('a known key with another amount is an error that is not tried again', async () => {
    const request = order();
    await gateway.create(request);
    const error = await failure(gateway.create({ ...request, amountMinor: 999 }));
    expect(error).toMatchObject({ retryable: false });
    expect(['PaymentRefusedError', 'PaymentMismatchError']).toContain((error as Error).name);
  });

  test.each([
    ['nothing', { amountMinor: 0 }, AmountError],
    ['a negative amount', { amountMinor: -5 }, AmountError],
    ['a fraction of a cent', { amountMinor: 10.5 }, AmountError],
    ['more than is safe', { amountMinor: 2 ** 53 }, AmountError],
    ['no currency', { currency: 'XXY' }, CurrencyError],
    ['a currency in small letters', { currency: 'eur' }, CurrencyError],
    ['a currency that the provider does not take', { currency: 'KPW' }, CurrencyError],
  ])('%s is refused by name', async (_what, more, type) => {
    expect(await failure(gateway.create(order(more)))).toBeInstanceOf(type);
  });

  test('an amount that is safe is refused by name where the provider takes less', async () => {
    const most = order({ amountMinor: Number.MAX_SAFE_INTEGER });
    if (name === 'Stripe') expect(await failure(gateway.create(most))).toBeInstanceOf(AmountError);
    else expect(await gateway.create(most)).toMatchObject({ status: 'open' });
  });

  test('yen are whole', async () => {
    const { id } = await charged({ amountMinor: 500, currency: 'JPY' });
    const refund = await gateway.refund({
      paymentId: id,
      amountMinor: 500,
      currency: 'JPY',
      key: `all-${id}`,
    });
    expect(refund).toMatchObject({ amountMinor: 500, currency: 'JPY', status: 'done' });
  });

  test('a charge is found by its key once the search shows it, and what there is not is not found', async () => {
    const request = order();
    const { id } = await gateway.create(request);
    sandbox.agree(id, 'good');
    await gateway.confirm(id, method());
    nowMs += sandbox.lagMs + 1_000;
    expect(await gateway.lookup(request.key)).toMatchObject({ id, status: 'charged' });
    expect(await gateway.lookup('order-of-nobody')).toBeUndefined();
  });

  test('when a key is forgotten another payment is made, and the one that was charged is found', async () => {
    const request = order();
    const first = await gateway.create(request);
    sandbox.agree(first.id, 'good');
    await gateway.confirm(first.id, method());
    nowMs += sandbox.keysKeptMs;
    const second = await gateway.create({ ...request, claim: 'azure-eastus' });
    expect(second).toMatchObject({ status: 'open', claim: 'azure-eastus' });
    expect(second.id).not.toBe(first.id);
    nowMs += sandbox.lagMs + 1_000;
    expect(await gateway.lookup(request.key)).toMatchObject({ id: first.id, status: 'charged' });
  });

  test('parts of a charge are paid back, each once, and never more than was paid', async () => {
    const { id } = await charged();
    const refund = (amountMinor: number, key: string) =>
      gateway.refund({ paymentId: id, amountMinor, currency: 'EUR', key: `${key}-${id}` });
    const lost: FaultRule = { kind: 'drop-ack', operation: sandbox.operations.refund, times: sandbox.losses };
    expect(await failure(under(lost, () => refund(400, 'one')))).toBeInstanceOf(AmbiguousError);
    const one = await refund(400, 'one');
    expect(one).toMatchObject({ amountMinor: 400, currency: 'EUR', status: 'done' });
    nowMs += 46 * DAY_MS;
    expect(await refund(400, 'one')).toEqual(one);
    expect(reasonOf(await failure(refund(651, 'two')))).toBe('too much');
    expect(await refund(650, 'three')).toMatchObject({ amountMinor: 650 });
    expect(reasonOf(await failure(refund(1, 'four')))).toBe('too much');
  });

  test('what cannot be paid back is refused by name', async () => {
    const open = await agreed();
    const { id } = await charged();
    const refund = (paymentId: string, more: object = {}) =>
      failure(
        gateway.refund({ paymentId, amountMinor: 1, currency: 'EUR', key: `no-${paymentId}`, ...more }),
      );
    expect(reasonOf(await refund(open.id))).toBe('not charged');
    expect(reasonOf(await refund(id, { currency: 'USD' }))).toBe('currency');
    expect(await refund(id, { amountMinor: 0 })).toBeInstanceOf(AmountError);
    await sandbox.dispute(await gateway.read(id));
    expect(reasonOf(await refund(id))).toBe('disputed');
  });

  test('the books made of what it lists are those that it lists, and name what is left out', async () => {
    nowMs += DAY_MS;
    const fromMs = nowMs;
    const request = order();
    const { id } = await gateway.create(request);
    sandbox.agree(id, 'good');
    await gateway.confirm(id, method());
    await gateway.refund({ paymentId: id, amountMinor: 50, currency: 'EUR', key: `part-${id}` });
    await sandbox.dispute(await gateway.read(id));
    nowMs += sandbox.lagMs + 1_000;
    const { entries, completeUntilMs } = await gateway.list(fromMs, nowMs);
    expect(entries.map(({ kind, amountMinor, key }) => ({ kind, amountMinor, key }))).toEqual([
      { kind: 'charge', amountMinor: 1_050, key: request.key },
      { kind: 'refund', amountMinor: -50, key: request.key },
      { kind: 'dispute', amountMinor: -1_000, key: request.key },
    ]);
    expect(entries[0]!.feeMinor).toBeGreaterThan(0);
    expect(completeUntilMs).toBeGreaterThan(fromMs);
    const books = { provider: gateway.name, fromMs, untilMs: completeUntilMs, entries };
    const lines = entries.flatMap((entry) => linesOf(gateway.name, entry));
    expect(reconcile({ ...books, lines })).toEqual([]);
    const found = reconcile({ ...books, lines: lines.filter(({ kind }) => kind !== 'refund') });
    expect(found).toMatchObject([{ kind: 'missing here', entry: { kind: 'refund' } }]);
  });

  test('webhooks are read when their signatures hold, doubled, late and lost ones too', async () => {
    const received: Received[] = [];
    const receiver = await serve((request, response) => {
      void (async () => {
        let body = '';
        for await (const piece of request) body += String(piece);
        const headers = request.headers as Received['headers'];
        received.push({ headers, body, reading: await gateway.readWebhook(headers, body) });
        response.end();
      })();
    });
    try {
      await sandbox.listen(receiver.url);
      const request = order();
      sandbox.faults.set([
        { kind: 'error', operation: 'deliver', times: 1 },
        { kind: 'duplicate', operation: 'deliver' },
        { kind: 'drop-ack', operation: 'deliver', times: 2 },
        { kind: 'reorder', operation: 'deliver', latencyMs: 60_000, probability: 0.5 },
      ]);
      const { id } = await gateway.create(request);
      sandbox.agree(id, 'good');
      await gateway.confirm(id, method());
      for (let turn = 0; turn < 10; turn += 1) {
        await sandbox.deliver();
        nowMs += 60_000;
      }
      sandbox.faults.clear();
      const events = received.map(({ reading }) => ('event' in reading ? reading.event : undefined));
      expect(events).not.toContain(undefined);
      expect(events.find((event) => event?.kind === 'charged')).toMatchObject({
        key: request.key,
        paymentId: id,
      });
      expect(new Set(events.map((event) => event?.id)).size).toBeLessThan(events.length);

      const { headers, body } = received.at(-1)!;
      const read = (given: Received['headers'], text: string) => gateway.readWebhook(given, text);
      expect(await read(headers, body.replace(/"id":\s*"/, '$&0'))).toEqual({ refusal: 'forged' });
      expect(await read({}, body)).toEqual({ refusal: 'unsigned' });
      expect(await read(headers, ' '.repeat(300_000))).toEqual({ refusal: 'too_large' });
      nowMs += HOUR_MS;
      // PayPal's rule knows no age: an id that is known is the receiver's to find.
      expect(await read(headers, body)).toEqual(
        name === 'Stripe' ? { refusal: 'stale' } : received.at(-1)!.reading,
      );
    } finally {
      await receiver.close();
    }
  });
});
