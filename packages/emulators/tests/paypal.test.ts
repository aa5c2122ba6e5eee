/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call -- JSON of many shapes */
/** What PayPal publishes, seen through its REST API. */
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Emulators, startEmulators } from '../src/start-emulators.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let nowMs: number;
let emulators: Emulators<'paypal'>;

const start = async (options: object = {}): Promise<void> => {
  emulators = await startEmulators({ services: ['paypal'], now: () => nowMs, ...options });
};
beforeEach(async () => {
  nowMs = Date.parse('2026-06-01T12:00:00Z');
  await start();
});
afterEach(() => emulators.close());

interface Answer {
  readonly status: number;
  readonly body: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- JSON of many shapes
}

async function call(
  method: string,
  route: string,
  json?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${emulators.paypal.endpoint}/${route}`, {
    method,
    headers: {
      authorization: `Bearer ${emulators.paypal.token()}`,
      prefer: 'return=representation',
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
const issueOf = ({ status, body }: Answer): unknown => [status, body?.details?.[0]?.issue ?? body?.name];
const keyed = (key: string) => ({ 'paypal-request-id': key });
const unit = (more: object = {}) => ({
  amount: { currency_code: 'EUR', value: '10.50' },
  custom_id: 'a',
  ...more,
});
const create = (more: object = {}, headers: Record<string, string> = {}, intent = 'AUTHORIZE') =>
  call('POST', 'v2/checkout/orders', { intent, purchase_units: [unit(more)] }, headers);
const post = (route: string, json: unknown = {}, headers: Record<string, string> = {}) =>
  call('POST', route, json, headers);

async function authorized(more: object = {}): Promise<{ order: string; authorization: string }> {
  const { body } = await create(more);
  emulators.paypal.approve(body.id);
  const { body: done } = await post(`v2/checkout/orders/${body.id}/authorize`);
  return { order: body.id, authorization: done.purchase_units[0].payments.authorizations[0].id };
}
async function captured(more: object = {}): Promise<{ order: string; capture: string }> {
  const { order, authorization } = await authorized(more);
  return { order, capture: (await post(`v2/payments/authorizations/${authorization}/capture`)).body.id };
}

describe('requests', () => {
  test('need a token of the application, which ends after nine hours', async () => {
    const token = (secret: string) =>
      fetch(`${emulators.paypal.endpoint}/v1/oauth2/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`local:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    expect((await token('other')).status).toBe(401);
    const { access_token: value, expires_in: seconds } = (await (await token('local')).json()) as Record<
      string,
      unknown
    >;
    const headers = { authorization: `Bearer ${String(value)}` };
    expect((await create({}, headers)).status).toBe(201);
    nowMs += Number(seconds) * 1_000;
    expect(issueOf(await create({}, headers))).toEqual([401, 'AUTHENTICATION_FAILURE']);
  });

  test.each([
    [
      'nothing to pay',
      { amount: { currency_code: 'EUR', value: '0.00' } },
      422,
      'CANNOT_BE_ZERO_OR_NEGATIVE',
    ],
    [
      'a negative amount',
      { amount: { currency_code: 'EUR', value: '-1.00' } },
      422,
      'CANNOT_BE_ZERO_OR_NEGATIVE',
    ],
    ['thousandths', { amount: { currency_code: 'EUR', value: '1.005' } }, 422, 'DECIMAL_PRECISION'],
    ['a part of a yen', { amount: { currency_code: 'JPY', value: '1.5' } }, 422, 'DECIMALS_NOT_SUPPORTED'],
    ['another currency', { amount: { currency_code: 'KWD', value: '1.00' } }, 422, 'INVALID_CURRENCY_CODE'],
    [
      'an amount that is a number',
      { amount: { currency_code: 'EUR', value: 1 } },
      400,
      'INVALID_PARAMETER_SYNTAX',
    ],
    ['no amount', { amount: undefined }, 400, 'MISSING_REQUIRED_PARAMETER'],
    ['a long custom_id', { custom_id: 'x'.repeat(128) }, 400, 'INVALID_STRING_LENGTH'],
  ])('with %s are refused by issue', async (_what, more, status, issue) => {
    expect(issueOf(await create(more))).toEqual([status, issue]);
  });

  test('about what is not there are 404, and of another media type 415', async () => {
    expect(issueOf(await call('GET', 'v2/checkout/orders/NONE'))).toEqual([404, 'INVALID_RESOURCE_ID']);
    expect((await post('v2/checkout/orders', {}, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('with the same PayPal-Request-Id make one order for six hours, whatever the body says', async () => {
    const first = await create({}, keyed('one'));
    nowMs += 6 * HOUR_MS - 1;
    const again = await create({ custom_id: 'b' }, keyed('one'));
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.purchase_units[0].custom_id).toBe('a');
    nowMs += 1;
    expect((await create({}, keyed('one'))).body.id).not.toBe(first.body.id);
  });

  test('of payments are remembered for 45 days', async () => {
    const { capture } = await captured();
    const part = { amount: { currency_code: 'EUR', value: '1.00' } };
    const refund = () => post(`v2/payments/captures/${capture}/refund`, part, keyed('r'));
    const first = await refund();
    nowMs += 45 * DAY_MS - 1;
    expect((await refund()).body.id).toBe(first.body.id);
    nowMs += 1;
    expect((await refund()).body.id).not.toBe(first.body.id);
  });
});

describe('orders', () => {
  test('are authorized when the buyer has approved them, once', async () => {
    const { body } = await create();
    const authorize = () => post(`v2/checkout/orders/${body.id}/authorize`);
    expect(issueOf(await authorize())).toEqual([422, 'ORDER_NOT_APPROVED']);
    const { href } = body.links.find(({ rel }: { rel: string }) => rel === 'approve');
    await fetch(href, { method: 'POST' });
    expect((await authorize()).body).toMatchObject({ status: 'COMPLETED' });
    expect(issueOf(await authorize())).toEqual([422, 'ORDER_ALREADY_AUTHORIZED']);
    expect(issueOf(await post(`v2/checkout/orders/${body.id}/capture`))).toEqual([
      422,
      'ACTION_DOES_NOT_MATCH_INTENT',
    ]);
  });

  test('are captured at once where that was the intent', async () => {
    const { body } = await create({}, {}, 'CAPTURE');
    emulators.paypal.approve(body.id);
    const { body: done } = await post(`v2/checkout/orders/${body.id}/capture`);
    expect(done.purchase_units[0].payments.captures[0]).toMatchObject({
      status: 'COMPLETED',
      amount: { value: '10.50' },
    });
  });

  test('whose buyer cannot pay can be approved again', async () => {
    const { body } = await create();
    emulators.paypal.approve(body.id, 'PAYER_CANNOT_PAY');
    const authorize = () => post(`v2/checkout/orders/${body.id}/authorize`);
    expect(issueOf(await authorize())).toEqual([422, 'PAYER_CANNOT_PAY']);
    emulators.paypal.approve(body.id);
    expect((await authorize()).status).toBe(201);
  });

  test('are patched until they are completed', async () => {
    const { body } = await create();
    const at = "/purchase_units/@reference_id=='default'/custom_id";
    const patch = (route = at) =>
      call('PATCH', `v2/checkout/orders/${body.id}`, [{ op: 'replace', path: route, value: 'b' }]);
    expect((await patch()).status).toBe(204);
    expect(issueOf(await patch('/status'))).toEqual([422, 'NOT_PATCHABLE']);
    expect((await call('GET', `v2/checkout/orders/${body.id}`)).body.purchase_units[0].custom_id).toBe('b');
    emulators.paypal.approve(body.id);
    await post(`v2/checkout/orders/${body.id}/authorize`);
    expect(issueOf(await patch())).toEqual([422, 'ORDER_ALREADY_COMPLETED']);
  });

  test('of an invoice that was paid are refused', async () => {
    await authorized({ invoice_id: 'order-1' });
    const { body } = await create({ invoice_id: 'order-1' });
    emulators.paypal.approve(body.id);
    const again = await post(`v2/checkout/orders/${body.id}/authorize`);
    expect(issueOf(again)).toEqual([422, 'DUPLICATE_INVOICE_ID']);
  });
});

describe('authorizations', () => {
  test('are captured or voided, once', async () => {
    const first = await authorized();
    const route = `v2/payments/authorizations/${first.authorization}`;
    expect((await post(`${route}/capture`)).body).toMatchObject({ status: 'COMPLETED', final_capture: true });
    expect(issueOf(await post(`${route}/void`))).toEqual([422, 'PREVIOUSLY_CAPTURED']);
    expect(issueOf(await post(`${route}/capture`))).toEqual([422, 'AUTHORIZATION_ALREADY_CAPTURED']);
    const other = `v2/payments/authorizations/${(await authorized()).authorization}`;
    expect((await post(`${other}/void`)).body).toMatchObject({ status: 'VOIDED' });
    expect(issueOf(await post(`${other}/capture`))).toEqual([422, 'AUTHORIZATION_VOIDED']);
    expect(issueOf(await post(`${other}/void`))).toEqual([422, 'PREVIOUSLY_VOIDED']);
  });

  test('end after 29 days', async () => {
    const { authorization } = await authorized();
    nowMs += 29 * DAY_MS + 1;
    const late = await post(`v2/payments/authorizations/${authorization}/capture`);
    expect(issueOf(late)).toEqual([422, 'AUTHORIZATION_EXPIRED']);
  });
});

describe('money', () => {
  test('is paid back in parts, never more than was paid', async () => {
    const { capture } = await captured();
    const refund = (value: string, currency = 'EUR') =>
      post(`v2/payments/captures/${capture}/refund`, { amount: { currency_code: currency, value } });
    expect((await refund('10.00')).status).toBe(201);
    expect(issueOf(await refund('0.51'))).toEqual([422, 'REFUND_AMOUNT_EXCEEDED']);
    expect(issueOf(await refund('0.50', 'USD'))).toEqual([422, 'REFUND_CAPTURE_CURRENCY_MISMATCH']);
    expect((await post(`v2/payments/captures/${capture}/refund`)).body.amount.value).toBe('0.50');
    expect(issueOf(await refund('0.01'))).toEqual([422, 'CAPTURE_FULLY_REFUNDED']);
  });

  test('is listed by what has moved it, three hours late', async () => {
    const { capture } = await captured({ invoice_id: 'order-1' });
    await post(`v2/payments/captures/${capture}/refund`, { amount: { currency_code: 'EUR', value: '0.50' } });
    const dispute = emulators.paypal.dispute(capture);
    emulators.paypal.closeDispute(dispute.id, 'won');
    const list = (days = 1) => {
      const [from, to] = [nowMs - days * DAY_MS, nowMs].map((ms) => new Date(ms).toISOString());
      return call('GET', `v1/reporting/transactions?start_date=${from}&end_date=${to}&page_size=2&page=1`);
    };
    expect((await list()).body.transaction_details).toEqual([]);
    nowMs += 3 * HOUR_MS;
    const { body } = await list();
    expect(body).toMatchObject({ total_items: 4, total_pages: 2 });
    expect(body.transaction_details[0].transaction_info).toMatchObject({
      transaction_id: capture,
      transaction_event_code: 'T0006',
      transaction_amount: { value: '10.50' },
      fee_amount: { value: '-0.86' },
      invoice_id: 'order-1',
    });
    expect((await list(32)).status).toBe(400);
  });
});

test('webhooks are signed so that PayPal itself can say whether they are its own', async () => {
  const received: { headers: http.IncomingHttpHeaders; body: string }[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body: webhook } = await post('v1/notifications/webhooks', {
      url,
      event_types: [{ name: 'PAYMENT.CAPTURE.COMPLETED' }],
    });
    await captured();
    expect(await emulators.paypal.deliver()).toBe(1);
    const [{ headers, body }] = received as [{ headers: http.IncomingHttpHeaders; body: string }];
    const verify = async (event: unknown, more: object = {}) => {
      const answer = await post('v1/notifications/verify-webhook-signature', {
        auth_algo: headers['paypal-auth-algo'],
        cert_url: headers['paypal-cert-url'],
        transmission_id: headers['paypal-transmission-id'],
        transmission_sig: headers['paypal-transmission-sig'],
        transmission_time: headers['paypal-transmission-time'],
        webhook_id: webhook.id,
        webhook_event: event,
        ...more,
      });
      return answer.body.verification_status as unknown;
    };
    const event: object = JSON.parse(body) as object;
    expect(await verify(event)).toBe('SUCCESS');
    expect(await verify({ ...event, summary: 'another' })).toBe('FAILURE');
    expect(await verify(event, { transmission_time: '2026-06-01T12:00:01Z' })).toBe('FAILURE');
    expect(await verify(event, { webhook_id: 'OTHER' })).toBe('FAILURE');
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

test('everything is there after a start on the same folder', async () => {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'paypal-'));
  try {
    await emulators.close();
    await start({ dataDir });
    const { order } = await captured();
    const first = await create({}, keyed('one'));
    await emulators.close();
    await start({ dataDir });
    expect(
      (await call('GET', `v2/checkout/orders/${order}`)).body.purchase_units[0].payments.captures,
    ).toHaveLength(1);
    expect((await create({}, keyed('one'))).body.id).toBe(first.body.id);
  } finally {
    await emulators.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
});
