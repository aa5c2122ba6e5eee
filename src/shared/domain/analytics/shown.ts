/**
 * What orders and users come to, minute by minute, as the API shows them: a recount of everything, which what was counted is held
 * to. Where an order was placed the API does not show, so placed orders and sign-ups are compared for all sites together.
 */
import { madeMsOf } from '../birth.ts';
import { minuteStart } from './units.ts';

export interface ShownOrder {
  readonly status: string;
  readonly createdAt: string;
  readonly currency: string;
  readonly lines: readonly { readonly units: number; readonly priceMinor: number }[];
  readonly paidFrom?: string;
  readonly paidAtMs?: number;
  readonly payingSinceMs?: number;
  readonly refunded?: Readonly<Record<string, { readonly amountMinor: number; readonly status: string }>>;
}

export interface ShownCounts {
  readonly orders: number;
  readonly paid: number;
  readonly revenue: Readonly<Record<string, number>>;
  readonly refunded: Readonly<Record<string, number>>;
  readonly signUps: number;
}

export interface ShownPoint {
  readonly at: string;
  readonly total: ShownCounts;
  readonly sites: Readonly<Record<string, ShownCounts>>;
}

const PAID = new Set(['paid', 'fulfilled', 'refunded']);

/** Start of a minute and what is counted there, as text → how much. */
export class Figures {
  readonly #figures = new Map<string, number>();

  #add(atMs: number, name: string, amount: number): void {
    if (amount === 0) return;
    const key = `${new Date(minuteStart(atMs)).toISOString()} ${name}`;
    this.#figures.set(key, (this.#figures.get(key) ?? 0) + amount);
  }

  addUser({ createdAt }: { readonly createdAt: string }): void {
    this.#add(Date.parse(createdAt), 'sign-ups', 1);
  }

  addOrder(order: ShownOrder): void {
    const createdMs = Date.parse(order.createdAt);
    this.#add(createdMs, 'orders', 1);
    const { paidFrom, currency, refunded = {} } = order;
    if (!PAID.has(order.status) || paidFrom === undefined) return;
    const paidMs = order.paidAtMs ?? order.payingSinceMs ?? createdMs;
    const total = order.lines.reduce((sum, { units, priceMinor }) => sum + units * priceMinor, 0);
    this.#add(paidMs, `paid at ${paidFrom}`, 1);
    this.#add(paidMs, `revenue at ${paidFrom} ${currency}`, total);
    for (const [id, { amountMinor, status }] of Object.entries(refunded))
      if (status === 'done' || status === 'pending')
        this.#add(madeMsOf(id) ?? paidMs, `refunded at ${paidFrom} ${currency}`, amountMinor);
  }

  /** A point of an answer, by minutes. */
  addPoint({ at, total, sites }: ShownPoint): void {
    const atMs = Date.parse(at);
    this.#add(atMs, 'orders', total.orders);
    this.#add(atMs, 'sign-ups', total.signUps);
    for (const [site, { paid, revenue, refunded }] of Object.entries(sites)) {
      this.#add(atMs, `paid at ${site}`, paid);
      for (const [currency, amount] of Object.entries(revenue))
        this.#add(atMs, `revenue at ${site} ${currency}`, amount);
      for (const [currency, amount] of Object.entries(refunded))
        this.#add(atMs, `refunded at ${site} ${currency}`, amount);
    }
  }

  /** Days of UTC with something in them, `2026-11-30`, in their order. */
  days(): readonly string[] {
    return [...new Set([...this.#figures.keys()].map((key) => key.slice(0, '2026-11-30'.length)))].sort();
  }

  /** Where the figures that were counted are others, a sentence each. */
  differences(counted: Figures): readonly string[] {
    const keys = new Set([...this.#figures.keys(), ...counted.#figures.keys()]);
    return [...keys].sort().flatMap((key) => {
      const [here, there] = [this.#figures.get(key) ?? 0, counted.#figures.get(key) ?? 0];
      return here === there ? [] : [`${key}: ${there} counted, and the records give ${here}`];
    });
  }
}
