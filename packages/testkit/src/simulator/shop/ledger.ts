/**
 * The shop's own books, kept beside the protocol, and what they say of every single change: invariants 5, 6 and 7 at
 * every moment. Rows and orders are read as plain data here, by the checkers' own rules.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { AppliedPut, CommittedWrite, Finding } from '../../history/facts.ts';
import { START_MS } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import type { PaymentObject, SimProvider } from './provider.ts';

type Units = Readonly<Record<string, number>>;

/** An escrow row as the checkers read it. */
export interface RowFact {
  readonly sku: string;
  readonly site: string;
  readonly sequence: number;
  readonly receipts: Units;
  readonly recovered: Units;
  readonly sold: number;
  readonly holds: Units;
  readonly given: Units;
  readonly taken: Units;
  readonly asked: Units;
  readonly fenced: Readonly<Record<string, string>>;
}

export interface OrderFact {
  readonly orderId: string;
  readonly sku: string;
  readonly units: number;
  readonly owner: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly state: string;
  readonly stockSite: string | null;
}

/** What a client has asked for. */
export interface Ordered {
  readonly orderId: string;
  readonly bornMs: number;
  readonly sku: string;
  readonly units: number;
}

const STOCK = '5 stock';
const PAYMENT = '6 payment';
const OWNERSHIP = '7 ownership';
const OVER = new Set(['paid', 'cancelled']);
/** 20 hours, and what a late call, a standing function and a clock that is a minute behind add to it. */
const CHARGE_AGE_MAX_MS = 20 * 3_600_000 + 15 * 60_000;

export const sum = (units: Units): number => Object.values(units).reduce((total, each) => total + each, 0);
/** The order of a payment, whatever a defect adds to its key. */
export const orderIdOf = ({ key }: { readonly key: string }): string =>
  key.replace('order-', '').split('.')[0] ?? '';
const orderKeyOf = (payment: PaymentObject): string => `order:${orderIdOf(payment)}`;

export function rowFact(record: StoredRecord | undefined): RowFact | undefined {
  return record?.state.fields['row']?.[1] as unknown as RowFact | undefined;
}

export function orderFact(record: StoredRecord | undefined): OrderFact | undefined {
  return record?.state.fields['order']?.[1] as unknown as OrderFact | undefined;
}

/** What the site may still promise. */
export function free(row: RowFact): number {
  const incoming = sum(row.receipts) + sum(row.recovered) + sum(row.taken);
  return incoming - sum(row.given) - row.sold - sum(row.holds);
}

export class Ledger implements Watcher {
  readonly ordered = new Map<string, Ordered>();
  /** `sku site` → what was ever brought there. */
  readonly delivered = new Map<string, number>();
  /** Order id → the sites that sold it. */
  readonly sales = new Map<string, string[]>();
  /** Sku → units of charged payments. */
  readonly #charged = new Map<string, number>();
  readonly #chargesOf = new Map<string, number>();
  /** `site order` where the site has seen a version of the order that was over. */
  readonly #seenOver = new Set<string>();
  readonly #world: World;
  readonly #provider: () => SimProvider;

  constructor(world: World, provider: () => SimProvider) {
    this.#world = world;
    this.#provider = provider;
  }

