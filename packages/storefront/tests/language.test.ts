import { describe, expect, test } from '@jest/globals';
import { chooseLanguage } from '../src/language.ts';
import { momentText, priceText } from '../src/money.ts';
import { de } from '../src/texts/de.ts';
import { en } from '../src/texts/en.ts';

describe('the language', () => {
  test.each([
    ['the one that was chosen here', 'de', ['en-GB'], 'de'],
    ["the first of the browser's that the shop speaks", undefined, ['fr-FR', 'de-AT', 'en'], 'de'],
    ['English when it speaks none of them', undefined, ['fr', 'nl'], 'en'],
    ['English when nothing is known', undefined, [], 'en'],
    ["the browser's when what was kept is none", 'klingon', ['DE'], 'de'],
  ])('is %s', (_, chosen, preferred, language) => {
    expect(chooseLanguage(chosen, preferred)).toBe(language);
  });

  test('has a word in German for every one in English', () => {
    for (const part of ['stages', 'status', 'reasons', 'steps'] as const)
      expect(Object.keys(de[part]).sort()).toEqual(Object.keys(en[part]).sort());
  });
});

/** Intl separates with spaces that do not break. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');

describe('prices', () => {
  test.each([
    ['in English', 149_900, 'EUR', 'en', '€1,499.00'],
    ['in German', 149_900, 'EUR', 'de', '1.499,00 €'],
    ['of a currency without cents', 790, 'JPY', 'en', 'JP¥790'],
    ['of a currency with thousandths', 1_234, 'KWD', 'de', '1,234 KWD'],
    ['of a currency that nobody knows', 790, 'XQQ', 'en', 'XQQ 7.90'],
  ] as const)('are written %s', (_, minor, currency, language, text) => {
    expect(plain(priceText(minor, currency, language))).toBe(text);
  });

  test('moments are written as the language does', () => {
    expect(momentText('2026-11-30T11:47:00.000Z', 'de')).toMatch(/^\d\d\.\d\d\.2026, \d\d:\d\d$/);
    expect(momentText('2026-11-30T11:47:00.000Z', 'en')).toContain('Nov 2026');
  });
});
