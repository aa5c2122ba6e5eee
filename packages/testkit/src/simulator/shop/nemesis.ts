/** What befalls a shop: wrong take-overs, days of standing still, and the loss of a site with all that follows. */
import { fenceSite, recoverStock } from '../../../../../src/shared/domain/escrow/escrow.ts';
import type { CommittedWrite } from '../../history/facts.ts';
import { NO_FAULTS } from '../faults.ts';
import { TRAFFIC_MS } from '../pace.ts';
import type { SimSite } from '../sim-site.ts';
import { compareSurvivors } from '../survivors.ts';
import { free, type Ordered, sum, type Units } from './facts.ts';
import { orderIdOf } from './ledger.ts';
import { type Shop, SKUS } from './shop.ts';
import { submit } from './traffic.ts';

const HOUR_MS = 3_600_000;

/** Enters it all into the agenda. Returns when clients and faults are done. */
export function scheduleShopNemesis(shop: Shop): number {
  const { faults, world, provider } = shop;
  const { agenda, random } = world;
  shop.purged = faults.purge > 0;
  for (let i = 0; i < Math.floor(faults.takeOver); i += 1)
    agenda.at(random.between(1_000, TRAFFIC_MS), () => wrongTakeOver(shop));
  let awayUntilMs = 0;
  if (faults.providerAway > 0) {
    const fromMs = random.between(0.1, 0.9) * TRAFFIC_MS;
    awayUntilMs = fromMs + faults.providerAway * 60_000;
    agenda.at(fromMs, () => (provider.away = true));
    agenda.at(awayUntilMs, () => (provider.away = false));
  }
  if (faults.loss > 0) scheduleLoss(shop);
  return Math.max(awayUntilMs, faults.stallHours > 0 ? scheduleStall(shop) : TRAFFIC_MS);
}

/** The site with the least name takes another one for gone, for a while: it takes over what that one is about to do. */
function wrongTakeOver(shop: Shop): void {
  const { agenda, random, sites } = shop.world;
  const [by, ...others] = [...sites].sort((a, b) => (a.name < b.name ? -1 : 1));
  const from = random.pick(others);
  if (by === undefined || shop.lost !== undefined || by.retired.length > 0) return;
  by.retired = [from.name];
  shop.takeOver(by, from.name);
  agenda.after(random.between(1_000, 20_000), () => shop.takeOver(by, from.name));
  agenda.after(random.between(20_000, 120_000), () => {
    if (shop.lost === undefined) by.retired = [];
  });
}

/** Some sites stand still for a day or so; others, if any, take over; then clients try their old keys again. */
function scheduleStall(shop: Shop): number {
  const { agenda, random, sites } = shop.world;
  const fromMs = random.between(0.2, 0.9) * TRAFFIC_MS;
  const hours = shop.faults.stallHours + random.between(-0.3, 0.3);
  const untilMs = fromMs + hours * HOUR_MS;
  let still = random.shuffled(sites).slice(0, 1 + random.int(sites.length));
  const alone = random.pick(sites);
  const cuts = sites.map(({ name }) => `${alone.name}>${name}`);
  let struck: Ordered | undefined;
  const begin = (): void => {
    shop.onCharge = undefined;
    for (const cut of cuts) shop.world.cuts.delete(cut);
    for (const site of still) site.halted = true;
  };
  agenda.at(fromMs, begin);
  // Or a single site that is cut off, as soon as it has charged an order of which nobody else has heard.
  if (random.chance(0.5))
    agenda.at(fromMs - 0.1 * TRAFFIC_MS, () => {
      for (const cut of cuts) shop.world.cuts.add(cut);
      shop.onCharge = (payment) => {
        if (payment.claim !== alone.name) return;
        still = [alone];
        struck = shop.requests.find(({ orderId }) => orderId === orderIdOf(payment));
        begin();
      };
    });
  const { faults } = shop.world;
  // For hours only what stands still is at fault: who fails in every seventh call for a day gets nothing done.
  agenda.at(TRAFFIC_MS + 600_000, () => {
    shop.slowness = 30;
    shop.world.faults = NO_FAULTS;
  });
  const moments = [0.01, 19.95, 20.02, 23.95, 24.05, hours - 0.05, hours + 0.01, hours + 0.02];
  for (const hour of moments) {
    if (!random.chance(0.6)) continue;
    agenda.at(fromMs + hour * HOUR_MS, () => wrongTakeOver(shop));
    agenda.at(fromMs + hour * HOUR_MS + 1_000, () => tryOldKeys(shop, struck));
  }
  agenda.at(untilMs - 60_000, () => {
    shop.slowness = 1;
    shop.world.faults = faults;
  });
  agenda.at(untilMs, () => {
    for (const site of still) site.halted = false;
    for (let i = 0; i < 3; i += 1) agenda.after(random.between(0, 120_000), () => wrongTakeOver(shop));
    for (let i = 0; i < 3; i += 1) agenda.after(random.between(0, 120_000), () => tryOldKeys(shop, struck));
  });
  return untilMs + 300_000;
}

