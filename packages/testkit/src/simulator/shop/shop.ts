/** A simulated shop: what runs in it, and how its functions are started. */
import { localWrite } from '@tandem-clouds/replication/local-write';
import type { Site } from '@tandem-clouds/replication/protocol';
import { wakeDue } from '@tandem-clouds/replication/reactions/due';
import { react } from '@tandem-clouds/replication/reactions/react';
import { type ScanReport, setEntries } from '@tandem-clouds/replication/reactions/scan';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { digest } from '../../../../../src/shared/digest.ts';
import { checkBirth } from '../../../../../src/shared/domain/birth.ts';
import type { FieldChanges } from '../../../../../src/shared/domain/entity.ts';
import { fieldChanges, initialChanges, valuesOf } from '../../../../../src/shared/domain/field-changes.ts';
import type { FieldCheck } from '../../../../../src/shared/domain/field-check.ts';
import { reactionsOf, within } from '../../../../../src/shared/domain/reactions.ts';
import { ruleOf } from '../../../../../src/shared/domain/run-rule.ts';
import { order } from '../../../../../src/shared/entities/order.ts';
import { stock } from '../../../../../src/shared/entities/stock.ts';
import { NotFoundError, RuleFaultError } from '../../../../../src/shared/errors.ts';
import { storedChecks } from '../../../../../src/shared/generated/validators.js';
import { validate } from '../../../../../src/shared/validation/validate.ts';
import type { Operation } from '../invocation.ts';
import { handOver, invoke, type SimProtocol, type Waiting } from '../invoke.ts';
import { observed } from '../observed.ts';
import type { SimSite } from '../sim-site.ts';
import type { World } from '../world.ts';
import type { Ordered } from './facts.ts';
import type { ShopFaults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { type PaymentObject, SimProvider } from './provider.ts';

export const SKUS = ['tea', 'salt', 'rice'] as const;

const ENTITIES = [order, stock];
const WAKE_EVERY_MS = 10_000;
const WAKE_KEYS = 40;
/** How often a run has time for one more reaction. */
const GOES_ON = 0.97;

/** As in production: by the schemas of what is stored. */
const checkOf =
  (entity: string): FieldCheck =>
  (fields) => {
    const check = storedChecks[entity];
    return check === undefined ? [] : validate(check, fields);
  };
const byEntity = new Map(ENTITIES.map(({ name }) => [name, checkOf(name)] as const));
const reactions = reactionsOf(ENTITIES, digest);
const steps = within(
  ENTITIES,
  digest,
  () => undefined,
  ({ name }) => ({ byMember: true, check: byEntity.get(name) ?? (() => []) }),
);

export class Shop {
  readonly world: World;
  readonly faults: ShopFaults;
  readonly provider: SimProvider;
  readonly ledger: Ledger;
  readonly requests: Ordered[] = [];
  /** The site that has been lost, and the one that takes its count. */
  lost: { readonly site: SimSite; readonly heir: SimSite } | undefined;
  /** Messages that wake are lost, all of them. */
  purged = false;
  /** Whoever wants to strike when a charge has been made. */
  onCharge: ((payment: PaymentObject) => void) | undefined;
  /** The provider reports that something about a payment has changed. */
  onReport: (orderId: string, event: string) => void = () => undefined;
  /** When timers stop. */
  closesAtMs = 0;
  /** How much slower they tick while nothing happens. */
  slowness = 1;
  #started = 0;
  #ids = 0;

  constructor(world: World, faults: ShopFaults, isCalm: boolean) {
    this.world = world;
    this.faults = faults;
    this.ledger = new Ledger(world, () => this.provider, isCalm);
    const { ledger } = this;
    this.provider = new SimProvider(world, faults, {
      created: (payment) => ledger.created(payment),
      confirmed: (payment) => ledger.confirmed(payment),
      charged: (payment) => {
        ledger.charged(payment);
        this.onCharge?.(payment);
      },
      reported: ({ key }, event) => this.onReport(key.replace('order-', ''), event),
    });
    world.watchers.push(ledger);
    for (const site of world.sites) site.reactions = reactions;
    world.onWake = (site, key) => {
      if (!this.purged)
        this.run(site, 'react', (own) =>
          react(own, key, { within: steps, goesOn: () => world.random.chance(GOES_ON) }),
        );
    };
  }

  /** Runs a function of the shop at a site that is in service; `failed` when it died or may be tried again. */
  run<Result>(
    site: SimSite,
    name: string,
    protocol: (own: Site) => SimProtocol<Result>,
    ended: Waiting<Result> = {},
  ): void {
    if (site.down) {
      ended.failed?.();
      return;
    }
    this.#started += 1;
    const operation: Operation = { id: `${name}#${this.#started}`, decided: undefined };
    const hand = handOver(this.world, name, ended);
    invoke(this.world, site, {
      kind: name === 'react' || name === 'wake' || name === 'take-over' ? 'react' : 'write',
      operation,
      protocol: (own) => observed(protocol(own), operation),
      outside: this.provider.runEffects,
      ended: (ending) => {
        if (ending.kind === 'threw' && ending.error instanceof RuleFaultError)
          this.world.find([{ invariant: 'no defects', detail: `${name}: ${ending.error.message}` }]);
        hand(ending);
      },
    });
  }

  /** A client's order, at whichever site, as often as it likes. */
  place(
    site: SimSite,
    { orderId, bornMs, lines, currency, method }: Ordered,
    waiting: Waiting<StoredRecord>,
  ): void {
    const fields = {
      lines: lines.map((line) => ({ ...line })),
      currency,
      ...(method !== undefined && { method }),
    };
    const initial = initialChanges(order, fields, { isKeyed: true });
    const createdAt = new Date(bornMs).toISOString();
    this.run(
      site,
      'place',
      (own) =>
        localWrite(own, {
          key: `order:${orderId}`,
          operationId: `place#${this.#started}`,
          expectNew: true,
          creates: { keepUnseenTombstone: true },
          decide: (_, isLive) => {
            if (isLive) return undefined;
            checkBirth(bornMs, own.now());
            return { ...initial, createdAt };
          },
        }),
      waiting,
    );
  }

  /** An action on an order, by its declared rule. */
  act(
    site: SimSite,
    orderId: string,
    name: keyof typeof order.actions,
    input: FieldChanges,
    failed?: () => void,
  ): void {
    const action = order.actions[name];
    if (action === undefined) throw new TypeError(`no action ${name}`);
    const caller = { subject: 'hedy', scopes: ['shop/orders'], claims: {}, tenant: undefined };
    this.run(
      site,
      name,
      (own) => {
        const rule = ruleOf(order, name, action, {
          input: input as Record<string, string>,
          caller,
          nowMs: own.now(),
          freshId: () => `i${(this.#ids += 1)}`,
        });
        const check = byEntity.get('order') ?? (() => []);
        const writing = {
          writer: 'action',
          rule: `order.${name}`,
          writes: action.writes,
          byMember: true,
          check,
        } as const;
        return localWrite(own, {
          key: `order:${orderId}`,
          operationId: `${name}#${this.#started}`,
          decide: (current, isLive) => {
            if (current === undefined || !isLive) throw new NotFoundError(`no order ${orderId}`);
            const changes = rule(valuesOf(order, current));
            return changes === undefined ? undefined : fieldChanges(order, current, changes, writing);
          },
        });
      },
      failed === undefined ? {} : { failed },
    );
  }

  /** Wakes what is due, as the sweep does, until the end. */
  startTimer(site: SimSite): void {
    const { agenda, random } = this.world;
    const tick = (): void => {
      if (agenda.nowMs > this.closesAtMs) return;
      if (!site.down) this.run(site, 'wake', (own) => wakeDue(own, { keysMax: WAKE_KEYS }));
      agenda.after(WAKE_EVERY_MS * this.slowness * random.between(0.95, 1.05), tick);
    };
    agenda.as(`wake ${site.name}`, () => agenda.after(random.between(0, WAKE_EVERY_MS), tick));
  }

  /** What an operator's take-over does: a scan in parts, begun again when it fails. */
  takeOver(site: SimSite, lost: string, cursor?: string): void {
    this.run(site, 'take-over', (own) => setEntries(own, { lost }, { cursor, runMs: 0 }), {
      returned: ({ next }: ScanReport) => {
        if (next !== undefined) this.takeOver(site, lost, next);
      },
    });
  }
}
