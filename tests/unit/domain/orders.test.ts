import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { PutResult } from '@tandem-clouds/replication/ports/store';
import { setEntries } from '@tandem-clouds/replication/reactions/scan';
import {
  absenceProvenMs,
  chargeWithinMs,
  holdsLookMs,
  lookupBehindMs,
  payingMs,
  paymentCheckMs,
  paymentLookMs,
  paymentYieldMs,
  reservedMs,
} from '../../../src/shared/bounds.ts';
import { bornMsOf } from '../../../src/shared/domain/birth.ts';
import { stockKey } from '../../../src/shared/domain/escrow/row.ts';
import { isOver, type Order, orderStates, unitsOf } from '../../../src/shared/domain/orders/order.ts';
import type { PaymentCall } from '../../../src/shared/domain/orders/payment.ts';
import { reserveOrder } from '../../../src/shared/domain/orders/reserve.ts';
import { InvalidError } from '../../../src/shared/errors.ts';
import { PaymentKeySpentError, PaymentRefusedError } from '../../../src/shared/ports/payment-errors.ts';
import { line, ORDER, type ShopSite, type TestOrder, twoSites } from '../../helpers/shop-site.ts';
import { START_MS } from '../../helpers/test-site.ts';

const PAUSE_MS = 3_600_000 / 4;
const noAnswer = (wanted: string) => (call: PaymentCall['call']) => {
  if (call === wanted) throw new AmbiguousError('no answer');
};
const nothing = (): void => undefined;

/** An order that has come as far as it does at once. */
async function placed(order: TestOrder = {}, units = 5): ReturnType<typeof twoSites> {
  const sites = await twoSites(units);
  await sites.aws.place(order);
  await sites.aws.react();
  return sites;
}

