import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import { absenceProvenMs, chargeWithinMs, paymentYieldMs } from '../../../src/shared/bounds.ts';
import { bornMsOf } from '../../../src/shared/domain/birth.ts';
import { receiveStock } from '../../../src/shared/domain/escrow/escrow.ts';
import { rowOf, stockKey } from '../../../src/shared/domain/escrow/row.ts';
import { driveShop } from '../../../src/shared/domain/orders/drive-shop.ts';
import {
  isOver,
  type Order,
  orderChange,
  orderKey,
  orderOf,
  type OrderRequest,
} from '../../../src/shared/domain/orders/order.ts';
import {
  cancelOrder,
  driveOrder,
  placeOrder,
  takeOverOrder,
} from '../../../src/shared/domain/orders/orders.ts';
import { paymentKey, type ShopProtocol } from '../../../src/shared/domain/orders/payment.ts';
import {
  conclude,
  place,
  startCancelling,
  startPaying,
  takeOver,
} from '../../../src/shared/domain/orders/transitions.ts';
import { InvalidError } from '../../../src/shared/errors.ts';
import type { Payment, PaymentProvider, PaymentRequest } from '../../../src/shared/ports/payment-provider.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from '../../helpers/test-site.ts';

const SKU = 'tea';
const request: OrderRequest = {
  orderId: 'o1',
  bornMs: START_MS,
  sku: SKU,
  units: 2,
  amountMinor: 500,
  currency: 'EUR',
};

/** A provider that remembers everything, with a failure on demand. */
class TestPayments implements PaymentProvider {
  readonly payments = new Map<string, Payment>();
  declines = false;
  /** Called before and after each call takes effect; throw to fail it. */
  before: (call: string) => void = () => undefined;
  after: (call: string) => void = () => undefined;

  create({ key, claim }: PaymentRequest): Promise<Payment> {
    return this.#call('create', key, (held) => held ?? { id: key, status: 'open', claim });
  }

  confirm(id: string): Promise<Payment> {
    return this.#call('confirm', id, (held) =>
      held?.status === 'open' ? { ...held, status: this.declines ? 'declined' : 'charged' } : held,
    );
  }

  cancel(id: string): Promise<Payment> {
    return this.#call('cancel', id, (held) =>
      held?.status === 'open' || held?.status === 'declined' ? { ...held, status: 'cancelled' } : held,
    );
  }

  async lookup(key: string): Promise<Payment | undefined> {
    await Promise.resolve();
    this.before('lookup');
    return this.payments.get(key);
  }

  async #call(
    name: string,
    key: string,
    change: (held: Payment | undefined) => Payment | undefined,
  ): Promise<Payment> {
    await Promise.resolve();
    this.before(name);
    const payment = change(this.payments.get(key));
    if (payment === undefined) throw new RangeError(`no payment ${key}`);
    this.payments.set(key, payment);
    this.after(name);
    return payment;
  }
}

class ShopSite extends TestSite {
  readonly payments: TestPayments;

  constructor(name: string, peer: string, payments: TestPayments) {
    super(name, [peer]);
    this.payments = payments;
  }

  shop(protocol: ShopProtocol<Order>): Promise<Order> {
    const { store, outbox, peers } = this;
    return driveShop(protocol, { store, outbox, peers, sleep: () => Promise.resolve() }, this.payments);
  }

  order(): Order | undefined {
    return orderOf(this.held(orderKey(request.orderId)));
  }

  row(): { sold: number; holds: Readonly<Record<string, number>> } | undefined {
    return rowOf(this.held(stockKey(SKU, this.site.site)));
  }

  /** Applies here all that a peer has published so far. */
  async hear(peer: TestSite): Promise<void> {
    await this.run(applyBatch(this.site, peer.outboxDeliveries(), checkEvent));
  }
}

async function twoSites(units = 5): Promise<{ aws: ShopSite; azure: ShopSite; payments: TestPayments }> {
  const payments = new TestPayments();
  const aws = new ShopSite('aws-1', 'azure-1', payments);
  const azure = new ShopSite('azure-1', 'aws-1', payments);
  for (const site of [aws, azure])
    await site.run(receiveStock(site.site, SKU, { book: 'dock', total: units }));
  return { aws, azure, payments };
}

const timeout = (wanted: string) => (call: string) => {
  if (call === wanted) throw new AmbiguousError('no answer');
};

