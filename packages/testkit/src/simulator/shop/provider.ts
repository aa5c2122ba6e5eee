/**
 * The payment provider on virtual time: payment objects that are charged or cancelled once, keys that are forgotten
 * after 24 hours, keys that are spent by a failure, claims that arrive later, lookups that lag, calls whose answers are lost, customers who have something to do
 * first, refunds, and webhooks that are doubled, late, or lost.
 */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { OutsideEffect } from '@tandem-clouds/replication/reactions/react';
import type { PaymentCall } from '../../../../../src/shared/domain/orders/payment.ts';
import { PaymentKeySpentError, RefundRefusedError } from '../../../../../src/shared/ports/payment-errors.ts';
import type {
  Payment,
  PaymentRequest,
  PaymentStatus,
  Refund,
  RefundRequest,
} from '../../../../../src/shared/ports/payment-provider.ts';
import { calling, type Response } from '../run-effects.ts';
import type { World } from '../world.ts';
import { NO_SHOP_FAULTS, type ShopFaults } from './faults.ts';

const HOUR_MS = 3_600_000;
const KEY_MEMORY_MS = 24 * HOUR_MS;
const DECLINED_SHARE = 0.12;
const CUSTOMER_COMES_BACK = 0.75;

export interface PaymentObject {
  readonly id: string;
  /** What it was created for. */
  readonly key: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** Empty while nobody's has arrived; nobody is given one that stays empty. */
  claim: string;
  readonly createdAtMs: number;
  status: PaymentStatus;
  /** The customer has something to do. */
  challenged: boolean;
  /** By the key of the refund. */
  readonly refunds: Map<string, Refund>;
}

interface KeyMemory {
  readonly payment: PaymentObject | undefined;
  readonly atMs: number;
  /** It failed, and repeats that. */
  readonly error: boolean;
}

export interface ProviderEvents {
  readonly created: (payment: PaymentObject) => void;
  /** A charge is accepted: from now on it may come about. */
  readonly confirmed: (payment: PaymentObject) => void;
  readonly charged: (payment: PaymentObject) => void;
  /** Something about a payment has changed, which the provider reports. */
  readonly reported: (payment: PaymentObject, event: string) => void;
}

export class SimProvider {
  readonly payments: PaymentObject[] = [];
  faults: ShopFaults;
  /** Answers nothing at all. */
  away = false;
  #events = 0;
  readonly #keys = new Map<string, KeyMemory>();
  readonly #world: World;
  readonly #on: ProviderEvents;

  constructor(world: World, faults: ShopFaults, on: ProviderEvents) {
    this.#world = world;
    this.faults = faults;
    this.#on = on;
  }

  heal(): void {
    this.faults = NO_SHOP_FAULTS;
    this.away = false;
  }

