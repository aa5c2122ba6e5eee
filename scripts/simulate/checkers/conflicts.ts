/**
 * Invariant 3: every causally maximal write that lost was reported as a conflict somewhere, and nothing was reported
 * where one of the two writes had seen the other.
 */
import { groupBy, vectorHolds, type Finding, type LandedWrite, type ReportedConflict } from '../facts.ts';

const invariant = '3 conflicts';

export function checkConflicts(
  landed: readonly LandedWrite[],
  reported: readonly ReportedConflict[],
): Finding[] {
  const known = new Set(reported.map(({ key, field, loser }) => `${key} ${field} ${loser}`));
  const findings: Finding[] = [];
  for (const [key, writes] of groupBy(landed, (write) => write.key)) {
    for (const field of new Set(writes.flatMap(({ fields }) => Object.keys(fields)))) {
      for (const { stamp, operationId } of maximalLosers(writes.filter(({ fields }) => field in fields))) {
        if (known.has(`${key} ${field} ${stamp}`)) continue;
        findings.push({
          invariant,
          key,
          detail: `${field}: ${operationId} (${stamp}) lost and nobody was told`,
        });
      }
    }
  }
  return [...findings, ...falseAlarms(landed, reported)];
}

/** The writes of one field that no other write of it had seen, without the newest, which won. */
function maximalLosers(writes: readonly LandedWrite[]): readonly LandedWrite[] {
  const newest = writes.reduce((a, b) => (b.stamp > a.stamp ? b : a));
  return writes.filter(
    (write) =>
      write !== newest &&
      !writes.some(
        (other) => other !== write && vectorHolds(other.replaced?.state.vector, write.site, write.stamp),
      ),
  );
}

function falseAlarms(landed: readonly LandedWrite[], reported: readonly ReportedConflict[]): Finding[] {
  const byStamp = new Map(landed.map((write) => [`${write.key} ${write.stamp}`, write]));
  const saw = (write: LandedWrite, other: LandedWrite): boolean =>
    vectorHolds(write.replaced?.state.vector, other.site, other.stamp);
  return reported.flatMap(({ key, field, loser, winner }) => {
    const lost = byStamp.get(`${key} ${loser}`);
    const won = byStamp.get(`${key} ${winner}`);
    if (lost !== undefined && won !== undefined && !saw(lost, won) && !saw(won, lost)) return [];
    return [
      { invariant, key, detail: `${field}: ${loser} against ${winner} was reported and is no conflict` },
    ];
  });
}
