/** From a paid order to a mail and an SMS, and what comes back: by the functions of a site, against emulators. Runs once per cloud. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Emulators, startEmulators } from '@tandem-clouds/emulators';
import { NOBODY, OPTED_OUT } from '@tandem-clouds/emulators/sms/numbers';
import type { Mail } from '@tandem-clouds/emulators/smtp/mailbox';
import { type SmtpEmulator, startSmtp } from '@tandem-clouds/emulators/smtp/server';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { cloudName } from '#cloud';
import { breaches } from '../../infra/rollout/contract-breaches.ts';
import { initialChanges } from '../../src/shared/domain/field-changes.ts';
import { orderStates } from '../../src/shared/domain/orders/order.ts';
import type { Replica } from '../../src/shared/domain/replica.ts';
import { overruling } from '../../src/shared/domain/states.ts';
import { order } from '../../src/shared/entities/order.ts';
import { entities } from '../../src/shared/registry/entities.ts';
import { indexes } from '../../src/shared/registry/indexes.ts';
import { openReplica, openRuntime, openSiteStore } from '../../src/shared/runtime.ts';
import { unsubscribeToken } from '../../src/shared/unsubscribe-token.ts';
import { callHandler, invoke, type Response } from '../helpers/api.ts';
import { deliver } from '../helpers/call.ts';
import { type LinkedClouds, startLinkedClouds } from '../helpers/linked-clouds.ts';
import { completeBeats } from '../helpers/owned-entity.ts';
import { setEnvironment } from '../helpers/sites.ts';

const SECRETS = {
  MAIL_USER: 'shop',
  MAIL_PASSWORD: 'a-password-of-the-shop',
  UNSUBSCRIBE_KEY: 'a-key-of-more-than-thirty-two-characters',
};
const BASE = 'https://shop.example';

let clouds: LinkedClouds;
let server: SmtpEmulator;
/** Of this cloud. */
let provider: Emulators<'sns' | 'communicationservices'>['sns' | 'communicationservices'];
let replica: Replica;
const handlers: Record<string, unknown> = {};
const closing: (() => unknown)[] = [];

/** What was measured. */
const lines: string[] = [];

beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
  closing.push(() => jest.restoreAllMocks());
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mail-'));
  const secretsFile = path.join(folder, '.env');
  fs.writeFileSync(
    secretsFile,
    Object.entries(SECRETS)
      .map(([name, value]) => `SECRET_${name}=${value}\n`)
      .join(''),
  );
  const [linked, vaults, smtp, sms] = await Promise.all([
    startLinkedClouds(cloudName),
    startEmulators({
      services: ['secretsmanager', 'keyvault'],
      secretsmanager: { secretsFile, prefix: 'tandem' },
      keyvault: { secretsFile },
    }),
    startSmtp({ user: SECRETS.MAIL_USER, password: SECRETS.MAIL_PASSWORD }),
    startEmulators({ services: ['sns', 'communicationservices'] }),
  ]);
  [clouds, server] = [linked, smtp];
  provider = cloudName === 'aws' ? sms.sns : sms.communicationservices;
  const restore = setEnvironment({
    ...vaults.env,
    ...linked.own.env,
    ...sms.env,
    TANDEM_SMS_FROM: '+15005550100',
    TANDEM_SMS_NAME: 'A shop',
    TANDEM_MAIL_URL: smtp.endpoint,
    TANDEM_MAIL_FROM: 'A shop <orders@shop.example>',
    TANDEM_MAIL_LINKS_URL: BASE,
    TANDEM_TRUST_EVERYBODY: 'true',
  });
  closing.push(
    restore,
    () => linked.close(),
    () => vaults.close(),
    () => smtp.close(),
    () => sms.close(),
    () => fs.rmSync(folder, { recursive: true }),
  );
  const runtime = openRuntime();
  replica = openReplica(runtime, entities);
  const beats = completeBeats(runtime.site, indexes);
  await openSiteStore(runtime).putMany(beats.map((record) => ({ record, expected: undefined })));
  const load = async (name: string, module: Promise<{ handler: unknown }>): Promise<void> =>
    void (handlers[name] = (await module).handler);
  await load('react', import('../../src/bridge/react.ts'));
  await load('notifications', import('../../src/handlers/routes/notifications.ts'));
  await load('unsubscribe', import('../../src/handlers/routes/unsubscribe.ts'));
});

