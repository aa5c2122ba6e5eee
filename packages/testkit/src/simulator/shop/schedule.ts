/** One schedule of the shop, made from one seed: shopping under faults, then heal, come to rest, replay, check. */
import { absenceProvenMs } from '../../../../../src/shared/bounds.ts';
import { checkConvergence } from '../../checkers/convergence.ts';
import type { Snapshot } from '../../history/facts.ts';
import { Random } from '../../random.ts';
import { chooseFaults, RECORDS_ONLY } from '../faults.ts';
import { drawNemesis, scheduleNemesis } from '../nemesis.ts';
import { paceOf } from '../pace.ts';
import {
  checkRest,
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
import { checkOrders, checkStock, comparable, type ShopAtRest, survivingMessages } from './checkers.ts';
import { chooseShopFaults, type ShopFaults } from './faults.ts';
import { scheduleShopNemesis } from './nemesis.ts';
import { Shop, SKUS } from './shop.ts';
import { scheduleShopping, startTending } from './traffic.ts';

export interface ShopScheduleOptions extends ScheduleOptions {
  /** Faults of the shop that are set instead of drawn. */
  readonly shopFaults?: Partial<ShopFaults> | undefined;
}

const OPERATIONS = 80;
/** How long after healing the timers tick as in production; from then on there is little left to do. */
const BUSY_MS = 300_000;
const QUIET_SLOWNESS = 6;

/** After a stall: some orders end only when the absence of their payment is proven. */
const PROVEN_MS = absenceProvenMs + 30 * 60_000;

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
  const drawn = 2 + random.int(3);
  const sites = options.sites ?? drawn;
  const faults = chooseFaults(random, { ...options.faults, ...RECORDS_ONLY });
  const shopFaults = chooseShopFaults(random, options.shopFaults);
  const world = new World({ random, faults, sites, trigger: poll, watchedKey: options.watchedKey });
  const shop = new Shop(world, shopFaults);
  scheduleShopping(shop, options.operations ?? OPERATIONS);
  scheduleNemesis(world, drawNemesis(random, faults));
  const healMs = scheduleShopNemesis(shop);
  const { redriveEveryMs, ...pace } = paceOf(faults);
  const restMs = Math.max(pace.restMs, shopFaults.stallHours > 0 ? PROVEN_MS - healMs : 0);
  shop.closesAtMs = healMs + restMs - QUIET_MS;
  for (const site of world.sites) {
    const slowness = (): number => shop.slowness;
    startSweeper(world, site, () => healMs + restMs + QUIET_MS, { slowness });
    startTending(shop, site);
  }
  world.agenda.runUntil(healMs);
  world.heal();
  shop.provider.heal();
  for (const site of world.sites) site.halted = false;
  shop.slowness = 1;
  world.agenda.after(BUSY_MS, () => (shop.slowness = QUIET_SLOWNESS));
  recover(world, restMs, redriveEveryMs);
  world.agenda.runUntil(healMs + restMs);
  judge(shop);
  return { world, faults: { ...faults, ...shopFaults } };
}

function judge(shop: Shop): void {
  const { world, ledger, provider } = shop;
  const lost = shop.lost?.site.name;
  const snapshot: Snapshot = new Map([...world.snapshot()].filter(([site]) => site !== lost));
  const atRest: ShopAtRest = { snapshot, ledger, payments: provider.payments, reported: shop.reported, lost };
  world.find(checkConvergence(comparable(snapshot, lost)));
  world.find(checkOrders(atRest));
  world.find(checkStock(atRest, SKUS));
  checkRest(world, survivingMessages(world.messages, lost));
  replay(world);
}
