/**
 * Slots: what sets and counters are made of. Each is written under a stamp; the later version of a slot stands.
 */
import { canonicalJson } from '../canonical-json.ts';
import type { Json } from '../json.ts';
import { own, setOwn } from '../own.ts';
import type { Stamp } from '../stamp.ts';
import { covers, type Vector } from '../vector.ts';

export type Slot = readonly [stamp: Stamp, value: Json];

/** Name → slot. */
export type Slots = Readonly<Record<string, Slot>>;

/** One side of a merge: its slots of a field, and all that it has seen. */
interface Side {
  readonly slots: Slots | undefined;
  readonly vector: Vector;
}

/**
 * The slots that neither side has removed; undefined when there are none. For slots that are written by one site only
 * and may be removed by any.
 *
 * Invariant: a slot that one side lacks was removed there if that side's vector includes its stamp, and has not
 * arrived there otherwise. The record's version vector is the causal context, so a removal leaves no tombstone and
 * a concurrent addition survives it. (The optimized OR-set of Bieniusa et al., 2012; the dot stores of Almeida et
 * al., "Delta State Replicated Data Types", 2018.)
 */
export function mergeRemovable(ours: Side, theirs: Side): Slots | undefined {
  const merged: Record<string, Slot> = {};
  for (const [name, slot] of Object.entries(ours.slots ?? {})) {
    const twin = theirs.slots && own(theirs.slots, name);
    const stays = twin === undefined ? !covers(theirs.vector, slot[0]) : !replaces(twin, slot);
    if (stays) setOwn(merged, name, slot);
  }
  for (const [name, slot] of Object.entries(theirs.slots ?? {})) {
    const twin = ours.slots && own(ours.slots, name);
    const arrives = twin === undefined ? !covers(ours.vector, slot[0]) : replaces(slot, twin);
    if (arrives) setOwn(merged, name, slot);
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** The later version of every slot; undefined when there are none. For slots that are never removed. */
export function mergeLasting({ slots: ours }: Side, { slots: theirs }: Side): Slots | undefined {
  const merged: Record<string, Slot> = { ...ours };
  for (const [name, slot] of Object.entries(theirs ?? {})) {
    const held = own(merged, name);
    if (held === undefined || replaces(slot, held)) setOwn(merged, name, slot);
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** Whether a slot stands in place of another: the later one, or under one stamp that with the later text. */
function replaces([stamp, value]: Slot, [heldStamp, held]: Slot): boolean {
  if (stamp !== heldStamp) return stamp > heldStamp;
  return value !== held && canonicalJson(value) > canonicalJson(held);
}