  readonly runEffects = (effect: OutsideEffect): Response => {
    const world = this.#world;
    if (this.away) return { error: new UnavailableError('the provider is away') };
    const call = effect.call as PaymentCall;
    const called = calling(world, (): Response => this.#response(call));
    if ('error' in called) return called;
    world.hash.add(`pay ${Math.round(world.agenda.nowMs * 1000)} ${JSON.stringify(called.result.value)};`);
    return world.random.chance(this.faults.paymentTimeout)
      ? { error: new AmbiguousError('the provider did not answer') }
      : called.result;
  };

  /** What people do at the provider's own pages about payments of a site that is gone. */
  cancelClaimedBy(site: string): void {
    for (const payment of this.payments) if (payment.claim === site) this.#cancel(payment);
  }

  #response(call: PaymentCall): Response {
    switch (call.call) {
      case 'create':
        return this.#create(call.request);
      case 'confirm':
        return { value: shown(this.#confirm(this.#byId(call.id), call.method)) };
      case 'cancel':
        return { value: shown(this.#cancel(this.#byId(call.id))) };
      case 'lookup': {
        const seenBeforeMs = this.#world.agenda.nowMs - this.faults.lookupLag;
        const found = this.payments.filter(
          ({ key, claim, createdAtMs }) => key === call.key && claim !== '' && createdAtMs <= seenBeforeMs,
        );
        const first = found.find(({ status }) => status === 'charged') ?? found.at(-1);
        return { value: first && shown(first) };
      }
      case 'refund':
        return this.#refund(call.request);
    }
  }

  #create({ key, amountMinor, currency, claim, spentKeys = 0 }: PaymentRequest): Response {
    const { agenda, random } = this.#world;
    const name = `${key}~${spentKeys}`;
    const memory = this.#keys.get(name);
    if (memory !== undefined && agenda.nowMs - memory.atMs < KEY_MEMORY_MS) {
      if (memory.payment === undefined || memory.error) return { error: new PaymentKeySpentError(name) };
      if (memory.payment.claim === '') memory.payment.claim = claim;
      return { value: shown(memory.payment) };
    }
    const error = random.chance(this.faults.paymentError);
    const isClaimed = !error && !random.chance(this.faults.claimLost);
    const made = !error || random.chance(0.5);
    const payment: PaymentObject | undefined = made
      ? {
          id: `p${this.payments.length}`,
          key,
          amountMinor,
          currency,
          claim: isClaimed ? claim : '',
          createdAtMs: agenda.nowMs,
          status: 'open',
          challenged: false,
          refunds: new Map(),
        }
      : undefined;
    if (payment !== undefined) {
      this.payments.push(payment);
      this.#note(payment, 'created');
      this.#on.created(payment);
    }
    this.#keys.set(name, { payment, atMs: agenda.nowMs, error });
    if (payment === undefined || !isClaimed) return { error: new AmbiguousError('the provider has failed') };
    return { value: shown(payment) };
  }

  #confirm(payment: PaymentObject, method: string | undefined): PaymentObject {
    const { agenda, random } = this.#world;
    if ((payment.status !== 'open' && payment.status !== 'declined') || payment.challenged) return payment;
    this.#on.confirmed(payment);
    if (method === undefined || random.chance(this.faults.challenge)) {
      payment.status = 'open';
      payment.challenged = true;
      this.#report(payment, 'asks the customer');
      if (random.chance(CUSTOMER_COMES_BACK))
        agenda.after(
          random.chance(0.5) ? random.between(500, 20_000) : random.between(20_000, 3_000_000),
          () => this.#answered(payment),
        );
    } else this.#charge(payment);
    return payment;
  }

  /** The customer has done what was asked. */
  #answered(payment: PaymentObject): void {
    if (payment.status !== 'open' || !payment.challenged) return;
    payment.challenged = false;
    this.#charge(payment);
  }

  #charge(payment: PaymentObject): void {
    const { agenda, random } = this.#world;
    if (random.chance(this.faults.processing)) {
      payment.status = 'processing';
      this.#report(payment, 'processing');
      agenda.after(random.between(1_000, 300_000), () => this.#finish(payment));
    } else this.#finish(payment);
  }

  #finish(payment: PaymentObject): void {
    payment.status = this.#world.random.chance(DECLINED_SHARE) ? 'declined' : 'charged';
    if (payment.status === 'charged') this.#on.charged(payment);
    this.#report(payment, payment.status);
  }

  #cancel(payment: PaymentObject): PaymentObject {
    if (payment.status === 'open' || payment.status === 'declined') {
      payment.status = 'cancelled';
      this.#report(payment, 'cancelled');
    }
    return payment;
  }

  #refund({ paymentId, amountMinor, currency, key }: RefundRequest): Response {
    const payment = this.payments.find(({ id }) => id === paymentId);
    if (payment?.status !== 'charged') return { error: new RefundRefusedError('not charged', 'not charged') };
    const same = payment.refunds.get(key);
    if (same !== undefined) return { value: same };
    if (payment.currency !== currency) return { error: new RefundRefusedError('currency', 'other currency') };
    const back = [...payment.refunds.values()].reduce((total, refund) => total + refund.amountMinor, 0);
    if (back + amountMinor > payment.amountMinor)
      return { error: new RefundRefusedError('too much', 'too much') };
    const status = this.#world.random.chance(0.3) ? 'pending' : 'done';
    const refund: Refund = { id: `${payment.id}r${payment.refunds.size}`, amountMinor, currency, status };
    payment.refunds.set(key, refund);
    this.#report(payment, `${amountMinor} paid back`);
    return { value: refund };
  }

  #byId(id: string): PaymentObject {
    const payment = this.payments[Number(id.slice(1))];
    if (payment === undefined) throw new RangeError(`no payment ${id}`);
    return payment;
  }

  #report(payment: PaymentObject, what: string): void {
    this.#events += 1;
    this.#note(payment, what);
    this.#on.reported(payment, `e${this.#events}`);
  }

  #note({ key, id, claim }: PaymentObject, what: string): void {
    const site = this.#world.sites[0]?.name ?? '';
    this.#world.note(key.replace('order-', 'order:'), site, () => `PROVIDER ${id} ${what} (claim ${claim})`);
  }
}

/** As callers see it at this moment: the object itself goes on changing. */
function shown({ id, status, claim, challenged }: PaymentObject): Payment {
  const action = { kind: 'redirect', url: `https://bank.example/${id}` } as const;
  return { id, status, claim, ...(challenged && status === 'open' && { action }) };
}
