/**
 * Merging two states of one key.
 *
 * Invariant: states with `mergeStates` form a join-semilattice. The merge is commutative, associative and
 * idempotent and never goes back, so duplicates, reordering, late delivery and resending are harmless.
 * (Shapiro et al., "Conflict-free Replicated Data Types", 2011.)
 */
import { own, setOwn } from '../own.ts';
import { outranks, type Register } from './policies/field.ts';
import { mergeLasting, mergeRemovable, type Slots } from './policies/slots.ts';
import { stateFrom, type RecordState } from './record.ts';
import { covers, mergeVectors, type Vector } from './vector.ts';

/** A write that lost against one that had not seen it, and that had not seen its winner. */
export interface Conflict {
  readonly field: string;
  readonly loser: Register;
  readonly winner: Register;
}

export interface MergeResult {
  readonly state: RecordState;
  /** False when the remote state added nothing: there is nothing to write. */
  readonly changed: boolean;
  readonly conflicts: readonly Conflict[];
}

/** Merges a remote state into the local one. Pure; neither argument is changed. */
export function mergeStates(local: RecordState | undefined, remote: RecordState): MergeResult {
  if (local === undefined) return { state: remote, changed: true, conflicts: [] };
  const fields: Record<string, Register> = { ...local.fields };
  const conflicts: Conflict[] = [];
  let changed = false;
  for (const [field, theirs] of Object.entries(remote.fields)) {
    const ours = own(local.fields, field);
    if (ours?.[0] === theirs[0]) continue;
    const wins = ours === undefined || outranks(theirs, ours);
    if (ours !== undefined && concurrent(ours, remote.vector, theirs, local.vector)) {
      conflicts.push(wins ? { field, loser: ours, winner: theirs } : { field, loser: theirs, winner: ours });
    }
    if (wins) {
      setOwn(fields, field, theirs);
      changed = true;
    }
  }
  const vector = mergeVectors(local.vector, remote.vector);
  changed ||= vector !== local.vector;
  if (!changed) return { state: local, changed, conflicts };
  const sets = mergeSection(local, remote, 'sets', mergeRemovable);
  const counters = mergeSection(local, remote, 'counters', mergeLasting);
  return { state: stateFrom({ fields, sets, counters, vector }), changed, conflicts };
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
): Readonly<Record<string, Slots>> {
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
