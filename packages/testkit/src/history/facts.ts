/**
 * What really happened, as the world saw it: the only thing that checkers read. Nothing in here was computed by
 * the protocol except the records and reports themselves.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import type { Vector } from '@tandem-clouds/replication/vector';

/** What a write meant for a field beside, or in place of, a value as a whole. */
export interface Meant {
  readonly add?: readonly Json[];
  readonly remove?: readonly Json[];
  readonly by?: number;
  readonly rank?: string;
  /** True when the value as a whole leaves alone what was added and counted. */
  readonly keepsRest?: boolean;
}

/** A put of a local write that took effect in the store, acknowledged or not. */
export interface CommittedWrite {
  readonly atMs: number;
  readonly site: string;
  readonly key: string;
  readonly operationId: string;
  readonly stamp: string;
  /** What the operation meant to set as a whole. */
  readonly fields: Readonly<Record<string, Json>>;
  /** What else it meant, by field. */
  readonly meant?: Readonly<Record<string, Meant>> | undefined;
  /** The incarnation of the state that it made. */
  readonly life: number;
  /** Whether it created what readers did not see. */
  readonly creates: boolean;
  /** What the operation decided on; undefined: no record. */
  readonly basis: StoredRecord | undefined;
  /** What the store held when the put took effect. */
  readonly replaced: StoredRecord | undefined;
}

/** A put that a batch of remote events caused. */
export interface AppliedPut {
  readonly site: string;
  readonly key: string;
  readonly before: StoredRecord | undefined;
  readonly after: StoredRecord;
  /** The latest time that the site's clock showed to the invocation, epoch milliseconds. */
  readonly wallMs: number;
}

/** What a client was told: its write stands, and this is its token. */
export interface AcknowledgedWrite {
  readonly atMs: number;
  readonly site: string;
  readonly key: string;
  readonly operationId: string;
  readonly stamp: string;
  readonly fields: Readonly<Record<string, Json>>;
}

/** The same with what the client was shown. */
export interface Acknowledged extends AcknowledgedWrite {
  /** Its vector is the token. */
  readonly state: RecordState;
}

/** An entry of the conflict log, as one site holds it. */
export interface LoggedConflict {
  readonly site: string;
  readonly key: string;
  readonly field: string;
  readonly loser: string;
  readonly winner: string;
  /** What the loser wrote, as JSON. */
  readonly value: string;
  /** Why it lost, in the log's words. */
  readonly reason: string;
}

export type QueueKind = 'out' | 'in' | 'verify';

/** How one message ended. `lost` happens only to a site's own queue, by a fault. */
export type MessageEnd = 'open' | 'done' | 'dead' | 'lost';

export interface MessageFact {
  readonly site: string;
  readonly kind: QueueKind;
  readonly key: string | undefined;
  /** Put there by the nemesis: no protocol sent it. */
  readonly poison: boolean;
  end: MessageEnd;
  /** About a record that may be written before the message is read: then it may say nothing new. */
  overtaken?: boolean;
  /** Lost by a fault that only a comparison finds. */
  excused?: boolean;
  /** Why it was set aside, each time. */
  readonly reasons: string[];
  /** What had come to nothing when it was last dead-lettered. */
  failures?: { readonly throttled: number; readonly others: number };
}

/** Key → record, as one site holds them. */
export type Holdings = ReadonlyMap<string, StoredRecord>;

/** Site → what it holds. */
export type Snapshot = ReadonlyMap<string, Holdings>;

/** What a checker has found wrong. */
export interface Finding {
  /** Name of the invariant, as in the design: `3 conflicts`. */
  readonly invariant: string;
  readonly key?: string | undefined;
  readonly detail: string;
}

/** Whether `vector` includes a stamp of `site`. The checkers' own words for it. */
export function vectorHolds(vector: Vector | undefined, site: string, stamp: string): boolean {
  const held = vector?.[site];
  return held !== undefined && held >= stamp;
}

/** A state as text that is the same for equal states, whatever the order of their properties. */
export function canonical(state: RecordState | undefined): string {
  if (state === undefined) return 'absent';
  const sorted = (object: Readonly<Record<string, unknown>>): [string, unknown][] =>
    Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  const slots = (section: RecordState['sets']): unknown =>
    sorted(section ?? {}).map(([field, named]) => [
      field,
      sorted(named as object as Record<string, unknown>),
    ]);
  return JSON.stringify([
    sorted(state.fields),
    slots(state.sets),
    slots(state.counters),
    sorted(state.vector),
    state.incarnation ?? 0,
  ]);
}

/** Whether a key is that of what a site says about itself. */
export function isOwnReport(key: string): boolean {
  return /^(heartbeat|pause|verification):/.test(key);
}

