/** What clients of the shop do, and what its own timers do. */
import { bornMsOf } from '../../../../../src/shared/domain/birth.ts';
import { rebalanceStock, receiveStock } from '../../../../../src/shared/domain/escrow/escrow.ts';
import type { OrderRequest } from '../../../../../src/shared/domain/orders/order.ts';
import { cancelOrder, driveOrder, placeOrder } from '../../../../../src/shared/domain/orders/orders.ts';
import { settleHolds } from '../../../../../src/shared/domain/orders/reserve.ts';
import { TRAFFIC_MS } from '../pace.ts';
import { type SimSite, START_MS } from '../sim-site.ts';
import { orderFact } from './ledger.ts';
import { type Shop, SKUS } from './shop.ts';

const ATTEMPTS_MAX = 4;
const RESTOCKING = { belowUnits: 8, unitsMax: 6 } as const;
const TEND_EVERY_MS = 20_000;
/** An order that has not moved for so long is driven on. */
const QUIET_MS = 30_000;

/** Enters all client operations of a schedule into the agenda. */
export function scheduleShopping(shop: Shop, operations: number): void {
  const { agenda, random } = shop.world;
  for (const sku of SKUS) agenda.at(10, () => deliver(shop, sku, 5 + random.int(20)));
  for (let index = 0; index < operations; index += 1)
    agenda.at(random.between(100, TRAFFIC_MS), () => operate(shop, index));
}

function operate(shop: Shop, index: number): void {
  const { random, counts, sites } = shop.world;
  counts.operations += 1;
  const roll = random.next();
  const earlier = shop.requests.at(-1 - random.int(8));
  if (roll < 0.12) deliver(shop, random.pick(SKUS), 1 + random.int(6));
  else if (roll < 0.24 && earlier !== undefined) {
    shop.run(random.pick(sites), 'cancel', (own) => cancelOrder(own, earlier.orderId));
  } else if (roll < 0.3 && earlier !== undefined) submit(shop, random.pick(sites), earlier, 1);
  else order(shop, index);
}

/** A book's next total: brought to a site, and entered again when there was no answer. */
function deliver(shop: Shop, sku: string, units: number): void {
  const { random, sites } = shop.world;
  const site = random.pick(sites.filter(({ lost }) => !lost));
  const where = `${sku} ${site.name}`;
  const total = (shop.ledger.delivered.get(where) ?? 0) + units;
  shop.ledger.delivered.set(where, total);
  enter(shop, site, sku, total);
}

/** Goods that are there get entered, however long it takes, unless their site is lost with them. */
function enter(shop: Shop, site: SimSite, sku: string, total: number): void {
  const again = (): void => {
    if (site.lost) return;
    shop.world.agenda.after(shop.world.random.between(1_000, 60_000), () => enter(shop, site, sku, total));
  };
  const receipt = { book: `dock-${site.name}`, total };
  shop.run(site, 'receive', (own) => receiveStock(own, sku, receipt), { failed: again });
}

function order(shop: Shop, index: number): void {
  const { random, sites, agenda } = shop.world;
  const clientMs = START_MS + agenda.nowMs - random.between(0, 2_000);
  const request: OrderRequest = {
    orderId: `o${index}`,
    bornMs: bornMsOf(uuid7(clientMs, index)),
    sku: random.pick(SKUS),
    units: 1 + random.int(3),
    amountMinor: 100,
    currency: 'EUR',
  };
  shop.requests.push(request);
  shop.ledger.ordered.set(request.orderId, request);
  submit(shop, random.pick(sites), request, 1);
  if (random.chance(shop.faults.resubmit)) {
    const delayMs = random.chance(0.6) ? random.between(0, 500) : random.between(500, 90_000);
    agenda.after(delayMs, () => submit(shop, random.pick(sites), request, 1));
  }
}

/** A UUID of version 7; its random part does not matter here. */
function uuid7(ms: number, index: number): string {
  const time = Math.floor(ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** One attempt; a client without an answer often tries again, at whichever site. */
export function submit(shop: Shop, site: SimSite, request: OrderRequest, attempt: number): void {
  const { random, agenda, sites } = shop.world;
  shop.run(site, 'place', (own) => placeOrder(own, request), {
    returned: ({ orderId, state }) => void shop.reported.push({ orderId, site: site.name, state }),
    failed: () => {
      if (attempt >= ATTEMPTS_MAX || !random.chance(0.7)) return;
      agenda.after(random.between(50, 60_000), () => submit(shop, random.pick(sites), request, attempt + 1));
    },
  });
}

/** The timers of a site: drive what it owns, end what is over, move stock to where it is asked for. */
export function startTending(shop: Shop, site: SimSite): void {
  const { agenda, random } = shop.world;
  const tick = (): void => {
    if (agenda.nowMs > shop.closesAtMs) return;
    if (!site.down) tend(shop, site);
    agenda.after(TEND_EVERY_MS * shop.slowness * random.between(0.8, 1.2), tick);
  };
  agenda.after(random.between(0, TEND_EVERY_MS), tick);
}

function tend(shop: Shop, site: SimSite): void {
  for (const { orderId } of shop.requests) {
    const found = orderFact(site.store.records.get(`order:${orderId}`));
    if (found?.owner !== site.name) continue;
    if (found.state === 'paid' || found.state === 'cancelled') continue;
    const touched = (found as unknown as { sinceMs: number }).sinceMs;
    if (site.now() - touched > QUIET_MS) shop.run(site, 'drive', (own) => driveOrder(own, orderId));
  }
  for (const sku of SKUS) {
    shop.run(site, 'settle', (own) => settleHolds(own, sku));
    shop.run(site, 'rebalance', (own) => rebalanceStock(own, sku, RESTOCKING));
  }
}
