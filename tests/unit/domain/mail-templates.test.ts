import { describe, expect, test } from '@jest/globals';
import { notificationOf } from '../../../src/shared/domain/notifications/ask-mail.ts';
import { ADDRESS_PATTERN, kinds, languages } from '../../../src/shared/domain/notifications/notice.ts';
import { type MailContent, renderMail } from '../../../src/shared/domain/notifications/templates.ts';

const ORDER = {
  orderId: 'o1',
  createdAt: '2026-06-01T12:30:00Z',
  currency: 'EUR',
  totalMinor: 123_450,
  lines: [{ name: 'Tea', units: 2, priceMinor: 61_725 }],
};
const contentOf = (kind: string, language = 'en', order: object = {}): MailContent =>
  ({ kind, language, refundMinor: 790, order: { ...ORDER, ...order } }) as unknown as MailContent;
const each = languages.flatMap((language) => kinds.map((kind) => [kind, language] as const));

test.each(each)('the mail %s in %s says what it is about, and has no hole', (kind, language) => {
  const { subject, text, html } = renderMail(contentOf(kind, language));
  expect(subject).toContain('o1');
  for (const shown of [text, html]) {
    expect(shown).toContain('2 × Tea');
    expect(shown).not.toMatch(/undefined|null|NaN|\[object/);
  }
  expect(html).toContain(`<html lang="${language}">`);
  expect(renderMail(contentOf(kind, language)).html).toBe(html);
});

test('every mail says something else in every language', () => {
  const all = each.map(([kind, language]) => renderMail(contentOf(kind, language)));
  expect(new Set(all.map(({ subject }) => subject)).size).toBe(each.length);
  expect(new Set(all.map(({ text }) => text)).size).toBe(each.length);
});

describe('amounts and moments', () => {
  test.each([
    ['en', 'EUR', '€1,234.50', '1 June 2026 at 12:30 UTC'],
    ['de', 'EUR', '1.234,50\u00a0€', '1. Juni 2026 um 12:30 UTC'],
    ['en', 'JPY', 'JP¥123,450', '1 June 2026 at 12:30 UTC'],
    ['de', 'KWD', '123,450\u00a0KWD', '1. Juni 2026 um 12:30 UTC'],
  ])('are those of a reader of %s, in %s', (language, currency, amount, moment) => {
    const { text } = renderMail(contentOf('paid', language, { currency }));
    expect(text).toContain(amount);
    expect(text).toContain(moment);
  });
});

describe('a value that is missing is refused with its name', () => {
  test.each([
    ['language', { ...contentOf('paid'), language: undefined }],
    ['order.orderId', contentOf('paid', 'en', { orderId: '' })],
    ['order.createdAt', contentOf('paid', 'en', { createdAt: undefined })],
    ['order.createdAt that is a moment', contentOf('paid', 'en', { createdAt: 'yesterday' })],
    ['order.currency', contentOf('paid', 'en', { currency: undefined })],
    ['order.totalMinor', contentOf('paid', 'en', { totalMinor: Number.NaN })],
    ['order.lines', contentOf('paid', 'en', { lines: [] })],
    ['order.lines[0].name', contentOf('paid', 'en', { lines: [{ units: 1, priceMinor: 1 }] })],
    ['refundMinor', { ...contentOf('refunded'), refundMinor: undefined }],
  ])('%s', (name, content) => {
    for (const kind of kinds) {
      if (name === 'refundMinor' && kind !== 'refunded') continue;
      for (const language of name === 'language' ? [undefined] : languages)
        expect(() => renderMail({ ...content, kind, language } as MailContent)).toThrow(`has no ${name}`);
    }
  });
});

describe('what others have written', () => {
  const lines = [{ name: '<img src=x onerror=alert(1)> & "Co" \'s', units: 1, priceMinor: 1 }];

  test.each(each)('is text in the HTML of %s in %s', (kind, language) => {
    const { html } = renderMail(contentOf(kind, language, { lines }));
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot; &#39;s');
    expect(html).not.toContain('<img');
  });

  test('ends no line and no header', () => {
    const { subject, text } = renderMail(
      contentOf('paid', 'en', {
        orderId: 'o1\r\nBcc: all@example.com',
        lines: [{ ...lines[0], name: 'Tea\r\nTotal  €0.01' }],
      }),
    );
    expect(subject).toBe('Your order o1 Bcc: all@example.com is paid');
    expect(text.split('\n')).not.toContain('Total  €0.01');
  });
});

test('a link to unsubscribe is in both forms of a mail that has one', () => {
  const { text, html } = renderMail(contentOf('fulfilled'), 'https://shop.example/unsubscribe/x?a=1&b=2');
  expect(text).toContain('https://shop.example/unsubscribe/x?a=1&b=2');
  expect(html).toContain('<a href="https://shop.example/unsubscribe/x?a=1&amp;b=2">');
});

test.each([
  ['<o1~paid@shop.test>', 'o1~paid'],
  ['o1~paid@shop.test', 'o1~paid'],
  ['<o1~paid>', undefined],
  ['<a b@shop.test>', undefined],
])('a Message-ID names its notification: %s', (messageId, expected) => {
  expect(notificationOf(messageId)).toBe(expected);
});

describe('an address', () => {
  test.each(['a@b.example', "o'hara+tea@mail.example.co", 'A.B@x-y.example'])('may be %s', (address) => {
    expect(address).toMatch(new RegExp(ADDRESS_PATTERN));
  });
  test.each([
    'a',
    'a@b',
    'a@b.example\n',
    'a@b.example\r\nBcc: x@y.example',
    'a b@c.example',
    '<a@b.example>',
    'a@b.example,c@d.example',
    '.a@b.example',
    'a..b@c.example',
    'a@-b.example',
    'ä@b.example',
  ])('may not be %j', (address) => {
    // As ajv reads patterns.
    expect(new RegExp(ADDRESS_PATTERN, 'u').test(address)).toBe(false);
  });
});