afterAll(async () => {
  for (const close of closing) await close();
});

beforeEach(() => {
  server.faults.clear();
  server.mailbox.clear();
  provider.faults.clear();
  provider.box.clear();
  lines.length = 0;
});

/** How often a metric was measured. */
const measured = (name: string): number => lines.filter((line) => line.includes(`"${name}":1`)).length;

const wake = (key: string, times = 1): Promise<unknown> =>
  deliver(cloudName, handlers['react'], Array(times).fill({ body: JSON.stringify({ key }) }));
const mails = (to: string): readonly Mail[] => server.mailbox.mails(to);

/** An order as the arbiter has left it, and its mail or its SMS. @param by An address, or a phone. */
async function led(id: string, by: string, to: 'paid' | 'fulfilled' = 'paid', times = 1): Promise<void> {
  const lines = [{ sku: 'tea', units: 2, priceMinor: 790 }];
  const isPhone = by.startsWith('+');
  const customer = isPhone ? { phone: by } : { email: by };
  const values = { customerId: 'hedy', lines, currency: 'EUR', ...customer, language: 'en' };
  await replica.run((site) =>
    localWrite(site, {
      key: `order:${id}`,
      operationId: `place-${id}`,
      creates: { keepUnseenTombstone: true },
      decide: (_, isLive) => {
        if (isLive) return undefined;
        return { ...initialChanges(order, values, { isKeyed: true }), createdAt: '2026-06-01T12:00:00.000Z' };
      },
    }),
  );
  const paid = overruling('status', orderStates, { from: 'reserving', to });
  if (paid === undefined) throw new TypeError('no transition');
  await replica.run((site) =>
    localWrite(site, {
      key: `order:${id}`,
      operationId: `${to}-${id}`,
      decide: () => ({ status: paid, stockSite: clouds.own.site, paidFrom: clouds.own.site }),
    }),
  );
  await wake(`order:${id}`, times);
  const suffix = isPhone ? '-sms' : '';
  await wake(`notification:${id}~paid${suffix}`, times);
  if (to === 'fulfilled') await wake(`notification:${id}~fulfilled${suffix}`);
}

const api = (method: string, route: string, body?: unknown, headers = {}): Promise<Response> =>
  callHandler(handlers[/^\/([a-z]+)/.exec(route)?.[1] ?? ''], method, route, {
    headers,
    ...(body !== undefined && { body }),
  });
const statusOf = async (orderId: string): Promise<unknown> => {
  const { json } = await api('GET', `/notifications?orderId=${orderId}`);
  return (json['items'] as { status: string }[]).map(({ status }) => status);
};

test('a paid order is written about once, though every event comes three times', async () => {
  await led('o1', 'hedy@example.com', 'paid', 3);
  await wake('notification:o1~paid', 3);
  expect(mails('hedy@example.com')).toMatchObject([
    {
      ...{ messageId: '<o1~paid@shop.example>', subject: 'Your order o1 is paid', copies: 1 },
      text: expect.stringContaining('2 × tea  €15.80') as unknown,
    },
  ]);
  expect(await statusOf('o1')).toEqual(['sent']);
  expect([measured('MailsSent'), measured('MailsMaybeRepeated')]).toEqual([1, 0]);
});

test('a recipient whom the server refuses is named as refused, and one that it does not take now is pending', async () => {
  await led('o2', 'x@refuse.test');
  expect(await statusOf('o2')).toEqual(['refused']);
  server.faults.set([{ kind: 'error', operation: 'RCPT', code: '450' }]);
  await led('o3', 'busy@example.com');
  const { json } = await api('GET', '/notifications?orderId=o3');
  expect(json['items']).toMatchObject([{ status: 'pending', attempts: 1, copies: 0 }]);
});

