/** A site of the shop for tests: its records in memory, its reactions, and a payment provider that remembers everything. */
import { applyBatch } from '@tandem-clouds/replication/apply';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { driveReact } from '@tandem-clouds/replication/reactions/drive-react';
import {
  type OutsideEffect,
  react,
  type ReactProtocol,
  type Step,
} from '@tandem-clouds/replication/reactions/react';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { digest } from '../../src/shared/digest.ts';
import { checkBirth } from '../../src/shared/domain/birth.ts';
import type { Values } from '../../src/shared/domain/entity.ts';
import { receiveStock } from '../../src/shared/domain/escrow/escrow.ts';
import { emptyRow, type EscrowRow, rowOf, stockKey } from '../../src/shared/domain/escrow/row.ts';
import { fieldChanges, initialChanges, valuesOf } from '../../src/shared/domain/field-changes.ts';
import { MAIL, type SendCall, type Sent, SMS } from '../../src/shared/domain/notifications/send.ts';
import type { OrderLine } from '../../src/shared/domain/orders/order.ts';
import { type PaymentCall, paymentKey } from '../../src/shared/domain/orders/payment.ts';
import { reactionsOf, within } from '../../src/shared/domain/reactions.ts';
import { ruleOf } from '../../src/shared/domain/run-rule.ts';
import { notification } from '../../src/shared/entities/notification.ts';
import { order } from '../../src/shared/entities/order.ts';
import { stock } from '../../src/shared/entities/stock.ts';
import { RefundRefusedError } from '../../src/shared/ports/payment-errors.ts';
import type { Payment, Refund } from '../../src/shared/ports/payment-provider.ts';
import { checkEvent } from '../../src/shared/validation/check-event.ts';
import { START_MS, TestSite } from './test-site.ts';

export const ORDER = 'order:o1';
const PRICE_MINOR = 790;
const ENTITIES = [order, stock, notification];
const reactions = reactionsOf(ENTITIES, digest);
const steps = within(
  ENTITIES,
  digest,
  () => undefined,
  () => ({ byMember: true, check: () => [] }),
);

export interface TestOrder {
  readonly lines?: readonly OrderLine[];
  readonly currency?: string;
  readonly method?: string | undefined;
  readonly email?: string;
  readonly phone?: string;
  readonly language?: string;
}

export const line = (sku = 'tea', units = 2, priceMinor = PRICE_MINOR): OrderLine => ({
  sku,
  units,
  priceMinor,
});

/** What the provider holds under an order's key, with failures on demand. */
export class TestPayments {
  readonly payments = new Map<string, Payment>();
  readonly refunds = new Map<string, Refund>();
  declines = false;
  asks = false;
  /** Called before and after each call takes effect; throw to fail it. */
  before: (call: PaymentCall['call'], spentKeys?: number) => void = () => undefined;
  after: (call: PaymentCall['call']) => void | Promise<void> = () => undefined;

  async call({ call }: OutsideEffect): Promise<unknown> {
    await Promise.resolve();
    const asked = call as PaymentCall;
    this.before(asked.call, asked.call === 'create' ? asked.request.spentKeys : undefined);
    const answer = this.#answer(asked);
    await this.after(asked.call);
    return answer;
  }

  get status(): string | undefined {
    return this.payments.get(paymentKey('o1'))?.status;
  }

  #answer(asked: PaymentCall): unknown {
    switch (asked.call) {
      case 'lookup':
        return this.payments.get(asked.key);
      case 'create': {
        const { key, claim } = asked.request;
        return this.#keep(this.payments.get(key) ?? { id: key, status: 'open', claim });
      }
      case 'confirm': {
        const held = this.#held(asked.id);
        if (held.status !== 'open') return held;
        if (this.asks)
          return this.#keep({ ...held, action: { kind: 'redirect', url: 'https://bank.example' } });
        return this.#keep({ ...held, status: this.declines ? 'declined' : 'charged' });
      }
      case 'cancel': {
        const held = this.#held(asked.id);
        const ends = held.status === 'open' || held.status === 'declined';
        return ends ? this.#keep({ ...held, status: 'cancelled' }) : held;
      }
      case 'refund': {
        const { key, amountMinor, currency } = asked.request;
        const refund = this.refunds.get(key) ?? {
          id: `r-${key}`,
          amountMinor,
          currency,
          status: 'done' as const,
        };
        const rest = [...this.refunds].filter(([other]) => other !== key);
        const back = rest.reduce((sum, [, each]) => sum + each.amountMinor, 0);
        if (back + amountMinor > 2 * PRICE_MINOR) throw new RefundRefusedError('too much', 'too much');
        this.refunds.set(key, refund);
        return refund;
      }
    }
  }

  #held(id: string): Payment {
    const held = this.payments.get(id);
    if (held === undefined) throw new RangeError(`no payment ${id}`);
    return held;
  }

  #keep(payment: Payment): Payment {
    this.payments.set(payment.id, payment);
    return payment;
  }
}

