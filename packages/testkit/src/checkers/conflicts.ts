/**
 * Invariant 3: every causally maximal write that lost is in the conflict log of every site, with its value, and
 * nothing is logged where one of the two writes had seen the other.
 */
import type { Json } from '@tandem-clouds/replication/json';
import {
  type CommittedWrite,
  type Finding,
  groupBy,
  type Holdings,
  isConflict,
  lastLives,
  type LoggedConflict,
  type Snapshot,
} from '../history/facts.ts';
import { saw, standingAdditions, standingCounts, type Whole, wholesOf, winner } from './field-history.ts';

const invariant = '3 conflicts';

/** `known`: all that was ever written, also what sites have removed for good; of that nothing is wanted. */
export function checkConflicts(
  snapshot: Snapshot,
  committed: readonly CommittedWrite[],
  known: readonly CommittedWrite[] = committed,
): Finding[] {
  const ranks = ranksOf(known);
  const logs = [...snapshot].map(([site, records]) => ({ site, log: logOf(site, records) }));
  const findings: Finding[] = [];
  for (const [key, writes] of groupBy(committed, (write) => write.key)) {
    for (const { field, write, value: lost } of [...lostInLastLife(writes), ...lostWithLives(writes)]) {
      const { stamp, operationId } = write;
      const value = JSON.stringify(lost);
      for (const { site, log } of logs) {
        if (log.some((entry) => isAbout(entry, { key, field, loser: stamp }) && isValue(entry, value)))
          continue;
        const detail = `${field}: ${operationId} (${stamp}) lost ${value} and is not in the log of ${site}`;
        findings.push({ invariant, key, detail });
      }
    }
  }
  const all = logs.flatMap(({ log }) => log);
  const lives = new Map(known.map(({ key, stamp, life }) => [`${key} ${stamp}`, life]));
  return [...findings, ...falseAlarms(known, all), ...wrongReasons(all, ranks, lives)];
}

/** What must be in the log of every site: a write's value of a field, or one of the elements or counts that it made. */
interface Lost {
  readonly field: string;
  readonly write: CommittedWrite;
  /** Undefined: whatever was logged. */
  readonly value: Json | undefined;
}

function fieldsOf(writes: readonly CommittedWrite[]): ReadonlySet<string> {
  return new Set(
    writes.flatMap(({ fields, meant }) => [...Object.keys(fields), ...Object.keys(meant ?? {})]),
  );
}

/** Writes of the last life that lost against others of it. */
function lostInLastLife(writes: readonly CommittedWrite[]): readonly Lost[] {
  const last = lastLives(writes);
  return [...fieldsOf(last)].flatMap((field) => {
    return maximalLosers(wholesOf(field, last)).map(({ write, value }) => ({ field, write, value }));
  });
}

/** What belonged to an earlier life, and nobody who wrote in a later one had seen. */
function lostWithLives(writes: readonly CommittedWrite[]): readonly Lost[] {
  const lives = [...groupBy(writes, ({ life }) => String(life)).values()];
  return lives.flatMap((own) => {
    const later = writes.filter(({ life }) => life > (own[0]?.life ?? 0));
    if (later.length === 0) return [];
    const isUnseen = (write: CommittedWrite): boolean => !later.some((other) => saw(other, write));
    return [...fieldsOf(own)].flatMap((field): Lost[] => {
      const wholes = wholesOf(field, own);
      const isMaximal = ({ write }: Whole): boolean => !wholes.some((other) => saw(other.write, write));
      const replaced = (write: CommittedWrite, element?: Json): boolean =>
        own.some(
          (other) =>
            other.site === write.site &&
            other.stamp > write.stamp &&
            (element === undefined
              ? other.meant?.[field]?.by !== undefined
              : other.meant?.[field]?.add?.includes(element) === true),
        );
      return [
        ...wholes
          .filter((whole) => isMaximal(whole) && isUnseen(whole.write))
          .map(({ write, value }) => ({ field, write, value })),
        ...standingAdditions(field, own)
          .filter(({ write, element }) => isUnseen(write) && !replaced(write, element))
          .map(({ write, element }) => ({ field, write, value: { added: element } })),
        ...standingCounts(field, own)
          .filter((write) => isUnseen(write) && !replaced(write))
          .map((write) => ({ field, write, value: undefined })),
      ];
    });
  });
}

/** The rank of every write of a field as a whole, by key, field and stamp: each life of a key has ranks of its own. */
function ranksOf(known: readonly CommittedWrite[]): ReadonlyMap<string, string> {
  const ranks = new Map<string, string>();
  for (const [, writes] of groupBy(known, ({ key, life }) => `${life} ${key}`)) {
    for (const field of fieldsOf(writes)) {
      for (const { write, rank } of wholesOf(field, writes))
        ranks.set(`${write.key} ${field} ${write.stamp}`, rank);
    }
  }
  return ranks;
}

function isValue(entry: LoggedConflict, value: string | undefined): boolean {
  return value === undefined ? entry.value.startsWith('{"counted":') : entry.value === value;
}

/** The conflict log as a site holds it. */
export function logOf(site: string, records: Holdings): LoggedConflict[] {
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

function falseAlarms(committed: readonly CommittedWrite[], logged: readonly LoggedConflict[]): Finding[] {
  const byStamp = new Map(committed.map((write) => [`${write.key} ${write.stamp}`, write]));
  return logged.flatMap(({ key, field, loser, winner }) => {
    const lost = byStamp.get(`${key} ${loser}`);
    const won = byStamp.get(`${key} ${winner}`);
    if (lost !== undefined && won !== undefined && !saw(lost, won) && !saw(won, lost)) return [];
    return [{ invariant, key, detail: `${field}: ${loser} against ${winner} was logged and is no conflict` }];
  });
}

/** `ranks`: by key, field and stamp. */
function wrongReasons(
  log: readonly LoggedConflict[],
  ranks: ReadonlyMap<string, string>,
  lives: ReadonlyMap<string, number>,
): Finding[] {
  return log.flatMap(({ site, key, field, loser, winner, reason }) => {
    const [lost, won] = [loser, winner].map((stamp) => ranks.get(`${key} ${field} ${stamp}`));
    const [lostLife, wonLife] = [loser, winner].map((stamp) => lives.get(`${key} ${stamp}`));
    const wanted = lostLife !== wonLife ? 'earlier life' : lost === won ? 'newer' : 'higher rank';
    if (reason === wanted) return [];
    return [{ invariant, key, detail: `${field}: ${loser} lost at ${site} as "${reason}", not "${wanted}"` }];
  });
}
