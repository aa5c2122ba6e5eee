/**
 * Money as a count of the smallest unit of its currency.
 *
 * Invariant: no fraction and no rounding; whatever cannot be said exactly is refused.
 * @see https://www.iso.org/iso-4217-currency-codes.html
 */
import { BrokenRulesError } from './errors.ts';

export interface Money {
  /** Of the currency's smallest unit: cents of EUR, whole yen, thousandths of a dinar. */
  readonly amountMinor: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

/** The amount is none: zero, negative, not whole, not exact in the unit that is asked for, or beyond the safe range. */
export class AmountError extends BrokenRulesError {
  override readonly name = 'AmountError';
  readonly code = 'invalid';
}

/** No currency of ISO 4217, or none that is taken there. */
export class CurrencyError extends BrokenRulesError {
  override readonly name = 'CurrencyError';
  readonly code = 'invalid';
}

const DIGITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    2:
      'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC ' +
      'CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD ' +
      'KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO ' +
      'NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL ' +
      'THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG',
    3: 'BHD IQD JOD KWD LYD OMR TND',
    4: 'CLF UYW',
  }).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)] as const)),
);

/** Digits of the smallest unit: 2 for EUR, 0 for JPY, 3 for KWD. @throws CurrencyError */
export function digitsOf(currency: string): number {
  const digits = DIGITS.get(currency);
  if (digits !== undefined) return digits;
  throw currencyError(`${shown(currency)} is no currency of ISO 4217 (three capitals)`);
}

/** Something that is paid. @throws AmountError, CurrencyError */
export function checkMoney({ amountMinor, currency }: Money): void {
  digitsOf(currency);
  if (!Number.isInteger(amountMinor))
    throw amountError('whole', `${amountMinor} is not a whole number of minor units`);
  if (amountMinor <= 0) throw amountError('positive', `${amountMinor} is not above 0`);
  if (!Number.isSafeInteger(amountMinor))
    throw amountError('range', `${amountMinor} is above ${Number.MAX_SAFE_INTEGER}`);
}

/**
 * The amount in a unit with other digits: 10.00 EUR as 1000 of two digits, or as 10 of none.
 * @throws AmountError when it is not whole in that unit, or not safe.
 */
export function inDigits({ amountMinor, currency }: Money, digits: number): number {
  const shift = digits - digitsOf(currency);
  if (shift >= 0) {
    const scaled = amountMinor * 10 ** shift;
    if (Number.isSafeInteger(scaled)) return scaled;
    throw amountError('range', `${amountMinor} of ${currency} is beyond the safe range in a smaller unit`);
  }
  const step = 10 ** -shift;
  if (amountMinor % step === 0) return amountMinor / step;
  throw amountError(
    'step',
    `${amountMinor} of ${currency} is no multiple of ${step}, the smallest step that is taken`,
  );
}

/** As `inDigits`, the other way. @throws AmountError */
export function fromDigits(amount: number, currency: string, digits: number): Money {
  const shift = digitsOf(currency) - digits;
  if (shift >= 0) {
    const amountMinor = amount * 10 ** shift;
    if (Number.isSafeInteger(amountMinor)) return { amountMinor, currency };
  } else if (amount % 10 ** -shift === 0) return { amountMinor: amount / 10 ** -shift, currency };
  throw amountError('range', `${amount} of ${currency} is no whole number of minor units`);
}

/** `10.50`, `-3`, with so many digits. */
export function decimalOf(amount: number, digits: number): string {
  const text = String(Math.abs(amount)).padStart(digits + 1, '0');
  const sign = amount < 0 ? '-' : '';
  return sign + (digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`);
}

/** As a person reads it: `10,50 €`. @param locale BCP 47. @throws CurrencyError */
export function shownMoney({ amountMinor, currency }: Money, locale: string): string {
  const digits = digitsOf(currency);
  const format = new Intl.NumberFormat(locale, {
    ...{ style: 'currency', currency },
    ...{ minimumFractionDigits: digits, maximumFractionDigits: digits },
  } as const);
  // As text, which loses nothing on the way.
  return format.format(decimalOf(amountMinor, digits) as Intl.StringNumericLiteral);
}

/** @param text Decimal digits, with or without a point. @throws AmountError when it has more digits, or is not safe. */
export function fromDecimal(text: string, currency: string): Money {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d{1,18})(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  const digits = digitsOf(currency);
  const [kept, rest] = [fraction.slice(0, digits), fraction.slice(digits)];
  const amountMinor = Number(`${sign}${whole}${kept.padEnd(digits, '0')}`);
  if (whole === '' || Number(rest) !== 0 || !Number.isSafeInteger(amountMinor))
    throw amountError('range', `${shown(text)} is no amount of ${currency}`);
  // No -0.
  return { amountMinor: amountMinor === 0 ? 0 : amountMinor, currency };
}

function amountError(rule: string, detail: string): AmountError {
  return new AmountError(`amountMinor: ${detail}`, [{ pointer: '/amountMinor', detail, rule }]);
}

export function currencyError(detail: string): CurrencyError {
  return new CurrencyError(`currency: ${detail}`, [{ pointer: '/currency', detail, rule: 'currency' }]);
}

const SHOWN_CHARS_MAX = 20;

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_CHARS_MAX));
}
