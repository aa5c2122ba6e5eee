/**
 * Bringing orders to their end.
 *
 * Invariant: what is going to be done is stored before it is done, so whoever finds an order, after whatever crash,
 * can go on with it: every step may be repeated.
 */
import { localWrite } from '@tandem-clouds/replication/local-write';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import { orderStepsMax } from '../../bounds.ts';
import { NotFoundError } from '../../errors.ts';
import { checkBirth } from '../birth.ts';
import { type CancelReason, type Order, orderChange, orderKey, orderOf, type OrderRequest } from './order.ts';
import { charge, type ShopProtocol, voidPayment } from './payment.ts';
import { reserveForOrder, settleHolds } from './reserve.ts';
import { conclude, place, startCancelling, startPaying, takeOver } from './transitions.ts';

/**
 * Places an order and drives it as far as it gets; an order that is there already is driven on.
 * @throws InvalidError when its key is too old to be charged, or from the future.
 * @throws UnavailableError when the store fails: the order may stand, and is driven on later.
 */
export function* placeOrder(site: Site, request: OrderRequest): ShopProtocol<Order> {
  yield* changeOrder(site, request.orderId, 'place', (current) => {
    if (current !== undefined) return current;
    checkBirth(request.bornMs, site.now());
    return place(request, { by: site.site, nowMs: site.now() });
  });
  return yield* driveOrder(site, request.orderId);
}

/** Cancels an order, if its owner is here and it has not been charged. @throws NotFoundError */
export function* cancelOrder(site: Site, orderId: string): ShopProtocol<Order> {
  yield* beginCancelling(site, orderId, 'client');
  return yield* driveOrder(site, orderId);
}

/** Takes an order over from a site that is believed to be gone. Safe when it is not. @throws NotFoundError */
export function* takeOverOrder(site: Site, orderId: string): ShopProtocol<Order> {
  yield* changeOrder(site, orderId, 'take-over', (order) =>
    takeOver(found(order, orderId), { by: site.site, nowMs: site.now() }),
  );
  return yield* driveOrder(site, orderId);
}

/**
 * Drives an order that this site owns until it is over, or until the payment is not certain yet. Run it from time to
 * time for every order that is not over. @throws NotFoundError
 */
export function* driveOrder(site: Site, orderId: string): ShopProtocol<Order> {
  for (let step = 1; ; step += 1) {
    const order = found(orderOf((yield* get(orderKey(orderId)))?.record), orderId);
    if (order.state === 'paid' || order.state === 'cancelled') {
      yield* settleHolds(site, order.sku);
      return order;
    }
    if (order.owner !== site.site || step > orderStepsMax) return order;
    const moved = yield* advance(site, order);
    if (!moved) return order;
  }
}

/** One step of an order that this site owns; false when it has to wait. */
function* advance(site: Site, order: Order): ShopProtocol<boolean> {
  const { orderId } = order;
  const actor = { by: site.site, nowMs: site.now() };
  switch (order.state) {
    case 'new': {
      const reservation = yield* reserveForOrder(site, order);
      if (reservation === 'held')
        yield* changeOrder(site, orderId, 'pay', (current) => startPaying(found(current, orderId), actor));
      if (reservation === 'short') yield* beginCancelling(site, orderId, 'short');
      return true;
    }
    case 'paying': {
      const result = yield* charge(site, order);
      if (result === undefined) return false;
      if ('cancel' in result) yield* beginCancelling(site, orderId, result.cancel);
      else
        yield* changeOrder(site, orderId, 'conclude', (current) =>
          conclude(found(current, orderId), actor, result.verdict),
        );
      return true;
    }
    case 'cancelling': {
      const verdict = yield* voidPayment(site, order);
      if (verdict === undefined) return false;
      yield* changeOrder(site, orderId, 'conclude', (current) =>
        conclude(found(current, orderId), actor, verdict),
      );
      return true;
    }
    case 'paid':
    case 'cancelled':
      return false;
  }
}

function* beginCancelling(site: Site, orderId: string, reason: CancelReason): Protocol<void> {
  yield* changeOrder(site, orderId, 'cancel', (order) =>
    startCancelling(found(order, orderId), { by: site.site, nowMs: site.now() }, reason),
  );
}

/** Stores what `change` makes of an order; the very same order is left as it is. */
function* changeOrder(
  site: Site,
  orderId: string,
  name: string,
  change: (order: Order | undefined) => Order,
): Protocol<void> {
  yield* localWrite(site, {
    key: orderKey(orderId),
    // Every transition finds by itself that it was made before, so one name may serve for all its runs.
    operationId: `${name}/${site.now()}`,
    decide: (current) => {
      const order = orderOf(current);
      const changed = change(order);
      return changed === order ? undefined : orderChange(changed);
    },
  });
}

function found(order: Order | undefined, orderId: string): Order {
  if (order === undefined) throw new NotFoundError(`order ${orderId} does not exist`);
  return order;
}
