/**
 * Add-wins set: an element is in it when somebody added it and nobody who had seen that removed it. Of an addition
 * and a removal that have not seen each other the addition wins.
 */
import { canonicalJson } from '../canonical-json.ts';
import type { Json } from '../json.ts';
import type { SiteId, Stamp } from '../stamp.ts';
import { type FieldOperation, type FieldParts, fieldValue } from './field.ts';
import { write } from './register.ts';
import type { Slot, Slots } from './slots.ts';

type Elements = readonly Json[];

/** Adds and removes elements. What is in both is added. An element that is there already is confirmed. */
export function change({ add = [], remove = [] }: { add?: Elements; remove?: Elements }): FieldOperation {
  return (parts, at) => added(removed(parts, names([...remove, ...add]), at.stamp), add, at);
}

/** Makes the set hold just these elements: adds what is missing and removes the rest; what stays is left alone. */
export function replace(wanted: Elements): FieldOperation {
  return (parts, at) => {
    const held = elementsOf(parts);
    const [heldNames, wantedNames] = [names(held), names(wanted)];
    return change({
      add: wanted.filter((element) => !heldNames.has(canonicalJson(element))),
      remove: held.filter((element) => !wantedNames.has(canonicalJson(element))),
    })(parts, at);
  };
}

/** Starts anew with these elements: nothing that the writer has seen remains, nor a register that it has not seen. */
export function start(wanted: Elements): FieldOperation {
  return (parts, at) => added(write([])(parts, at), wanted, at);
}

/** The elements of a set, in the order in which they were added. */
export function elementsOf(parts: FieldParts): Elements {
  const value = fieldValue(parts);
  return Array.isArray(value) ? (value as Elements) : [];
}

function names(elements: Elements): ReadonlySet<string> {
  return new Set(elements.map(canonicalJson));
}

function added(parts: FieldParts, add: Elements, at: { stamp: Stamp; site: SiteId }): FieldParts {
  if (add.length === 0) return parts;
  const slots: Record<string, Slot> = { ...parts.set };
  for (const element of add) slots[`${at.site}|${canonicalJson(element)}`] = [at.stamp, element];
  return { ...parts, set: slots };
}

/** Without the slots of these elements, and without them in a list that the register still holds. */
function removed(
  { register, set, ...rest }: FieldParts,
  gone: ReadonlySet<string>,
  stamp: Stamp,
): FieldParts {
  const isGone = (element: Json): boolean => gone.has(canonicalJson(element));
  const kept: Slots = Object.fromEntries(
    Object.entries(set ?? {}).filter(([, [, element]]) => !isGone(element)),
  );
  const list = Array.isArray(register?.[1]) ? (register[1] as Elements) : [];
  const left =
    register !== undefined && list.some(isGone) ? without(register, list, isGone, stamp) : register;
  return {
    ...rest,
    ...(left !== undefined && { register: left }),
    ...(Object.keys(kept).length > 0 && { set: kept }),
  };
}

function without(
  [, , rank]: readonly [Stamp, Json, string?],
  list: Elements,
  isGone: (element: Json) => boolean,
  stamp: Stamp,
): readonly [Stamp, Json, string?] {
  const left = list.filter((element) => !isGone(element));
  return rank === undefined ? [stamp, left] : [stamp, left, rank];
}
