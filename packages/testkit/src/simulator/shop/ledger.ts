/**
 * The shop's own books, kept beside the protocol, and what they say of every single change: invariants 5, 6 and 7 at
 * every moment. Rows and orders are read as plain data, by the checkers' own rules.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { AppliedPut, CommittedWrite, Finding } from '../../history/facts.ts';
import { START_MS } from '../sim-site.ts';
import type { Watcher, World } from '../world.ts';
import {
  free,
  NEXT,
  type Ordered,
  type OrderFact,
  orderFact,
  OVER,
  PAID,
  priceFact,
  rankOf,
  type RowFact,
  rowFact,
  sum,
  totalOf,
  underWay,
  unitsOf,
} from './facts.ts';
import type { PaymentObject, SimProvider } from './provider.ts';

const STOCK = '5 stock';
const PAYMENT = '6 payment';
const ORDERS = '7 orders';
/** 20 hours, and what a late call, a standing function and a clock that is a minute behind add to it. */
const CHARGE_AGE_MAX_MS = 20 * 3_600_000 + 15 * 60_000;
/** How long what one site does may take to be known at another, where nothing is wrong. */
const KNOWN_WITHIN_MS = 2_000;

/** The order of a payment, whatever a defect adds to its key. */
export const orderIdOf = ({ key }: { readonly key: string }): string =>
  key.replace('order-', '').split('.')[0] ?? '';
const orderKeyOf = (payment: PaymentObject): string => `order:${orderIdOf(payment)}`;

export class Ledger implements Watcher {
  readonly ordered = new Map<string, Ordered>();
  /** `sku site` → what was ever brought there. */
  readonly delivered = new Map<string, number>();
  /** `sku from to` → what people have asked to be moved. */
  readonly moved = new Map<string, number>();
  /** `sku order` → the sites that sold it. */
  readonly sales = new Map<string, string[]>();
  /** Whether nothing is wrong with sites, links and functions: then no order is short of what is there. */
  readonly isCalm: boolean;
  /** `sku site peer` → the most that the site has ever asked of the peer. */
  readonly #asked = new Map<string, number>();
  /** Sku → every price that it ever had. */
  readonly #prices = new Map<string, Set<number>>();
  /** Sku → units of charged payments. */
  readonly #charged = new Map<string, number>();
  readonly #chargesOf = new Map<string, number>();
  /** `site order` where the site has seen a version of the order that was over. */
  readonly #seenOver = new Set<string>();
  /** Orders whose goods some site went on to hold, or that somebody has cancelled meanwhile. */
  readonly #wentOn = new Set<string>();
  /** Sku → when how many were free at all sites together, the latest last. */
  readonly #freeSince = new Map<string, { readonly atMs: number; readonly units: number }[]>();
  /** Order → until when some site was about to hold its goods; Infinity: still. */
  readonly #wanting = new Map<string, number>();
  readonly #world: World;
  readonly #provider: () => SimProvider;

  constructor(world: World, provider: () => SimProvider, isCalm: boolean) {
    this.#world = world;
    this.#provider = provider;
    this.isCalm = isCalm;
  }