test('a mail whose answer was lost says that there may be a copy', async () => {
  server.faults.set([{ kind: 'drop-ack', operation: 'DATA', times: 1 }]);
  await led('o4', 'lost@example.com');
  const { json } = await api('GET', '/notifications?orderId=o4');
  expect(json['items']).toMatchObject([{ status: 'pending', attempts: 1, copies: 1 }]);
  expect(mails('lost@example.com')).toMatchObject([{ messageId: '<o4~paid@shop.example>' }]);
});

describe('what comes back', () => {
  test('for good, by its Message-ID: the mail bounced, and its address gets nothing more', async () => {
    await led('o5', 'gone@example.com');
    const report = { messageId: '<o5~paid@shop.example>', kind: 'hard' };
    expect(await api('POST', '/notifications/bounces', report)).toMatchObject({
      status: 200,
      json: { suppressed: expect.arrayContaining(['paid', 'refunded', 'fulfilled']) as unknown },
    });
    expect(await statusOf('o5')).toEqual(['bounced']);
    await led('o6', 'Gone@Example.com');
    expect(await statusOf('o6')).toEqual(['suppressed']);
    expect(mails('Gone@Example.com')).toHaveLength(1);
    await api('POST', '/notifications/lifts', { address: 'gone@example.com' });
    await led('o7', 'gone@example.com');
    expect(await statusOf('o7')).toEqual(['sent']);
  });

  test('and names nobody, or a mail that is not ours, is refused by name', async () => {
    const refusals = await Promise.all(
      [
        { kind: 'hard' },
        { kind: 'soft', messageId: '<nobody@shop.example>' },
        { kind: 'hard', address: 'a' },
      ].map((report) => api('POST', '/notifications/bounces', report)),
    );
    expect(refusals.map(({ status, json }) => [status, json['code']])).toEqual([
      [400, 'names_nobody'],
      [404, 'unknown_message'],
      [400, 'invalid'],
    ]);
    expect(refusals[2]?.json['errors']).toMatchObject([{ pointer: '/address', rule: 'pattern' }]);
  });
});