describe('an order', () => {
  test('is paid, and its hold is sold', async () => {
    const { aws } = await twoSites();
    const order = await aws.shop(placeOrder(aws.site, request));
    expect(order).toMatchObject({ state: 'paid', stockSite: 'aws-1', epoch: 0 });
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });

  test('is placed once, however often it is asked for', async () => {
    const { aws } = await twoSites();
    await aws.shop(placeOrder(aws.site, request));
    const again = await aws.shop(placeOrder(aws.site, request));
    expect(again.state).toBe('paid');
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });

  test('is cancelled without a charge when the stock is short', async () => {
    const { aws, payments } = await twoSites(1);
    const order = await aws.shop(placeOrder(aws.site, request));
    expect(order).toMatchObject({ state: 'cancelled', reason: 'short' });
    expect(payments.payments.get(paymentKey('o1'))?.status).toBe('cancelled');
  });

  test('is cancelled and releases its hold when the payment is declined', async () => {
    const { aws, payments } = await twoSites();
    payments.declines = true;
    expect(await aws.shop(placeOrder(aws.site, request))).toMatchObject({
      state: 'cancelled',
      reason: 'declined',
    });
    expect(aws.row()).toMatchObject({ sold: 0, holds: {} });
  });

  test('stores what it is about to do before it calls the provider', async () => {
    const { aws, payments } = await twoSites();
    payments.before = (call) => {
      if (call === 'create') expect(aws.order()?.state).toBe('paying');
      if (call === 'create') expect(aws.row()?.holds).toEqual({ o1: 2 });
    };
    expect(await aws.shop(placeOrder(aws.site, request))).toMatchObject({ state: 'paid' });
  });

  test.each(['create', 'confirm'])('goes on where a time-out of %s left it', async (call) => {
    const { aws, payments } = await twoSites();
    payments.after = timeout(call);
    await aws.shop(placeOrder(aws.site, request));
    payments.after = () => undefined;
    expect(await aws.shop(driveOrder(aws.site, 'o1'))).toMatchObject({ state: 'paid' });
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });

  test('looks behind an error that the provider repeats', async () => {
    const { aws, payments } = await twoSites();
    payments.after = (call) => {
      if (call === 'create') throw new UnavailableError('saved error');
    };
    expect(await aws.shop(placeOrder(aws.site, request))).toMatchObject({ state: 'paid' });
  });

  test('that a client cancels after the charge is paid all the same', async () => {
    const { aws, payments } = await twoSites();
    payments.after = timeout('confirm');
    await aws.shop(placeOrder(aws.site, request));
    payments.after = () => undefined;
    expect(await aws.shop(cancelOrder(aws.site, 'o1'))).toMatchObject({ state: 'paid', stockSite: 'aws-1' });
  });

  test('does not get its hold back from a function that stood still since before it was paid', async () => {
    const { aws } = await twoSites();
    const slow = placeOrder(aws.site, request);
    /** Stands still right before the hold is stored. */
    function* standing(): ShopProtocol<Order> {
      let step = slow.next();
      while (step.done !== true) {
        const effect = step.value;
        if (effect.op === 'putMany' && effect.writes[0]?.record.key.startsWith('stock:') === true)
          yield { op: 'sleep', ms: 0 };
        step = slow.next(yield effect);
      }
      return step.value;
    }
    const { store, outbox, peers } = aws;
    const sleep = async (): Promise<void> => {
      await aws.shop(placeOrder(aws.site, request));
    };
    const stoodStill = driveShop(standing(), { store, outbox, peers, sleep }, aws.payments);
    expect(await stoodStill).toMatchObject({ state: 'paid' });
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });
});

describe('an order that is taken over', () => {
  test('is cancelled when it was not charged, and its old owner lets go of it', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.before = timeout('confirm');
    await aws.shop(placeOrder(aws.site, request));
    payments.before = () => undefined;
    await azure.hear(aws);
    expect(await azure.shop(takeOverOrder(azure.site, 'o1'))).toMatchObject({
      state: 'cancelled',
      owner: 'azure-1',
      epoch: 1,
    });
    // The old owner has not heard of it, and asks the same payment.
    expect(await aws.shop(driveOrder(aws.site, 'o1'))).toMatchObject({ state: 'cancelled' });
    await aws.hear(azure);
    expect(aws.order()).toMatchObject({ state: 'cancelled', owner: 'azure-1' });
    expect(aws.row()).toMatchObject({ sold: 0, holds: {} });
  });

  test('is paid from the stock of its old owner when it had been charged', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.after = timeout('confirm');
    await aws.shop(placeOrder(aws.site, request));
    payments.after = () => undefined;
    await azure.hear(aws);
    expect(await azure.shop(takeOverOrder(azure.site, 'o1'))).toMatchObject({
      state: 'paid',
      stockSite: 'aws-1',
    });
    await aws.hear(azure);
    await aws.shop(driveOrder(aws.site, 'o1'));
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
    expect(azure.row()).toMatchObject({ sold: 0, holds: {} });
  });
});

