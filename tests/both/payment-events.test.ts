/**
 * What the providers' sandboxes send, byte for byte as it comes, to the routes that take it. Runs once per cloud.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { cloudName } from '#cloud';
import { type Breaches, breachesOf, type OpenApi } from '../../infra/rollout/contract-breaches.ts';
import { openApiDocument } from '../../scripts/generate/openapi.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { paymentKey } from '../../src/shared/domain/orders/payment.ts';
import { eventErrors, takeEvent } from '../../src/shared/domain/payments/take-event.ts';
import { defineRoutes } from '../../src/shared/domain/routes/define-routes.ts';
import { RuleError } from '../../src/shared/domain/rule-error.ts';
import { openPayments } from '../../src/shared/open-payments.ts';
import { openServices } from '../../src/shared/open-services.ts';
import { payments as shipped } from '../../src/shared/routes/payments.ts';
import { openRuntime } from '../../src/shared/runtime.ts';
import { serveRoutes } from '../../src/shared/serve-routes.ts';
import { invoke } from '../helpers/api.ts';
import { checksOfEntity } from '../helpers/entity-checks.ts';
import { checksOf } from '../helpers/sample-routes.ts';
import { setEnvironment, startCloud } from '../helpers/sites.ts';

const HOUR_MS = 3_600_000;
const SECRETS = {
  STRIPE_KEY: 'sk_test_local',
  STRIPE_WEBHOOK_SECRET: 'whsec_local',
  PAYPAL_CLIENT_ID: 'local',
  PAYPAL_CLIENT_SECRET: 'local',
  PAYPAL_WEBHOOK_ID: 'WH-LOCAL',
};

/** As the shop's: what a check changes, it changes once for an event. */
const order = defineEntity({
  name: 'order',
  collection: 'orders',
  idField: 'orderId',
  description: 'An order',
  required: [],
  access: { owner: 'customerId' },
  fields: {
    customerId: { type: 'string', maxLength: 256 },
    over: { type: 'boolean' },
    checked: { type: 'string', maxLength: 255, by: 'action' },
    looks: { type: 'integer', minimum: 0, maximum: 100, merge: 'counter', by: 'action' },
  },
  actions: {
    check: {
      summary: 'Look at the payment again',
      input: { event: { type: 'string', maxLength: 255 } },
      errors: { over: 'It is over' },
      decide({ checked, over }, { event }) {
        if (over === true) throw new RuleError('over');
        return checked === event || event === undefined
          ? undefined
          : { checked: event, looks: { increment: 1 } };
      },
    },
  },
  example: {},
});

/** The routes of the product, over orders; and what a test asks of those. */
const routes = defineRoutes({
  name: 'payments',
  description: 'Events',
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
    placeOrder: {
      method: 'POST',
      path: '/payments/orders',
      summary: 'An order',
      access: 'everybody',
      input: { over: { type: 'boolean' } },
      output: { id: { type: 'string' } },
      async handle({ input: { over = false } }, { records }) {
        return { id: (await records.order.actingFor({ owner: 'ada' }).create({ over })).id };
      },
    },
    looksAt: {
      method: 'GET',
      path: '/payments/orders/{orderId}',
      summary: 'How often its payment was looked at',
      access: 'everybody',
      output: { looks: { type: 'integer' } },
      async handle({ params }, { records }) {
        return { looks: (await records.order.actingFor({}).read(params.orderId))['looks'] as number };
      },
    },
  },
});

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

let clockMs = Date.parse('2026-06-01T12:00:00Z');
let sandboxes: Emulators<'stripe' | 'paypal'>;
let breaches: Breaches;
const received: Sent[] = [];
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  jest.spyOn(Date, 'now').mockImplementation(() => clockMs);
  closing.push(() => jest.restoreAllMocks());
  const receiver = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers as Sent['headers'], body: Buffer.concat(chunks) });
      // Never taken: the provider sends it again, signed anew.
      response.writeHead(503).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const envFile = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'events-')), '.env');
  fs.writeFileSync(
    envFile,
    Object.entries(SECRETS)
      .map(([name, value]) => `SECRET_${name}=${value}\n`)
      .join(''),
  );
  const [cloud, vaults, started] = await Promise.all([
    startCloud(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile: envFile, prefix: 'tandem' },
      keyvault: { secretsFile: envFile },
    }),
    startEmulators({
      services: ['stripe', 'paypal'],
      now: () => clockMs,
      stripe: { webhooks: [{ url: `${url}/stripe`, secret: SECRETS.STRIPE_WEBHOOK_SECRET }] },
      paypal: { webhooks: [{ url: `${url}/paypal`, id: SECRETS.PAYPAL_WEBHOOK_ID }] },
    }),
  ]);
  sandboxes = started;
  closing.push(
    setEnvironment({ ...vaults.env, ...cloud.env, TANDEM_LOG_LEVEL: 'error' }),
    () => cloud.close(),
    () => vaults.close(),
    () => started.close(),
    () => {
      receiver.closeAllConnections();
      receiver.close();
    },
    () => fs.rmSync(path.dirname(envFile), { recursive: true }),
  );
  breaches = breachesOf(parse(openApiDocument([order], [routes])) as OpenApi);
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});
beforeEach(() => void received.splice(0));

