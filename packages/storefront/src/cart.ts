/** What is to be bought. Pure: what is kept, and where, is up to `storage.ts`. */

export interface CartLine {
  readonly sku: string;
  /** As it was shown when it was put here. */
  readonly name: string;
  readonly units: number;
  /** Of one. What the customer was shown: an order at another price is refused by the sites. */
  readonly priceMinor: number;
  readonly currency: string;
}

export type Cart = readonly CartLine[];

/** What an order takes (src/shared/bounds.ts). */
export const linesMax = 20;
export const unitsMax = 1_000;

export type Refusal = 'full' | 'other_currency';

/** With so many more of it; or why not. */
export function withAdded(cart: Cart, line: CartLine): Cart | Refusal {
  if (cart.some(({ currency }) => currency !== line.currency)) return 'other_currency';
  const held = cart.find(({ sku }) => sku === line.sku);
  if (held !== undefined) return withUnits(cart, line.sku, held.units + line.units);
  return cart.length >= linesMax ? 'full' : [...cart, { ...line, units: bounded(line.units) }];
}

/** With so many of it; none takes it out. */
export function withUnits(cart: Cart, sku: string, units: number): Cart {
  if (units < 1) return cart.filter((line) => line.sku !== sku);
  return cart.map((line) => (line.sku === sku ? { ...line, units: bounded(units) } : line));
}

/** With what the catalogue says now; undefined: it is not sold any more. */
export function withCurrent(
  cart: Cart,
  sku: string,
  current: Pick<CartLine, 'name' | 'priceMinor' | 'currency'> | undefined,
): Cart {
  if (current === undefined) return withUnits(cart, sku, 0);
  const { name, priceMinor, currency } = current;
  const isSame = (line: CartLine): boolean =>
    line.name === name && line.priceMinor === priceMinor && line.currency === currency;
  return cart.every((line) => line.sku !== sku || isSame(line))
    ? cart
    : cart.map((line) => (line.sku === sku ? { ...line, name, priceMinor, currency } : line));
}

export function unitsOf(cart: Cart): number {
  return cart.reduce((sum, { units }) => sum + units, 0);
}

export function totalMinor(lines: readonly Pick<CartLine, 'units' | 'priceMinor'>[]): number {
  return lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
}

/** What was kept, as far as it is a cart: a browser keeps what any release, or anybody, has written there. */
export function readCart(kept: unknown): Cart {
  if (!Array.isArray(kept)) return [];
  return kept.filter(isLine).slice(0, linesMax);
}

function isLine(value: unknown): value is CartLine {
  const { sku, name, units, priceMinor, currency } = (value ?? {}) as Partial<CartLine>;
  return (
    typeof sku === 'string' &&
    typeof name === 'string' &&
    isWhole(units, unitsMax) &&
    isWhole(priceMinor, Number.MAX_SAFE_INTEGER) &&
    typeof currency === 'string' &&
    /^[A-Z]{3}$/.test(currency)
  );
}

const isWhole = (value: unknown, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;

const bounded = (units: number): number => Math.min(unitsMax, Math.max(1, Math.floor(units)));
