/**
 * Invariant 2: at every site every field holds the value of the write with the newest stamp, every acknowledged
 * write took effect, and no operation took effect twice.
 */
import type { Register } from '../../../src/shared/replication/policies/field.ts';
import { operationsRemembered } from '../../../src/shared/bounds.ts';
import {
  groupBy,
  isConflict,
  type Acknowledged,
  type Finding,
  type LandedWrite,
  type Snapshot,
} from '../facts.ts';

const invariant = '2 values';

export function checkValues(
  snapshot: Snapshot,
  landed: readonly LandedWrite[],
  acknowledged: readonly Acknowledged[],
): Finding[] {
  const byKey = groupBy(landed, ({ key }) => key);
  return [
    ...[...byKey].flatMap(([key, writes]) => checkKey(snapshot, key, writes)),
    ...checkAcknowledged(byKey, acknowledged),
    ...[...byKey.values()].flatMap(checkOnce),
    ...checkNothingElse(snapshot, byKey),
  ];
}

function checkKey(snapshot: Snapshot, key: string, writes: readonly LandedWrite[]): Finding[] {
  const newest = new Map<string, LandedWrite>();
  for (const write of writes) {
    for (const field of Object.keys(write.fields)) {
      const held = newest.get(field);
      if (held === undefined || held.stamp < write.stamp) newest.set(field, write);
    }
  }
  const findings: Finding[] = [];
  for (const [site, records] of snapshot) {
    const fields = records.get(key)?.state.fields ?? {};
    for (const [field, { stamp, fields: values }] of newest) {
      const held = fields[field];
      const wanted = values[field] ?? null;
      if (held?.[0] === stamp && JSON.stringify(held[1]) === JSON.stringify(wanted)) continue;
      findings.push({
        invariant,
        key,
        detail: `${field} at ${site} is ${short(held)} where the newest write is ${short([stamp, wanted])}`,
      });
    }
    for (const field of Object.keys(fields)) {
      if (!newest.has(field))
        findings.push({ invariant, key, detail: `${field} at ${site} was never written` });
    }
  }
  return findings;
}

function checkAcknowledged(
  landed: ReadonlyMap<string, readonly LandedWrite[]>,
  acknowledged: readonly Acknowledged[],
): Finding[] {
  return acknowledged.flatMap(({ key, site, operationId, stamp }) =>
    (landed.get(key) ?? []).some((write) => write.operationId === operationId && write.site === site)
      ? []
      : [
          {
            invariant,
            key,
            detail: `${operationId} was acknowledged at ${site} as ${stamp} and never landed`,
          },
        ],
  );
}

/** A record remembers so many operations; one that is tried again after more than that many others may repeat. */
function checkOnce(writes: readonly LandedWrite[]): Finding[] {
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
  landed: ReadonlyMap<string, readonly LandedWrite[]>,
): Finding[] {
  return [...snapshot].flatMap(([site, records]) =>
    [...records.keys()]
      .filter((key) => !landed.has(key) && !isConflict(key))
      .map((key) => ({ invariant, key, detail: `${site} holds a key that nobody wrote` })),
  );
}

function short(register: Register | undefined): string {
  return register === undefined ? 'absent' : `${register[0]} ${JSON.stringify(register[1]).slice(0, 24)}`;
}
