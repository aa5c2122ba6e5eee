/**
 * Anti-entropy: at rest a comparison ends and finds nothing; of a site that has lost everything it finds all, and fills
 * it with just what the others hold.
 */
import { canonical, type Finding, type Holdings, isOwnReport, type Snapshot } from '../history/facts.ts';

const invariant = 'comparisons';

/** A site as this checker needs it. */
interface Compared {
  readonly name: string;
  readonly store: { readonly records: Holdings };
}

/** @param differing How many records of `from` the other one lacked when the comparison began. */
export function checkComparison(from: Compared, to: Compared, differing: number): Finding[] {
  const key = `verification:${from.name}.${to.name}`;
  const fields = from.store.records.get(key)?.state.fields;
  const side = (name: string): { differing?: number } =>
    (fields?.[name]?.[1] ?? {}) as { differing?: number };
  if (typeof fields?.['endedAtMs']?.[1] !== 'number') {
    return [{ invariant, key, detail: `the comparison of ${from.name} with ${to.name} did not end` }];
  }
  const found = [side('from').differing, side('to').differing];
  if (found[0] === differing && found[1] === 0) return [];
  return [{ invariant, key, detail: `${String(found)} differences were found, there were ${differing},0` }];
}

/** The site that was filled holds what it held before. */
export function checkRefilled(site: string, before: Snapshot, after: Snapshot): Finding[] {
  const [held, holds] = [before.get(site), after.get(site)];
  return [...(held?.keys() ?? [])].flatMap((key) => {
    if (isOwnReport(key)) return [];
    if (canonical(held?.get(key)?.state) === canonical(holds?.get(key)?.state)) return [];
    return [{ invariant, key, detail: `${site} was not filled with what it had lost` }];
  });
}
