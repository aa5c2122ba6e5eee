/** What can befall the storages of sites and what crosses between them, beside the faults of the world. */
import type { Random } from '../../random.ts';
import { chooseFrom, type Menu } from '../faults.ts';

const MENU = {
  /** A transfer breaks off in the middle. Probability per transfer. */
  cut: [0.4, 0.02, 0.2],
  /** Other bytes come than the source has. Probability per transfer. */
  garble: [0.4, 0.02, 0.2],
  /** A storage says that it has stored what came, and has stored something else. Probability per object. */
  miswrite: [0.3, 0.02, 0.2],
  /** Transfers take so many times longer. */
  slow: [0.3, 2, 6],
  /** A storage does not answer for minutes, so many times. */
  storageDown: [0.4, 1, 3],
  /** A storage loses an object, or its bytes rot, so many times. */
  rot: [0.4, 1, 30],
  /** A storage removes uploads in parts that have not ended, so many times. */
  expire: [0.3, 1, 3],
  /** A storage cannot say the checksum of what a client has sent. Probability per upload. */
  mute: [0.3, 0.2, 0.6],
  /** A site stands still for so many hours, as soon as something was uploaded there. */
  awayHours: [0.15, 20, 40],
  /** One site is lost for good, with its storage. */
  loss: [0.25, 1, 1],
} satisfies Menu<string>;

export type ObjectFault = keyof typeof MENU;
export type ObjectFaults = Readonly<Record<ObjectFault, number>>;

/** Draws a seed's faults. */
export function chooseObjectFaults(random: Random, forced: Partial<ObjectFaults> = {}): ObjectFaults {
  const chosen = chooseFrom(MENU, random, forced);
  // One disaster at a time.
  return chosen.loss > 0 ? { ...chosen, awayHours: 0 } : chosen;
}

/** Everything off. */
export const NO_OBJECT_FAULTS: ObjectFaults = Object.fromEntries(
  Object.keys(MENU).map((fault) => [fault, 0]),
) as unknown as ObjectFaults;