/** Whether a key is that of what one site has counted, of which no other site hears. */
export function isOwnCount(key: string): boolean {
  return /^(tally|happened):/.test(key);
}

/** Key → the vectors of the states of it that some site has removed. */
export type Forgotten = ReadonlyMap<string, readonly Vector[]>;

/** Whether a write is included in a state that was removed for good. */
export function isForgottenWrite(forgotten: Forgotten, key: string, site: string, stamp: string): boolean {
  return (forgotten.get(key) ?? []).some((vector) => vectorHolds(vector, site, stamp));
}

/** What sites hold, without what some site has removed already: it is as good as absent where it is still held. */
export function withoutForgotten(snapshot: Snapshot, forgotten: Forgotten): Snapshot {
  const isNamed = (vector: Vector, state: RecordState): boolean => {
    const stamps = Object.entries(state.vector);
    return (
      stamps.length === Object.keys(vector).length && stamps.every(([site, stamp]) => vector[site] === stamp)
    );
  };
  const isKept = ([key, { state }]: [string, StoredRecord]): boolean =>
    !(forgotten.get(key) ?? []).some((vector) => isNamed(vector, state));
  return new Map([...snapshot].map(([site, records]) => [site, new Map([...records].filter(isKept))]));
}

/** How long what is deleted is kept at least: 30 days. */
const KEPT_MS = 30 * 24 * 3_600_000;

/**
 * Whether a state makes one that is gone count as absent: all of it is younger than the end of that by more than what is
 * deleted is kept. So wherever both meet, the earlier one is forgotten as if it had been removed.
 */
export function overrules(later: RecordState, gone: RecordState): boolean {
  const [deletedAt, isDeleted] = gone.fields['$deleted'] ?? [];
  const expires = gone.fields['$expires']?.[1];
  const goneMs = Math.min(
    deletedAt !== undefined && isDeleted === true ? timeOf(deletedAt) : Infinity,
    typeof expires === 'number' ? expires * 1000 : Infinity,
  );
  const oldest = Math.min(timeOf(oldestOf(later)), ...Object.values(later.vector).map(timeOf));
  return oldest > goneMs + KEPT_MS;
}

function timeOf(stamp: string): number {
  return Number.parseInt(stamp.slice(0, 9), 36);
}

/** The stamp of the oldest part of a state: of a field, of an element of a set or of a count. */
function oldestOf({ fields, sets = {}, counters = {} }: RecordState): string {
  const slots = [...Object.values(sets), ...Object.values(counters)].flatMap((named) => Object.values(named));
  return [...Object.values(fields), ...slots].map(([stamp]) => stamp).sort()[0] ?? '';
}

/**
 * Whether a state includes a write for what it is, though some site has removed that: a life that began after the removal has a
 * vector of its own, in which the same sites are later.
 */
export function stillHolds(
  state: RecordState,
  { site, stamp }: Pick<CommittedWrite, 'site' | 'stamp'>,
): boolean {
  return vectorHolds(state.vector, site, stamp) && timeOf(oldestOf(state)) <= timeOf(stamp) + KEPT_MS;
}

/** The writes without those that were removed for good and that no site includes any more. */
export function remembered<Write extends Pick<CommittedWrite, 'key' | 'site' | 'stamp'>>(
  committed: readonly Write[],
  snapshot: Snapshot,
  forgotten: Forgotten,
): readonly Write[] {
  const isHeld = (write: Write): boolean =>
    [...snapshot.values()].some((records) => {
      const state = records.get(write.key)?.state;
      return state !== undefined && stillHolds(state, write);
    });
  return committed.filter(
    (write) => !isForgottenWrite(forgotten, write.key, write.site, write.stamp) || isHeld(write),
  );
}

/** The writes of every key to the last of its lives. */
export function lastLives(committed: readonly CommittedWrite[]): readonly CommittedWrite[] {
  const last = new Map<string, number>();
  for (const { key, life } of committed) last.set(key, Math.max(last.get(key) ?? 0, life));
  return committed.filter(({ key, life }) => life === last.get(key));
}

/** Whether a key is that of an entry of the conflict log. */
export function isConflict(key: string): boolean {
  return key.startsWith('conflict:');
}

/** The entries of a list by what a function says of each. */
export function groupBy<T>(list: readonly T[], groupOf: (entry: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const entry of list) {
    const group = groups.get(groupOf(entry));
    if (group === undefined) groups.set(groupOf(entry), [entry]);
    else group.push(entry);
  }
  return groups;
}

export const RECEIVED_TOO_OFTEN = 'received too often';
