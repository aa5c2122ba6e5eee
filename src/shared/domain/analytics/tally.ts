/** What is counted of a time: by the site where it happened, money by currency. */
import type { Json } from '@tandem-clouds/replication/json';
import type { SiteId } from '@tandem-clouds/replication/stamp';

/** Currency → its smallest units. */
export type Amounts = Readonly<Record<string, number>>;

export interface Counts {
  /** Orders that were placed. */
  readonly orders: number;
  /** Orders that were charged. */
  readonly paid: number;
  /** What was charged. */
  readonly revenue: Amounts;
  /** What was paid back, when it was asked for. */
  readonly refunded: Amounts;
  readonly signUps: number;
}

/** Site → what happened there; a site where nothing did is not in it. */
export type Tally = Readonly<Record<SiteId, Counts>>;

export const NOTHING: Counts = { orders: 0, paid: 0, revenue: {}, refunded: {}, signUps: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    orders: a.orders + b.orders,
    paid: a.paid + b.paid,
    revenue: addAmounts(a.revenue, b.revenue),
    refunded: addAmounts(a.refunded, b.refunded),
    signUps: a.signUps + b.signUps,
  };
}

function addAmounts(a: Amounts, b: Amounts): Amounts {
  const sums = new Map(Object.entries(a));
  for (const [currency, amount] of Object.entries(b)) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return Object.fromEntries(sums);
}

export function addTallies(a: Tally, b: Tally): Tally {
  const sums = new Map(Object.entries(a));
  for (const [site, counts] of Object.entries(b))
    sums.set(site, addCounts(sums.get(site) ?? NOTHING, counts));
  return Object.fromEntries(sums);
}

/** Of all sites together. */
export function totalOf(tally: Tally): Counts {
  return Object.values(tally).reduce(addCounts, NOTHING);
}

/** Part of an hour or a day, by its number → what happened in it; a part without anything is not in it. */
export type Parts = Readonly<Record<string, Tally>>;

/** Nothing of zero is kept: a site reads many of them for a chart. */
export function partsJson(parts: Parts): Json {
  return mapValues(parts, (tally) =>
    mapValues(tally, (counts) =>
      Object.fromEntries(
        Object.entries(counts).filter(([, value]: [string, unknown]) =>
          typeof value === 'number' ? value !== 0 : Object.keys(value as object).length > 0,
        ),
      ),
    ),
  );
}

export function partsIn(value: Json | undefined): Parts {
  return mapValues(
    (value ?? {}) as Readonly<Record<string, Readonly<Record<string, Partial<Counts>>>>>,
    (tally) => mapValues(tally, (counts) => ({ ...NOTHING, ...counts })),
  );
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
