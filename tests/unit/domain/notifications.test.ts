/** From an order to a mail or an SMS about it, on sites in memory. */
import { describe, expect, test } from '@jest/globals';
import { effectsPerHourMax } from '@tandem-clouds/replication/bounds';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { setEntries } from '@tandem-clouds/replication/reactions/scan';
import { refundMailsMax, smsKeyMs, softBouncesMax } from '../../../src/shared/bounds.ts';
import type { Values } from '../../../src/shared/domain/entity.ts';
import { valuesOf } from '../../../src/shared/domain/field-changes.ts';
import {
  dueNotices,
  noticeName,
  type NotifiedOrder,
} from '../../../src/shared/domain/notifications/notice.ts';
import type { SendCall, Sent } from '../../../src/shared/domain/notifications/send.ts';
import { addressHash, noteAddress } from '../../../src/shared/domain/notifications/suppress.ts';
import { notification } from '../../../src/shared/entities/notification.ts';
import { MailRefusedError } from '../../../src/shared/ports/mail-errors.ts';
import { SmsOptedOutError, SmsRefusedError } from '../../../src/shared/ports/sms-errors.ts';
import { type ShopSite, twoSites } from '../../helpers/shop-site.ts';

const TO = 'hedy@example.com';
const CUSTOMER = { email: TO, language: 'de' };
const PAID = 'notification:o1~paid';

/** A mail server that takes everything, unless the next answers say otherwise. */
class TestMail {
  readonly calls: SendCall[] = [];
  /** Taken over. */
  readonly taken: string[] = [];
  readonly next: ('later' | 'refused' | 'lost')[] = [];

  readonly send = async (call: SendCall): Promise<Sent> => {
    await Promise.resolve();
    this.calls.push(call);
    const answer = this.next.shift();
    if (answer === 'later') throw new UnavailableError('451 later');
    if (answer === 'refused') throw new MailRefusedError('550 nobody');
    this.taken.push(call.notificationId);
    if (answer === 'lost') throw new AmbiguousError('no answer');
    return { messageId: `<${call.notificationId}@shop.test>`, isOne: false };
  };
}

async function shop(): Promise<{ aws: ShopSite; azure: ShopSite; mail: TestMail }> {
  const { aws, azure } = await twoSites();
  const mail = new TestMail();
  for (const site of [aws, azure]) site.mail = mail.send;
  return { aws, azure, mail };
}

const shown = (site: ShopSite, key = PAID): Values => {
  const record = site.held(key);
  return record === undefined ? {} : valuesOf(notification, record);
};

/** Until the function that sends dies: it has asked the mail server, and writes nothing about it. */
async function reactAndDie(site: ShopSite, key = PAID): Promise<void> {
  const { mail } = site;
  const dead = Promise.withResolvers<undefined>();
  site.mail = async (call) => {
    await mail(call);
    dead.resolve(undefined);
    return new Promise(() => undefined);
  };
  void site.react(key);
  await dead.promise;
  site.mail = mail;
}

test('names products in the language of the customer, where they have a name in it', async () => {
  const { aws, mail } = await shop();
  await aws.write('product:tea', { name: 'Tea', translations: { de: { name: 'Tee' } } });
  await aws.place(CUSTOMER);
  await aws.react();
  await aws.react(PAID);
  expect(mail.calls[0]?.content).toMatchObject({ language: 'de', order: { lines: [{ name: 'Tee' }] } });
});