describe('an order that two sites were asked for', () => {
  test('is charged once, to the stock of the first', async () => {
    const { aws, azure } = await twoSites();
    await aws.shop(placeOrder(aws.site, request));
    const second = await azure.shop(placeOrder(azure.site, request));
    expect(second).toMatchObject({ state: 'paid', stockSite: 'aws-1' });
    expect([aws.row(), azure.row()]).toMatchObject([
      { sold: 2, holds: {} },
      { sold: 0, holds: {} },
    ]);
  });

  test('is never charged by a site for another; after a while it is cancelled', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.before = timeout('confirm');
    await aws.shop(placeOrder(aws.site, request));
    payments.before = () => undefined;
    expect(await azure.shop(placeOrder(azure.site, request))).toMatchObject({ state: 'paying' });
    azure.nowMs += paymentYieldMs;
    expect(await azure.shop(driveOrder(azure.site, 'o1'))).toMatchObject({
      state: 'cancelled',
      reason: 'elsewhere',
    });
  });
});

describe('an old order', () => {
  const charging = (nowMs: number) => async (): Promise<{ site: ShopSite; payments: TestPayments }> => {
    const { aws, payments } = await twoSites();
    payments.before = timeout('create');
    await aws.shop(placeOrder(aws.site, request));
    payments.before = () => undefined;
    aws.nowMs = START_MS + nowMs;
    return { site: aws, payments };
  };

  test('is still charged just before its time is up', async () => {
    const { site } = await charging(chargeWithinMs - 1)();
    expect(await site.shop(driveOrder(site.site, 'o1'))).toMatchObject({ state: 'paid' });
  });

  test('is not charged after twenty hours, and waits for the proof that it never was', async () => {
    const { site, payments } = await charging(chargeWithinMs)();
    expect(await site.shop(driveOrder(site.site, 'o1'))).toMatchObject({
      state: 'cancelling',
      reason: 'late',
    });
    expect(payments.payments.size).toBe(0);
    expect(site.row()?.holds).toEqual({ o1: 2 });
    site.nowMs = START_MS + absenceProvenMs;
    expect(await site.shop(driveOrder(site.site, 'o1'))).toMatchObject({ state: 'cancelled' });
    expect(payments.payments.size).toBe(0);
    expect(site.row()?.holds).toEqual({});
  });

  test('is paid when a lookup finds that it was charged', async () => {
    const { site, payments } = await charging(absenceProvenMs)();
    payments.payments.set(paymentKey('o1'), { id: paymentKey('o1'), status: 'charged', claim: 'aws-1' });
    expect(await site.shop(driveOrder(site.site, 'o1'))).toMatchObject({ state: 'paid' });
  });

  test('is not born again at a site that has not heard of it', async () => {
    const { azure } = await twoSites();
    azure.nowMs = START_MS + chargeWithinMs;
    await expect(azure.shop(placeOrder(azure.site, request))).rejects.toThrow(InvalidError);
    azure.nowMs = START_MS - 10_000;
    await expect(azure.shop(placeOrder(azure.site, request))).rejects.toThrow('in the future');
  });
});

describe('the birth of an order', () => {
  test('is read from its key', () => {
    // The example of RFC 9562, appendix A.6.
    expect(bornMsOf('017F22E2-79B0-7CC3-98C4-DC0C0C07398F')).toBe(Date.UTC(2022, 1, 22, 19, 22, 22));
  });

  test.each(['', 'order-1', '919108f7-52d1-4320-9bac-f847db4148a8'])('is not in the key "%s"', (key) => {
    expect(() => bornMsOf(key)).toThrow(InvalidError);
  });
});

type Move = (order: Order) => Order;

const move: fc.Arbitrary<Move> = fc
  .record({
    by: fc.constantFrom('aws-1', 'azure-1'),
    kind: fc.constantFrom('pay', 'cancel', 'charge', 'void', 'take'),
  })
  .map(({ by, kind }) => {
    const actor = { by, nowMs: START_MS };
    return {
      pay: (order: Order) => startPaying(order, actor),
      cancel: (order: Order) => startCancelling(order, actor, 'client'),
      charge: (order: Order) => conclude(order, actor, { chargedTo: by }),
      void: (order: Order) => conclude(order, actor, 'cancelled'),
      take: (order: Order) => takeOver(order, actor),
    }[kind];
  });

const rankOf = (order: Order): string => {
  const change = orderChange(order)['order'];
  if (typeof change !== 'function') throw new TypeError('an order is owned state');
  return change({}, { stamp: 'x', site: order.owner }).register?.[2] ?? '';
};

describe('the versions of an order, under any run of transitions', () => {
  test('each outrank the one before, and change hands only by a take-over', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        let order = place(request, { by: 'aws-1', nowMs: START_MS });
        for (const next of moves) {
          const moved = next(order);
          if (moved === order) continue;
          expect(isOver(order)).toBe(false);
          expect(rankOf(moved) > rankOf(order)).toBe(true);
          expect(moved.epoch - order.epoch).toBe(moved.owner === order.owner ? 0 : 1);
          if (moved.owner !== order.owner) expect(moved.state).toBe('cancelling');
          order = moved;
        }
      }),
    );
  });
});