describe('whoever unsubscribes', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };

  test('by the button of a mail program gets receipts alone from then on; reading the link changes nothing', async () => {
    await led('o8', 'quiet@example.com', 'fulfilled');
    const [sent, receipt] = mails('quiet@example.com');
    expect(receipt?.headers['list-unsubscribe']).toBeUndefined();
    expect(sent?.headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click');
    const link = (sent?.headers['list-unsubscribe'] ?? '').slice(1, -1).replace(BASE, '');
    expect((await api('GET', link)).json).toEqual({ unsubscribed: false, stops: ['fulfilled'] });
    expect((await api('POST', link, 'List-Unsubscribe=One-Click', form)).status).toBe(200);
    expect((await api('GET', link)).json).toMatchObject({ unsubscribed: true });
    await led('o9', 'quiet@example.com', 'fulfilled');
    expect(await statusOf('o9')).toEqual(expect.arrayContaining(['sent', 'suppressed']));
    expect(mails('quiet@example.com').map(({ messageId }) => messageId)).toEqual([
      '<o9~paid@shop.example>',
      '<o8~fulfilled@shop.example>',
      '<o8~paid@shop.example>',
    ]);
  });

  /** As a browser asks. */
  const look = async (method: string, path: string, given: { language?: string; body?: string } = {}) => {
    const { language, body } = given;
    const headers = {
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      ...(language !== undefined && { 'accept-language': language }),
      ...(body !== undefined && form),
    };
    const call = { method, path, headers, ...(body !== undefined && { body }) };
    const answer = await invoke(handlers['unsubscribe'], call);
    expect(breaches(method, path, answer)).toEqual([]);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'private, no-store',
      'x-robots-tag': 'noindex',
      vary: expect.stringContaining('accept, accept-language'),
    });
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(answer.text) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;
    expect(answer.headers['content-security-policy']).toBe(policy);
    expect(answer.text).not.toMatch(/<script|\son\w+=|\bstyle=/);
    return answer;
  };
  /** What a form of a page sends, and where. */
  const formOf = (text: string, from: string) => {
    const action = /<form method="post" action="([^"]+)">/.exec(text)?.[1] ?? '';
    const fields = Array.from(
      text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]+)">/g),
      ([, name = '', value = '']): [string, string] => [name, value],
    );
    return {
      path: new URL(action, BASE + from).pathname,
      body: new URLSearchParams(fields).toString(),
    };
  };

  test('in a browser sees a page in the language of the mail, presses its button, and may take it back', async () => {
    await led('o10', 'reader@example.com', 'fulfilled');
    const [sent] = mails('reader@example.com');
    const link = (sent?.headers['list-unsubscribe'] ?? '').slice(1, -1).replace(BASE, '');
    expect(link).toMatch(/\?language=en$/);
    expect(sent?.text).toContain(BASE + link);
    const isOff = async () => (await api('GET', link)).json['unsubscribed'];

    // The browser's language is another one: that of the mail counts.
    const asks = await look('GET', link, { language: 'de-DE,de;q=0.9' });
    expect(asks.status).toBe(200);
    expect(asks.text).toContain('<html lang="en">');
    expect(asks.text).toContain('that your goods have been sent');
    expect(asks.text).toContain('payments, cancellations and refunds');
    expect(await isOff()).toBe(false);
    const { text: head } = await invoke(handlers['unsubscribe'], { method: 'HEAD', path: link });
    expect([head, await isOff()]).toEqual(['', false]);

    const stop = formOf(asks.text, link);
    expect(stop.body).toBe('List-Unsubscribe=One-Click&language=en');
    const done = await look('POST', stop.path, { body: stop.body, language: 'de' });
    expect(done.text).toContain('<h1>These mails have stopped</h1>');
    expect(await isOff()).toBe(true);
    expect((await look('GET', link)).text).toContain('<h1>These mails have stopped</h1>');

    const back = formOf(done.text, stop.path);
    expect(back.path).toBe(`${stop.path}/undo`);
    const again = await look('POST', back.path, { body: back.body });
    expect(again.text).toContain('<h1>You get these mails again</h1>');
    expect(await isOff()).toBe(false);
    expect(formOf(again.text, back.path)).toEqual(stop);
    await led('o11', 'reader@example.com', 'fulfilled');
    expect(await statusOf('o11')).toEqual(['sent', 'sent']);
  });

  test.each([
    [undefined, 'en'],
    ['fr', 'en'],
    ['de-AT', 'de'],
    ['en;q=0.5, de', 'de'],
    ['de;q=0, fr', 'en'],
    ['<script>', 'en'],
  ])('with Accept-Language %p and a link that says none sees a page in %s', async (language, shown) => {
    const path = `/unsubscribe/${unsubscribeToken('a'.repeat(64), SECRETS.UNSUBSCRIBE_KEY)}`;
    const { text } = await look('GET', path, language === undefined ? {} : { language });
    expect(text).toContain(`<html lang="${shown}">`);
  });

  test.each([
    [undefined],
    ['*/*'],
    ['application/json'],
    ['application/json, text/html'],
    ['text/html;q=0.5, application/json'],
    ['text/html;q=0, */*'],
    ['text/html;q=2'],
  ])('by a program that accepts %p gets JSON', async (accept) => {
    const path = `/unsubscribe/${unsubscribeToken('b'.repeat(64), SECRETS.UNSUBSCRIBE_KEY)}`;
    const { json, headers } = await api('GET', path, undefined, accept === undefined ? {} : { accept });
    expect(json).toEqual({ unsubscribed: false, stops: ['fulfilled'] });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      vary: expect.stringContaining('accept, accept-language'),
    });
  });

  test('in a browser with a link that was cut off, or is none of ours, reads so', async () => {
    const forged = `/unsubscribe/${'0'.repeat(64)}${'A'.repeat(43)}`;
    for (const [method, path, status] of [
      ['GET', forged, 404],
      ['POST', forged, 404],
      ['POST', `${forged}/undo`, 404],
      ['GET', '/unsubscribe/x', 400],
      ['GET', `${forged}?language=<b>`, 400],
    ] as const) {
      const answer = await look(method, path, { language: 'de' });
      expect([answer.status, answer.text]).toEqual([
        status,
        expect.stringContaining('Dieser Link funktioniert nicht'),
      ]);
      expect(answer.text).not.toContain('<form');
    }
  });

  test('has a link that nobody else can make', async () => {
    const forged = `/unsubscribe/${'0'.repeat(64)}${'A'.repeat(43)}`;
    expect((await api('POST', forged)).json).toMatchObject({ status: 404, code: 'bad_token' });
    expect((await api('GET', '/unsubscribe/x')).status).toBe(400);
  });
});

