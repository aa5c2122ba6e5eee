/**
 * Fields that walk through states: registers with a rank (`replication/policies/owned.ts`).
 *
 * Invariant: a state's rank rises along the order and is the same in every release that knows the state. So of concurrent
 * transitions the one to the later state stands at every site, whatever their clocks say and whichever release wrote them;
 * the merge puts the other into the conflict log.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { owned } from '@tandem-clouds/replication/policies/owned';
import { OutOfBoundsError } from '../errors.ts';
import type { States } from './entity.ts';

/** Between the ranks of two states that have none of their own: room for those that come later. */
const STEP = 1_000;
/** Of a rank as text, which compares as its number does. */
const DIGITS = 6;
export const rankMax = 10 ** DIGITS - 1;
/** As many have ranks of their own digits. */
export const statesMax = Math.floor(rankMax / STEP);

/**
 * State → rank, in the order. A state without a rank of its own ranks by its place among those without: a state that is
 * put between others, with its own, moves none of them.
 */
export function ranksOf({ order, ranks = {} }: States): ReadonlyMap<string, number> {
  let place = 0;
  return new Map(order.map((state) => [state, own(ranks, state) ?? (place += 1) * STEP]));
}

/** Where a record begins. */
export function firstState({ order }: States): string {
  return order[0] ?? '';
}

/** Begins at the first state. */
export function begin(states: States): FieldOperation {
  return under(states, firstState(states));
}

/**
 * What a transition does; undefined when the field is in that state already.
 * @param from What the field shows; undefined: nothing yet, which is the first state.
 * @throws OutOfBoundsError when it is not allowed
 */
export function transition(
  field: string,
  states: States,
  { from = firstState(states), to }: { readonly from: Json | undefined; readonly to: string },
): FieldOperation | undefined {
  if (from === to) return undefined;
  const state = typeof from === 'string' ? from : 'what is no state';
  const followers = own(states.allowed, state) ?? [];
  if (followers.includes(to)) return under(states, to);
  const allowed = followers.length === 0 ? 'no other state' : followers.join(' or ');
  const detail = `cannot go from ${state} to ${to}; from ${state} it can go to ${allowed}`;
  throw new OutOfBoundsError(`${field} ${detail}`, [{ pointer: `/${field}`, rule: 'states', detail }]);
}

/**
 * Sets a state under its rank. What is there may rank higher nevertheless: a deletion leaves the rank behind, and an
 * operator may bring the record back. Then the write takes over the rank, or it would lose against what it replaces.
 */
export function under(states: States, state: string): FieldOperation {
  const rank = String(ranksOf(states).get(state) ?? 0).padStart(DIGITS, '0');
  return (parts, at) => {
    const held = parts.register?.[2] ?? '';
    return owned(rank < held ? held : rank, state)(parts, at);
  };
}
