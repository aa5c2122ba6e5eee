/**
 * Merging two states of one key.
 *
 * Invariant: states with `mergeStates` form a join-semilattice. The merge is commutative, associative and
 * idempotent and never goes back, so duplicates, reordering, late delivery and resending are harmless.
 * (Shapiro et al., "Conflict-free Replicated Data Types", 2011.) The incarnation ranks before everything: a
 * lexicographic product of two lattices, joined with the vector, which includes what was overruled.
 */
import { canonicalJson } from './canonical-json.ts';
import type { Json } from './json.ts';
import { erasuresOf, isForgotten } from './lives.ts';
import { own, setOwn } from './own.ts';
import { erasuresIn } from './policies/erased.ts';
import { outranks, type Register } from './policies/field.ts';
import { mergeLasting, mergeRemovable, type Slots } from './policies/slots.ts';
import { ERASED, type RecordState, REQUESTS, stateFrom } from './record.ts';
import { covers, includesVector, mergeVectors, type Vector } from './vector.ts';

/** A write that lost against one that had not seen it, and that had not seen its winner. */
export interface Conflict {
  readonly field: string;
  readonly loser: Register;
  readonly winner: Register;
  /** Present when the loser belongs to an earlier life of the key than the winner. */
  readonly life?: 'earlier';
  /** Of a set or a counter in an earlier life: the name of the loser's slot. */
  readonly slot?: string;
}

export interface MergeResult {
  readonly state: RecordState;
  /** False when the remote state added nothing: there is nothing to write. */
  readonly changed: boolean;
  /** True when the local state counts as absent: what the site knows of its own about it is void too. */
  readonly forgotten: boolean;
  readonly conflicts: readonly Conflict[];
}

/** Merges a remote state into the local one. Pure; neither argument is changed. */
export function mergeStates(local: RecordState | undefined, remote: RecordState): MergeResult {
  if (local === undefined || isForgotten(local, remote))
    return { state: remote, changed: true, forgotten: local !== undefined, conflicts: [] };
  const [ours, theirs] = [local.incarnation ?? 0, remote.incarnation ?? 0];
  if (isForgotten(remote, local)) return { ...UNCHANGED, state: local };
  return ours === theirs ? mergeLife(local, remote) : overrule(local, remote, theirs > ours);
}

const UNCHANGED = { changed: false, forgotten: false, conflicts: [] } as const;

/** Two states of one life, field by field. */
function mergeLife(local: RecordState, remote: RecordState): MergeResult {
  // Equal vectors name equal states, unless a release merged by another rule, or a store lost something.
  const isTwin = includesVector(remote.vector, local.vector) && includesVector(local.vector, remote.vector);
  const fields: Record<string, Register> = { ...local.fields };
  const conflicts: Conflict[] = [];
  let changed = false;
  for (const [field, theirs] of Object.entries(remote.fields)) {
    const ours = own(local.fields, field);
    if (ours?.[0] === theirs[0] && !(isTwin && isLaterTwin(theirs, ours))) continue;
    const wins = ours === undefined || ours[0] === theirs[0] || outranks(theirs, ours);
    const isLost = ours !== undefined && concurrent(ours, remote.vector, theirs, local.vector);
    // Of what was erased no log tells, nor that two sites have erased it.
    if (isLost && field !== ERASED && erasuresIn(wins ? theirs : ours) <= erasuresIn(wins ? ours : theirs)) {
      conflicts.push(wins ? { field, loser: ours, winner: theirs } : { field, loser: theirs, winner: ours });
    }
    if (wins) {
      setOwn(fields, field, theirs);
      changed = true;
    }
  }
  const vector = mergeVectors(local.vector, remote.vector);
  changed ||= vector !== local.vector;
  if (!changed && !isTwin) return { ...UNCHANGED, state: local, conflicts };
  const sets = mergeSection(local, remote, 'sets', mergeRemovable);
  const counters = mergeSection(local, remote, 'counters', mergeLasting);
  changed ||= !sameSlots(sets, local.sets) || !sameSlots(counters, local.counters);
  if (!changed) return { ...UNCHANGED, state: local, conflicts };
  const state = stateFrom({ fields, sets, counters, vector, incarnation: local.incarnation ?? 0 });
  return { state, changed, forgotten: false, conflicts };
}

/** Of two registers under one stamp that differ nevertheless the one with the later text stands, at every site. */
function isLaterTwin(theirs: Register, ours: Register): boolean {
  return theirs[1] !== ours[1] && canonicalJson(theirs as Json) > canonicalJson(ours as Json);
}

