/**
 * Counter: every site adds to a slot of its own; the value is the sum. (The PN-counter of Shapiro et al., 2011.)
 *
 * Invariant: a slot is written by its own site only and is never removed, so no increment is lost. Writing the field as
 * a whole takes off what its writer has seen of every slot: an increment that it has not seen still counts.
 */
import type { FieldOperation } from './field.ts';
import { baseOf } from './field.ts';
import type { Slot, Slots } from './slots.ts';

/**
 * Adds to the counter.
 * @param by A whole number, also a negative one.
 * @throws RangeError when the site's sum leaves the range in which numbers are exact.
 */
export function increment(by: number): FieldOperation {
  return (parts, { stamp, site }) => {
    const held = Number(parts.counter?.[site]?.[1] ?? 0);
    const sum = held + by;
    if (!Number.isSafeInteger(sum)) throw new RangeError(`${sum} cannot be counted exactly`);
    return { ...parts, counter: { ...parts.counter, [site]: [stamp, sum] } };
  };
}

/** The counter with all that it has counted so far taken off. */
export function settled(counter: Slots): Slots {
  const bases: Record<string, Slot> = {};
  for (const [name, slot] of Object.entries(counter)) if (!name.startsWith('-')) bases[baseOf(name)] = slot;
  return { ...counter, ...bases };
}
