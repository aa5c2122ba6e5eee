/** What can befall a service that reacts, beside the faults of the world that it runs in. */
import type { Random } from '../../random.ts';
import { chooseFrom, type Menu } from '../faults.ts';

const MENU = {
  /** The provider does not answer for minutes, so many times. */
  providerDown: [0.5, 1, 4],
  /** All messages that wake are lost. */
  purge: [0.3, 1, 1],
  /** A site stands still for so many hours, as soon as it has done an effect of which nobody has heard. */
  stallHours: [0.2, 22, 30],
  /** One site is lost for good, and what it has left is taken over. */
  loss: [0.3, 1, 1],
} satisfies Menu<string>;

export type ReactionFault = keyof typeof MENU;
export type ReactionFaults = Readonly<Record<ReactionFault, number>>;

/** Draws a seed's faults. */
export function chooseReactionFaults(random: Random, forced: Partial<ReactionFaults> = {}): ReactionFaults {
  const chosen = chooseFrom(MENU, random, forced);
  // One disaster at a time.
  return chosen.loss > 0 ? { ...chosen, stallHours: 0 } : chosen;
}

/** Everything off. */
export const NO_REACTION_FAULTS: ReactionFaults = Object.fromEntries(
  Object.keys(MENU).map((fault) => [fault, 0]),
) as unknown as ReactionFaults;
