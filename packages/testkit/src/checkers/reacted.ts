/** Reactions on the real stack, judged from outside: by what clients asked, what the provider saw and what the sites hold. */
import type { Finding } from '../history/facts.ts';
import { type HeldRecord, type ProviderCall, type Reacted, REACTION } from '../history/reacted.ts';

export const MISSING = 'reactions: missing effects';
export const BEYOND = 'reactions: effects beyond one';
export const PARKED = 'reactions: parked without a reason';
export const RESTLESS = 'reactions: not at rest';

/** Everything that must hold once all has come to rest. */
export function checkReacted(reacted: Reacted): Finding[] {
  const performed = new Set(reacted.calls.filter((call) => call.performed).map(subjectOf));
  const refused = new Set(
    reacted.calls.filter(({ reply }) => reply === 'refused').map((call) => call.effectId),
  );
  const parked = new Set(
    [...reacted.held.values()].flatMap((records) => records.filter(isParked).map(subjectOf)),
  );
  return [
    ...[...reacted.held].flatMap(([site, records]) =>
      records.flatMap((record) => [
        ...checkDone(site, record, { performed, parked }),
        ...checkParked(site, record, refused),
        ...checkRest(site, record),
      ]),
    ),
    ...checkEffects(reacted),
  ];
}

/** What is parked, by reason. */
export function parkedBy({ held }: Reacted): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { entries } of [...held.values()].flat()) {
    const parked = entries[REACTION]?.parked;
    if (parked !== undefined) counts.set(parked.reason, (counts.get(parked.reason) ?? 0) + 1);
  }
  return counts;
}

function subjectOf({ key, change }: Pick<HeldRecord | ProviderCall, 'key' | 'change'>): string {
  return JSON.stringify([key, change]);
}

function isParked({ entries }: HeldRecord): boolean {
  return entries[REACTION]?.parked !== undefined;
}

/** The condition is about the change that stands: its effect has come about, and the record says so. */
function checkDone(
  site: string,
  record: HeldRecord,
  { performed, parked }: { readonly performed: ReadonlySet<string>; readonly parked: ReadonlySet<string> },
): Finding[] {
  const { key, change, told } = record;
  const found = (detail: string): Finding[] => [{ invariant: MISSING, key, detail: `${site} ${detail}` }];
  if (change === undefined) return [];
  if (change === told)
    return performed.has(subjectOf(record)) ? [] : found(`says that ${change} was told, and nobody told it`);
  // Parked at the one site that runs it.
  return parked.has(subjectOf(record)) ? [] : found(`holds ${change}, told is ${told ?? 'nothing'}`);
}

/** The only reason that a run gives: the provider never accepts it. */
function checkParked(site: string, { key, entries }: HeldRecord, refused: ReadonlySet<string>): Finding[] {
  const entry = entries[REACTION];
  if (entry?.parked === undefined) return [];
  const { reason } = entry.parked;
  if (reason === 'refused' && refused.has(entry.effectId ?? '')) return [];
  const detail = `${site} parked ${entry.effectId ?? 'nothing'} as ${reason}: ${entry.detail ?? 'no detail'}`;
  return [{ invariant: PARKED, key, detail }];
}

function checkRest(site: string, { key, entries }: HeldRecord): Finding[] {
  const due = Object.entries(entries).filter(([, { dueMs }]) => dueMs !== undefined);
  return due.map(([reaction, entry]) => ({
    invariant: RESTLESS,
    key,
    detail: `${site} has ${reaction} to do: ${JSON.stringify(entry)}`,
  }));
}

/**
 * One name for each stamp that a change may have, whether or not it came about: what failed under another name may have been
 * done, elsewhere. One change for each name, one effect for each name, and nothing that nobody asked for.
 */
function checkEffects({ changes, calls }: Reacted): Finding[] {
  const findings: Finding[] = [];
  const found = ({ key }: ProviderCall, detail: string): void => {
    findings.push({ invariant: BEYOND, key, detail });
  };
  const subjects = new Map<string, string>();
  const namesOf = new Map<string, Set<string>>();
  const done = new Set<string>();
  for (const call of calls) {
    const { effectId, change } = call;
    const subject = subjectOf(call);
    if ((subjects.get(effectId) ?? subject) !== subject)
      found(call, `${effectId} names ${subjects.get(effectId) ?? ''} and ${subject}`);
    subjects.set(effectId, subject);
    const names = namesOf.get(subject) ?? new Set<string>();
    namesOf.set(subject, names.add(effectId));
    const allowed = changes.get(change)?.takenBy.size ?? 0;
    if (names.size > allowed)
      found(call, `${change} has ${names.size} names: ${[...names].join(', ')}; ${allowed} sites took it`);
    if (!call.performed) continue;
    if (done.has(effectId)) found(call, `${effectId} came about twice`);
    done.add(effectId);
  }
  return findings;
}