function tryOldKeys(shop: Shop, first: Ordered | undefined): void {
  const { random, sites } = shop.world;
  const others = random.shuffled(shop.requests).slice(0, 8);
  for (const request of first === undefined ? others : [first, ...others])
    submit(shop, random.pick(sites), request, 1);
}

/** A site vanishes. Its orders are taken over, its stock is cut off everywhere, and what is left is counted. */
function scheduleLoss(shop: Shop): void {
  const { world } = shop;
  const { agenda, random, sites } = world;
  const site = random.pick(sites);
  const others = sites.filter((other) => other !== site);
  const replaced = shop.faults.replacement > 0 && others.length > 1;
  const heir = random.pick(others);
  if (replaced) heir.halted = true;
  const lose = (): void => {
    if (shop.lost !== undefined) return;
    site.lost = true;
    shop.lost = { site, heir };
    let [heirCutMs, lastCutMs] = [0, 0];
    for (const survivor of others) {
      const cutMs = random.chance(0.5) ? random.between(1_000, 20_000) : random.between(20_000, 240_000);
      lastCutMs = Math.max(lastCutMs, cutMs);
      if (survivor === heir) heirCutMs = cutMs;
      agenda.after(cutMs, () => cutOff(shop, survivor, site));
    }
    // Somebody may be too quick; not where a function could stand still until the others have cut it off.
    if (lastCutMs - heirCutMs > 60_000 && world.faults.pause === 0 && world.faults.late === 0)
      agenda.after(heirCutMs + 30_000, () => count(shop, others, 'early'));
    if (replaced) agenda.after(random.between(30_000, 120_000), () => (heir.halted = false));
    const taker = [...others].sort((a, b) => (a.name < b.name ? -1 : 1))[0];
    if (taker !== undefined)
      for (const ms of TAKE_OVERS_MS) agenda.after(ms, () => shop.takeOver(taker, site.name));
    every(shop, 60_000, () => compareSurvivors(world, others));
    every(shop, 60_000, () => reconcile(shop, others));
    // What the site had called may land for half a minute.
    agenda.after(60_000, () => every(shop, 20_000, () => count(shop, others, 'in order')));
  };
  const fromMs = random.between(0.2, 0.7) * TRAFFIC_MS;
  agenda.at(fromMs + 0.15 * TRAFFIC_MS, lose);
  if (random.chance(0.3)) return;
  // Or as soon as it has given something away, which it tells only one: a unit could be counted and taken as well.
  const reported = random.pick(others);
  agenda.at(fromMs, () => {
    for (const { name } of others) if (name !== reported.name) world.cuts.add(`${site.name}>${name}`);
  });
  const committed = ({ site: writer, key, fields }: CommittedWrite): void => {
    if (writer !== site.name || agenda.nowMs < fromMs) return;
    if (!key.startsWith('stock:') || sum((fields['given'] ?? {}) as Units) === 0) return;
    agenda.after(random.between(20, 300), lose);
  };
  world.watchers.push({ committed, applied: () => undefined });
}