describe('an order', () => {
  test('is paid, and its hold is sold', async () => {
    const { aws } = await placed();
    expect(aws.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1', stockSite: 'aws-1' });
    expect(aws.row()).toMatchObject({ sold: 2, holds: {}, lookMs: 0 });
  });

  test('is paid by the attempt that charged it, though the provider reports the charge before that has ended', async () => {
    const { aws, payments } = await twoSites();
    payments.after = async (call) => {
      if (call === 'confirm') await aws.act('check', { event: 'evt_1' });
    };
    await aws.place();
    const steps = await aws.react();
    const [charge, ...others] = steps.filter(({ reaction }) => reaction === 'charge');
    expect([charge?.kind, others]).toEqual(['done', []]);
    expect(aws.order()).toMatchObject({ status: 'paid', checked: 'evt_1' });
  });

  test('leaves what sites give each other as it is, so nobody shares anew for each hold', async () => {
    const { aws } = await twoSites(50);
    await aws.react(stockKey('tea', 'aws-1'));
    const given = aws.held(stockKey('tea', 'aws-1'))?.state.fields['given'];
    aws.nowMs += 1;
    await aws.place({ method: '' });
    await aws.react();
    expect(aws.row().holds).toEqual({ o1: 2 });
    expect(aws.held(stockKey('tea', 'aws-1'))?.state.fields['given']).toEqual(given);
    expect(await aws.react(stockKey('tea', 'aws-1'))).toEqual([]);
  });

  test('is placed once, however often it is asked for', async () => {
    const { aws } = await placed();
    aws.nowMs += 1;
    await aws.place();
    await aws.react();
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });

  test('holds every line, an article that two lines name in one', async () => {
    const { aws } = await placed({ lines: [line('tea', 2), line('salt', 1), line('tea', 1)], method: '' });
    expect(aws.order()).toMatchObject({ status: 'reserved' });
    expect([aws.row('tea').holds, aws.row('salt').holds]).toEqual([{ o1: 3 }, { o1: 1 }]);
    expect([...unitsOf({ lines: [line('tea', 2), line('tea', 1)] })]).toEqual([['tea', 3]]);
  });

  test('is rejected as a whole when one line is short, and nothing stays held', async () => {
    const { aws, payments } = await placed({ lines: [line('tea', 2), line('salt', 9)] });
    expect(aws.order()).toMatchObject({ status: 'rejected', reason: 'short', failedSku: 'salt' });
    expect(aws.row('tea')).toMatchObject({ sold: 0, holds: {} });
    expect(payments.payments.size).toBe(0);
  });

  test.each<[string, TestOrder, string]>([
    ['whose product is unknown', { lines: [line('gold')] }, 'unknown_product'],
    ['whose price has changed', { lines: [line('tea', 2, 789)] }, 'price_changed'],
    ['in another currency', { currency: 'USD' }, 'other_currency'],
  ])('%s is rejected', async (_, order, reason) => {
    const { aws, payments } = await placed(order);
    expect(aws.order()).toMatchObject({ status: 'rejected', reason });
    expect(aws.row().holds).toEqual({});
    expect(payments.payments.size).toBe(0);
  });

  test('waits for its customer to pay, and ends when nobody does', async () => {
    const { aws } = await placed({ method: '' });
    expect(aws.order()).toMatchObject({ status: 'reserved' });
    await aws.later(reservedMs - 1);
    expect(aws.order()).toMatchObject({ status: 'reserved' });
    await aws.later(1);
    expect(aws.order()).toMatchObject({ status: 'expired', reason: 'not_paid_in_time' });
    expect(aws.row().holds).toEqual({});
  });

  test('is paid with what its customer gives later', async () => {
    const { aws } = await placed({ method: '' });
    await aws.act('pay', { method: 'card' });
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid' });
  });

  test('is cancelled, and its goods are free again, when the payment is declined', async () => {
    const { aws, payments } = await twoSites();
    payments.declines = true;
    await aws.place();
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'cancelled', reason: 'declined' });
    expect(payments.status).toBe('cancelled');
    expect(aws.row()).toMatchObject({ sold: 0, holds: {} });
  });

  test('that the provider refuses for good is cancelled', async () => {
    const { aws, payments } = await twoSites();
    payments.before = (call) => {
      if (call === 'create') throw new PaymentRefusedError('amount_too_small');
    };
    await aws.place();
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'cancelled', reason: 'declined' });
    expect(aws.row().holds).toEqual({});
  });

  test('is stored as about to be paid, and held, before the provider is asked', async () => {
    const { aws, payments } = await twoSites();
    const seen: unknown[] = [];
    payments.before = () => seen.push([aws.order()['status'], aws.row().holds]);
    await aws.place();
    await aws.react();
    expect(seen[0]).toEqual(['paying', { o1: 2 }]);
  });

  test.each(['create', 'confirm'])('goes on where a time-out of %s left it', async (call) => {
    const { aws, payments } = await twoSites();
    payments.after = noAnswer(call);
    await aws.place();
    await aws.react();
    payments.after = nothing;
    await aws.later(PAUSE_MS);
    expect(aws.order()).toMatchObject({ status: 'paid' });
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });

  test('looks behind an error that the provider repeats', async () => {
    const { aws, payments } = await twoSites();
    payments.after = (call) => {
      if (call === 'create') throw new UnavailableError('saved error');
    };
    await aws.place();
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid' });
  });

  test.each([
    [2, 'paid', undefined],
    [3, 'cancelled', 'declined'],
  ])('of which the provider has spent %d keys is %s', async (spent, status, reason) => {
    const { aws, payments } = await twoSites();
    const asked: number[] = [];
    payments.before = (call, spentKeys = 0) => {
      if (call !== 'create') return;
      asked.push(spentKeys);
      if (spentKeys < spent) throw new PaymentKeySpentError('repeated');
    };
    await aws.place();
    await aws.react();
    expect(asked).toEqual([0, 1, 2]);
    expect(aws.order()).toMatchObject({ status });
    expect(aws.order()['reason']).toBe(reason);
    expect(aws.row().holds).toEqual({});
  });

  test('whose creation fails inside the provider is cancelled as soon as its customer wants that', async () => {
    const { aws, payments } = await placed({ method: '' });
    let failures = 0;
    payments.before = (call, spentKeys = 0) => {
      if (call !== 'create' || spentKeys > 0) return;
      failures += 1;
      throw failures === 1 ? new AmbiguousError('500') : new PaymentKeySpentError('500 again');
    };
    await aws.act('cancel');
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'cancelling' });
    await aws.later(PAUSE_MS);
    expect(aws.order()).toMatchObject({ status: 'cancelled', reason: 'by_customer' });
    expect(aws.row().holds).toEqual({});
  });

  test('that its customer cancels after the charge is paid all the same', async () => {
    const { aws, payments } = await twoSites();
    payments.after = noAnswer('confirm');
    await aws.place();
    await aws.react();
    payments.after = nothing;
    await aws.act('cancel');
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1' });
    expect(aws.order()['reason']).toBeUndefined();
  });

  test('shows what the bank asks of its customer, and is paid as soon as somebody says so', async () => {
    const { aws, payments } = await twoSites();
    payments.asks = true;
    await aws.place();
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paying', action: { kind: 'redirect' } });
    payments.asks = false;
    await aws.act('check', { event: 'evt_1' });
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid' });
    expect(aws.order()['action']).toBeUndefined();
  });

  test('is not looked at more often than its customer may ask', async () => {
    const { aws, payments } = await twoSites();
    payments.asks = true;
    await aws.place();
    await aws.react();
    await aws.act('check');
    const { checked } = aws.order();
    await aws.act('check');
    expect(aws.order()['checked']).toBe(checked);
    aws.nowMs += paymentCheckMs;
    await aws.act('check');
    expect(aws.order()['checked']).not.toBe(checked);
  });

  test('takes the events of its provider from nobody else', async () => {
    const { aws, payments } = await twoSites();
    payments.asks = true;
    await aws.place();
    await aws.react();
    const customer = { scopes: [] };
    await expect(aws.act('check', { event: 'evt_invented' }, customer)).rejects.toMatchObject({
      code: 'not_staff',
    });
    await aws.act('check', {}, customer);
    expect(aws.order()['checked']).toMatch(/^asked-/);
  });

  test.each(['fulfil', 'refund'] as const)(
    "that is paid is the shop's to %s, and not its customer's",
    async (name) => {
      const { aws } = await twoSites();
      await aws.place();
      await aws.react();
      await expect(aws.act(name, {}, { scopes: ['tandem/write'] })).rejects.toMatchObject({
        code: 'not_staff',
      });
      expect(aws.order()).toMatchObject({ status: 'paid' });
    },
  );

  test('that its customer leaves to the bank is cancelled after an hour', async () => {
    const { aws, payments } = await twoSites();
    payments.asks = true;
    await aws.place();
    await aws.react();
    await aws.later(payingMs);
    expect(aws.order()).toMatchObject({ status: 'expired' });
    expect(payments.status).toBe('cancelled');
  });

  test('is charged by none but the site that holds its goods', async () => {
    const { aws, payments } = await placed({ method: '' });
    await aws.act('pay', { method: 'card' });
    await aws.write(ORDER, { stockSite: 'azure-1' });
    // It is the other one's business now, which is gone.
    aws.site = { ...aws.site, peers: [], retired: ['azure-1'] };
    await aws.drive(setEntries(aws.site, { lost: 'azure-1' }));
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'cancelled', reason: 'taken_over' });
    expect(payments.status).toBe('cancelled');
  });

  test('does not get its hold back from a function that stood still since before it was paid', async () => {
    const { aws } = await twoSites();
    await aws.place();
    const slow = reserveOrder(aws.order() as unknown as Order, { site: aws.site, key: ORDER, attempt: 1 });
    let step = slow.next();
    let isFirst = true;
    while (step.done !== true) {
      const effect = step.value;
      if (effect.op === 'putMany' && isFirst) {
        isFirst = false;
        await aws.react();
        expect(aws.order()).toMatchObject({ status: 'paid' });
      }
      const answer = await aws.run(
        (function* () {
          return yield effect;
        })(),
      );
      if (effect.op === 'putMany')
        expect(answer as readonly PutResult[]).toMatchObject([{ status: 'stale' }]);
      step = slow.next(answer);
    }
    expect(aws.row()).toMatchObject({ sold: 2, holds: {} });
  });
});