describe('a phone', () => {
  const [PHONE, OTHER] = ['+15005550006', '+15005550007'];
  const operation = cloudName === 'aws' ? 'Publish' : 'SendSms';
  const noticeOf = async (orderId: string): Promise<unknown> => {
    const { json } = await api('GET', `/notifications?orderId=${orderId}`);
    return (json['items'] as unknown[])[0];
  };

  test('of a paid order gets one SMS, though every event comes three times', async () => {
    await led('s1', PHONE, 'paid', 3);
    expect(provider.box.all(PHONE)).toMatchObject([
      {
        from: '+15005550100',
        text: 'A shop: Your order s1 is paid: 15.80 EUR. Thank you.',
        copies: 1,
        parts: 1,
      },
    ]);
    expect(await noticeOf('s1')).toMatchObject({ channel: 'sms', status: 'sent', to: PHONE, copies: 0 });
    expect([measured('SmsSent'), measured('SmsMaybeRepeated')]).toEqual([1, 0]);
    expect(lines.join()).not.toContain(PHONE.slice(1));
  });

  test('of nobody is refused, and the log does not name it', async () => {
    await led('s2', NOBODY);
    expect(await noticeOf('s2')).toMatchObject({ status: 'refused', detail: expect.any(String) as unknown });
    expect(lines.join()).not.toContain(NOBODY.slice(1));
  });

  test('at a provider that throttles is told later', async () => {
    provider.faults.set([{ kind: 'error', operation }]);
    await led('s3', PHONE);
    expect(await noticeOf('s3')).toMatchObject({ status: 'pending', attempts: 1, copies: 0 });
    expect(provider.box.all()).toEqual([]);
  });

  // Communication Services know the key: the second attempt of the same call is answered what the first was.
  test('whose answer was lost may have been told, but where the provider knows keys', async () => {
    provider.faults.set([{ kind: 'drop-ack', operation, times: 1 }]);
    await led('s4', PHONE);
    expect(await noticeOf('s4')).toMatchObject(
      cloudName === 'aws'
        ? { status: 'pending', attempts: 1, copies: 1 }
        : { status: 'sent', attempts: 1, copies: 0 },
    );
    expect(provider.box.all(PHONE)).toMatchObject([{ copies: 1 }]);
  });

  test('that has opted out gets nothing more: SNS says so at once, Communication Services by a report', async () => {
    await led('s5', OPTED_OUT);
    if (cloudName === 'azure')
      expect(await api('POST', '/notifications/bounces', { phone: OPTED_OUT, kind: 'hard' })).toMatchObject({
        ...{ status: 200, json: { suppressed: expect.arrayContaining(['paid', 'fulfilled']) as unknown } },
      });
    await led('s6', OPTED_OUT);
    expect([await statusOf('s5'), await statusOf('s6')]).toEqual([
      [cloudName === 'aws' ? 'suppressed' : 'sent'],
      ['suppressed'],
    ]);
    expect(provider.box.all()).toEqual([]);
  });

  test('is told again when that is lifted', async () => {
    await api('POST', '/notifications/bounces', { phone: OTHER, kind: 'hard' });
    await led('s7', OTHER);
    expect((await api('POST', '/notifications/lifts', { phone: OTHER })).json).toEqual({ suppressed: [] });
    await led('s8', OTHER);
    expect([await statusOf('s7'), await statusOf('s8')]).toEqual([['suppressed'], ['sent']]);
    expect((await api('POST', '/notifications/lifts', {})).json).toMatchObject({ code: 'names_nobody' });
  });
});
