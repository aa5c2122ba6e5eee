import { describe, expect, test } from '@jest/globals';
import { smsNameMax } from '../../../src/shared/bounds.ts';
import { kinds, languages, smsKinds } from '../../../src/shared/domain/notifications/notice.ts';
import { smsPartsOf } from '../../../src/shared/domain/notifications/sms-parts.ts';
import { renderSms } from '../../../src/shared/domain/notifications/sms-templates.ts';
import type { MailContent } from '../../../src/shared/domain/notifications/templates.ts';

const ORDER = {
  orderId: '019a0000-0000-7000-8000-000000000001',
  createdAt: '2026-06-01T12:30:00Z',
  currency: 'EUR',
  totalMinor: 123_450,
  lines: [{ name: 'Tea', units: 2, priceMinor: 61_725 }],
};
const contentOf = (kind: string, language = 'en', order: object = {}): MailContent =>
  ({ kind, language, order: { ...ORDER, ...order } }) as unknown as MailContent;
const each = languages.flatMap((language) => smsKinds.map((kind) => [kind, language] as const));

test.each(each)('the SMS %s in %s is one, from the longest name, and has no hole', (kind, language) => {
  const text = renderSms(contentOf(kind, language), 'ß'.repeat(smsNameMax));
  expect(text).toContain(ORDER.orderId);
  expect(text).not.toMatch(/undefined|null|NaN|\[object/);
  expect(smsPartsOf(text)).toBe(1);
});

test('every SMS says something else in every language', () => {
  expect(new Set(each.map(([kind, language]) => renderSms(contentOf(kind, language), 'Shop'))).size).toBe(
    each.length,
  );
});

test.each([
  ['en', 'EUR', '1234.50 EUR'],
  ['de', 'EUR', '1234,50 EUR'],
  ['de', 'JPY', '123450 JPY'],
  ['en', 'PLN', '1234.50 PLN'],
])('amounts in %s are of GSM: %s', (language, currency, amount) => {
  expect(renderSms(contentOf('paid', language, { currency }), 'Shop')).toContain(amount);
});

describe('what is refused', () => {
  test.each([
    ['what no phone is told', contentOf(kinds.find((kind) => !smsKinds.includes(kind)) ?? '')],
    ['an order without an id', contentOf('paid', 'en', { orderId: '' })],
    ['a total that is none', contentOf('paid', 'en', { totalMinor: Number.NaN })],
    ['more than two SMS', contentOf('paid', 'en', { orderId: 'o'.repeat(300) })],
  ])('%s', (_, content) => {
    expect(() => renderSms(content, 'Shop')).toThrow(expect.objectContaining({ code: 'refused' }));
  });
});

test.each([
  [160, 'a', 1],
  [161, 'a', 2],
  [306, 'a', 2],
  [307, 'a', 3],
  [80, '€', 1],
  [81, '€', 2],
  [70, 'ł', 1],
  [71, 'ł', 2],
  [67, '😀', 3],
])('%i of %s are %i SMS', (count, char, parts) => {
  expect(smsPartsOf(char.repeat(count))).toBe(parts);
});
