/**
 * What may become of an order. Pure: from a version to the next one, or the very same version when the transition does
 * not apply, because somebody else has moved the order on.
 *
 * Invariant: only the owner advances an order within an epoch; only a take-over raises it, and then the order can only
 * be voided; what is over stays as it is.
 */
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { type CancelReason, isOver, type Order, type OrderRequest } from './order.ts';

interface Actor {
  readonly by: SiteId;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** How a payment ended: charged against the stock of a site, or never to be charged. */
export type Verdict = { readonly chargedTo: SiteId } | 'cancelled';

/** The first version: the intent. */
export function place(request: OrderRequest, { by, nowMs }: Actor): Order {
  return {
    ...request,
    owner: by,
    epoch: 0,
    sequence: 1,
    state: 'new',
    sinceMs: nowMs,
    stockSite: null,
    reason: null,
  };
}

/** The owner holds the stock: from now on it may charge. */
export function startPaying(order: Order, actor: Actor): Order {
  if (order.state !== 'new') return order;
  return advance(order, actor, { state: 'paying' });
}

/** From now on the order can only be voided. */
export function startCancelling(order: Order, actor: Actor, reason: CancelReason): Order {
  if (order.state !== 'new' && order.state !== 'paying') return order;
  return advance(order, actor, { state: 'cancelling', reason });
}

/** The payment has said how the order ends. */
export function conclude(order: Order, actor: Actor, verdict: Verdict): Order {
  if (order.state !== 'paying' && order.state !== 'cancelling') return order;
  if (verdict === 'cancelled') return advance(order, actor, { state: 'cancelled' });
  return advance(order, actor, { state: 'paid', stockSite: verdict.chargedTo, reason: null });
}

/** Another site takes the order over. What the old owner has begun is unknown, so the order is voided first. */
export function takeOver(order: Order, { by, nowMs }: Actor): Order {
  if (isOver(order) || order.owner === by) return order;
  return {
    ...order,
    owner: by,
    epoch: order.epoch + 1,
    sequence: order.sequence + 1,
    state: 'cancelling',
    sinceMs: nowMs,
    reason: 'taken over',
  };
}

function advance(order: Order, { by, nowMs }: Actor, changes: Partial<Order>): Order {
  if (order.owner !== by) return order;
  return { ...order, ...changes, sequence: order.sequence + 1, sinceMs: nowMs };
}
