/** What can befall a shop beside the faults of the world that it runs in. */
import type { Random } from '../../random.ts';
import { chooseFrom, type Menu } from '../faults.ts';

const MENU = {
  /** A client sends its order to a second site as well. Probability per order. */
  resubmit: [0.7, 0.1, 0.6],
  /** A site is wrongly believed to be gone and another takes its orders over, so many times. */
  takeOver: [0.6, 1, 5],
  /** A call of the payment provider times out, with or without effect. Probability per call. */
  paymentTimeout: [0.6, 0.02, 0.3],
  /** The provider fails under a key and repeats that, whether it has made a payment or not. Probability per key. */
  paymentError: [0.3, 0.02, 0.3],
  /** A payment is made, and the call that claims it fails. Probability per payment. */
  claimLost: [0.3, 0.02, 0.3],
  /** A lookup misses payments younger than so many milliseconds. */
  lookupLag: [0.4, 1_000, 300_000],
  /** A charge stays under way for minutes. Probability per confirmation. */
  processing: [0.3, 0.05, 0.4],
  /** A customer has something to do before a charge, in their own time or never. Probability per confirmation. */
  challenge: [0.4, 0.1, 0.6],
  /** The provider does not answer for so many minutes. */
  providerAway: [0.25, 2, 60],
  /** All messages that wake functions are lost. */
  purge: [0.15, 1, 1],
  /** Some sites, or all, stand still for so many hours. */
  stallHours: [0.12, 18, 31],
  /** One site is lost for good, cut off, and its stock counted. */
  loss: [0.15, 1, 1],
  /** After a loss a site under a new id joins and takes the count; until then it is out of service. */
  replacement: [0.5, 1, 1],
} satisfies Menu<string>;

export type ShopFault = keyof typeof MENU;
export type ShopFaults = Readonly<Record<ShopFault, number>>;

/** Combinations that chance rarely brings about. */
const SWARMS: readonly Partial<ShopFaults>[] = [
  // A long stall, wrong take-overs, and payments that are hard to find.
  { stallHours: 26, takeOver: 5, paymentError: 0.5, paymentTimeout: 0.3, resubmit: 0.6, loss: 0 },
  // Right around the age at which charging ends.
  { stallHours: 20, takeOver: 5, paymentTimeout: 0.3, resubmit: 0.6, loss: 0 },
  // A site is lost while its orders are under way at the provider.
  { loss: 1, processing: 0.4, challenge: 0.4, paymentTimeout: 0.3, resubmit: 0.6, stallHours: 0 },
  // Everybody fights for the same orders.
  { takeOver: 20, resubmit: 1, processing: 0.3, challenge: 0.5, stallHours: 0, loss: 0 },
];
const SWARM_SHARE = 0.2;

/** Draws a seed's faults; one in five seeds is a directed swarm. */
export function chooseShopFaults(random: Random, forced: Partial<ShopFaults> = {}): ShopFaults {
  const swarm = random.chance(SWARM_SHARE) ? random.pick(SWARMS) : {};
  const chosen = chooseFrom(MENU, random, { ...swarm, ...forced });
  // One disaster at a time: a count needs all survivors.
  return chosen.loss > 0 ? { ...chosen, stallHours: 0 } : chosen;
}

/** Everything off. */
export const NO_SHOP_FAULTS: ShopFaults = Object.fromEntries(
  Object.keys(MENU).map((fault) => [fault, 0]),
) as unknown as ShopFaults;
