/** Azure Communication Services through the real SDK: SMS, keys of requests, tokens, faults. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { SmsClient, type SmsClientOptions, type SmsSendRequest } from '@azure/communication-sms';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { queryToken } from '../src/oidc/request-token.ts';
import { NOBODY, OPTED_OUT } from '../src/sms/numbers.ts';
import { type Emulators, startEmulators } from '../src/start-emulators.ts';

const PHONE = '+15005550006';
const FROM = '+15005550100';
const RETRY = { maxRetries: 0 };

let nowMs: number;
let emulators: Emulators<'communicationservices'>;

beforeEach(async () => {
  nowMs = Date.parse('2026-06-01T12:00:00Z');
  emulators = await startEmulators({ services: ['communicationservices'], now: () => nowMs });
});
afterEach(() => emulators.close());

function sender(
  { endpoint, credential, options } = emulators.communicationservices,
  more: SmsClientOptions = {},
): SmsClient {
  return new SmsClient(endpoint, credential, { ...options, retryOptions: RETRY, ...more });
}

/** The SDK makes a key of its own for each call, by the clock of this machine. */
const send = (request: Partial<SmsSendRequest> = {}, client = sender(), options = {}) => {
  nowMs = Date.now();
  return client.send({ from: FROM, to: [PHONE], message: 'Hello', ...request }, options);
};

/** Without the SDK, whose keys are its own. */
async function post(recipients: readonly unknown[], more = {}): Promise<{ status: number; value: unknown }> {
  const { port } = emulators.communicationservices;
  const response = await fetch(`http://127.0.0.1:${port}/sms?api-version=2021-03-07`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer local' },
    body: JSON.stringify({ from: FROM, message: 'Hello', smsRecipients: recipients, ...more }),
  });
  const body = (await response.json()) as { value?: unknown; error?: unknown };
  return { status: response.status, value: body.value ?? body.error };
}
const box = () => emulators.communicationservices.box;

