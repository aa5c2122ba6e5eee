/**
 * Invariant 14: a key or a page that fails for good stops nothing behind it. Every other key has come to rest as ever; what a
 * peer lacks of a bad key is named with its reason, by the sweeper of the site that has it or among the dead letters of
 * either; what a site cannot read is named by the comparison that met it; and that has ended.
 */
import { entityOf } from '@tandem-clouds/replication/record';
import { CONFLICT } from '@tandem-clouds/replication/reserved';
import { type Finding, type Holdings, isOwnReport, type Snapshot, vectorHolds } from '../history/facts.ts';
import { checkConvergence } from './convergence.ts';

const invariant = '14 isolation';

/** A site as this checker needs it. */
export interface Isolated {
  readonly name: string;
  readonly holds: Holdings;
  /** Key → how it is bad here. */
  readonly bad: ReadonlyMap<string, string>;
  /** Peer → key → why, as the sweeper has reported it. */
  readonly refused: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Keys that the dead letters of the inbound and of the own queue are about, each with a reason. */
  readonly deadInbound: ReadonlySet<string>;
  readonly deadOwn: ReadonlySet<string>;
}

interface Counted {
  /** How many records there were to be compared. */
  readonly held: number;
}

/** The records of a site that are compared. */
export function countHeld(holds: Holdings): number {
  return [...holds.keys()].filter((key) => !isOwnReport(key)).length;
}

/** While keys are bad and all else is at rest. */
export function checkIsolation(sites: readonly Isolated[]): Finding[] {
  const bad = new Set(sites.flatMap((site) => [...site.bad.keys()]));
  // No write is overruled before that is on record: a record waits, and is named, while its entry in the log is bad.
  for (const { holds } of sites)
    for (const key of [...bad]) {
      const about = entityOf(key) === CONFLICT ? holds.get(key)?.state.fields['record']?.[1] : undefined;
      if (typeof about === 'string') bad.add(about);
    }
  const others: Snapshot = new Map(
    sites.map(({ name, holds }) => [
      name,
      new Map([...holds].filter(([key]) => !bad.has(key) && !isOwnReport(key))),
    ]),
  );
  const findings = checkConvergence(others).map((finding) => ({ ...finding, invariant }));
  for (const key of bad)
    for (const from of sites)
      for (const to of sites) if (from !== to) findings.push(...checkNamed(key, from, to));
  return findings;
}

/** What one site has of a bad key and another lacks, and what is still marked, is named. */
function checkNamed(key: string, from: Isolated, to: Isolated): Finding[] {
  const record = from.holds.get(key);
  if (record === undefined) return [];
  const isRefused = (from.refused[to.name]?.[key] ?? '') !== '';
  if (record.pending[to.name] !== undefined && !isRefused)
    return [
      { invariant, key, detail: `${from.name} marks it for ${to.name}, and its sweeper does not name it` },
    ];
  const own = record.state.vector[from.name];
  const lacks = own !== undefined && !vectorHolds(to.holds.get(key)?.state.vector, from.name, own);
  if (!lacks || isRefused || to.deadInbound.has(key) || from.deadOwn.has(key)) return [];
  return [{ invariant, key, detail: `${to.name} lacks what ${from.name} wrote, and nobody names it` }];
}

/** After a comparison has met what a site cannot read. @param named Keys that its heartbeat names. */
export function checkNamedByComparison(
  { name, bad, holds }: Pick<Isolated, 'name' | 'bad' | 'holds'>,
  named: ReadonlySet<string>,
): Finding[] {
  return [...bad].flatMap(([key, kind]) =>
    (kind === 'unreadable' || kind === 'unscannable') && holds.has(key) && !named.has(key)
      ? [{ invariant, key, detail: `${name} cannot read it, and no comparison has named it` }]
      : [],
  );
}

/** A comparison that was begun while keys were bad has come to its end. */
export function checkComparisonEnded(
  from: Pick<Isolated, 'name' | 'holds'>,
  to: string,
  begunAtMs: number,
): Finding[] {
  const key = `verification:${from.name}.${to}`;
  const fields = from.holds.get(key)?.state.fields;
  const job = fields?.['job']?.[1] as { readonly atMs?: number } | undefined;
  const hasEnded = (job?.atMs ?? 0) >= begunAtMs && typeof fields?.['endedAtMs']?.[1] === 'number';
  return hasEnded
    ? []
    : [{ invariant, key, detail: `the comparison of ${from.name} with ${to} did not end` }];
}

/**
 * A comparison has gone on behind what it could not read: it has counted all that a side held as it began but, at most, the
 * bad keys. What it repaired came later.
 * @param bad How many keys are bad at any site.
 */
export function checkCounted(
  from: Pick<Isolated, 'name' | 'holds'> & Counted,
  to: Pick<Isolated, 'name'> & Counted,
  bad: number,
): Finding[] {
  const key = `verification:${from.name}.${to.name}`;
  const fields = from.holds.get(key)?.state.fields;
  return (['from', 'to'] as const).flatMap((side) => {
    const { name, held } = side === 'from' ? from : to;
    const { counted = 0 } = (fields?.[side]?.[1] ?? {}) as { readonly counted?: number };
    return counted >= held - bad
      ? []
      : [{ invariant, key, detail: `the comparison counted ${counted} of the ${held} records of ${name}` }];
  });
}
