/**
 * The payment provider on virtual time: payment objects that are charged or cancelled once, keys that are forgotten
 * after 24 hours, errors that are repeated, lookups that lag, and calls whose answers are lost.
 */
import { AmbiguousError, UnavailableError } from '@tandem-clouds/replication/errors';
import type { PaymentCall, PaymentEffect } from '../../../../../src/shared/domain/orders/payment.ts';
import type {
  Payment,
  PaymentRequest,
  PaymentStatus,
} from '../../../../../src/shared/ports/payment-provider.ts';
import { calling, type Response } from '../run-effects.ts';
import type { World } from '../world.ts';
import { NO_SHOP_FAULTS, type ShopFaults } from './faults.ts';

const HOUR_MS = 3_600_000;
const KEY_MEMORY_MS = 24 * HOUR_MS;
const DECLINED_SHARE = 0.12;

export interface PaymentObject {
  readonly id: string;
  /** What it was created for. */
  readonly key: string;
  readonly claim: string;
  readonly createdAtMs: number;
  status: PaymentStatus;
}

interface KeyMemory {
  readonly payment: PaymentObject | undefined;
  readonly atMs: number;
  /** The first answer under the key, repeated. */
  readonly error: boolean;
}

export interface ProviderEvents {
  /** A charge is accepted: from now on it may come about. */
  readonly confirmed: (payment: PaymentObject) => void;
  readonly charged: (payment: PaymentObject) => void;
}

export class SimProvider {
  readonly payments: PaymentObject[] = [];
  faults: ShopFaults;
  readonly #keys = new Map<string, KeyMemory>();
  readonly #world: World;
  readonly #events: ProviderEvents;

  constructor(world: World, faults: ShopFaults, events: ProviderEvents) {
    this.#world = world;
    this.faults = faults;
    this.#events = events;
  }

  heal(): void {
    this.faults = NO_SHOP_FAULTS;
  }

  readonly runEffects = ({ call }: PaymentEffect): Response => {
    const world = this.#world;
    const called = calling(world, (): Response => this.#response(call));
    if ('error' in called) return called;
    world.hash.add(`pay ${Math.round(world.agenda.nowMs * 1000)} ${JSON.stringify(called.result.value)};`);
    return world.random.chance(this.faults.paymentTimeout)
      ? { error: new AmbiguousError('the provider did not answer') }
      : called.result;
  };

  #response(call: PaymentCall): Response {
    switch (call.call) {
      case 'create':
        return this.#create(call.request);
      case 'confirm':
        return { value: shown(this.#confirm(this.#byId(call.id))) };
      case 'cancel':
        return { value: shown(this.#cancel(this.#byId(call.id))) };
      case 'lookup': {
        const seenBeforeMs = this.#world.agenda.nowMs - this.faults.lookupLag;
        const found = this.payments.find(
          ({ key, createdAtMs }) => key === call.key && createdAtMs <= seenBeforeMs,
        );
        return { value: found && shown(found) };
      }
    }
  }

  #create({ key, claim }: PaymentRequest): Response {
    const { agenda, random } = this.#world;
    let memory = this.#keys.get(key);
    if (memory === undefined || agenda.nowMs - memory.atMs >= KEY_MEMORY_MS) {
      const error = random.chance(this.faults.paymentError);
      // An error without an object ends only when the key is forgotten: not where the schedule ends before.
      const made = !error || this.faults.stallHours <= 25 || random.chance(0.7);
      const payment: PaymentObject | undefined = made
        ? { id: `p${this.payments.length}`, key, claim, createdAtMs: agenda.nowMs, status: 'open' }
        : undefined;
      if (payment !== undefined) this.#note(payment, 'created');
      if (payment !== undefined) this.payments.push(payment);
      memory = { payment, atMs: agenda.nowMs, error };
      this.#keys.set(key, memory);
    }
    if (memory.error || memory.payment === undefined) return { error: new UnavailableError('saved error') };
    return { value: shown(memory.payment) };
  }

  #confirm(payment: PaymentObject): PaymentObject {
    const { agenda, random } = this.#world;
    if (payment.status !== 'open' && payment.status !== 'declined') return payment;
    this.#events.confirmed(payment);
    if (random.chance(this.faults.processing)) {
      payment.status = 'processing';
      this.#note(payment, 'processing');
      agenda.after(random.between(1_000, 300_000), () => this.#finish(payment));
    } else this.#finish(payment);
    return payment;
  }

  #finish(payment: PaymentObject): void {
    payment.status = this.#world.random.chance(DECLINED_SHARE) ? 'declined' : 'charged';
    this.#note(payment, payment.status);
    if (payment.status === 'charged') this.#events.charged(payment);
  }

  #cancel(payment: PaymentObject): PaymentObject {
    if (payment.status === 'open' || payment.status === 'declined') {
      payment.status = 'cancelled';
      this.#note(payment, 'cancelled');
    }
    return payment;
  }

  #byId(id: string): PaymentObject {
    const payment = this.payments[Number(id.slice(1))];
    if (payment === undefined) throw new RangeError(`no payment ${id}`);
    return payment;
  }

  #note({ key, id, claim }: PaymentObject, what: string): void {
    const site = this.#world.sites[0]?.name ?? '';
    this.#world.note(key.replace('order-', 'order:'), site, () => `PROVIDER ${id} ${what} (claim ${claim})`);
  }
}

/** As callers see it at this moment: the object itself goes on changing. */
function shown({ id, status, claim }: PaymentObject): Payment {
  return { id, status, claim };
}