  /** All that was ever entered of a product, at whichever site, less what was found missing. */
  enteredOf(sku: string): number {
    return this.#world.sites.reduce((total, { name }) => {
      const row = this.ownRow(sku, name);
      return row === undefined ? total : total + sum(row.receipts) - row.writtenOff;
    }, 0);
  }

  /** The row of a site as its owner holds it. */
  ownRow(sku: string, site: string): RowFact | undefined {
    return rowFact(this.#world.site(site).store.records.get(`stock:${sku}~${site}`));
  }

  /** Units of charged payments that a site's stock backs. */
  chargedTo(sku: string, site: string): number {
    return this.#provider()
      .payments.filter(({ status, claim }) => status === 'charged' && claim === site)
      .reduce((total, payment) => total + this.#unitsOf(orderIdOf(payment), sku), 0);
  }

  committed(write: CommittedWrite): void {
    const after = this.#world.site(write.site).store.records.get(write.key);
    if (write.key.startsWith('stock:')) this.#rowCommitted(write, rowFact(after));
    if (write.key.startsWith('order:')) this.#orderCommitted(write, orderFact(after));
    if (write.key.startsWith('product:')) this.#priced(write.key.slice('product:'.length), after);
  }

  /** No site's view of an order, or of a row, ever goes back; and what is over goes on for a reason only. */
  applied({ key, site, before, after }: AppliedPut): void {
    if (key.startsWith('stock:')) {
      const [was, is] = [rowFact(before)?.sequence ?? 0, rowFact(after)?.sequence ?? 0];
      if (is < was) this.#find(STOCK, key, `${site} went back from ${was} to ${is}`);
    }
    if (!key.startsWith('order:')) return;
    const [was, is] = [orderFact(before), orderFact(after)];
    if (is === undefined) return;
    this.#see(site, is);
    if (rankOf(is) < rankOf(was))
      this.#find(ORDERS, key, `${site} went back from ${was?.status} to ${is.status}`);
    if (was === undefined || was.status === is.status || !OVER.has(was.status)) return;
    if (was.status === 'rejected') {
      if (!this.#wentOn.has(is.orderId))
        this.#find(ORDERS, key, `${site} has it ${is.status} after rejected, and no site went on with it`);
    } else if (!PAID.has(was.status) && PAID.has(is.status))
      this.#find(PAYMENT, key, `${site} had it ${was.status}, and now ${is.status}`);
  }

  created(payment: PaymentObject): void {
    const order = this.ordered.get(orderIdOf(payment));
    if (order === undefined) return;
    if (payment.amountMinor !== totalOf(order.lines) || payment.currency !== order.currency)
      this.#find(
        PAYMENT,
        orderKeyOf(payment),
        `${payment.amountMinor} ${payment.currency} are to be charged`,
      );
  }

  confirmed(payment: PaymentObject): void {
    this.#checkCharge(payment, 'was being charged');
  }

  charged(payment: PaymentObject): void {
    const order = this.ordered.get(orderIdOf(payment));
    if (order === undefined) return;
    this.#checkCharge(payment, 'was charged');
    const charges = (this.#chargesOf.get(order.orderId) ?? 0) + 1;
    this.#chargesOf.set(order.orderId, charges);
    if (charges > 1) this.#find(PAYMENT, orderKeyOf(payment), `was charged ${charges} times`);
    for (const [sku, units] of unitsOf(order.lines)) {
      const charged = (this.#charged.get(sku) ?? 0) + units;
      this.#charged.set(sku, charged);
      const there = this.enteredOf(sku);
      if (charged > there)
        this.#find(STOCK, orderKeyOf(payment), `${charged} of ${sku} are paid for, ${there} were entered`);
    }
  }

  /** Only by who holds the goods, and only while nobody could make a second payment of it. */
  #checkCharge(payment: PaymentObject, what: string): void {
    const order = this.ordered.get(orderIdOf(payment));
    const key = orderKeyOf(payment);
    if (order === undefined) return;
    const ageMs = this.#world.agenda.nowMs + START_MS - order.bornMs;
    // A customer answers a bank within the hour, and a charge that is under way may take minutes.
    const slackMs = what === 'was charged' ? 65 * 60_000 : 0;
    if (ageMs > CHARGE_AGE_MAX_MS + slackMs)
      this.#find(PAYMENT, key, `${what} ${(ageMs / 3_600_000).toFixed(2)} hours after its birth`);
    for (const [sku, units] of unitsOf(order.lines)) {
      if (this.#world.site(payment.claim).lost && this.#isCounted(sku, payment.claim))
        this.#find(STOCK, key, `${what} to ${payment.claim}, whose share of ${sku} has been counted`);
      if ((this.ownRow(sku, payment.claim)?.holds[order.orderId] ?? 0) !== units)
        this.#find(STOCK, key, `${what} to ${payment.claim}, which does not hold its ${sku}`);
    }
  }

  #unitsOf(orderId: string, sku: string): number {
    return unitsOf(this.ordered.get(orderId)?.lines ?? []).get(sku) ?? 0;
  }

  #isCounted(sku: string, lost: string): boolean {
    return this.#world.sites.some(({ name }) => this.ownRow(sku, name)?.recovered[lost] !== undefined);
  }

  #priced(sku: string, record: StoredRecord | undefined): void {
    const price = priceFact(record);
    if (price !== undefined) this.#prices.set(sku, (this.#prices.get(sku) ?? new Set()).add(price));
  }

  #rowCommitted({ key, site, replaced, operationId }: CommittedWrite, after: RowFact | undefined): void {
    const before = rowFact(replaced);
    if (after === undefined) return;
    if (after.site !== site || key !== `stock:${after.sku}~${site}`)
      this.#find(STOCK, key, `${site} wrote the row of ${after.site}`);
    if (after.sequence <= (before?.sequence ?? 0))
      this.#find(STOCK, key, `its sequence went from ${before?.sequence} to ${after.sequence}`);
    if (free(after) < 0) this.#find(STOCK, key, `${free(after)} are available`);
    const counted = /^count=(\d+)#/.exec(operationId)?.[1];
    if (counted !== undefined && free(after) + sum(after.holds) !== Number(counted))
      this.#find(
        STOCK,
        key,
        `${free(after)} are free and ${sum(after.holds)} held after ${counted} were counted`,
      );
    const { $counted: _, ...books } = after.receipts;
    if (sum(books) > (this.delivered.get(`${after.sku} ${site}`) ?? 0))
      this.#find(STOCK, key, 'more was entered than was brought');
    if (before !== undefined) this.#checkGrowing(key, before, after);
    for (const [peer, units] of Object.entries(after.asked)) {
      const where = `${after.sku} ${site} ${peer}`;
      this.#asked.set(where, Math.max(units, this.#asked.get(where) ?? 0));
    }
    this.#checkHolds(key, before, after);
    this.#checkTransfers(key, after);
    this.#checkTotal(key, after.sku);
    this.#noteFree(after.sku);
  }

  /** Nothing but holds, and what is asked for, ever becomes less. */
  #checkGrowing(key: string, before: RowFact, after: RowFact): void {
    for (const field of ['receipts', 'recovered', 'given', 'taken'] as const)
      for (const [name, units] of Object.entries(before[field]))
        if ((after[field][name] ?? 0) < units)
          this.#find(STOCK, key, `${field} of ${name} went from ${units} to ${after[field][name]}`);
    if (after.sold < before.sold || after.writtenOff < before.writtenOff)
      this.#find(STOCK, key, `${after.sold} sold after ${before.sold}`);
  }

  /** A hold ends when its order has, as a sale exactly where the payment was charged to. */
  #checkHolds(key: string, before: RowFact | undefined, after: RowFact): void {
    const { sku, site } = after;
    let sold = before?.sold ?? 0;
    for (const [orderId, units] of Object.entries(before?.holds ?? {})) {
      if (after.holds[orderId] === units) continue;
      if (after.holds[orderId] !== undefined) this.#find(STOCK, key, `the hold of ${orderId} changed`);
      if (!this.#seenOver.has(`${site} ${orderId}`))
        this.#find(STOCK, key, `the hold of ${orderId} ended before the order`);
      const payment = this.#provider().payments.find(
        (each) => each.status === 'charged' && orderIdOf(each) === orderId,
      );
      if (payment?.claim !== site) continue;
      sold += units;
      const sites = this.sales.get(`${sku} ${orderId}`) ?? [];
      this.sales.set(`${sku} ${orderId}`, [...sites, site]);
      if (sites.length > 0)
        this.#find(PAYMENT, `order:${orderId}`, `its ${sku} was sold at ${sites.join()} before`);
    }
    if (after.sold !== sold) this.#find(STOCK, key, `${after.sold} sold where its orders make ${sold}`);
    for (const [orderId, units] of Object.entries(after.holds)) {
      if (before?.holds[orderId] === undefined && this.#unitsOf(orderId, sku) !== units)
        this.#find(STOCK, key, `holds ${units} for ${orderId}, which nobody ordered like that`);
    }
  }

  /** What was given had been asked for, and what was taken had been given. */
  #checkTransfers(key: string, row: RowFact): void {
    for (const [peer, units] of Object.entries(row.given)) {
      const requested = this.#asked.get(`${row.sku} ${peer} ${row.site}`) ?? 0;
      const moved = this.moved.get(`${row.sku} ${row.site} ${peer}`) ?? 0;
      if (units > requested + moved)
        this.#find(STOCK, key, `gave ${units} to ${peer}, which asked for ${requested}; ${moved} were moved`);
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

  /** Free at all sites together, with what is on its way between them. */
  #noteFree(sku: string): void {
    if (!this.isCalm) return;
    const rows = this.#world.sites.flatMap(({ name }) => this.ownRow(sku, name) ?? []);
    const units = rows.reduce(
      (total, row) => total + free(row) + rows.reduce((under, to) => under + underWay(row, to), 0),
      0,
    );
    const noted = this.#freeSince.get(sku) ?? [];
    noted.push({ atMs: this.#world.agenda.nowMs, units });
    this.#freeSince.set(sku, noted);
  }

  #see(site: string, order: OrderFact): void {
    if (OVER.has(order.status)) this.#seenOver.add(`${site} ${order.orderId}`);
  }

  #orderCommitted({ key, site, fields, replaced }: CommittedWrite, after: OrderFact | undefined): void {
    const before = orderFact(replaced);
    if (after === undefined) return;
    this.#see(site, after);
    if (rankOf(after) < rankOf(before))
      this.#find(ORDERS, key, `${site} went back from ${before?.status} to ${after.status}`);
    if (before === undefined) {
      this.#wanting.set(after.orderId, Infinity);
      const bornMs = this.ordered.get(after.orderId)?.bornMs ?? 0;
      if (after.status !== 'reserving' || Date.parse(after.createdAt) !== bornMs)
        this.#find(ORDERS, key, `begins as ${after.status} at ${after.createdAt}`);
      return;
    }
    if (fields['status'] === undefined || after.status === before.status) return;
    if (NEXT[before.status]?.includes(after.status) !== true)
      this.#find(ORDERS, key, `${site} wrote ${after.status} over ${before.status}`);
    this.#wanting.set(after.orderId, this.#world.agenda.nowMs);
    if (before.status === 'reserving' && after.status !== 'rejected') this.#wentOn.add(after.orderId);
    if (after.status === 'reserved' || (after.status === 'paying' && before.status === 'reserving'))
      this.#checkReserved(key, site, after);
    if (after.status === 'rejected') this.#checkRejected(key, after);
    const charges = this.#chargesOf.get(after.orderId) ?? 0;
    if (PAID.has(after.status) && charges !== 1)
      this.#find(PAYMENT, key, `${site} calls it ${after.status} after ${charges} charges`);
    if ((after.status === 'cancelled' || after.status === 'expired') && charges > 0)
      this.#find(PAYMENT, key, `${site} calls it ${after.status} though it was charged`);
  }

  #checkReserved(key: string, site: string, { orderId, stockSite }: OrderFact): void {
    const order = this.ordered.get(orderId);
    if (order === undefined) return;
    if (stockSite !== site) this.#find(ORDERS, key, `${site} reserved it at ${stockSite}`);
    for (const [sku, units] of unitsOf(order.lines))
      if (this.ownRow(sku, site)?.holds[orderId] !== units)
        this.#find(STOCK, key, `reserved at ${site}, which does not hold its ${sku}`);
    for (const { sku, priceMinor } of order.lines)
      if (this.#prices.get(sku)?.has(priceMinor) !== true)
        this.#find(ORDERS, key, `${sku} never cost ${priceMinor}`);
    if (order.currency !== 'EUR') this.#find(ORDERS, key, `is reserved in ${order.currency}`);
  }

  /**
   * With nothing wrong, no order is refused for a want of what all sites together have. The slack is what changed within two
   * seconds before, and twice what orders want that wait beside it: what each has gathered at its site, and what is on its way
   * there, which sites take from each other while both wait.
   */
  #checkRejected(key: string, { orderId, reason, failedSku = '' }: OrderFact): void {
    const order = this.ordered.get(orderId);
    if (order === undefined) return;
    const prices = this.#prices.get(failedSku);
    const isPriced = order.lines.every(({ sku, priceMinor }) => sku !== failedSku || prices?.has(priceMinor));
    if (reason === 'price_changed' && isPriced && prices?.size === 1)
      this.#find(ORDERS, key, `${failedSku} has always cost what was asked for`);
    if (reason === 'other_currency' && order.currency === 'EUR')
      this.#find(ORDERS, key, 'is in the currency of its products');
    if (reason !== 'short' || !this.isCalm) return;
    const nowMs = this.#world.agenda.nowMs;
    const noted = this.#freeSince.get(failedSku) ?? [];
    const since = noted.findLastIndex(({ atMs }) => atMs <= nowMs - KNOWN_WITHIN_MS);
    const least = Math.min(...noted.slice(Math.max(0, since)).map(({ units }) => units));
    let wanted = this.#unitsOf(orderId, failedSku);
    for (const [other, untilMs] of this.#wanting)
      if (other !== orderId && untilMs > nowMs - 2 * KNOWN_WITHIN_MS)
        wanted += 2 * this.#unitsOf(other, failedSku);
    if (since >= 0 && least >= wanted)
      this.#find(
        ORDERS,
        key,
        `short of ${failedSku}: all sites together have ${least}, ${wanted} are wanted`,
      );
  }

  #find(invariant: string, key: string, detail: string): void {
    const finding: Finding = { invariant, key, detail };
    this.#world.find([finding]);
  }
}