describe('a hold that was made too late', () => {
  test('is ended when the holds of its row are looked through, at its own site alone', async () => {
    const { aws, azure } = await placed({ lines: [line('tea', 9)] });
    expect(aws.order()).toMatchObject({ status: 'rejected' });
    const row = stockKey('tea', 'aws-1');
    const lookMs = aws.nowMs + holdsLookMs;
    await aws.write(row, { holds: { o1: 2 }, lookMs });
    await azure.hear(aws);
    const before = azure.held(row)?.state;
    await azure.later(holdsLookMs, row);
    expect(azure.held(row)?.state).toEqual(before);
    expect(azure.held(row)?.reactions?.['tend']?.parked).toBeUndefined();
    await aws.later(holdsLookMs, row);
    expect(aws.row()).toMatchObject({ holds: {}, lookMs: 0 });
  });
});

describe('an order that two sites were asked for', () => {
  test('is charged once, to the stock of the first', async () => {
    const { aws, azure } = await placed();
    await azure.place();
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1' });
    expect([aws.row(), azure.row()]).toMatchObject([
      { sold: 2, holds: {} },
      { sold: 0, holds: {} },
    ]);
  });

  test('keeps what the first has done, though the second was asked later', async () => {
    const { aws, azure } = await placed();
    azure.nowMs += 10_000;
    await azure.place();
    await aws.hear(azure);
    expect(aws.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1', stockSite: 'aws-1' });
  });

  test('is rejected at one of them, and goes on at the other', async () => {
    const { aws, azure } = await placed({ lines: [line('tea', 5)], method: '' });
    await azure.write(stockKey('tea', 'azure-1'), { sold: 5, sequence: 9 });
    azure.nowMs += 10_000;
    await azure.place({ lines: [line('tea', 5)], method: '' });
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'rejected', reason: 'short' });
    await azure.hear(aws);
    await aws.hear(azure);
    expect([aws.order(), azure.order()]).toMatchObject([{ status: 'reserved' }, { status: 'reserved' }]);
  });

  test('is paid though it was rejected here, when somebody says that it was charged', async () => {
    const { aws, azure } = await placed({ lines: [line('tea', 5)] });
    await azure.write(stockKey('tea', 'azure-1'), { sold: 5, sequence: 9 });
    await azure.place({ lines: [line('tea', 5)] });
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'rejected' });
    expect(aws.order()).toMatchObject({ status: 'paid' });
    await azure.act('check', { event: 'evt_charged' });
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1' });
    expect(azure.row().holds).toEqual({});
  });

  test('is paid though the provider’s search is still behind when somebody says that it was charged', async () => {
    const { azure, payments } = await placed({ lines: [line('tea', 5)] });
    const charged = new Map(payments.payments);
    await azure.write(stockKey('tea', 'azure-1'), { sold: 5, sequence: 9 });
    await azure.place({ lines: [line('tea', 5)] });
    await azure.react();
    payments.payments.clear();
    await azure.act('check', { event: 'evt_charged' });
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'rejected' });
    for (const [key, payment] of charged) payments.payments.set(key, payment);
    await azure.later(paymentLookMs);
    expect(azure.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1' });
  });

  test('stays rejected here when the provider knows of no charge for as long as its search may be behind', async () => {
    const { azure, payments } = await placed({ lines: [line('tea', 9)] });
    await azure.place({ lines: [line('tea', 9)] });
    await azure.react();
    azure.nowMs += 1;
    await azure.act('check', { event: 'evt_other' });
    let looks = 0;
    for (const endMs = azure.nowMs + lookupBehindMs; azure.nowMs <= endMs; azure.nowMs += 1_000)
      looks += (await azure.react()).filter(({ kind }) => kind === 'done').length;
    expect(azure.order()).toMatchObject({ status: 'rejected', checkedFor: 'evt_other' });
    expect(looks).toBeLessThan(25);
    expect(payments.payments.size).toBe(0);
    await azure.later(absenceProvenMs);
    expect(await azure.react()).toEqual([]);
  });

  test('is never charged by a site for another; after a while it is cancelled', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.before = noAnswer('confirm');
    await aws.place();
    await aws.react();
    payments.before = nothing;
    await azure.place();
    await azure.react();
    expect(azure.order()).toMatchObject({ status: 'paying' });
    await azure.later(paymentYieldMs);
    expect(azure.order()).toMatchObject({ status: 'cancelled', reason: 'elsewhere' });
    expect(azure.row().holds).toEqual({});
  });
});

