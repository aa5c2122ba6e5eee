/**
 * Values that no two live records share: a reservation is a record of its own, one per value, that says who claims it.
 *
 * Invariant: a record is given a value only while a claim of its own stands in the value's reservation, and is fresh. A
 * site refuses a claim beside another whose record holds the value, or may be about to. So at one site no second record
 * takes a value. Two sites that have not heard of each other may each let one in: their claims merge, both stand, and the
 * earlier one holds the value at every site. The others have lost, and `claimsOf` names them wherever both have arrived.
 *
 * Nothing has to be cleaned up for this: the claim of a creation that died is passed over once it is old. A reservation
 * holds no value, only a digest of it in its key. It is never deleted, or a claim that another site adds at that moment
 * would be deleted with it.
 */
import { horizonMs } from '@tandem-clouds/replication/bounds';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { readKeys } from '@tandem-clouds/replication/isolate';
import type { Json } from '@tandem-clouds/replication/json';
import { type Changes, localWrite } from '@tandem-clouds/replication/local-write';
import { change } from '@tandem-clouds/replication/policies/set';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import {
  isLive,
  partsOf,
  plainValues,
  type RecordState,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { UNIQUE } from '@tandem-clouds/replication/reserved';
import { type SiteId, type Stamp, stampSite } from '@tandem-clouds/replication/stamp';
import { reservationAttemptsMax, reservationGraceMs } from '../../bounds.ts';
import { ConflictError, OutOfBoundsError } from '../../errors.ts';

/** A value that a record is to have. */
export interface Wanted {
  /** Key of the value's reservation. */
  readonly reservation: string;
  /** Key of the record. */
  readonly record: string;
  readonly field: string;
  readonly value: string;
}

/** Who claims a value. */
export interface Claim {
  /** Key of the record. */
  readonly record: string;
  /** Epoch milliseconds of its first claim: the earlier one holds the value. */
  readonly at: number;
  /** Epoch milliseconds of its last one. */
  readonly seen: number;
  /** The operation that claimed it last. */
  readonly by: string;
  /** What its site has found out since others claim the value too (`duplicates.ts`). */
  readonly found?: {
    /** Names the claims beside which it counts. */
    readonly among: string;
    /** The stamp of the value that the record then held; absent: it did not hold it. */
    readonly holds?: Stamp;
    /**
     * How many of the claims before it had been found out when its record was judged: marked as a loser, or left alone, because
     * none of their records had the value any more.
     */
    readonly judged?: number;
  };
}

/** A claim, and the site that made it. */
export interface PlacedClaim {
  readonly claim: Claim;
  readonly site: SiteId;
}

/** The field of a reservation: an add-wins set of claims. */
const CLAIMS = 'claims';

/** @param digest Of entity, field and value, as text that is safe in a key. */
export function reservationKey(digest: string): string {
  return `${UNIQUE}:${digest}`;
}

/** Whoever claims the value, the holder first. */
export function claimsOf(reservation: StoredRecord | undefined): readonly Claim[] {
  return reservation === undefined ? [] : placedClaims(reservation.state).map(({ claim }) => claim);
}

/** Whoever claims the value, and where, the holder first. */
export function placedClaims(state: RecordState): readonly PlacedClaim[] {
  return Object.values(partsOf(state, CLAIMS).set ?? {})
    .map(([stamp, claim]) => ({ claim: claim as unknown as Claim, site: stampSite(stamp) }))
    .sort(({ claim: a }, { claim: b }) => a.at - b.at || (orderOf(a) < orderOf(b) ? -1 : 1));
}

/** What notes something of claims. */
export function changedClaims(changed: readonly { readonly was: Claim; readonly is: Claim }[]): Changes {
  return setOf(
    changed.map(({ is }) => is),
    changed.map(({ was }) => was),
  );
}

export interface Reservation {
  readonly claim: Claim;
  /** Whether the record had a claim of another write: then that may count on it. */
  readonly again: boolean;
}

/**
 * Claims a value for a record.
 * @param by The write, whose claims are one.
 * @param attempt Of the write.
 * @throws OutOfBoundsError when another record has the value, or may be about to.
 */
export function* reserve(
  site: Site,
  wanted: Wanted,
  { by, attempt: of }: { readonly by: string; readonly attempt: number },
): Protocol<Reservation> {
  const passed = new Set<string>();
  for (let attempt = 0; attempt < reservationAttemptsMax; attempt += 1) {
    let made: Reservation | undefined;
    try {
      yield* localWrite(site, {
        key: wanted.reservation,
        operationId: `${by}/${of}/${attempt}`,
        expectNew: attempt === 0,
        decide: (current) => {
          const claims = claimsOf(current);
          const open = claims.filter((each) => each.record !== wanted.record && !passed.has(textOf(each)));
          if (open.length > 0) throw new Contested(open);
          const own = claims.filter(({ record }) => record === wanted.record);
          const nowMs = site.now();
          const claim = { record: wanted.record, at: own[0]?.at ?? nowMs, seen: nowMs, by };
          made = { claim, again: own.some((each) => each.by !== by) };
          return setOf([claim], replacedBy(wanted.record, current, site));
        },
      });
      if (made !== undefined) return made;
    } catch (error) {
      if (!(error instanceof Contested)) throw error;
      yield* passOver(site, wanted, error.claims, passed);
    }
  }
  throw new UnavailableError(`the ${wanted.field} of ${wanted.record} is being claimed too often`);
}

/** Its record's earlier claims of this site, and what is old. What another site has claimed for it is that site's to find out about. */
function replacedBy(record: string, current: StoredRecord | undefined, site: Site): readonly Claim[] {
  const nowMs = site.now();
  return (current === undefined ? [] : placedClaims(current.state))
    .filter(
      (each) => (each.claim.record === record && each.site === site.site) || isLongAgo(each.claim, nowMs),
    )
    .map(({ claim }) => claim);
}

function setOf(add: readonly Claim[], remove: readonly Claim[]): Changes {
  return { [CLAIMS]: change({ add: add as unknown as Json[], remove: remove as unknown as Json[] }) };
}

/** Notes which claims count no longer. @throws OutOfBoundsError when one still does. */
function* passOver(
  site: Site,
  { field, value }: Wanted,
  claims: readonly Claim[],
  passed: Set<string>,
): Protocol<void> {
  const { held, failed } = yield* readKeys(claims.map(({ record }) => record));
  for (const claim of claims) {
    const holds =
      failed.has(claim.record) || holdsValue(held.get(claim.record)?.record, field, value, site.now());
    if (holds || site.now() - claim.seen <= reservationGraceMs) {
      throw new OutOfBoundsError(`another record has this ${field}`, [
        { pointer: `/${field}`, rule: 'unique', detail: 'is taken' },
      ]);
    }
    passed.add(textOf(claim));
  }
}

/** Takes back a claim, unless the record has claimed the value anew. */
export function* release(site: Site, { reservation }: Wanted, { by }: Claim): Protocol<void> {
  const isIt = (claim: Claim): boolean => claim.by === by;
  if (!claimsOf((yield* get(reservation))?.record).some(isIt)) return;
  yield* localWrite(site, {
    key: reservation,
    operationId: `${by}/release`,
    decide: (current) => {
      const over = claimsOf(current).filter(isIt);
      return over.length === 0 ? undefined : setOf([], over);
    },
  });
}

/** Whether readers see the record with this value. */
function holdsValue(record: StoredRecord | undefined, field: string, value: string, nowMs: number): boolean {
  return record !== undefined && isLive(record.state, nowMs) && plainValues(record.state)[field] === value;
}

/** Whether nothing about the claim's record can be under way any more; then a claim that is passed over is removed. */
function isLongAgo({ seen }: Claim, nowMs: number): boolean {
  return nowMs - seen > horizonMs;
}

/** Of claims that were made at one moment. */
function orderOf({ record, by }: Claim): string {
  return canonicalJson([record, by]);
}

function textOf(claim: Claim): string {
  return canonicalJson(claim as unknown as Json);
}

/** Others claim the value, and it is not known whether they still count. Never leaves this module. */
class Contested extends ConflictError {
  readonly claims: readonly Claim[];

  constructor(claims: readonly Claim[]) {
    super('others claim the value');
    this.claims = claims;
  }
}
