/**
 * Amounts as PayPal writes them: decimal texts.
 * @see https://developer.paypal.com/api/rest/reference/currency-codes/
 */
import { badRequest, unprocessable } from './errors.ts';

export interface Money {
  readonly currency_code: string;
  readonly value: string;
}

const WHOLE = new Set(['HUF', 'JPY', 'TWD']);
const CURRENCIES = new Set(
  'AUD BRL CAD CNY CZK DKK EUR HKD HUF ILS JPY MYR MXN TWD NZD NOK PHP PLN GBP SGD SEK CHF THB USD'.split(
    ' ',
  ),
);
const VALUE = /^-?(\d+|\d*\.\d+)$/;
const VALUE_CHARS_MAX = 32;
const MINOR_MAX = 99_999_999_999_999_999n;

/** In the smallest unit that PayPal takes. @throws PayPalError */
export function minorOf(
  given: unknown,
  field: string,
): { readonly minor: number; readonly currency: string } {
  const { currency_code: currency, value } = (given ?? {}) as Partial<Record<keyof Money, unknown>>;
  if (currency === undefined) throw badRequest('MISSING_REQUIRED_PARAMETER', `${field}/currency_code`);
  if (value === undefined) throw badRequest('MISSING_REQUIRED_PARAMETER', `${field}/value`);
  if (typeof value !== 'string' || !VALUE.test(value) || value.length > VALUE_CHARS_MAX)
    throw badRequest('INVALID_PARAMETER_SYNTAX', `${field}/value`);
  if (typeof currency !== 'string' || !CURRENCIES.has(currency))
    throw unprocessable(
      'INVALID_CURRENCY_CODE',
      'Currency code is invalid or is not currently supported.',
      `${field}/currency_code`,
    );
  const [, whole = '', fraction = ''] = /^-?(\d*)\.?(\d*)$/.exec(value) ?? [];
  if (WHOLE.has(currency) && Number(fraction) !== 0)
    throw unprocessable('DECIMALS_NOT_SUPPORTED', 'Currency does not support decimals.', `${field}/value`);
  const digits = decimalsOf(currency);
  if (fraction.length > 2)
    throw unprocessable(
      'DECIMAL_PRECISION',
      'If the currency supports decimals, only two decimal place precision is supported.',
      `${field}/value`,
    );
  const minor = BigInt(`${whole}${fraction.padEnd(digits, '0').slice(0, digits)}`);
  if (value.startsWith('-') || minor === 0n)
    throw unprocessable(
      'CANNOT_BE_ZERO_OR_NEGATIVE',
      'Must be greater than zero. If the currency supports decimals, only two decimal place precision is supported.',
      `${field}/value`,
    );
  if (minor > MINOR_MAX)
    throw unprocessable(
      'MAX_VALUE_EXCEEDED',
      'Should be less than or equal to 999999999999999.99.',
      `${field}/value`,
    );
  return { minor: Number(minor), currency };
}

export function moneyOf(minor: number, currency: string): Money {
  const digits = decimalsOf(currency);
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  const sign = minor < 0 ? '-' : '';
  const value = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return { currency_code: currency, value: sign + value };
}

function decimalsOf(currency: string): number {
  return WHOLE.has(currency) ? 0 : 2;
}

/** Ours, of the size of a real one: 3.49 % and 49 hundredths. */
export function feeOf(minor: number): number {
  return Math.min(minor, Math.round(minor * 0.0349) + 49);
}
