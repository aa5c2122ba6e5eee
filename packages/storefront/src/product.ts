/** A product as the shop shows it. */
import type { Language } from './language.ts';

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly category: string | undefined;
  readonly description: string | undefined;
  /** Ids. */
  readonly pictures: readonly string[];
  readonly translations: Readonly<Record<string, Translation>>;
}

interface Translation {
  readonly name?: string;
  readonly description?: string;
}

/** Availability as the sites answer it: never a number of pieces. */
export type Availability = 'in_stock' | 'few' | 'none';

/** Fields that are missing or of another type are left out; undefined where it cannot be sold. */
export function readProduct(record: unknown): Product | undefined {
  const { sku, name, priceMinor, currency, ...rest } = (record ?? {}) as Record<string, unknown>;
  if (typeof sku !== 'string' || typeof name !== 'string' || !Number.isSafeInteger(priceMinor))
    return undefined;
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return undefined;
  const pictures = Array.isArray(rest['pictures']) ? rest['pictures'].filter(isText) : [];
  return {
    sku,
    name,
    priceMinor: priceMinor as number,
    currency,
    category: textOf(rest['category']),
    description: textOf(rest['description']),
    pictures,
    translations: translationsOf(rest['translations']),
  };
}

/** Name and description in a language; what is not translated stays as it is. */
export function inLanguage(
  { name, description, translations }: Product,
  language: Language,
): { readonly name: string; readonly description: string | undefined } {
  const translated = Object.hasOwn(translations, language) ? translations[language] : undefined;
  return { name: translated?.name ?? name, description: translated?.description ?? description };
}

/** Whether the name, or a word of it, begins so, in any language that it is in. */
export function beginsWith({ name, translations }: Product, prefix: string): boolean {
  const wanted = prefix.trim().toLocaleLowerCase();
  const names = [name, ...Object.values(translations).map((translated) => translated.name ?? '')];
  return names
    .map((one) => one.toLocaleLowerCase())
    .some(
      (one) => one.startsWith(wanted) || one.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)),
    );
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const textOf = (value: unknown): string | undefined => (isText(value) ? value : undefined);

function translationsOf(value: unknown): Record<string, Translation> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).map(([language, fields]) => {
      const { name, description } = (fields ?? {}) as Record<string, unknown>;
      return [language, { ...(isText(name) && { name }), ...(isText(description) && { description }) }];
    }),
  );
}
