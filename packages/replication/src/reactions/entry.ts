/** What a site knows of its own about the reactions on a record. */
import type { Json } from '../json.ts';

/**
 * Why nothing is done any more until a person, or another write, says so.
 *
 * | reason | meaning |
 * |---|---|
 * | `failed` | tried as often as the bound allows |
 * | `refused` | its run failed in a way that no later try can mend, or returned what cannot be written |
 * | `forgotten` | may have been done longer ago than its provider remembers keys, and it declares no `lookup` |
 * | `stands` | was done, and what it returned does not make its condition false |
 * | `loop` | more effects on this record within an hour than the bound: reactions wake each other |
 * | `broken` | its condition cannot be evaluated |
 * | `operator` | an operator parked it |
 */
export type ParkReason = 'failed' | 'refused' | 'forgotten' | 'stands' | 'loop' | 'broken' | 'operator';

/** What a site knows of one reaction on one record. */
export interface ReactionEntry {
  /** Names what is to be done; absent: nothing is. */
  readonly effectId?: string;
  /** Epoch milliseconds of the next attempt; absent: there is nothing to do, or it is parked. */
  readonly dueMs?: number;
  /** Attempts that were begun at this effect. */
  readonly attempts?: number;
  /** The effect that was tried here last, and when for the first time: its provider may remember the key from then on. */
  readonly tried?: { readonly effectId: string; readonly atMs: number };
  readonly parked?: { readonly reason: ParkReason; readonly atMs: number };
  /** What the last attempt failed with, in at most `reactionDetailMax` characters. */
  readonly detail?: string;
  /** What the attempts at this effect have got done, for the next one to go on with: at most `progressCharactersMax`. */
  readonly progress?: Json;
  /** Grows with every attempt that is begun here: a fencing token for whoever is written to outside the record. */
  readonly fence?: number;
  /** The effect that was done here last. */
  readonly done?: string;
  /** Effects that were begun within the hour that began at `fromMs`. */
  readonly hour?: { readonly fromMs: number; readonly effects: number };
}

/** Reaction → its entry. */
export type ReactionEntries = Readonly<Record<string, ReactionEntry>>;