export class ShopSite extends TestSite {
  readonly payments: TestPayments;
  /** The mail server: what is asked of it, and what it answers. */
  mail: (call: SendCall) => Promise<Sent> = () => Promise.reject(new TypeError('no mail was expected'));
  /** The provider of SMS, likewise. */
  sms: (call: SendCall) => Promise<Sent> = () => Promise.reject(new TypeError('no SMS was expected'));

  constructor(name: string, peer: string, payments: TestPayments) {
    super(name, [peer]);
    this.payments = payments;
    if (reactions !== undefined) this.site = { ...this.site, reactions };
  }

  drive<Result>(protocol: ReactProtocol<Result>): Promise<Result> {
    return driveReact(protocol, {
      resources: { ...this.resources, waker: () => Promise.resolve() },
      outside: (effect) => {
        if (effect.service === MAIL) return this.mail(effect.call as SendCall);
        return effect.service === SMS ? this.sms(effect.call as SendCall) : this.payments.call(effect);
      },
    });
  }

  place({
    lines = [line()],
    currency = 'EUR',
    method = 'card',
    ...customer
  }: TestOrder = {}): Promise<StoredRecord> {
    const values = {
      lines: lines.map((each) => ({ ...each })),
      currency,
      ...(method !== '' && { method }),
      ...customer,
    };
    const initial = initialChanges(order, values, { isKeyed: true });
    const createdAt = new Date(START_MS).toISOString();
    return this.run(
      localWrite(this.site, {
        key: ORDER,
        operationId: `place-${this.site.site}-${this.nowMs}`,
        creates: { keepUnseenTombstone: true },
        decide: (_, isLive) => {
          if (isLive) return undefined;
          checkBirth(START_MS, this.nowMs);
          return { ...initial, createdAt };
        },
      }),
    );
  }

  act(
    name: keyof typeof order.actions,
    input: Readonly<Record<string, string | number>> = {},
    { id = 'i1', subject = 'hedy', scopes = ['shop/orders'] as readonly string[] } = {},
  ): Promise<StoredRecord> {
    const action = order.actions[name];
    if (action === undefined) throw new TypeError(`no action ${name}`);
    const caller = { subject, scopes, claims: {}, tenant: undefined };
    const rule = ruleOf(order, name, action, { input, caller, nowMs: this.nowMs, freshId: () => id });
    const writing = { writer: 'action', rule: name, byMember: true, check: () => [] } as const;
    return this.run(
      localWrite(this.site, {
        key: ORDER,
        operationId: `${name}-${id}-${this.nowMs}`,
        decide: (current) => {
          if (current === undefined) throw new TypeError('no order');
          const changes = rule(valuesOf(order, current));
          return changes === undefined ? undefined : fieldChanges(order, current, changes, writing);
        },
      }),
    );
  }

  /** Does what is due on a record, and what that makes due. */
  async react(key = ORDER): Promise<readonly Step[]> {
    const all: Step[] = [];
    for (let round = 0; round < 10; round += 1) {
      const done = await this.drive(react(this.site, key, { within: steps }));
      all.push(...done);
      if (done.length === 0) break;
    }
    return all;
  }

  /** The same after so long. */
  later(ms: number, key = ORDER): Promise<readonly Step[]> {
    this.nowMs += ms;
    return this.react(key);
  }

  order(): Values {
    const record = this.held(ORDER);
    return record === undefined ? {} : valuesOf(order, record);
  }

  row(sku = 'tea'): EscrowRow {
    return rowOf(this.held(stockKey(sku, this.site.site))) ?? emptyRow(sku, this.site.site);
  }

  /** Applies here all that a peer has published so far. */
  async hear(peer: TestSite): Promise<void> {
    await this.run(applyBatch(this.site, peer.outboxDeliveries(), checkEvent));
  }
}

/** Two sites with tea and salt of their own. */
export async function twoSites(
  units = 5,
): Promise<{ aws: ShopSite; azure: ShopSite; payments: TestPayments }> {
  const payments = new TestPayments();
  const aws = new ShopSite('aws-1', 'azure-1', payments);
  const azure = new ShopSite('azure-1', 'aws-1', payments);
  for (const site of [aws, azure]) {
    for (const sku of ['tea', 'salt']) {
      await site.write(`product:${sku}`, { priceMinor: PRICE_MINOR, currency: 'EUR' });
      if (units > 0) await site.run(receiveStock(site.site, sku, { book: 'dock', total: units }));
    }
  }
  return { aws, azure, payments };
}