describe('an order whose site is gone', () => {
  async function takenOver(aws: ShopSite, azure: ShopSite): Promise<void> {
    await azure.hear(aws);
    azure.site = { ...azure.site, peers: [], retired: ['aws-1'] };
    await azure.drive(setEntries(azure.site, { lost: 'aws-1' }));
    await azure.react();
  }

  test('is cancelled when it was not charged', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.before = noAnswer('confirm');
    await aws.place();
    await aws.react();
    payments.before = nothing;
    await takenOver(aws, azure);
    expect(azure.order()).toMatchObject({ status: 'cancelled', reason: 'taken_over' });
    // The site was alive: it asks the same payment.
    await aws.later(PAUSE_MS);
    expect(aws.order()).toMatchObject({ status: 'cancelled' });
    expect(aws.row()).toMatchObject({ sold: 0, holds: {} });
  });

  test('is paid from its stock when it had been charged', async () => {
    const { aws, azure, payments } = await twoSites();
    payments.after = noAnswer('confirm');
    await aws.place();
    await aws.react();
    payments.after = nothing;
    await takenOver(aws, azure);
    expect(azure.order()).toMatchObject({ status: 'paid', paidFrom: 'aws-1' });
    // The site was alive: it asks the same payment.
    await aws.later(PAUSE_MS);
    expect([aws.row(), azure.row()]).toMatchObject([
      { sold: 2, holds: {} },
      { sold: 0, holds: {} },
    ]);
  });
});

