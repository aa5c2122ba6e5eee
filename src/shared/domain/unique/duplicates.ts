/**
 * Two records with one value that is to be unique, given at two sites that had not heard of each other: who has lost it, and
 * how the loser comes to know.
 *
 * A reservation that several records claim is a condition on its state (`settlementsOf`). Each site finds out about the
 * claims that it has made, because it alone knows whether a write that was under way has been done, and notes in the
 * reservation which of their records hold the value. So it does not matter in which order the reservation and the records
 * cross: what the others hold is read in the reservation. Of the records that hold it the one that claimed it first has it.
 * The site of each other one marks that record, and the mark is the condition of `onDuplicate` (`lossOf`). A claim that
 * arrives late may make the first of who was marked: then the mark is taken back, unless it has been acted on.
 *
 * Invariant: what a site notes of a claim it found out after every claim that is there could be acted on, and it counts
 * beside these very claims only. So whoever is marked held the value at a moment at which another, that claimed it earlier,
 * held it too, and a value that was given up before it was taken anew makes nobody a loser.
 *
 * Invariant: a mark names the stamp of the value that it is about. Who gives the value up, or gets it anew, has no mark.
 */
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import { readKeys } from '@tandem-clouds/replication/isolate';
import type { Json } from '@tandem-clouds/replication/json';
import { type Changes, localWrite } from '@tandem-clouds/replication/local-write';
import { change } from '@tandem-clouds/replication/policies/set';
import type { Slot } from '@tandem-clouds/replication/policies/slots';
import type { Versioned } from '@tandem-clouds/replication/ports/store';
import type { Protocol, Site } from '@tandem-clouds/replication/protocol';
import type { Condition } from '@tandem-clouds/replication/reactions/condition';
import type { Result } from '@tandem-clouds/replication/reactions/react';
import {
  entityOf,
  isLive,
  partsOf,
  type RecordState,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { UNIQUE } from '@tandem-clouds/replication/reserved';
import { type SiteId, type Stamp, stampMs, stampSite } from '@tandem-clouds/replication/stamp';
import { reservationGraceMs } from '../../bounds.ts';
import { changedClaims, type PlacedClaim, placedClaims } from './reservation.ts';
import type { UniqueOf } from './unique-values.ts';

/** Reserved field of a record: what it has lost, an add-wins set of marks. */
const LOST = '$lost';

/** The name of the reaction that an entity declares. */
export const ON_DUPLICATE = 'onDuplicate';

/** Begins the names of the reactions on reservations, which the names of sites end. */
const SETTLE = 'settle-';

export interface Duplicates {
  readonly uniqueOf: UniqueOf;
  readonly digest: (text: string) => string;
  /** Whether an entity declares what is done when one of its records loses a value. */
  readonly isDeclared: (entity: string) => boolean;
}

/** What is known of a loss. */
export interface Loss {
  readonly field: string;
  readonly value: string;
  /** The stamp of the value. */
  readonly of: Stamp;
  /** Key of the record that has the value. */
  readonly to: string;
  /** The stamp of the newest mark. */
  readonly marked: Stamp;
}

interface Mark {
  readonly field: string;
  readonly of: Stamp;
  readonly to: string;
  /** Once `onDuplicate` has been done. */
  readonly done?: true;
}

/** Whether a reaction on a reservation has such a name. */
export function isSettlement(reaction: string): boolean {
  return reaction.startsWith(SETTLE);
}

/** What sites have to find out about the claims of a reservation: one condition for each of them. */
export function settlementsOf(key: string, state: RecordState, duplicates: Duplicates): readonly Condition[] {
  const claims = placedClaims(state);
  const entity = entityOf(claims[0]?.claim.record ?? '');
  if (!duplicates.isDeclared(entity) || claimantsOf(claims).length < 2) return [];
  const among = amongOf(claims, duplicates);
  const marking = toMark(claims, among);
  const open = claims.filter((each) => !isFound(each, among) || marking.has(each));
  const text = canonicalJson([key, claims.map(({ claim }) => claim as unknown as Json)]);
  const fromMs = Math.max(...claims.map(({ claim }) => claim.seen)) + reservationGraceMs;
  return [...new Set(open.map(({ site }) => site))].map((site) => ({
    reaction: `${SETTLE}${site}`,
    effectId: `${SETTLE}${site}-${duplicates.digest(text)}`,
    site: 'origin',
    origin: site,
    madeMs: fromMs,
    fromMs,
    canLookUp: true,
    preparesFor: { entity, reaction: ON_DUPLICATE },
  }));
}

/** The first loss of a record, in the order of its unique fields, that nothing was done about yet. */
export function lossOf(state: RecordState, fields: readonly string[]): Loss | undefined {
  for (const field of fields) {
    const [of, value] = partsOf(state, field).register ?? [];
    if (of === undefined || typeof value !== 'string') continue;
    const about = marksOf(state).filter(([, mark]) => mark.field === field && mark.of === of);
    const newest = about.at(-1);
    if (newest === undefined || about.some(([, { done }]) => done === true)) continue;
    return { field, value, of, to: newest[1].to, marked: newest[0] };
  }
  return undefined;
}

/** What is written to the loser beside what `onDuplicate` returned. */
export function settledLoss(current: StoredRecord, { field, of, to }: Loss): Changes {
  return markChange(current, { field, of, to, done: true });
}

/** What a reaction on a reservation does; undefined: it is none. */
export function settlement(
  site: Site,
  record: StoredRecord,
  reaction: string,
  duplicates: Duplicates,
): Protocol<Result> | undefined {
  return entityOf(record.key) === UNIQUE && isSettlement(reaction)
    ? settle(site, record, reaction.slice(SETTLE.length), duplicates)
    : undefined;
}

/** Finds out about the claims of one site, marks who has lost, and returns what is noted in the reservation. */
function* settle(
  site: Site,
  reservation: StoredRecord,
  of: SiteId,
  duplicates: Duplicates,
): Protocol<Result> {
  const { key } = reservation;
  const before = placedClaims(reservation.state);
  const among = amongOf(before, duplicates);
  const { held } = yield* readKeys(claimantsOf(before));
  const stampOf = (record: string): Stamp | undefined =>
    valueIn(held.get(record)?.record, key, site.now(), duplicates)?.stamp;
  const found = before.map((each) => {
    if (each.site !== of || isFound(each, among)) return each;
    const holds = stampOf(each.claim.record);
    return { ...each, claim: { ...each.claim, found: { among, ...(holds !== undefined && { holds }) } } };
  });
  const holders = holdersOf(found, among);
  const marking = toMark(found, among);
  const judging = { site, reservation: key, among, duplicates };
  const [first] = holders;
  const winning = first?.judge.site === of ? held.get(first.record)?.record : undefined;
  if (winning !== undefined && marksOf(winning.state).length > 0)
    yield* note(judging, winning.key, 'kept', unmark);
  const marked = new Set<PlacedClaim>();
  for (const [rank, { record, judge }] of holders.entries()) {
    if (judge.site !== of || !marking.has(judge)) continue;
    const winner = holders
      .slice(0, rank)
      .find((other) => stampOf(other.record) !== undefined || !hasSeen(held.get(other.record), other.holds));
    if (winner !== undefined && held.has(record))
      yield* note(judging, record, 'lost', (current, value) => markLost(current, value, winner.record));
    marked.add(judge);
  }
  const after = found.map((each) =>
    marked.has(each)
      ? { ...each.claim, found: { among, ...each.claim.found, judged: foundBefore(each, found, among) } }
      : each.claim,
  );
  const changed = before.flatMap(({ claim }, index) =>
    after[index] === claim || after[index] === undefined ? [] : [{ was: claim, is: after[index] }],
  );
  return () => changedClaims(changed);
}

interface Judging {
  readonly site: Site;
  readonly reservation: string;
  readonly among: string;
  readonly duplicates: Duplicates;
}

/** Writes to a record what has been found out about the value that it holds, once for the same claims. */
function* note(
  { site, reservation, among, duplicates }: Judging,
  record: string,
  what: 'kept' | 'lost',
  changesOf: (current: StoredRecord, value: Held) => Changes | undefined,
): Protocol<void> {
  yield* localWrite(site, {
    key: record,
    // Whoever writes the entity by now does not know whether a write of this site was under way.
    isNote: true,
    // One write may have claimed several values, beside the same others.
    operationId: `${what}/${duplicates.digest(canonicalJson([reservation, among]))}`,
    decide: (current) => {
      const value = valueIn(current, reservation, site.now(), duplicates);
      return current === undefined || value === undefined ? undefined : changesOf(current, value);
    },
  });
}

function markLost(current: StoredRecord, { field, stamp: of }: Held, to: string): Changes | undefined {
  return marksAbout(current, { field, stamp: of }).length > 0
    ? undefined
    : markChange(current, { field, of, to });
}

/** The record that has the value has not lost it, though it was marked before an earlier claim of its own had arrived. */
function unmark(current: StoredRecord, value: Held): Changes | undefined {
  const remove = marksAbout(current, value).filter(({ done }) => done !== true);
  return remove.length === 0 ? undefined : { [LOST]: change({ remove: remove as unknown as Json[] }) };
}

function marksAbout({ state }: StoredRecord, value: Held): readonly Mark[] {
  return marksOf(state)
    .map(([, mark]) => mark)
    .filter(({ field, of }) => field === value.field && of === value.stamp);
}

/** Sets a mark in place of all others of its field. */
function markChange({ state }: StoredRecord, mark: Mark): Changes {
  const others = marksOf(state)
    .map(([, each]) => each)
    .filter(({ field }) => field === mark.field);
  return { [LOST]: change({ add: [mark as unknown as Json], remove: others as unknown as Json[] }) };
}

/** In the order of their stamps. */
function marksOf(state: RecordState): readonly (readonly [Stamp, Mark])[] {
  const slots: readonly Slot[] = Object.values(partsOf(state, LOST).set ?? {});
  return slots
    .map(([stamp, mark]) => [stamp, mark as unknown as Mark] as const)
    .sort(([a, { to }], [b, { to: other }]) => (a === b ? (to < other ? -1 : 1) : a < b ? -1 : 1));
}

interface Held {
  readonly field: string;
  readonly stamp: Stamp;
}

/** The field of a live record that holds the value of a reservation, and since which stamp. */
function valueIn(
  record: StoredRecord | undefined,
  reservation: string,
  nowMs: number,
  { uniqueOf }: Duplicates,
): Held | undefined {
  const unique = record && uniqueOf(record.key);
  if (record === undefined || unique === undefined || !isLive(record.state, nowMs)) return undefined;
  for (const field of unique.names) {
    const [stamp, value] = partsOf(record.state, field).register ?? [];
    if (stamp === undefined || typeof value !== 'string') continue;
    if (unique.reservationOf(field, value) === reservation) return { field, stamp };
  }
  return undefined;
}

/** Whether what is here includes a write. */
function hasSeen(held: Versioned | undefined, stamp: Stamp): boolean {
  return (held?.record.state.vector[stampSite(stamp)] ?? '') >= stamp;
}

interface Holder {
  readonly record: string;
  /** The newest stamp under which one of the sites has found the value. */
  readonly holds: Stamp;
  /** The claim whose site has found that, and marks the record. */
  readonly judge: PlacedClaim;
}

/** The records that hold the value, as far as sites have found out: the one that claimed it first before the others. */
function holdersOf(claims: readonly PlacedClaim[], among: string): readonly Holder[] {
  const holders = new Map<string, Holder>();
  for (const each of claims) {
    const { record, found } = each.claim;
    if (found?.among !== among || found.holds === undefined) continue;
    if (found.holds > (holders.get(record)?.holds ?? ''))
      holders.set(record, { record, holds: found.holds, judge: each });
  }
  return claimantsOf(claims).flatMap((record) => holders.get(record) ?? []);
}

/** The claims whose records are to be judged, by their sites: also anew, when more of those before them have been found out. */
function toMark(claims: readonly PlacedClaim[], among: string): ReadonlySet<PlacedClaim> {
  const losers = holdersOf(claims, among).slice(1);
  const isOpen = (each: PlacedClaim): boolean =>
    (each.claim.found?.judged ?? -1) < foundBefore(each, claims, among);
  return new Set(losers.map(({ judge }) => judge).filter(isOpen));
}

/** How many claims of records that claimed the value before a claim's own have been found out. */
function foundBefore({ claim }: PlacedClaim, claims: readonly PlacedClaim[], among: string): number {
  const own = claims.findIndex((each) => each.claim.record === claim.record);
  return claims.slice(0, own).filter((each) => isFound(each, among)).length;
}

function isFound({ claim: { found } }: PlacedClaim, among: string): boolean {
  return found?.among === among;
}

/** The records that claim the value, in the order of their first claims. */
function claimantsOf(claims: readonly PlacedClaim[]): readonly string[] {
  return [...new Set(claims.map(({ claim }) => claim.record))];
}

/** Names the claims that are there, whatever was found out about them. */
function amongOf(claims: readonly PlacedClaim[], { digest }: Duplicates): string {
  return digest(canonicalJson(claims.map(({ claim: { record, by } }) => [record, by])));
}

/** Epoch milliseconds at which a loss was marked, and by which site. */
export function markedBy({ marked }: Loss): { readonly site: SiteId; readonly atMs: number } {
  return { site: stampSite(marked), atMs: stampMs(marked) };
}