describe('what is written about', () => {
  const order = (values: object): NotifiedOrder =>
    ({ id: 'o1', email: TO, lines: [], currency: 'EUR', stockSite: 'aws-1', ...values }) as never;

  test.each([
    ['nothing while it is under way', { status: 'paying' }, []],
    ['nothing without an address', { status: 'paid', email: undefined }, []],
    ['nothing that was never reserved', { status: 'cancelled', stockSite: undefined }, []],
    ['the answer that rejected it said so itself', { status: 'rejected' }, []],
    ['that it is paid', { status: 'paid' }, ['paid']],
    ['nobody without an address and a phone', { status: 'paid', email: undefined, phone: undefined }, []],
    ['a phone alone', { status: 'paid', email: undefined, phone: '+15005550006' }, ['paid-sms']],
    [
      'both, and a phone of no refund',
      {
        status: 'refunded',
        phone: '+15005550006',
        notified: ['paid'],
        refunded: { a: { amountMinor: 1, status: 'done' } },
      },
      ['refund-a', 'paid-sms'],
    ],
    ['that it was declined', { status: 'cancelled', reason: 'declined' }, ['declined']],
    ['that it is cancelled', { status: 'cancelled', reason: 'by_customer' }, ['cancelled']],
    ['that it has expired', { status: 'expired', reason: 'not_paid_in_time' }, ['expired']],
    ['that it is on its way', { status: 'fulfilled', notified: ['paid'] }, ['fulfilled']],
    [
      'each refund that the provider has taken',
      {
        status: 'paid',
        notified: ['paid', 'refund-a'],
        refunded: {
          a: { amountMinor: 1, status: 'done' },
          b: { amountMinor: 2, status: 'pending' },
          c: { amountMinor: 3, status: 'refused: no' },
        },
      },
      ['refund-b'],
    ],
  ])('%s', (_, values, expected) => {
    expect(dueNotices(order(values)).map(noticeName)).toEqual(expected);
  });

  test('is so little that an order with many refunds has room for its other reactions', () => {
    const refunded = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [String(i).padStart(2, '0'), { amountMinor: 1, status: 'done' }]),
    );
    const names = dueNotices(order({ status: 'refunded', refunded })).map(noticeName);
    expect(names).toHaveLength(refundMailsMax + 2);
    expect(names.at(-1)).toBe('refunded');
    expect(names.length).toBeLessThan(effectsPerHourMax / 4);
  });
});

describe('a paid order', () => {
  test('is written about once, however often its events come, and at one site', async () => {
    const { aws, azure, mail } = await shop();
    await aws.place(CUSTOMER);
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid', notified: ['paid'] });
    for (let event = 0; event < 3; event += 1) {
      await azure.hear(aws);
      for (const site of [aws, azure]) {
        await site.react();
        await site.react(PAID);
      }
    }
    expect(mail.taken).toEqual(['o1~paid']);
    expect(mail.calls).toMatchObject([
      {
        ...{ to: TO, isRepeat: false },
        content: {
          kind: 'paid',
          language: 'de',
          order: { orderId: 'o1', totalMinor: 1_580, currency: 'EUR' },
        },
      },
    ]);
    await azure.hear(aws);
    expect(shown(azure)).toMatchObject({
      ...{ status: 'sent', messageId: '<o1~paid@shop.test>', to: TO, attempts: 1, copies: 0 },
    });
  });

  test('without an address is written about to nobody', async () => {
    const { aws } = await shop();
    await aws.place();
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid', notified: [] });
    expect(aws.held(PAID)).toBeUndefined();
  });

  test('is written about by the site that takes over from one that was lost, which counts a copy', async () => {
    const { aws, azure, mail } = await shop();
    await aws.place(CUSTOMER);
    await aws.react();
    await reactAndDie(aws);
    await azure.hear(aws);
    azure.site = { ...azure.site, peers: [], retired: ['aws-1'] };
    await azure.drive(setEntries(azure.site, { lost: 'aws-1' }));
    await azure.react(PAID);
    expect(mail.taken).toEqual(['o1~paid', 'o1~paid']);
    expect(mail.calls.map(({ isRepeat }) => isRepeat)).toEqual([false, true]);
    expect(shown(azure)).toMatchObject({ status: 'sent', copies: 1 });
  });
});

describe('a mail that is not taken', () => {
  async function placed(...next: TestMail['next']): ReturnType<typeof shop> {
    const sites = await shop();
    sites.mail.next.push(...next);
    await sites.aws.place(CUSTOMER);
    await sites.aws.react();
    await sites.aws.react(PAID);
    return sites;
  }

  test('for a passing reason is tried again after the pause of a reaction, and no copy of it can be out', async () => {
    const { aws, mail } = await placed('later', 'later');
    expect(shown(aws)).toMatchObject({ status: 'pending', attempts: 1, copies: 0, detail: '451 later' });
    expect(await aws.react(PAID)).toEqual([]);
    await aws.later(15_000, PAID);
    await aws.later(30_000, PAID);
    expect(shown(aws)).toMatchObject({ status: 'sent', attempts: 3, copies: 0 });
    expect(shown(aws)['detail']).toBeUndefined();
    expect(mail.calls.map(({ isRepeat }) => isRepeat)).toEqual([false, false, false]);
  });

  test('for good is refused, and the order goes on', async () => {
    const { aws, mail } = await placed('refused');
    expect(shown(aws)).toMatchObject({ status: 'refused', detail: '550 nobody' });
    expect(aws.order()).toMatchObject({ status: 'paid' });
    await aws.act('fulfil');
    expect(aws.order()).toMatchObject({ status: 'fulfilled' });
    expect(mail.taken).toEqual([]);
  });

  test('or whose answer is lost is sent again under the same name, and the copy is counted', async () => {
    const { aws, mail } = await placed('lost');
    expect(shown(aws)).toMatchObject({ status: 'pending', attempts: 1, copies: 1 });
    await aws.later(15_000, PAID);
    expect(shown(aws)).toMatchObject({ status: 'sent', attempts: 2, copies: 1 });
    expect(mail.taken).toEqual(['o1~paid', 'o1~paid']);
    expect(mail.calls.map(({ isRepeat }) => isRepeat)).toEqual([false, true]);
  });
});

