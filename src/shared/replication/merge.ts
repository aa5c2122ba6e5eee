/**
 * Merging two states of one key.
 *
 * Invariant: states with `mergeStates` form a join-semilattice. The merge is commutative, associative and
 * idempotent and never goes back, so duplicates, reordering, late delivery and resending are harmless.
 * (Shapiro et al., "Conflict-free Replicated Data Types", 2011.)
 */
import { canonicalJson } from './canonical-json.ts';
import type { Register, RecordState, Vector } from './record.ts';
import { laterStamp, stampSite } from './stamp.ts';

/**
 * A write that lost against one that had not seen it, and that had not seen its winner. Two sites that wrote the
 * same value lost nothing, so that is no conflict.
 */
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
    const ours = local.fields[field];
    if (ours?.[0] === theirs[0]) continue;
    const wins = ours === undefined || theirs[0] > ours[0];
    if (ours !== undefined && differ(ours, theirs) && concurrent(ours, remote.vector, theirs, local.vector)) {
      conflicts.push(wins ? { field, loser: ours, winner: theirs } : { field, loser: theirs, winner: ours });
    }
    if (wins) {
      fields[field] = theirs;
      changed = true;
    }
  }
  const vector = mergeVectors(local.vector, remote.vector);
  changed ||= vector !== local.vector;
  return { state: changed ? { fields, vector } : local, changed, conflicts };
}

function differ([, ours]: Register, [, theirs]: Register): boolean {
  return ours !== theirs && canonicalJson(ours) !== canonicalJson(theirs);
}

/** Neither side's vector includes the other's stamp. */
function concurrent(ours: Register, theirVector: Vector, theirs: Register, ourVector: Vector): boolean {
  return !covers(theirVector, ours) && !covers(ourVector, theirs);
}

function covers(vector: Vector, [stamp]: Register): boolean {
  return (vector[stampSite(stamp)] ?? '') >= stamp;
}

/** The least upper bound of two vectors; the very same object when `b` adds nothing. */
function mergeVectors(a: Vector, b: Vector): Vector {
  let merged: Record<string, string> | undefined;
  for (const [site, stamp] of Object.entries(b)) {
    const held = a[site];
    if (held !== undefined && held >= stamp) continue;
    merged ??= { ...a };
    merged[site] = laterStamp(held, stamp) ?? stamp;
  }
  return merged ?? a;
}
