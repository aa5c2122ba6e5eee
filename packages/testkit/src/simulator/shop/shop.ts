/** A simulated shop: what runs in it, and how its functions are started. */
import type { Site } from '@tandem-clouds/replication/protocol';
import type { OrderRequest } from '../../../../../src/shared/domain/orders/order.ts';
import type { ShopProtocol } from '../../../../../src/shared/domain/orders/payment.ts';
import type { Operation } from '../invocation.ts';
import { handOver, invoke, type Waiting } from '../invoke.ts';
import { observed } from '../observed.ts';
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
    ended: Waiting<Result> = {},
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
      ended: handOver(this.world, name, ended),
    });
  }
}
