/**
 * Invariant 3: every causally maximal write that lost is in the conflict log of every site, with its value, and
 * nothing is logged where one of the two writes had seen the other.
 */
import {
  groupBy,
  isConflict,
  type Finding,
  type Holdings,
  type LandedWrite,
  type LoggedConflict,
  type Snapshot,
} from '../facts.ts';
import { saw, wholesOf, winner, type Whole } from './field-history.ts';

const invariant = '3 conflicts';

export function checkConflicts(snapshot: Snapshot, landed: readonly LandedWrite[]): Finding[] {
  const ranks = new Map<string, string>();
  const logs = [...snapshot].map(([site, records]) => ({ site, log: logOf(site, records) }));
  const findings: Finding[] = [];
  for (const [key, writes] of groupBy(landed, (write) => write.key)) {
    for (const field of new Set(writes.flatMap(({ fields }) => Object.keys(fields)))) {
      const wholes = wholesOf(field, writes);
      for (const { write, rank } of wholes) ranks.set(`${key} ${field} ${write.stamp}`, rank);
      for (const { write, value: lost } of maximalLosers(wholes)) {
        const { stamp, operationId } = write;
        const value = JSON.stringify(lost);
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
    ...logs.flatMap(({ log }) => wrongReasons(log, ranks)),
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
        reason: held['reason'] as string,
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

/** The writes of one field that no other write of it had seen, without the one that won. */
function maximalLosers(wholes: readonly Whole[]): readonly Whole[] {
  const won = winner(wholes);
  return wholes.filter(
    (whole) => whole !== won && !wholes.some((other) => other !== whole && saw(other.write, whole.write)),
  );
}

function falseAlarms(landed: readonly LandedWrite[], logged: readonly LoggedConflict[]): Finding[] {
  const byStamp = new Map(landed.map((write) => [`${write.key} ${write.stamp}`, write]));
  return logged.flatMap(({ key, field, loser, winner }) => {
    const lost = byStamp.get(`${key} ${loser}`);
    const won = byStamp.get(`${key} ${winner}`);
    if (lost !== undefined && won !== undefined && !saw(lost, won) && !saw(won, lost)) return [];
    return [{ invariant, key, detail: `${field}: ${loser} against ${winner} was logged and is no conflict` }];
  });
}

/** `ranks`: by key, field and stamp. */
function wrongReasons(log: readonly LoggedConflict[], ranks: ReadonlyMap<string, string>): Finding[] {
  return log.flatMap(({ site, key, field, loser, winner, reason }) => {
    const [lost, won] = [loser, winner].map((stamp) => ranks.get(`${key} ${field} ${stamp}`));
    const wanted = lost === won ? 'newer' : 'higher rank';
    if (reason === wanted) return [];
    return [{ invariant, key, detail: `${field}: ${loser} lost at ${site} as "${reason}", not "${wanted}"` }];
  });
}
