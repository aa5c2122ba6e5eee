/**
 * Invariant 3: every causally maximal write that lost is in the conflict log of every site, with its value, and
 * nothing is logged where one of the two writes had seen the other.
 */
import {
  groupBy,
  isConflict,
  vectorHolds,
  type Finding,
  type Holdings,
  type LandedWrite,
  type LoggedConflict,
  type Snapshot,
} from '../facts.ts';

const invariant = '3 conflicts';

export function checkConflicts(snapshot: Snapshot, landed: readonly LandedWrite[]): Finding[] {
  const logs = [...snapshot].map(([site, records]) => ({ site, log: logOf(site, records) }));
  const findings: Finding[] = [];
  for (const [key, writes] of groupBy(landed, (write) => write.key)) {
    for (const field of new Set(writes.flatMap(({ fields }) => Object.keys(fields)))) {
      for (const { stamp, operationId, fields } of maximalLosers(
        writes.filter((write) => field in write.fields),
      )) {
        const value = JSON.stringify(fields[field] ?? null);
        for (const { site, log } of logs) {
          if (log.some((entry) => isAbout(entry, { key, field, loser: stamp }) && entry.value === value))
            continue;
          const detail = `${field}: ${operationId} (${stamp}) lost and is not in the log of ${site}`;
          findings.push({ invariant, key, detail });
        }
      }
    }
  }
  return [
    ...findings,
    ...falseAlarms(
      landed,
      logs.flatMap(({ log }) => log),
    ),
  ];
}

function logOf(site: string, records: Holdings): LoggedConflict[] {
  return [...records].flatMap(([key, { state }]) => {
    if (!isConflict(key)) return [];
    const held = Object.fromEntries(Object.entries(state.fields).map(([name, [, value]]) => [name, value]));
    const [loser, winner] = [held['loser'], held['winner']] as { stamp: string; value?: unknown }[];
    return [
      {
        site,
        key: held['record'] as string,
        field: held['field'] as string,
        loser: loser?.stamp ?? '',
        winner: winner?.stamp ?? '',
        value: JSON.stringify(loser?.value),
      },
    ];
  });
}

function isAbout(
  entry: LoggedConflict,
  { key, field, loser }: Pick<LoggedConflict, 'key' | 'field' | 'loser'>,
): boolean {
  return entry.key === key && entry.field === field && entry.loser === loser;
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

function falseAlarms(landed: readonly LandedWrite[], logged: readonly LoggedConflict[]): Finding[] {
  const byStamp = new Map(landed.map((write) => [`${write.key} ${write.stamp}`, write]));
  const saw = (write: LandedWrite, other: LandedWrite): boolean =>
    vectorHolds(write.replaced?.state.vector, other.site, other.stamp);
  return logged.flatMap(({ key, field, loser, winner }) => {
    const lost = byStamp.get(`${key} ${loser}`);
    const won = byStamp.get(`${key} ${winner}`);
    if (lost !== undefined && won !== undefined && !saw(lost, won) && !saw(won, lost)) return [];
    return [{ invariant, key, detail: `${field}: ${loser} against ${winner} was logged and is no conflict` }];
  });
}