describe('an old order', () => {
  /** One whose payment the provider has never made, so long after its birth. */
  async function aged(ageMs: number): ReturnType<typeof twoSites> {
    const sites = await twoSites();
    await sites.aws.place({ method: '' });
    await sites.aws.react();
    await sites.aws.act('pay', { method: 'card' });
    sites.aws.nowMs = START_MS + ageMs;
    await sites.aws.write(ORDER, { payingSinceMs: sites.aws.nowMs });
    return sites;
  }

  test('is still charged just before its time is up', async () => {
    const { aws } = await aged(chargeWithinMs - 1);
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid' });
  });

  test('is not charged after twenty hours, and waits for the proof that it never was', async () => {
    const { aws, payments } = await aged(chargeWithinMs);
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'cancelling', reason: 'not_paid_in_time' });
    expect(aws.row().holds).toEqual({ o1: 2 });
    for (let hour = 0; hour < 4; hour += 1) await aws.later(3_600_000);
    expect(aws.nowMs - START_MS).toBe(absenceProvenMs);
    expect(aws.order()).toMatchObject({ status: 'expired' });
    expect(payments.payments.size).toBe(0);
    expect(aws.row().holds).toEqual({});
  });

  test('is paid when a lookup finds that it was charged', async () => {
    const { aws, payments } = await aged(absenceProvenMs);
    payments.payments.set('order-o1', { id: 'order-o1', status: 'charged', claim: 'aws-1' });
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'paid' });
  });

  test('ends though the provider repeats an error for as long as it remembers the key', async () => {
    const { aws, payments } = await twoSites();
    payments.before = (call) => {
      if (call === 'create') throw new UnavailableError('saved error');
    };
    await aws.place();
    for (let round = 0; round < 200 && !isOver(aws.order() as unknown as Order); round += 1)
      await aws.later(PAUSE_MS);
    expect(aws.order()).toMatchObject({ status: 'expired' });
    expect(aws.nowMs - START_MS).toBeGreaterThanOrEqual(absenceProvenMs);
    expect(Object.values(aws.held(ORDER)?.reactions ?? {}).map(({ parked }) => parked)).not.toContain(
      'failed',
    );
  });

  test('is not born again at a site that has not heard of it', async () => {
    const { azure } = await twoSites();
    azure.nowMs = START_MS + chargeWithinMs;
    await expect(azure.place()).rejects.toThrow(InvalidError);
    azure.nowMs = START_MS - 10_000;
    await expect(azure.place()).rejects.toThrow('in the future');
  });
});

