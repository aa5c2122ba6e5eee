/**
 * Invariant 8: a record exists if and only if the newest of its creates and deletes is a create: no zombie after a
 * delete, and no tombstone of an earlier life over a record that was created after it. And a delete keeps no value of
 * the record that it deletes.
 */
import { plainValues } from '@tandem-clouds/replication/record';
import { type CommittedWrite, type Finding, groupBy, lastLives, type Snapshot } from '../history/facts.ts';

const invariant = '8 deletes';
const DELETED = '$deleted';

/** `creates` are the operations that began a life of the key; a delete is known by its field. */
export function checkDeletes(
  snapshot: Snapshot,
  committed: readonly CommittedWrite[],
  creates: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  for (const [key, writes] of groupBy(lastLives(committed), (write) => write.key)) {
    const turns = writes.filter(
      ({ operationId, fields }) => creates.has(operationId) || fields[DELETED] === true,
    );
    if (turns.length === 0) continue;
    const last = turns.reduce((a, b) => (b.stamp > a.stamp ? b : a));
    findings.push(...turns.flatMap(checkEmptied));
    const gone = last.fields[DELETED] === true;
    for (const [site, records] of snapshot) {
      const held = records.get(key);
      if (held === undefined) continue;
      const shownAsGone = held.state.fields[DELETED]?.[1] === true;
      if (gone && !shownAsGone)
        findings.push({ invariant, key, detail: `a zombie at ${site}: ${last.operationId} deleted it last` });
      if (!gone && shownAsGone)
        findings.push({
          invariant,
          key,
          detail: `deleted at ${site} though ${last.operationId} created it later`,
        });
    }
  }
  return findings;
}

function checkEmptied({ key, operationId, fields, basis }: CommittedWrite): Finding[] {
  if (fields[DELETED] !== true || basis === undefined) return [];
  return Object.keys(plainValues(basis.state))
    .filter((field) => fields[field] !== null)
    .map((field) => ({ invariant, key, detail: `${operationId} deleted the record and kept ${field}` }));
}
