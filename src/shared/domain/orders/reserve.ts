/**
 * Holding stock for an order, and ending the hold.
 *
 * Invariant: a hold is made only while its order waits for it, and ends exactly once. The row remembers nothing of
 * holds that are over. Instead, a reservation is valid only against the very version of the row that was read before
 * the order was: the hold of an order that has ended was taken out of the row in a later version. So a function that
 * stood still for hours cannot bring a hold back.
 */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { readKeys } from '@tandem-clouds/replication/isolate';
import { get, type Protocol, type Site, sleep } from '@tandem-clouds/replication/protocol';
import { isLive, plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import {
  orderAmountMax,
  reserveAttemptsMax,
  reservedMs,
  restockBelowUnits,
  stockLookMs,
  stockWaitMs,
} from '../../bounds.ts';
import { ConflictError } from '../../errors.ts';
import type { FieldChanges, StepsContext } from '../entity.ts';
import { changeAndShare, changeRow, ownRow, rebalanceStock, unitsElsewhere } from '../escrow/escrow.ts';
import { available, type EscrowRow } from '../escrow/row.ts';
import { commit, isRefusal, looked, release, reserve } from '../escrow/transitions.ts';
import { isOver, isPaid, type Order, orderKey, type Reason, totalMinor, unitsOf } from './order.ts';

type Reservation =
  | 'held'
  | 'short'
  /** The order is no longer one that this site may hold stock for. */
  | 'moved';

/**
 * Holds every line at this site, or says why not. Where there is too little, and others seem to have enough, some of theirs is
 * waited for, of all lines at the same time. What was held of an order that is rejected is released because it is over
 * (`settleOrder`), never here: another run of the same step may rely on it.
 * @throws UnavailableError when a row is being changed too often, or has too many holds.
 */
export function* reserveOrder(order: Order, { site, key }: StepsContext): Protocol<FieldChanges | undefined> {
  const refusal = yield* priceRefusal(order, site.now());
  if (refusal !== undefined) return rejected(refusal);
  const untilMs = site.now() + stockWaitMs;
  let missing: readonly Hold[] = [...unitsOf(order)].map(([sku, units]) => ({
    orderId: order.id,
    sku,
    units,
  }));
  for (;;) {
    const short: Hold[] = [];
    for (const hold of missing) {
      const reservation = yield* holdUnits(site, key, hold);
      if (reservation === 'moved') return undefined;
      if (reservation === 'held') continue;
      if (!(yield* mayCome(site, hold))) return rejected({ reason: 'short', sku: hold.sku });
      short.push(hold);
    }
    const [first] = short;
    if (first === undefined) return reserved(order, site);
    if (site.now() + stockLookMs > untilMs) return rejected({ reason: 'short', sku: first.sku });
    yield* sleep(stockLookMs);
    missing = short;
  }
}

/** What comes with its method is charged without another turn: between the two there is nothing that anybody could do. */
function reserved({ method }: Order, { site, now }: Site): FieldChanges {
  const held = { stockSite: site, reservedUntilMs: now() + reservedMs };
  return method === undefined
    ? { ...held, status: 'reserved' }
    : { ...held, status: 'paying', payingSinceMs: now() };
}

interface Refused {
  readonly reason: Reason;
  readonly sku?: string;
}

function rejected({ reason, sku }: Refused): FieldChanges {
  return { status: 'rejected', reason, ...(sku !== undefined && { failedSku: sku }) };
}

/** What was shown in the cart is what the product costs here, now. */
function* priceRefusal(order: Order, nowMs: number): Protocol<Refused | undefined> {
  const keys = new Map(order.lines.map(({ sku }) => [sku, `product:${sku}`] as const));
  const { held } = yield* readKeys([...keys.values()]);
  for (const { sku, priceMinor } of order.lines) {
    const record = held.get(keys.get(sku) ?? '')?.record;
    const product =
      record !== undefined && isLive(record.state, nowMs) ? plainValues(record.state) : undefined;
    if (product === undefined) return { reason: 'unknown_product', sku };
    if (product['currency'] !== order.currency) return { reason: 'other_currency', sku };
    if (product['priceMinor'] !== priceMinor) return { reason: 'price_changed', sku };
  }
  return totalMinor(order) > orderAmountMax ? { reason: 'amount_too_large' } : undefined;
}

interface Hold {
  readonly orderId: string;
  readonly sku: string;
  readonly units: number;
}

/** Asks other sites for what is missing here; false: together they seem to have too little. */
function* mayCome(site: Site, { sku, units }: Hold): Protocol<boolean> {
  const row = yield* rebalanceStock(site, sku, units);
  return available(row) + (yield* unitsElsewhere(site, sku)) >= units;
}

/** @throws UnavailableError when the row is being changed too often, or has too many holds. */
function* holdUnits(site: Site, key: string, { orderId, sku, units }: Hold): Protocol<Reservation> {
  for (let attempt = 0; attempt < reserveAttemptsMax; attempt += 1) {
    const row = yield* ownRow(site, sku);
    // After the row, never before it: see the head of this module.
    const order = (yield* get(key))?.record;
    if (order === undefined || statusOf(order) !== 'reserving') return 'moved';
    const held = reserve(row, { orderId, units, nowMs: site.now() });
    if (isRefusal(held)) {
      if (held.refused === 'short') return 'short';
      throw new UnavailableError(`${sku} is held by too many orders at ${site.site}`);
    }
    try {
      yield* changeRow(site, row, `reserve/${orderId}`, (current) => {
        if (current.sequence !== row.sequence) throw new RowMoved();
        return held;
      });
      if (available(held) < restockBelowUnits) yield* rebalanceStock(site, sku);
      return 'held';
    } catch (error) {
      if (!(error instanceof RowMoved)) throw error;
    }
  }
  throw new UnavailableError(`the stock of ${sku} is being changed too often at ${site.site}`);
}

/** Somebody else changed the row first. Never leaves this module. */
class RowMoved extends ConflictError {}

function statusOf(record: StoredRecord): unknown {
  return plainValues(record.state)['status'] ?? 'reserving';
}

/** Ends what this site holds for an order that is over; what becomes free is given to whoever has asked for it. */
export function* settleOrder(
  order: Order & { readonly paidFrom?: string | undefined },
  { site }: StepsContext,
): Protocol<undefined> {
  for (const sku of unitsOf(order).keys())
    yield* changeAndShare(site, sku, `settle/${order.id}`, (current) => ended(current, order));
  return undefined;
}

/**
 * Ends the holds of a row whose orders are over, for a function that stood still may have made one too late, and looks again
 * later. The hold of an order that cannot be read stays.
 */
export function* tendHolds(site: Site, sku: string): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  const { held } = yield* readKeys(Object.keys(row.holds).map(orderKey));
  const over = [...held.values()].flatMap(({ record }) => {
    const order = { id: idOf(record), ...plainValues(record.state) } as unknown as Order;
    return isOver(order) ? [order] : [];
  });
  return yield* changeAndShare(site, sku, 'tend', (current) =>
    looked(
      over.reduce((result, order) => ended(result, order), current),
      site.now(),
    ),
  );
}

function idOf({ key }: StoredRecord): string {
  return key.slice(orderKey('').length);
}

function ended(
  row: EscrowRow,
  order: Pick<Order, 'id' | 'status'> & { readonly paidFrom?: string | undefined },
): EscrowRow {
  return isPaid(order) && order.paidFrom === row.site ? commit(row, order.id) : release(row, order.id);
}