/** What a state holds beside its vector, as text: equal contents have equal texts. */
export function contentsOf({ fields, sets = {}, counters = {}, incarnation = 0 }: RecordState): string {
  return canonicalJson([incarnation, fields, sets, counters] as Json);
}

type Section = Readonly<Record<string, Slots>>;

/** Whether a merged section holds the very slots that the local one did. */
function sameSlots(merged: Section, local: Section = {}): boolean {
  const names = Object.keys(merged);
  return (
    names.length === Object.keys(local).length &&
    names.every((field) => {
      const [slots, held] = [merged[field] ?? {}, own(local, field) ?? {}];
      const inside = Object.entries(slots);
      return (
        inside.length === Object.keys(held).length && inside.every(([name, slot]) => own(held, name) === slot)
      );
    })
  );
}

/**
 * Two states of different lives: the later life stands whole. What belonged to the earlier one and its successor had not
 * seen has lost; the requests that made either are remembered. Of what was erased in between nothing is.
 */
function overrule(local: RecordState, remote: RecordState, remoteWins: boolean): MergeResult {
  const [later, earlier] = remoteWins ? [remote, local] : [local, remote];
  const vector = mergeVectors(local.vector, remote.vector);
  const isErased = erasuresOf(later) > erasuresOf(earlier);
  const requests = mergeRemovable(
    { slots: later.sets?.[REQUESTS], vector: later.vector },
    { slots: isErased ? undefined : earlier.sets?.[REQUESTS], vector: earlier.vector },
  );
  const { [REQUESTS]: _, ...sets } = later.sets ?? {};
  const state = stateFrom({
    fields: later.fields,
    sets: requests === undefined ? sets : { ...sets, [REQUESTS]: requests },
    counters: later.counters ?? {},
    vector,
    incarnation: later.incarnation ?? 0,
  });
  const conflicts = isErased ? [] : unseenParts(earlier, later);
  if (!remoteWins && vector === local.vector) return { ...UNCHANGED, state: local, conflicts };
  return { state, changed: true, forgotten: false, conflicts };
}

/** Every part of the earlier life that the later one does not include, with what stands in its place. */
function unseenParts(earlier: RecordState, later: RecordState): readonly Conflict[] {
  const unseen = ([stamp]: readonly [string, ...unknown[]]): boolean => !covers(later.vector, stamp);
  const conflicts: Conflict[] = [];
  for (const [field, loser] of Object.entries(earlier.fields)) {
    if (unseen(loser) && field !== ERASED)
      conflicts.push({ field, life: 'earlier', loser, winner: winnerOf(field, later) });
  }
  for (const [section, verb] of [['sets', 'added'] as const, ['counters', 'counted'] as const]) {
    for (const [field, slots] of Object.entries(earlier[section] ?? {})) {
      if (field === REQUESTS) continue;
      for (const [slot, part] of Object.entries(slots)) {
        // The base of a counter belongs to the write that took it off, which is a register.
        if (slot.startsWith('-') || !unseen(part)) continue;
        const loser: Register = [part[0], { [verb]: part[1] }];
        conflicts.push({ field, slot, life: 'earlier', loser, winner: winnerOf(field, later) });
      }
    }
  }
  return conflicts;
}

/** The register of the field in the later life; where that has none, its newest one, without a value. */
function winnerOf(field: string, { fields }: RecordState): Register {
  const held = own(fields, field);
  if (held !== undefined) return held;
  const stamps = Object.values(fields).map(([stamp]) => stamp);
  return [stamps.sort().at(-1) ?? '', null];
}

/** Neither side's vector includes the other's stamp. */
function concurrent(ours: Register, theirVector: Vector, theirs: Register, ourVector: Vector): boolean {
  return !covers(theirVector, ours[0]) && !covers(ourVector, theirs[0]);
}

/** The sets, or the counters, of both sides, field by field. */
function mergeSection(
  local: RecordState,
  remote: RecordState,
  section: 'sets' | 'counters',
  merge: typeof mergeRemovable,
): Section {
  const [ours, theirs] = [local[section] ?? {}, remote[section] ?? {}];
  const merged: Record<string, Slots> = {};
  for (const field of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const slots = merge(
      { slots: own(ours, field), vector: local.vector },
      { slots: own(theirs, field), vector: remote.vector },
    );
    if (slots !== undefined) setOwn(merged, field, slots);
  }
  return merged;
}