  /** All that was ever entered of a product, at whichever site. */
  enteredOf(sku: string): number {
    return this.#world.sites.reduce(
      (total, { name }) => total + sum(this.ownRow(sku, name)?.receipts ?? {}),
      0,
    );
  }

  /** The row of a site as its owner holds it. */
  ownRow(sku: string, site: string): RowFact | undefined {
    return rowFact(this.#world.site(site).store.records.get(`stock:${sku}~${site}`));
  }

  /** Units of charged payments that a site's stock backs. */
  chargedTo(sku: string, site: string): number {
    return this.#provider()
      .payments.filter(({ status, claim }) => status === 'charged' && claim === site)
      .map((payment) => this.ordered.get(orderIdOf(payment)))
      .reduce((total, order) => total + (order?.sku === sku ? order.units : 0), 0);
  }

  committed(write: CommittedWrite): void {
    if (write.key.startsWith('stock:')) this.#rowCommitted(write);
    if (write.key.startsWith('order:')) this.#orderCommitted(write);
  }

  /** No site's view of an order, or of a row, ever goes back. */
  applied({ key, site, before, after }: AppliedPut): void {
    const order = orderFact(after);
    if (order !== undefined && OVER.has(order.state)) this.#seenOver.add(`${site} ${order.orderId}`);
    const [was, is] = key.startsWith('order:')
      ? [rankOf(orderFact(before)), rankOf(orderFact(after))]
      : [[rowFact(before)?.sequence ?? 0], [rowFact(after)?.sequence ?? 0]];
    if (compare(is, was) < 0)
      this.#find(OWNERSHIP, key, `${site} went back from ${was.join()} to ${is.join()}`);
  }

  confirmed(payment: PaymentObject): void {
    const order = this.ordered.get(orderIdOf(payment));
    const key = orderKeyOf(payment);
    if (order === undefined) return;
    const ageMs = this.#world.agenda.nowMs + START_MS - order.bornMs;
    if (ageMs > CHARGE_AGE_MAX_MS)
      this.#find(PAYMENT, key, `was being charged ${(ageMs / 3_600_000).toFixed(2)} hours after its birth`);
    if (this.#world.site(payment.claim).lost && this.#isCounted(order.sku, payment.claim))
      this.#find(STOCK, key, `was being charged to ${payment.claim}, whose share has been counted`);
    if ((this.ownRow(order.sku, payment.claim)?.holds[order.orderId] ?? 0) !== order.units)
      this.#find(STOCK, key, `was being charged to ${payment.claim}, which holds nothing for it`);
  }

  charged(payment: PaymentObject): void {
    const order = this.ordered.get(orderIdOf(payment));
    if (order === undefined) return;
    const charges = (this.#chargesOf.get(order.orderId) ?? 0) + 1;
    this.#chargesOf.set(order.orderId, charges);
    if (charges > 1) this.#find(PAYMENT, orderKeyOf(payment), `was charged ${charges} times`);
    const units = (this.#charged.get(order.sku) ?? 0) + order.units;
    this.#charged.set(order.sku, units);
    const there = this.enteredOf(order.sku);
    if (units > there)
      this.#find(STOCK, orderKeyOf(payment), `${units} of ${order.sku} are paid for, ${there} were entered`);
  }

  #isCounted(sku: string, lost: string): boolean {
    return this.#world.sites.some(({ name }) => this.ownRow(sku, name)?.recovered[lost] !== undefined);
  }

  #rowCommitted({ key, site, fields, replaced }: CommittedWrite): void {
    const after = fields['row'] as unknown as RowFact | undefined;
    const before = rowFact(replaced);
    if (after === undefined) return;
    if (after.site !== site) this.#find(STOCK, key, `${site} wrote the row of ${after.site}`);
    if (after.sequence <= (before?.sequence ?? 0))
      this.#find(STOCK, key, `its sequence went from ${before?.sequence} to ${after.sequence}`);
    if (free(after) < 0) this.#find(STOCK, key, `${free(after)} are available`);
    if (sum(after.receipts) > (this.delivered.get(`${after.sku} ${site}`) ?? 0))
      this.#find(STOCK, key, 'more was entered than was brought');
    this.#checkHolds(key, before, after);
    this.#checkTransfers(key, after);
    this.#checkTotal(key, after.sku);
  }

  /** A hold ends when its order has, as a sale exactly where the payment was charged to. */
  #checkHolds(key: string, before: RowFact | undefined, after: RowFact): void {
    let sold = before?.sold ?? 0;
    for (const [orderId, units] of Object.entries(before?.holds ?? {})) {
      if (after.holds[orderId] === units) continue;
      if (after.holds[orderId] !== undefined) this.#find(STOCK, key, `the hold of ${orderId} changed`);
      if (!this.#seenOver.has(`${after.site} ${orderId}`))
        this.#find(STOCK, key, `the hold of ${orderId} ended before the order`);
      const payment = this.#provider().payments.find(
        (each) => each.status === 'charged' && orderIdOf(each) === orderId,
      );
      if (payment?.claim !== after.site) continue;
      sold += units;
      const sites = this.sales.get(orderId) ?? [];
      this.sales.set(orderId, [...sites, after.site]);
      if (sites.length > 0) this.#find(PAYMENT, `order:${orderId}`, `was sold at ${sites.join()} before`);
    }
    if (after.sold !== sold) this.#find(STOCK, key, `${after.sold} sold where its orders make ${sold}`);
    for (const [orderId, units] of Object.entries(after.holds)) {
      if (before?.holds[orderId] !== undefined) continue;
      const ordered = this.ordered.get(orderId);
      if (ordered?.units !== units || ordered.sku !== after.sku)
        this.#find(STOCK, key, `holds ${units} for ${orderId}, which nobody ordered like that`);
    }
  }

  /** What was given had been asked for, and what was taken had been given. */
  #checkTransfers(key: string, row: RowFact): void {
    for (const [peer, units] of Object.entries(row.given)) {
      const requested = this.ownRow(row.sku, peer)?.asked[row.site] ?? 0;
      if (units > requested) this.#find(STOCK, key, `gave ${units} to ${peer}, which asked for ${requested}`);
    }
    for (const [peer, units] of Object.entries(row.taken)) {
      const given = this.ownRow(row.sku, peer)?.given[row.site] ?? 0;
      if (units > given) this.#find(STOCK, key, `took ${units} from ${peer}, which gave ${given}`);
    }
  }

  /** Sold and held, over all sites, never exceed what came in. Of a lost site, once counted: what was paid for. */
  #checkTotal(key: string, sku: string): void {
    let promised = 0;
    for (const { name, lost } of this.#world.sites) {
      const row = this.ownRow(sku, name);
      if (lost && this.#isCounted(sku, name)) promised += this.chargedTo(sku, name);
      else if (row !== undefined) promised += row.sold + sum(row.holds);
    }
    const there = this.enteredOf(sku);
    if (promised > there) this.#find(STOCK, key, `${promised} are sold or held, ${there} were entered`);
  }

  #orderCommitted({ key, site, fields, replaced }: CommittedWrite): void {
    const after = fields['order'] as unknown as OrderFact | undefined;
    const before = orderFact(replaced);
    if (after === undefined) return;
    if (after.owner !== site) this.#find(OWNERSHIP, key, `${site} wrote a version of ${after.owner}`);
    if (before !== undefined) {
      if (OVER.has(before.state)) this.#find(OWNERSHIP, key, `${site} changed an order that was over`);
      if (after.epoch < before.epoch) this.#find(OWNERSHIP, key, `its epoch went back at ${site}`);
      if (after.epoch === before.epoch && after.owner !== before.owner)
        this.#find(OWNERSHIP, key, `${site} advanced what ${before.owner} owns in epoch ${before.epoch}`);
      if (compare(rankOf(after), rankOf(before)) <= 0)
        this.#find(OWNERSHIP, key, `${site} wrote a version that does not outrank the one before`);
      if (after.epoch > before.epoch && after.state !== 'cancelling')
        this.#find(OWNERSHIP, key, `${site} took it over as ${after.state}`);
    }
    if (OVER.has(after.state)) this.#seenOver.add(`${site} ${after.orderId}`);
    const charges = this.#chargesOf.get(after.orderId) ?? 0;
    if (after.state === 'paid' && charges !== 1)
      this.#find(PAYMENT, key, `${site} calls it paid after ${charges} charges`);
    if (after.state === 'cancelled' && charges > 0)
      this.#find(PAYMENT, key, `${site} calls it cancelled though it was charged`);
  }

  #find(invariant: string, key: string, detail: string): void {
    const finding: Finding = { invariant, key, detail };
    this.#world.find([finding]);
  }
}

function rankOf(order: OrderFact | undefined): readonly (number | string)[] {
  return order === undefined ? [] : [order.epoch, order.sequence, order.owner];
}

/** Lexicographic; nothing comes first. */
function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [left, right] = [a[i], b[i]];
    if (left === right) continue;
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    return left < right ? -1 : 1;
  }
  return 0;
}
