/**
 * Invariant 2: at every site every field holds what was done to it (`field-history.ts`), every acknowledged write took
 * effect, and no operation took effect twice.
 */
import { operationsRemembered } from '@tandem-clouds/replication/bounds';
import type { Json } from '@tandem-clouds/replication/json';
import type { Register } from '@tandem-clouds/replication/policies/field';
import { fieldNames, plainValues } from '@tandem-clouds/replication/record';
import {
  type AcknowledgedWrite,
  type CommittedWrite,
  type Finding,
  groupBy,
  isConflict,
  isOwnReport,
  lastLives,
  type Snapshot,
} from '../history/facts.ts';
import { expectedValue, type Whole, wholesOf, winner } from './field-history.ts';

const invariant = '2 values';

export function checkValues(
  snapshot: Snapshot,
  committed: readonly CommittedWrite[],
  acknowledged: readonly AcknowledgedWrite[],
): Finding[] {
  const byKey = groupBy(committed, ({ key }) => key);
  return [
    ...[...groupBy(lastLives(committed), ({ key }) => key)].flatMap(([key, writes]) =>
      checkKey(snapshot, key, writes),
    ),
    ...checkAcknowledged(byKey, acknowledged),
    ...[...byKey.values()].flatMap(checkOnce),
    ...checkNothingElse(snapshot, byKey),
  ];
}

function checkKey(snapshot: Snapshot, key: string, writes: readonly CommittedWrite[]): Finding[] {
  const names = new Set(
    writes.flatMap(({ fields, meant }) => [...Object.keys(fields), ...Object.keys(meant ?? {})]),
  );
  const wanted = [...names].map((field) => {
    const own = writes.filter(({ fields, meant }) => field in fields || meant?.[field] !== undefined);
    const standing = winner(wholesOf(field, own));
    return { field, standing, value: expectedValue(field, own, standing) };
  });
  const findings: Finding[] = [];
  for (const [site, records] of snapshot) {
    const state = records.get(key)?.state;
    const shown = state === undefined ? {} : plainValues(state);
    for (const { field, standing, value } of wanted) {
      const held = state?.fields[field];
      const newest = standing && registerOf(standing);
      if (JSON.stringify(held) !== JSON.stringify(newest)) {
        findings.push({
          invariant,
          key,
          detail: `${field} at ${site} is ${short(held)} where the newest write is ${short(newest)}`,
        });
      }
      if (!field.startsWith('$') && text(shown[field]) !== text(value)) {
        const detail = `${field} at ${site} shows ${text(shown[field])} where all that was done makes ${text(value)}`;
        findings.push({ invariant, key, detail });
      }
    }
    for (const field of state === undefined ? [] : fieldNames(state)) {
      if (!names.has(field))
        findings.push({ invariant, key, detail: `${field} at ${site} was never written` });
    }
  }
  return findings;
}

function registerOf({ write: { stamp }, value, rank }: Whole): Register {
  return rank === '' ? [stamp, value] : [stamp, value, rank];
}

/** A value as text, an absent one as null; the order in a list is the convergence checker's. */
function text(value: Json | undefined): string {
  if (!Array.isArray(value)) return JSON.stringify(value ?? null);
  return JSON.stringify((value as readonly Json[]).map((each) => JSON.stringify(each)).sort());
}

function checkAcknowledged(
  committed: ReadonlyMap<string, readonly CommittedWrite[]>,
  acknowledged: readonly AcknowledgedWrite[],
): Finding[] {
  return acknowledged.flatMap(({ key, site, operationId, stamp }) =>
    (committed.get(key) ?? []).some((write) => write.operationId === operationId && write.site === site)
      ? []
      : [
          {
            invariant,
            key,
            detail: `${operationId} was acknowledged at ${site} as ${stamp} and was never committed`,
          },
        ],
  );
}

/** A record remembers so many operations; one that is tried again after more than that many others may repeat. */
function checkOnce(writes: readonly CommittedWrite[]): Finding[] {
  const findings: Finding[] = [];
  for (const [site, own] of groupBy(writes, (write) => write.site)) {
    const last = new Map<string, number>();
    own.forEach(({ operationId, key }, position) => {
      const earlier = last.get(operationId);
      last.set(operationId, position);
      if (earlier !== undefined && position - earlier <= operationsRemembered)
        findings.push({ invariant, key, detail: `${operationId} took effect twice at ${site}` });
    });
  }
  return findings;
}

function checkNothingElse(
  snapshot: Snapshot,
  committed: ReadonlyMap<string, readonly CommittedWrite[]>,
): Finding[] {
  return [...snapshot].flatMap(([site, records]) =>
    [...records.keys()]
      .filter((key) => !committed.has(key) && !isConflict(key) && !isOwnReport(key))
      .map((key) => ({ invariant, key, detail: `${site} holds a key that nobody wrote` })),
  );
}

function short(register: Register | undefined): string {
  if (register === undefined) return 'absent';
  const [stamp, value, rank] = register;
  return `${stamp} ${JSON.stringify(value).slice(0, 24)}${rank === undefined ? '' : ` of rank ${rank}`}`;
}
