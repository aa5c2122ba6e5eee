/** Prices: whole numbers of the currency's smallest unit, shown as the language writes them. */
import type { Language } from './language.ts';

const LOCALES = { en: 'en-GB', de: 'de-DE' } as const satisfies Record<Language, string>;

/** `7,90 €`; the code where the currency is none that the browser knows. */
export function priceText(minor: number, currency: string, language: Language): string {
  const format = formatOf(currency, language);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** digits);
}

/** @throws RangeError when it is not of the form of a currency (ISO 4217). */
function formatOf(currency: string, language: Language): Intl.NumberFormat {
  return new Intl.NumberFormat(LOCALES[language], { style: 'currency', currency });
}

/** `30 Nov 2026, 11:47` */
export function momentText(iso: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALES[language], { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(iso),
  );
}
