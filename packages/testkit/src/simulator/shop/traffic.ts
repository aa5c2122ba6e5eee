/** What clients and people of the shop do. */
import { keyAt } from '@tandem-clouds/local/creation-headers';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { bornMsOf } from '../../../../../src/shared/domain/birth.ts';
import { countStock, moveStock, receiveStock } from '../../../../../src/shared/domain/escrow/escrow.ts';
import { TRAFFIC_MS } from '../pace.ts';
import { type SimSite, START_MS } from '../sim-site.ts';
import { free, type Ordered, priceFact, sum } from './facts.ts';
import { type Shop, SKUS } from './shop.ts';

const ATTEMPTS_MAX = 4;
const FIRST_PRICE = 790;

/** Enters all client operations of a schedule into the agenda. */
export function scheduleShopping(shop: Shop, operations: number): void {
  const { agenda, random } = shop.world;
  shop.onReport = (orderId, event) => deliverReport(shop, orderId, event);
  for (const sku of SKUS) {
    agenda.at(1, () => price(shop, sku, FIRST_PRICE));
    agenda.at(10, () => deliver(shop, sku, 5 + random.int(20)));
  }
  for (let index = 0; index < operations; index += 1)
    agenda.at(random.between(100, TRAFFIC_MS), () => operate(shop, index));
}

function operate(shop: Shop, index: number): void {
  const { random, counts, sites } = shop.world;
  counts.operations += 1;
  const roll = random.next();
  const earlier = shop.requests.at(-1 - random.int(8));
  const site = random.pick(sites);
  if (roll < 0.1) deliver(shop, random.pick(SKUS), 1 + random.int(6));
  else if (roll < 0.13) count(shop, site, random.pick(SKUS));
  else if (roll < 0.17) move(shop, site, random.pick(SKUS));
  else if (roll < 0.2) price(shop, random.pick(SKUS), FIRST_PRICE + random.int(4) * 10);
  else if (roll < 0.46 && earlier !== undefined) change(shop, site, earlier);
  else order(shop, index);
}

function change(shop: Shop, site: SimSite, { orderId, ...request }: Ordered): void {
  const { random } = shop.world;
  const roll = random.next();
  if (roll < 0.25) shop.act(site, orderId, 'cancel', {});
  else if (roll < 0.4) shop.act(site, orderId, 'pay', random.chance(0.7) ? { method: 'pm_other' } : {});
  else if (roll < 0.55) shop.act(site, orderId, 'fulfil', {});
  else if (roll < 0.85)
    shop.act(site, orderId, 'refund', random.chance(0.5) ? {} : { amountMinor: 1 + random.int(900) });
  else if (roll < 0.9) shop.act(site, orderId, 'check', {});
  else submit(shop, site, { orderId, ...request }, 1);
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

/** What lies on the shelf is counted, and is not quite what the books say. */
function count(shop: Shop, site: SimSite, sku: string): void {
  const row = shop.ledger.ownRow(sku, site.name);
  const found = (row === undefined ? 0 : free(row) + sum(row.holds)) + shop.world.random.int(4) - 2;
  const units = Math.max(0, found);
  shop.run(site, `count=${units}`, (own) => countStock(own, sku, { units }));
}

function move(shop: Shop, site: SimSite, sku: string): void {
  const { random, sites } = shop.world;
  const to = random.pick(sites.filter((other) => other !== site)).name;
  const units = 1 + random.int(3);
  const where = `${sku} ${site.name} ${to}`;
  shop.ledger.moved.set(where, (shop.ledger.moved.get(where) ?? 0) + units);
  const moveId = `m${shop.world.counts.operations}`;
  shop.run(site, 'move', (own) => moveStock(own, sku, { to, units, moveId }));
}

function price(shop: Shop, sku: string, priceMinor: number): void {
  const { random, sites } = shop.world;
  const site = random.pick(sites.filter(({ lost }) => !lost));
  const values = { name: sku, priceMinor, currency: 'EUR' };
  const operationId = `price#${shop.world.counts.operations}`;
  shop.run(
    site,
    'price',
    (own) => localWrite(own, { key: `product:${sku}`, operationId, decide: () => values }),
    {
      failed: () => {
        shop.world.agenda.after(5_000, () => price(shop, sku, priceMinor));
      },
    },
  );
}

function order(shop: Shop, index: number): void {
  const { random, sites, agenda } = shop.world;
  const clientMs = START_MS + agenda.nowMs - random.between(0, 2_000);
  const site = random.pick(sites);
  const skus = random.shuffled(SKUS).slice(0, random.chance(0.6) ? 1 : 2 + random.int(2));
  // A cart may be older than the price, and once in a while it is made up.
  const shown = (sku: string): number =>
    random.chance(0.03) ? 1 : (priceFact(site.store.records.get(`product:${sku}`)) ?? FIRST_PRICE);
  const lines = skus.map((sku) => ({ sku, units: 1 + random.int(3), priceMinor: shown(sku) }));
  const first = lines[0];
  const request: Ordered = {
    orderId: `o${index}`,
    bornMs: bornMsOf(keyAt(clientMs, index)),
    lines: first !== undefined && random.chance(0.05) ? [...lines, { ...first, units: 1 }] : lines,
    currency: random.chance(0.03) ? 'USD' : 'EUR',
    method: random.chance(0.65) ? 'pm_card' : undefined,
  };
  shop.requests.push(request);
  shop.ledger.ordered.set(request.orderId, request);
  submit(shop, site, request, 1);
  if (random.chance(shop.faults.resubmit)) {
    const delayMs = random.chance(0.6) ? random.between(0, 500) : random.between(500, 90_000);
    agenda.after(delayMs, () => submit(shop, random.pick(sites), request, 1));
  }
  if (request.method === undefined && random.chance(0.8))
    agenda.after(random.between(2_000, 200_000), () =>
      shop.act(random.pick(sites), request.orderId, 'pay', random.chance(0.5) ? { method: 'pm_card' } : {}),
    );
}

/** One attempt; a client without an answer often tries again, at whichever site. */
export function submit(shop: Shop, site: SimSite, request: Ordered, attempt: number): void {
  const { random, agenda, sites } = shop.world;
  shop.place(site, request, {
    failed: () => {
      if (attempt >= ATTEMPTS_MAX || !random.chance(0.7)) return;
      agenda.after(random.between(50, 60_000), () => submit(shop, random.pick(sites), request, attempt + 1));
    },
  });
}

/** A webhook: at any site, twice, late, before the order has arrived there, or never. */
function deliverReport(shop: Shop, orderId: string, event: string): void {
  const { random, agenda, sites } = shop.world;
  if (random.chance(0.05)) return;
  const copies = random.chance(0.3) ? 2 : 1;
  for (let copy = 0; copy < copies; copy += 1) {
    const delayMs = random.chance(0.3) ? random.between(1_000, 600_000) : random.between(20, 1_000);
    const attempt = (left: number): void =>
      shop.act(random.pick(sites), orderId, 'check', { event }, () => {
        if (left > 0) agenda.after(random.between(5_000, 120_000), () => attempt(left - 1));
      });
    agenda.after(delayMs, () => attempt(3));
  }
}
