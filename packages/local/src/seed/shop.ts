/**
 * What a shop has after a week: stock at every site, and orders in every state. All of it goes through the API and through the
 * payment sandbox, so stock, payments and orders fit together as they would anywhere. A key older than 20 hours is refused, so
 * the week is laid into the last 19 of them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { product } from '../../../../src/shared/entities/product.ts';
import { keyAt } from '../creation-headers.ts';

export interface ShopPost {
  /** Base URL. */
  readonly site: string;
  readonly path: string;
  readonly body: object;
  readonly key?: string;
  /** Whose it is. */
  readonly owner?: string;
}

interface Sample {
  readonly priceMinor: number;
  readonly currency: string;
}

const WEEK_HOURS = 19;
const ORDERS = 70;
const UNITS_PER_SITE = 40;
const BOOK = 'opening-stock';
/** One in so many is declined, asks the customer, or is not paid for yet. */
const METHODS = [
  ...Array.from({ length: 8 }, () => 'pm_card_visa'),
  'pm_card_visa_chargeDeclined',
  undefined,
] as const;
const CUSTOMERS = ['ada', 'alan', 'barbara', 'edsger', 'frances', 'grace', 'katherine', 'leslie'] as const;
const PAUSE_MS = 50;

/** Returns how many orders were placed. @throws what `send` throws */
export async function seedShop(
  sites: readonly string[],
  send: (post: ShopPost) => Promise<void>,
): Promise<number> {
  const products = Object.entries(product.samples) as unknown as readonly (readonly [string, Sample])[];
  for (const [sku] of products)
    for (const site of sites)
      await send({ site, path: `/inventory/${sku}/receipts`, body: { book: BOOK, total: UNITS_PER_SITE } });
  const beganMs = Date.now() - WEEK_HOURS * 3_600_000;
  for (let number = 0; number < ORDERS; number += 1) {
    const bornMs = beganMs + (number * WEEK_HOURS * 3_600_000) / ORDERS;
    const method = METHODS[number % METHODS.length];
    const chosen = [products[number % products.length], products[(number * 5 + 1) % products.length]];
    const [first, second] = chosen;
    if (first === undefined || second === undefined) break;
    const lines = number % 3 === 0 && first !== second ? [first, second] : [first];
    await send({
      site: sites[number % sites.length] ?? '',
      path: '/orders',
      key: keyAt(bornMs, number),
      owner: CUSTOMERS[number % CUSTOMERS.length] ?? '',
      body: {
        currency: 'EUR',
        lines: lines.map(([sku, { priceMinor }], line) => ({
          sku,
          priceMinor,
          units: 1 + ((number + line) % 2),
        })),
        ...(method !== undefined && { method }),
      },
    });
    // The functions that react share this machine.
    await delay(PAUSE_MS);
  }
  return ORDERS;
}
