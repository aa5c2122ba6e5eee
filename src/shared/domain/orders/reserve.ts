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
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { reserveAttemptsMax } from '../../bounds.ts';
import { ConflictError } from '../../errors.ts';
import { changeRow, ownRow } from '../escrow/escrow.ts';
import type { EscrowRow } from '../escrow/row.ts';
import { commit, isRefusal, release, reserve } from '../escrow/transitions.ts';
import { isOver, type Order, orderKey, orderOf } from './order.ts';

export type Reservation =
  | 'held'
  | 'short'
  /** The order is no longer one that this site may hold stock for. */
  | 'moved';

/** @throws UnavailableError when the row is being changed too often, or has too many holds. */
export function* reserveForOrder(site: Site, { orderId, sku }: Order): Protocol<Reservation> {
  for (let attempt = 0; attempt < reserveAttemptsMax; attempt += 1) {
    const row = yield* ownRow(site, sku);
    // After the row, never before it: see the head of this module.
    const order = orderOf((yield* get(orderKey(orderId)))?.record);
    if (order?.state !== 'new' || order.owner !== site.site) return 'moved';
    const held = reserve(row, order);
    if (isRefusal(held)) {
      if (held.refused === 'short') return 'short';
      throw new UnavailableError(`${sku} is held by too many orders at ${site.site}`);
    }
    try {
      yield* changeRow(site, row, `reserve/${orderId}`, (current) => {
        if (current.sequence !== row.sequence) throw new RowMoved();
        return held;
      });
      return 'held';
    } catch (error) {
      if (!(error instanceof RowMoved)) throw error;
    }
  }
  throw new UnavailableError(`the stock of ${sku} is being changed too often at ${site.site}`);
}

/** Somebody else changed the row first. Never leaves this module. */
class RowMoved extends ConflictError {}

/** Ends the site's holds of a product whose orders are over. Run it from time to time, and after an order ends. */
export function* settleHolds(site: Site, sku: string): Protocol<EscrowRow> {
  const row = yield* ownRow(site, sku);
  // The hold of an order that cannot be read stays; the others end.
  const { held } = yield* readKeys(Object.keys(row.holds).map(orderKey));
  const over = [...held.values()].flatMap(({ record }) => {
    const order = orderOf(record);
    return order !== undefined && isOver(order) ? [order] : [];
  });
  return yield* changeRow(site, row, 'settle', (current) =>
    over.reduce((result, order) => settled(result, order), current),
  );
}

function settled(row: EscrowRow, { orderId, state, stockSite }: Order): EscrowRow {
  return state === 'paid' && stockSite === row.site ? commit(row, orderId) : release(row, orderId);
}