const TYPES = {
  stripe: { charged: 'payment_intent.succeeded', other: 'charge.succeeded' },
  paypal: { charged: 'PAYMENT.CAPTURE.COMPLETED', other: 'PAYMENT.AUTHORIZATION.CREATED' },
} as const;

describe.each(['stripe', 'paypal'] as const)('the events of %s', (provider) => {
  const route = `/payments/${provider}`;
  let handler: unknown;
  let restore: () => void;

  beforeAll(() => {
    restore = setEnvironment({
      TANDEM_PAYMENTS: provider,
      TANDEM_PAYMENTS_URL: sandboxes[provider].endpoint,
    });
    const entities = [{ entity: order, checks: checksOfEntity(order) }];
    handler = serveRoutes(routes, { operations: checksOf(routes), entities }, openPayments);
  });
  afterAll(() => restore());

  async function ask(method: string, at: string, sent: Partial<Sent> = {}) {
    const { host, connection, ...headers } = sent.headers ?? {};
    const response = await invoke(handler, {
      method,
      path: at,
      headers,
      ...(sent.body !== undefined && { body: sent.body }),
    });
    expect([host, connection, breaches(method, at, response)]).toEqual([host, connection, []]);
    return { status: response.status, json: JSON.parse(response.text) as Record<string, unknown> };
  }

  /** The event of a charge, as it comes from the sandbox. */
  async function eventAbout(key: string): Promise<Sent> {
    const runtime = openRuntime();
    const gateway = openPayments(runtime)(openServices(runtime));
    const { id } = await gateway.create({
      ...{ key, amountMinor: 1_050, currency: 'EUR', claim: 'aws-us-east-1' },
    });
    if (provider === 'paypal') sandboxes.paypal.approve(id);
    expect(await gateway.confirm(id, provider === 'stripe' ? 'pm_card_visa' : undefined)).toMatchObject({
      status: 'charged',
    });
    return await again();
  }

  /** The newest of all that are not taken, signed by the clock of now. */
  async function again(): Promise<Sent> {
    received.splice(0);
    await sandboxes[provider].deliver();
    return newestOf(TYPES[provider].charged);
  }

  function newestOf(type: string): Sent {
    const newest = received.findLast(({ body }) => body.includes(`"${type}"`));
    if (newest === undefined) throw new Error('no event was sent');
    return newest;
  }

  async function place(fields: object = {}): Promise<string> {
    const body = Buffer.from(JSON.stringify(fields));
    return (await ask('POST', '/payments/orders', { body })).json['id'] as string;
  }

  const looks = async (id: string): Promise<unknown> =>
    (await ask('GET', `/payments/orders/${id}`)).json['looks'];

  test('about an order look at its payment again, doubled ones once', async () => {
    const id = await place();
    const sent = await eventAbout(paymentKey(id));
    for (let turn = 0; turn < 3; turn += 1)
      expect(await ask('POST', route, sent)).toEqual({ status: 200, json: { received: true } });
    expect(await looks(id)).toBe(1);
  });

  test('that say nothing new of an order are taken, and write nothing', async () => {
    const id = await place();
    await eventAbout(paymentKey(id));
    expect((await ask('POST', route, newestOf(TYPES[provider].other))).status).toBe(200);
    expect(await looks(id)).toBe(0);
  });

  test('are taken byte for byte, also where the gateway hands them over in base64', async () => {
    const id = await place();
    const { headers, body } = await eventAbout(paymentKey(id));
    const sent = { headers: { ...headers, 'content-type': 'application/octet-stream' }, body };
    expect((await ask('POST', route, sent)).status).toBe(200);
    expect(await looks(id)).toBe(1);
  });

  test('about an order that refuses to look are taken: it would refuse them again', async () => {
    const sent = await eventAbout(paymentKey(await place({ over: true })));
    expect((await ask('POST', route, sent)).status).toBe(200);
  });

  test('of no order are taken, and change nothing', async () => {
    expect((await ask('POST', route, await eventAbout('gift-1'))).status).toBe(200);
    expect((await ask('POST', route, await eventAbout('order-no/id'))).status).toBe(200);
  });

  test('about an order that is not here come again for an hour, and no longer', async () => {
    const young = await eventAbout(paymentKey(`elsewhere-${provider}`));
    expect(await ask('POST', route, young)).toMatchObject({ status: 503, json: { code: 'not_yet_here' } });
    clockMs += HOUR_MS + 1_000;
    expect(await ask('POST', route, await again())).toEqual({ status: 200, json: { received: true } });
  });

  test('that are forged, unsigned or too large are refused by name', async () => {
    const { headers, body } = await eventAbout('order-forged');
    const other = Buffer.from(body.toString().replace('1050', '1051').replace('10.50', '10.51'));
    const refused = async (sent: Partial<Sent>): Promise<unknown[]> => {
      const { status, json } = await ask('POST', route, sent);
      return [status, json['code']];
    };
    expect(await refused({ headers, body: other })).toEqual([400, 'event_forged']);
    expect(await refused({ headers: {}, body })).toEqual([400, 'event_unsigned']);
    expect(await refused({ headers: {} })).toEqual([400, 'event_unsigned']);
    expect(await refused({ headers, body: Buffer.alloc(300_000, ' ') })).toEqual([413, 'event_too_large']);
  });

  test('are another provider’s where the site takes its payments elsewhere', async () => {
    const elsewhere = provider === 'stripe' ? '/payments/paypal' : '/payments/stripe';
    const { status, json } = await ask('POST', elsewhere, await eventAbout('order-2'));
    expect([status, json['code']]).toEqual([404, 'other_provider']);
  });

  test('come again from a site that has no provider yet', async () => {
    const sent = await eventAbout('order-3');
    restore();
    const bare = serveRoutes(shipped, { operations: checksOf(shipped), entities: [] }, openPayments);
    restore = setEnvironment({
      TANDEM_PAYMENTS: provider,
      TANDEM_PAYMENTS_URL: sandboxes[provider].endpoint,
    });
    const response = await invoke(bare, { method: 'POST', path: route, ...sent });
    expect([response.status, JSON.parse(response.text)]).toMatchObject([503, { code: 'unavailable' }]);
  });

  if (provider === 'stripe') {
    /** Signed with the endpoint's secret, whatever it is. */
    const signed = (body: Buffer, atMs = clockMs): Sent => {
      const seconds = Math.floor(atMs / 1_000);
      const content = Buffer.concat([Buffer.from(`${seconds}.`), body]);
      const digest = createHmac('sha256', SECRETS.STRIPE_WEBHOOK_SECRET).update(content).digest('hex');
      return { headers: { 'stripe-signature': `t=${seconds},v1=${digest}` }, body };
    };

    test('that are stale or no event are refused by name', async () => {
      const { body } = await eventAbout('order-stale');
      const stale = await ask('POST', route, signed(body, clockMs - 301_000));
      expect([stale.status, stale.json['code']]).toEqual([400, 'event_stale']);
      const none = await ask('POST', route, signed(Buffer.from('{"hello": "you"}')));
      expect([none.status, none.json['code']]).toEqual([400, 'event_malformed']);
      const text = await ask('POST', route, signed(Buffer.from('hello')));
      expect([text.status, text.json['code']]).toEqual([400, 'event_malformed']);
    });

    test('may have any characters and any white space', async () => {
      const id = await place();
      const event = {
        ...{ id: 'evt_é☕', object: 'event', type: 'payment_intent.succeeded', created: clockMs / 1_000 },
        data: { object: { id: 'pi_1', object: 'payment_intent', metadata: { order: paymentKey(id) } } },
      };
      const body = Buffer.from(`${JSON.stringify(event, undefined, '\t')}\r\n`);
      expect((await ask('POST', route, signed(body))).status).toBe(200);
      expect(await looks(id)).toBe(1);
    });
  }
});