describe('a refund', () => {
  test('pays back a part, and then all that is left', async () => {
    const { aws, payments } = await placed();
    await aws.act('refund', { amountMinor: 80 }, { id: 'first' });
    await aws.react();
    expect(aws.order()).toMatchObject({
      status: 'paid',
      refunded: { first: { amountMinor: 80, status: 'done' } },
    });
    await aws.act('refund', {}, { id: 'second' });
    await aws.react();
    expect(aws.order()).toMatchObject({ status: 'refunded', refunded: { second: { amountMinor: 1_500 } } });
    expect([...payments.refunds.keys()]).toEqual(['order-o1-first', 'order-o1-second']);
    await expect(aws.act('refund', {}, { id: 'third' })).rejects.toThrow('0 are left');
  });

  test('of more than is left is refused', async () => {
    const { aws } = await placed();
    await expect(aws.act('refund', { amountMinor: 1_581 })).rejects.toThrow('1580 are left');
  });

  test('that two sites have asked for is made as far as the money reaches, and says why not', async () => {
    const { aws, azure, payments } = await placed();
    await azure.hear(aws);
    await aws.act('refund', { amountMinor: 1_000 }, { id: 'a' });
    await azure.act('refund', { amountMinor: 1_000 }, { id: 'b' });
    await aws.hear(azure);
    await aws.react();
    expect(aws.order()).toMatchObject({
      status: 'paid',
      refunded: { a: { status: 'done' }, b: { status: 'refused: too much' } },
    });
    expect(payments.refunds.size).toBe(1);
  });

  test('is made once where its answer was lost', async () => {
    const { aws, payments } = await placed();
    payments.after = noAnswer('refund');
    await aws.act('refund');
    await aws.react();
    payments.after = nothing;
    await aws.later(PAUSE_MS);
    expect(aws.order()).toMatchObject({ status: 'refunded' });
    expect(payments.refunds.size).toBe(1);
  });

  test('of what is not paid is refused', async () => {
    const { aws } = await placed({ method: '' });
    await expect(aws.act('refund')).rejects.toThrow('it is reserved');
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

describe('the states of an order', () => {
  const { order } = orderStates;
  const allowed: Readonly<Record<string, readonly string[]>> = orderStates.allowed;

  test('rise with every transition, so that of two sites the one that went further stands', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (choices) => {
        let state: string = order[0];
        for (const choice of choices) {
          const next = allowed[state] ?? [];
          const to = next[choice % Math.max(1, next.length)];
          if (to === undefined) break;
          expect(order.indexOf(to as Order['status'])).toBeGreaterThan(
            order.indexOf(state as Order['status']),
          );
          state = to;
        }
        expect(isOver({ status: state as Order['status'] })).toBe(true);
      }),
    );
  });

  test('reach a charge by a verdict alone: what never was charged is never paid', () => {
    const intoPaid = order.filter((state) => allowed[state]?.includes('paid'));
    expect(intoPaid).toEqual(['rejected', 'paying', 'cancelling']);
    const unpaidEnds = ['expired', 'cancelled'];
    for (const state of unpaidEnds) expect(allowed[state]).toBeUndefined();
  });
});
