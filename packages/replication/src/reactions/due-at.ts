/** Where a record is in the index of reactions. Pure. */
import type { ReactionEntries } from './entry.ts';

/** What is parked is in the index from here on: far behind every real moment, and exact as a number. */
export const PARKED_FROM_MS = 1e15;

/** Where a record is in the index; undefined: nowhere. */
export function dueAtOf(reactions: ReactionEntries | undefined): number | undefined {
  let at: number | undefined;
  for (const { dueMs, parked } of Object.values(reactions ?? {})) {
    const mine = dueMs ?? (parked && PARKED_FROM_MS + parked.atMs);
    if (mine !== undefined && (at === undefined || mine < at)) at = mine;
  }
  return at;
}

/** Whether something of a record is to be done now. */
export function isDue({ reactions }: { readonly reactions?: ReactionEntries }, nowMs: number): boolean {
  return (dueAtOf(reactions) ?? Infinity) <= nowMs;
}
