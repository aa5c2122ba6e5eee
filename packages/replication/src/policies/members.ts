/**
 * Objects whose members merge one by one: a change of a member is a register of its own, named `<field>/<member>`, over
 * the object that the field was created with. Deeper than that a member is one value.
 *
 * Invariant: a member's register stands over the object unless the object is later; who writes the field as a whole
 * writes every member that it has seen, too. So changes of different members both stand, and of one member the later,
 * with the other in the conflict log, by the merge that every register has.
 */
import type { Json } from '../json.ts';
import { own, setOwn } from '../own.ts';

type Members = Readonly<Record<string, Json>>;

const SEPARATOR = '/';

/** The register of a member. A field's own name holds no `/`; a member's may. */
export function memberField(field: string, member: string): string {
  return `${field}${SEPARATOR}${member}`;
}

/** The field and the member that a register is of; undefined for the register of a field. */
export function memberOf(name: string): { readonly field: string; readonly member: string } | undefined {
  const at = name.indexOf(SEPARATOR);
  return at < 0 ? undefined : { field: name.slice(0, at), member: name.slice(at + 1) };
}

export function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON Merge Patch: null removes, objects merge all the way down, everything else replaces (RFC 7396, section 2). */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json> = { ...(isObject(target) && target) };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, name);
    else setOwn(merged, name, mergePatch(own(merged, name), value));
  }
  return merged;
}

/** What a merge patch of a field does to its members; null removes one. `current`: what the field shows. */
export function memberChanges(
  field: string,
  current: Json | undefined,
  patch: Members,
): Record<string, Json> {
  const shown = isObject(current) ? current : {};
  return Object.fromEntries(
    Object.entries(patch).map(([member, value]) => [
      memberField(field, member),
      value === null ? null : mergePatch(own(shown, member), value),
    ]),
  );
}

/** An object with its members' registers over it, in the order of their names; what is removed is left out. */
export function withMembers(plain: Json, members: ReadonlyMap<string, Json>): Json {
  const shown: Record<string, Json> = { ...(isObject(plain) && plain) };
  for (const [name, value] of [...members].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === null) Reflect.deleteProperty(shown, name);
    else setOwn(shown, name, value);
  }
  return plain === null && Object.keys(shown).length === 0 ? null : shown;
}
