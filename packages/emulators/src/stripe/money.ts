/**
 * What amounts Stripe takes.
 * @see https://docs.stripe.com/currencies
 */
import { invalid } from './errors.ts';
import type { Params } from './params.ts';

/** @see https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
const AMOUNT_MAX = 99_999_999;
const MINIMA: Readonly<Record<string, number>> = { usd: 50, eur: 50, gbp: 30, chf: 50, jpy: 50, sek: 300 };
/** @see https://docs.stripe.com/currencies#three-decimal */
const THREE_DECIMALS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
/** Those that are settled to a whole unit, and given with two decimals all the same. @see https://docs.stripe.com/currencies#special-cases */
const WHOLE_UNITS = new Set(['isk', 'ugx']);
const CURRENCIES = new Set([
  ...Object.keys(MINIMA),
  ...THREE_DECIMALS,
  ...WHOLE_UNITS,
  ...'aed aud bgn brl cad clp cop czk dkk hkd huf idr ils inr krw mxn myr nok nzd php pln ron rub sar sgd thb try twd vnd xaf xof zar'.split(
    ' ',
  ),
]);

export function currencyOf(params: Params): string {
  const currency = params.needed('currency').toLowerCase();
  if (CURRENCIES.has(currency)) return currency;
  throw invalid(`Invalid currency: ${currency}. Stripe currently supports these currencies: …`, {
    param: 'currency',
  });
}

export function chargeAmount(params: Params, currency: string): number {
  const amount = positive(params.integer('amount') ?? Number(params.needed('amount')), 'amount');
  checkSteps(amount, currency);
  if (amount < (MINIMA[currency] ?? 1))
    throw invalid(`Amount must be at least ${MINIMA[currency]} ${currency}`, {
      code: 'amount_too_small',
      param: 'amount',
    });
  return amount;
}

export function positive(amount: number, param: string): number {
  if (amount < 1)
    throw invalid('This value must be greater than or equal to 1.', {
      code: 'parameter_invalid_integer',
      param,
    });
  if (amount > AMOUNT_MAX)
    throw invalid('Amount must be no more than $999,999.99', { code: 'amount_too_large', param });
  return amount;
}

function checkSteps(amount: number, currency: string): void {
  const step = THREE_DECIMALS.has(currency) ? 10 : WHOLE_UNITS.has(currency) ? 100 : 1;
  if (amount % step !== 0)
    throw invalid(`Invalid amount: in ${currency} it must be a multiple of ${step}`, {
      code: 'parameter_invalid_integer',
      param: 'amount',
    });
}

/** Ours, of the size of a real one: 2.9 % and 30 minor units. */
export function feeOf(amount: number): number {
  return Math.min(amount, Math.round(amount * 0.029) + 30);
}

/** @see https://stripe.com/pricing */
export const DISPUTE_FEE = 1_500;