/** Once all is configured, and again: a part may fail, and functions with the old configuration may have applied the last messages. */
const TAKE_OVERS_MS = [30_000, 150_000, 330_000, 900_000, HOUR_MS] as const;

function every(shop: Shop, ms: number, act: () => void): void {
  if (shop.world.agenda.nowMs > shop.closesAtMs) return;
  shop.world.agenda.after(ms, () => {
    act();
    every(shop, ms * 1.15, act);
  });
}

/** The survivor's rows say that the site is cut off, again until they do; its configuration follows. */
function cutOff(shop: Shop, survivor: SimSite, site: SimSite): void {
  const drop = (): void => {
    survivor.peers = survivor.peers.filter((peer) => peer !== site.name);
    survivor.retired = [site.name];
  };
  if (survivor === shop.lost?.heir) drop();
  else shop.world.agenda.after(shop.world.random.between(0, 200_000), drop);
  const heir = shop.lost?.heir.name ?? '';
  for (const sku of SKUS) {
    const attempt = (): void => {
      if (shop.ledger.ownRow(sku, survivor.name)?.fenced[site.name] !== undefined) return;
      shop.world.agenda.after(10_000, attempt);
      shop.run(survivor, 'fence', (own) => fenceSite(own, sku, { lost: site.name, heir }));
    };
    attempt();
  }
}

/** What the lost site has charged is looked at again by a survivor, which may have heard nothing of it. */
function reconcile(shop: Shop, survivors: readonly SimSite[]): void {
  for (const payment of shop.provider.payments) {
    if (payment.claim !== shop.lost?.site.name || payment.status !== 'charged') continue;
    const survivor = shop.world.random.pick(survivors);
    shop.act(survivor, orderIdOf(payment), 'check', { event: `reconciled-${payment.id}` });
  }
}

/**
 * People count once every survivor is cut off and no payment that the site has claimed can come about any more: they cancel what
 * is open at the provider, and wait for what is under way. They enter the count until it is there.
 */
function count(shop: Shop, survivors: readonly SimSite[], when: 'early' | 'in order'): void {
  if (shop.lost === undefined) return;
  const { site, heir } = shop.lost;
  shop.provider.cancelClaimedBy(site.name);
  if (shop.provider.payments.some(({ claim, status }) => claim === site.name && status === 'processing'))
    return;
  for (const sku of SKUS) {
    const rows = survivors.map(({ name }) => shop.ledger.ownRow(sku, name));
    if (when === 'in order' && rows.some((row) => row?.fenced[site.name] === undefined)) continue;
    if (rows.some((row) => row?.recovered[site.name] !== undefined)) continue;
    const units = remainder(shop, sku, survivors);
    if (units < 0)
      shop.world.find([
        { invariant: '5 stock', key: `stock:${sku}~${site.name}`, detail: `${units} counted` },
      ]);
    else shop.run(heir, 'recover', (own) => recoverStock(own, sku, { lost: site.name, units }));
  }
}

/** What is on the shelf and promised to nobody: all that was entered, less the survivors' shares and what was paid. */
function remainder(shop: Shop, sku: string, survivors: readonly SimSite[]): number {
  const { ledger } = shop;
  const lost = shop.lost?.site.name ?? '';
  let promised = ledger.chargedTo(sku, lost);
  for (const { name } of survivors) {
    const row = ledger.ownRow(sku, name);
    if (row === undefined) continue;
    promised += free(row) + row.sold + sum(row.holds);
    for (const [to, units] of Object.entries(row.given)) {
      if (to !== lost) promised += units - (ledger.ownRow(sku, to)?.taken[name] ?? 0);
    }
  }
  return ledger.enteredOf(sku) - promised;
}
