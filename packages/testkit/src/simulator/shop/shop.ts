/** A simulated shop: what runs in it, and how its functions are started. */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import type { PutResult, Versioned } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { OrderRequest } from '../../../../../src/shared/domain/orders/order.ts';
import type { ShopProtocol } from '../../../../../src/shared/domain/orders/payment.ts';
import type { Operation } from '../invocation.ts';
import { invoke } from '../invoke.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import type { ShopFaults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { type PaymentObject, SimProvider } from './provider.ts';

export const SKUS = ['tea', 'salt'] as const;

/** What a client was told in the end. */
export interface ReportedOrder {
  readonly orderId: string;
  readonly site: string;
  readonly state: string;
}

export class Shop {
  readonly world: World;
  readonly faults: ShopFaults;
  readonly provider: SimProvider;
  readonly ledger: Ledger;
  readonly requests: OrderRequest[] = [];
  readonly reported: ReportedOrder[] = [];
  /** The site that has been lost, and the one that takes its count. */
  lost: { readonly site: SimSite; readonly heir: SimSite } | undefined;
  /** Whoever wants to strike when a charge has been made. */
  onCharge: ((payment: PaymentObject) => void) | undefined;
  /** When timers stop. */
  closesAtMs = 0;
  /** How much slower they tick while nothing happens. */
  slowness = 1;
  #started = 0;

  constructor(world: World, faults: ShopFaults) {
    this.world = world;
    this.faults = faults;
    this.ledger = new Ledger(world, () => this.provider);
    const { ledger } = this;
    this.provider = new SimProvider(world, faults, {
      confirmed: (payment) => ledger.confirmed(payment),
      charged: (payment) => {
        ledger.charged(payment);
        this.onCharge?.(payment);
      },
    });
    world.watchers.push(ledger);
  }

  /** Runs a function of the shop at a site that is in service; `failed` when it died or may be tried again. */
  run<Result>(
    site: SimSite,
    name: string,
    protocol: (own: Site) => ShopProtocol<Result>,
    ended: { returned?: (value: Result) => void; failed?: () => void } = {},
  ): void {
    if (site.down) {
      ended.failed?.();
      return;
    }
    this.#started += 1;
    const operation: Operation = { id: `${name}#${this.#started}`, decided: undefined };
    invoke(this.world, site, {
      kind: 'write',
      operation,
      protocol: (own) => observed(protocol(own), operation),
      pay: this.provider.runEffects,
      ended: (ending) => {
        if (ending.kind === 'returned') ended.returned?.(ending.value);
        else if (ending.kind === 'died' || isRetryable(ending.error)) ended.failed?.();
        else if (!(ending.error instanceof AppError))
          this.world.find([{ invariant: 'no defects', detail: `${name} threw ${String(ending.error)}` }]);
      },
    });
  }
}

/** Notes, from outside, what each local write is based on and what it sets. */
function* observed<Result>(protocol: ShopProtocol<Result>, operation: Operation): ShopProtocol<Result> {
  const read = new Map<string, StoredRecord | undefined>();
  let step = protocol.next();
  while (step.done !== true) {
    const effect = step.value;
    const record = effect.op === 'putMany' ? effect.writes[0]?.record : undefined;
    if (record !== undefined)
      operation.decided = { basis: read.get(record.key), creates: false, fields: written(record) };
    let response: unknown;
    try {
      response = yield effect;
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    if (effect.op === 'get') read.set(effect.key, (response as Versioned | undefined)?.record);
    const [result] = effect.op === 'putMany' ? (response as readonly PutResult[]) : [];
    if (record !== undefined && result?.status === 'stale') read.set(record.key, result.current?.record);
    step = protocol.next(response);
  }
  return step.value;
}

function written({ state, version }: StoredRecord): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(state.fields)
      .filter(([, [stamp]]) => stamp === version)
      .map(([field, [, value]]) => [field, value]),
  );
}