test('a function that dies between the mail and its record sends it again under the same name, and counts it', async () => {
  const { aws, mail } = await shop();
  await aws.place(CUSTOMER);
  await aws.react();
  await reactAndDie(aws);
  expect(shown(aws)).toMatchObject({ status: 'pending' });
  await aws.later(15_000, PAID);
  expect(mail.taken).toEqual(['o1~paid', 'o1~paid']);
  expect(shown(aws)).toMatchObject({ status: 'sent', attempts: 2, copies: 1 });
});

describe('an address', () => {
  const hash = addressHash('Hedy@Example.com');

  test('is named by a digest that does not depend on capitals', () => {
    expect(hash).toBe(addressHash(TO));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('that bounces at one site gets nothing from either', async () => {
    const { aws, azure, mail } = await shop();
    await azure.run(noteAddress(azure.site, { hash, noted: 'hard', name: 'b1' }));
    await aws.hear(azure);
    await aws.place(CUSTOMER);
    await aws.react();
    await aws.react(PAID);
    expect(shown(aws)).toMatchObject({ status: 'suppressed' });
    expect(mail.calls).toEqual([]);
    expect(aws.store.items.has(`suppression:shop~${hash}`)).toBe(true);
    expect([...aws.store.items.keys()].join()).not.toContain(TO);
  });

  test('that was unsubscribed gets its receipts, and not what it may do without', async () => {
    const { aws, mail } = await shop();
    await aws.run(noteAddress(aws.site, { hash, noted: 'unsubscribed', name: 'u1' }));
    await aws.place(CUSTOMER);
    await aws.react();
    await aws.react(PAID);
    await aws.act('fulfil');
    await aws.react();
    await aws.react('notification:o1~fulfilled');
    expect(mail.taken).toEqual(['o1~paid']);
    expect(shown(aws, 'notification:o1~fulfilled')).toMatchObject({ status: 'suppressed' });
  });

  test('gets mail until so many have come back for a passing reason, each counted once, and again when that is lifted', async () => {
    const { aws } = await shop();
    const note = (noted: 'soft' | 'lifted', name: string) =>
      aws.run(noteAddress(aws.site, { hash, noted, name }));
    await note('soft', 'm0');
    expect(await note('soft', 'm0')).toMatchObject({ softBounces: 1 });
    for (let n = 1; n < softBouncesMax; n += 1) await note('soft', `m${n}`);
    expect(await note('soft', 'last')).toMatchObject({ softBounces: softBouncesMax + 1 });
    expect(await note('lifted', 'l1')).toMatchObject({ bounced: false, softBounces: 0 });
  });

  test('keeps what two sites note at the same time', async () => {
    const { aws, azure } = await shop();
    await aws.run(noteAddress(aws.site, { hash, noted: 'unsubscribed', name: 'u1' }));
    await azure.run(noteAddress(azure.site, { hash, noted: 'hard', name: 'b1' }));
    await aws.hear(azure);
    expect(await aws.run(noteAddress(aws.site, { hash, noted: 'hard', name: 'b2' }))).toMatchObject({
      ...{ bounced: true, unsubscribed: true },
    });
  });
});

describe('a phone', () => {
  const PHONE = '+15005550006';
  const SMS_KEY = 'notification:o1~paid-sms';

  /** A provider that takes everything, unless the next answers say otherwise. @param isOne Whether it knows keys. */
  class TestSms {
    readonly calls: SendCall[] = [];
    readonly next: ('later' | 'refused' | 'stopped' | 'lost')[] = [];
    isOne = false;

    readonly send = async (call: SendCall): Promise<Sent> => {
      await Promise.resolve();
      this.calls.push(call);
      const answer = this.next.shift();
      if (answer === 'later') throw new UnavailableError('429');
      if (answer === 'refused') throw new SmsRefusedError('no such number');
      if (answer === 'stopped') throw new SmsOptedOutError('it has opted out');
      if (answer === 'lost') throw new AmbiguousError('no answer');
      return { messageId: `sms-${this.calls.length}`, isOne: this.isOne };
    };

    get keys(): readonly string[] {
      return this.calls.map(({ key }) => key.name);
    }
  }

  async function told(...next: TestSms['next']): Promise<{ aws: ShopSite; azure: ShopSite; sms: TestSms }> {
    const { aws, azure } = await twoSites();
    const sms = new TestSms();
    sms.next.push(...next);
    for (const site of [aws, azure]) site.sms = sms.send;
    await aws.place({ phone: PHONE });
    await aws.react();
    await aws.react(SMS_KEY);
    return { aws, azure, sms };
  }

  test('is told once, by the site that leads the order', async () => {
    const { aws, azure, sms } = await told();
    await azure.hear(aws);
    for (const site of [aws, azure]) {
      await site.react();
      await site.react(SMS_KEY);
    }
    expect(sms.calls).toMatchObject([{ to: PHONE, content: { kind: 'paid' }, isRepeat: false }]);
    expect(shown(aws, SMS_KEY)).toMatchObject({
      status: 'sent',
      channel: 'sms',
      messageId: 'sms-1',
      copies: 0,
    });
    expect(aws.order()).toMatchObject({ notified: ['paid-sms'] });
  });

  test.each([
    ['throttled is told later', 'later', { status: 'pending', copies: 0, detail: '429' }],
    ['that is nobody’s is refused', 'refused', { status: 'refused', detail: 'no such number' }],
    ['that has opted out is suppressed', 'stopped', { status: 'suppressed', detail: 'it has opted out' }],
    ['whose answer is lost may have been told', 'lost', { status: 'pending', copies: 1 }],
  ] as const)('%s', async (_, answer, expected) => {
    const { aws } = await told(answer);
    expect(shown(aws, SMS_KEY)).toMatchObject(expected);
  });

  test('that has opted out gets nothing more, from either site', async () => {
    const { aws, azure, sms } = await told('stopped');
    await azure.hear(aws);
    await azure.place({ phone: PHONE });
    await aws.act('fulfil');
    await aws.react();
    await aws.react('notification:o1~fulfilled-sms');
    expect(shown(aws, 'notification:o1~fulfilled-sms')).toMatchObject({ status: 'suppressed' });
    expect(azure.store.items.has(`suppression:shop~${addressHash(PHONE)}`)).toBe(true);
    expect(sms.calls).toHaveLength(1);
  });

  test('gets no copy from a provider that knows the key, while it knows it', async () => {
    const { aws, sms } = await told('lost');
    sms.isOne = true;
    await aws.later(15_000, SMS_KEY);
    expect(sms.keys).toEqual(['o1~paid-sms', 'o1~paid-sms']);
    expect(sms.calls[1]?.key).toEqual(sms.calls[0]?.key);
    expect(shown(aws, SMS_KEY)).toMatchObject({ status: 'sent', attempts: 2, copies: 0 });
  });

  test('may get one from a provider that knows none, and after a key is forgotten', async () => {
    const { aws, sms } = await told('lost');
    await aws.later(15_000, SMS_KEY);
    expect(shown(aws, SMS_KEY)).toMatchObject({ status: 'sent', attempts: 2, copies: 1 });
    const late = await told('lost');
    late.sms.isOne = true;
    await late.aws.later(smsKeyMs, SMS_KEY);
    expect(late.sms.keys[1]).not.toBe(late.sms.keys[0]);
    expect(late.sms.calls[1]?.key.firstSentMs).toBeGreaterThan(late.sms.calls[0]?.key.firstSentMs ?? 0);
    expect(shown(late.aws, SMS_KEY)).toMatchObject({ status: 'sent', copies: 1 });
    expect(sms.calls).toHaveLength(2);
  });
});