describe('a text', () => {
  test('is sent with its tag, and kept', async () => {
    const results = await send({}, sender(), { enableDeliveryReport: true, tag: 'o1~paid-sms' });
    expect(results).toMatchObject([{ to: PHONE, httpStatusCode: 202, successful: true }]);
    const { port } = emulators.communicationservices;
    const response = await fetch(`http://127.0.0.1:${port}/_tandem/sms`);
    expect(await response.json()).toMatchObject({
      items: [
        {
          ...{ service: 'Communication Services', from: FROM, to: PHONE, text: 'Hello', copies: 1 },
          ...{ messageId: results[0]?.messageId, attributes: { tag: 'o1~paid-sms' } },
        },
      ],
    });
    await fetch(`http://127.0.0.1:${port}/_tandem/sms`, { method: 'DELETE' });
    expect(box().all()).toEqual([]);
  });

  test('is answered for each recipient: one that is none is 400 inside an answer that is 202', async () => {
    const results = await send({ to: [PHONE, '0170', NOBODY] });
    expect(results.map(({ httpStatusCode, errorMessage }) => [httpStatusCode, errorMessage])).toEqual([
      [202, undefined],
      [400, 'Invalid To phone number format.'],
      [400, 'Invalid To phone number format.'],
    ]);
    expect(box().all()).toHaveLength(1);
  });

  test('to a number that has opted out is taken, goes to nobody, and is reported later', async () => {
    const reported: string[] = [];
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<undefined>();
    const listener = http.createServer((request, response) => {
      request.on('data', (chunk: Buffer) => reported.push(chunk.toString()));
      request.on('end', () => {
        response.end();
        arrive(undefined);
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const reportsTo = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
    await using other = await startEmulators({
      services: ['communicationservices'],
      communicationservices: { reportsTo },
    });
    const client = sender(other.communicationservices);
    expect(await send({ to: [OPTED_OUT] }, client)).toMatchObject([
      { httpStatusCode: 202, successful: true },
    ]);
    expect(other.communicationservices.box.all()).toEqual([]);
    await arrived;
    expect(reported).toEqual([JSON.stringify({ phone: OPTED_OUT, kind: 'hard' })]);
    listener.close();
  });
});

describe('a key of a request', () => {
  const id = '0f36d242-46aa-4247-8bf6-619a1206f9c3';
  const key = (firstSentMs = nowMs, repeatabilityRequestId = id) => ({
    to: PHONE,
    repeatabilityRequestId,
    repeatabilityFirstSent: new Date(firstSentMs).toUTCString(),
  });

  test('sends one SMS, however often, and is answered as the first time', async () => {
    const [first, second] = [await post([key()]), await post([key()])];
    expect(first.value).toMatchObject([{ httpStatusCode: 202, repeatabilityResult: 'accepted' }]);
    expect(second).toEqual(first);
    expect(box().all(PHONE)).toMatchObject([{ copies: 1 }]);
  });

  test('is forgotten after five minutes', async () => {
    await post([key()]);
    nowMs += 301_000;
    expect((await post([key(nowMs - 301_000)])).value).toMatchObject([
      { httpStatusCode: 412, repeatabilityResult: 'rejected', successful: false },
    ]);
    await post([key()]);
    expect(box().all(PHONE)).toMatchObject([{ copies: 2 }]);
  });

  test('under which something else is sent is refused, as is one that is none', async () => {
    await post([key()]);
    const others = [
      await post([key()], { message: 'Other' }),
      await post([key(nowMs, 'x')]),
      await post([{ ...key(), repeatabilityFirstSent: 'today' }]),
    ];
    expect(others.map(({ value }) => value)).toMatchObject(
      others.map(() => [{ httpStatusCode: 400, repeatabilityResult: 'rejected' }]),
    );
  });

  test('is used again after a failure of the service', async () => {
    emulators.communicationservices.faults.add({ kind: 'error', code: 'recipient-503', times: 1 });
    expect((await post([key()])).value).toMatchObject([{ httpStatusCode: 503 }]);
    expect((await post([key()])).value).toMatchObject([{ httpStatusCode: 202 }]);
  });
});

describe('what is refused', () => {
  test.each([
    ['a text of more than 2,048 characters', { message: 'a'.repeat(2_049) }],
    ['more than 100 recipients', { to: Array<string>(101).fill(PHONE) }],
    ['no recipient', { to: [] }],
    ['a sender that is none', { from: 'A shop with a name' }],
  ])('%s', async (_, request) => {
    await expect(send(request)).rejects.toMatchObject({ statusCode: 400 });
    expect(box().all()).toEqual([]);
  });

  test('an API version that is not known', async () => {
    const { port } = emulators.communicationservices;
    const headers = { 'content-type': 'application/json', authorization: 'Bearer local' };
    const url = `http://127.0.0.1:${port}/sms?api-version=2000-01-01`;
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(400);
  });

  test('whoever has no token', async () => {
    const { port } = emulators.communicationservices;
    const response = await fetch(`http://127.0.0.1:${port}/sms?api-version=2021-03-07`, { method: 'POST' });
    expect([response.status, await response.json()]).toMatchObject([401, { error: { code: 'Denied' } }]);
  });

  test('a token of another issuer, or for another service', async () => {
    await using issuers = await startEmulators({ services: ['oidc'] });
    const { issuer } = issuers.oidc;
    await using strict = await startEmulators({
      services: ['communicationservices'],
      communicationservices: { issuer },
    });
    const { endpoint, options } = strict.communicationservices;
    const sentWith = (token: string) => {
      const credential = {
        getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 60_000 }),
      };
      return send({}, new SmsClient(endpoint, credential, { ...options, retryOptions: RETRY }));
    };
    const good = await queryToken(issuer, 'https://communication.azure.com/.default');
    expect(await sentWith(good)).toMatchObject([{ successful: true }]);
    const other = await queryToken(issuer, 'https://storage.azure.com/.default');
    for (const token of [other, 'local'])
      await expect(sentWith(token)).rejects.toMatchObject({ statusCode: 401 });
  });
});

describe('faults', () => {
  test('throttling is 429 with a time to wait', async () => {
    emulators.communicationservices.faults.add({ kind: 'error', operation: 'SendSms', times: 1 });
    await expect(send()).rejects.toMatchObject({ statusCode: 429 });
    expect(box().all()).toEqual([]);
  });

  test('an answer that is lost leaves an SMS that was sent', async () => {
    emulators.communicationservices.faults.add({ kind: 'drop-ack', resource: PHONE, times: 1 });
    await expect(send()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(box().all(PHONE)).toHaveLength(1);
  });
});
