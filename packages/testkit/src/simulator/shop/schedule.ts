/** One schedule of the shop, made from one seed: shopping under faults, then heal, come to rest, replay, check. */
import { absenceProvenMs } from '../../../../../src/shared/bounds.ts';
import { checkConvergence } from '../../checkers/convergence.ts';
import type { Snapshot } from '../../history/facts.ts';
import { Random } from '../../random.ts';
import { chooseFaults, type Faults, NO_FAULTS, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf } from '../pace.ts';
import {
  checkRest,
  lookedAtBy,
  QUIET_MS,
  recover,
  replay,
  resultOf,
  type ScheduleOptions,
  type ScheduleResult,
} from '../schedule.ts';
import { startSweeper } from '../sweeper.ts';
import { poll } from '../trigger.ts';
import { World } from '../world.ts';
import {
  checkOrders,
  checkParked,
  checkStock,
  comparable,
  type ShopAtRest,
  survivingMessages,
} from './checkers.ts';
import { checkCounts, scheduleReaders } from './counted.ts';
import { chooseShopFaults, NO_SHOP_FAULTS, type ShopFaults } from './faults.ts';
import { scheduleShopNemesis } from './nemesis.ts';
import { Shop, SKUS } from './shop.ts';
import { scheduleShopping } from './traffic.ts';

export interface ShopScheduleOptions extends ScheduleOptions {
  /** Faults of the shop that are set instead of drawn. */
  readonly shopFaults?: Partial<ShopFaults> | undefined;
}

const OPERATIONS = 40;
/** How long after healing the timers tick as in production; from then on there is little left to do. */
const BUSY_MS = 300_000;
const QUIET_SLOWNESS = 12;
/** Until the last customer's time to pay is over, and the holds of every row have been looked through after that. */
const ENDED_MS = 3 * 3_600_000;
/** After so many findings a schedule has said enough; looked at so often. */
const ENOUGH = 20;
const SLICE_MS = 60_000;
/** One in so many seeds has nothing wrong: then no order may be refused for want of what is there. */
const CALM_SHARE = 0.08;

/** After a stall: some orders end only when the absence of their payment is proven. */
const PROVEN_MS = absenceProvenMs + 45 * 60_000;

export function runShopSchedule(options: ShopScheduleOptions): ScheduleResult {
  // A day of refused connections makes a million errors whose stacks nobody reads.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const { world, faults } = playShop(options);
    return resultOf(world, { seed: options.seed, faults, parts: { operations: [], events: [] } });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Runs a schedule to its end and returns the world as it then is. */
export function playShop(options: ShopScheduleOptions): {
  readonly world: World;
  readonly faults: Readonly<Record<string, number>>;
} {
  const random = new Random(options.seed);
  const drawn = random.pick([2, 2, 3, 3, 4]);
  const sites = options.sites ?? drawn;
  const drawnCalm = random.stream('calm').chance(CALM_SHARE);
  const calm = drawnCalm && options.faults === undefined && options.shopFaults === undefined;
  const faults = chooseFaults(random, { ...(calm && NO_FAULTS), ...options.faults, ...RECORDS_ONLY });
  const shopFaults = chooseShopFaults(random, { ...(calm && NO_SHOP_FAULTS), ...options.shopFaults });
  const world = new World({ random, faults, sites, trigger: poll, ...lookedAtBy(options) });
  const shop = new Shop(world, shopFaults, isCalm(faults, shopFaults));
  scheduleShopping(shop, options.operations ?? OPERATIONS);
  scheduleNemesis(world, drawNemesis(random, faults));
  const healMs = scheduleShopNemesis(shop);
  const { redriveEveryMs, ...pace } = paceOf(faults);
  const restMs = Math.max(pace.restMs + ENDED_MS, shopFaults.stallHours > 0 ? PROVEN_MS - healMs : 0);
  shop.closesAtMs = healMs + restMs - QUIET_MS;
  for (const site of world.sites) {
    const slowness = (): number => shop.slowness;
    startSweeper(world, site, () => healMs + restMs + QUIET_MS, { slowness });
    shop.startTimer(site);
  }
  scheduleReaders(shop);
  runOn(world, healMs);
  world.heal();
  shop.provider.heal();
  shop.purged = false;
  for (const site of world.sites) site.halted = false;
  shop.slowness = 1;
  world.agenda.after(BUSY_MS, () => (shop.slowness = QUIET_SLOWNESS));
  recover(world, restMs, redriveEveryMs);
  runOn(world, healMs + restMs);
  if (world.findings.length < ENOUGH) judge(shop);
  return { world, faults: { ...faults, ...shopFaults } };
}

/** Until then, or until so much is wrong that it may never come to rest. */
function runOn({ agenda, findings }: World, untilMs: number): void {
  while (agenda.nowMs < untilMs && findings.length < ENOUGH)
    agenda.runUntil(Math.min(untilMs, agenda.nowMs + SLICE_MS));
}

/** Whether sites, links and functions do what they should; what clients and the provider do does not matter. */
function isCalm(faults: Faults, { takeOver, purge, stallHours, loss }: ShopFaults): boolean {
  return [...Object.values(faults), takeOver, purge, stallHours, loss].every((strength) => strength === 0);
}

function judge(shop: Shop): void {
  const { world, ledger, provider } = shop;
  const lost = shop.lost?.site.name;
  const snapshot: Snapshot = new Map([...world.snapshot()].filter(([site]) => site !== lost));
  const atRest: ShopAtRest = { snapshot, ledger, payments: provider.payments, lost };
  world.find(checkConvergence(comparable(snapshot, lost), world.drawnFaults.jump > 0));
  world.find(checkOrders(atRest));
  world.find(checkStock(atRest, SKUS));
  world.find(checkParked(atRest));
  world.find(checkCounts(shop));
  checkRest(world, survivingMessages(world.messages, lost));
  replay(world);
}
