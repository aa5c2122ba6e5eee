/**
 * Invariant 16: of all transitions of a field in the last life of its record, the latest in the order of the states stands
 * at every site, whatever the clocks said: none is undone, and of concurrent ones that to the later state wins. Ranks
 * are how the product does it, and are not looked at here.
 */
import { plainValues } from '@tandem-clouds/replication/record';
import { type CommittedWrite, type Finding, groupBy, lastLives, type Snapshot } from '../history/facts.ts';

const invariant = '16 states';

/** @param order The states of the field, the first one first. */
export function checkStates(
  snapshot: Snapshot,
  committed: readonly CommittedWrite[],
  { field, order }: { readonly field: string; readonly order: readonly string[] },
): Finding[] {
  return [...groupBy(lastLives(committed), ({ key }) => key)].flatMap(([key, writes]) => {
    const values = writes.flatMap(({ fields }) => (field in fields ? [fields[field]] : []));
    // What a deletion empties says nothing, and a creation without a life of its own begins anew over it.
    if (values.length === 0 || values.includes(null)) return [];
    const wanted = order[Math.max(...values.map((value) => order.indexOf(value as string)))];
    return [...snapshot].flatMap(([site, records]) => {
      const state = records.get(key)?.state;
      const shown = state && plainValues(state)[field];
      if (shown === wanted) return [];
      const detail = `${field} at ${site} is ${JSON.stringify(shown)} where a transition to ${String(wanted)} was committed`;
      return [{ invariant, key, detail }];
    });
  });
}
