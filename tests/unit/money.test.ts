import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { payPalMoney } from '../../src/shared/adapters/payments/paypal-shapes.ts';
import { moneyOf, stripeAmount } from '../../src/shared/adapters/payments/stripe-shapes.ts';
import {
  AmountError,
  checkMoney,
  CurrencyError,
  digitsOf,
  fromDecimal,
  inDigits,
} from '../../src/shared/money.ts';

const rulesOf = (run: () => unknown): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof AmountError || error instanceof CurrencyError ? error.failures[0]?.rule : error;
  }
};

describe('money', () => {
  test.each([
    ['nothing', 0, 'EUR', 'positive'],
    ['a negative amount', -1, 'EUR', 'positive'],
    ['a fraction', 1.5, 'EUR', 'whole'],
    ['no number', NaN, 'EUR', 'whole'],
    ['an amount beyond the safe range', 2 ** 53, 'EUR', 'range'],
    ['a currency in small letters', 1, 'eur', 'currency'],
    ['a currency that there is none of', 1, 'XXY', 'currency'],
    ['the name of a property', 1, 'constructor', 'currency'],
  ])('%s is refused', (_what, amountMinor, currency, rule) => {
    expect(rulesOf(() => checkMoney({ amountMinor, currency }))).toBe(rule);
  });

  test.each([
    ['EUR', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['CLF', 4],
  ])('%s has %d digits', (currency, digits) => {
    expect(digitsOf(currency)).toBe(digits);
  });

  // https://docs.stripe.com/currencies, https://developer.paypal.com/api/rest/reference/currency-codes/
  test.each([
    ['cents', { amountMinor: 1_050, currency: 'EUR' }, 1_050, '10.50'],
    ['less than a unit', { amountMinor: 5, currency: 'EUR' }, 5, '0.05'],
    ['whole yen', { amountMinor: 500, currency: 'JPY' }, 500, '500'],
    ['ten thousandths of a dinar', { amountMinor: 1_230, currency: 'KWD' }, 1_230, '1.230'],
    [
      'one thousandth of a dinar, which Stripe does not take',
      { amountMinor: 1_231, currency: 'KWD' },
      'step',
      '1.231',
    ],
    ['forints, of which PayPal takes whole ones', { amountMinor: 1_000, currency: 'HUF' }, 1_000, '10'],
    ['a part of a forint', { amountMinor: 1_001, currency: 'HUF' }, 1_001, 'step'],
    ['krónur, of which Stripe counts hundredths', { amountMinor: 7, currency: 'ISK' }, 700, '7'],
    ['ariary, of which Stripe counts whole ones', { amountMinor: 300, currency: 'MGA' }, 3, '3.00'],
  ])('%s are said to each provider as it counts', (_what, money, stripe, payPal) => {
    expect(rulesOf(() => stripeAmount(money)) ?? stripeAmount(money)).toBe(stripe);
    expect(rulesOf(() => payPalMoney(money)) ?? payPalMoney(money).value).toBe(payPal);
  });

  test('comes back from both as it went', () => {
    const currencies = ['EUR', 'JPY', 'ISK', 'MGA', 'TWD'];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e10 }), fc.constantFrom(...currencies), (n, currency) => {
        const money = { amountMinor: n * 100, currency };
        expect(moneyOf(stripeAmount(money), currency.toLowerCase())).toEqual(money);
        expect(fromDecimal(payPalMoney(money).value, currency)).toEqual(money);
      }),
    );
  });

  test('is never rounded', () => {
    expect(rulesOf(() => fromDecimal('1.005', 'EUR'))).toBe('range');
    expect(rulesOf(() => inDigits({ amountMinor: 2 ** 52, currency: 'JPY' }, 2))).toBe('range');
  });
});
