/** A comparison of two sites, and the messages by which they do it step by step. */
import { messageText } from '../message.ts';
import { notify, type Protocol } from '../protocol.ts';
import type { SiteId } from '../stamp.ts';

/** One comparison. It is kept by the site that began it. */
export interface Job {
  readonly id: string;
  /** The site that began it and keeps its result. */
  readonly from: SiteId;
  readonly to: SiteId;
  /** Epoch milliseconds at `from` when it began. */
  readonly atMs: number;
  /** Whether what a side lacks is sent to it, or only counted. */
  readonly repair: boolean;
  /**
   * The entity whose records are compared, with all claims of unique values; absent: all records. What has changed at the
   * site since it was counted then differs, because nobody knows whether the other has what it was. A release that does not
   * know of this offers all that it holds: of the records of `from` the result is right all the same.
   */
  readonly of?: string;
  /** Whether contents are compared beside names: both sites know how. */
  readonly contents?: boolean;
  /** Whether sites are scanned in an order in which a page that is refused can be passed over; absent: not yet needed. */
  readonly ordered?: boolean;
  /** Steps that led to this one: a comparison that never ends is ended (`compareHopsMax`). Absent: none. */
  readonly hops?: number;
}

export type Side = 'from' | 'to';

/** What one side has that the other may lack: hashes of elements as text, or everything. */
export type Wanted = readonly string[] | 'all';

/** What has been done so far for one side. */
export interface Totals {
  /** Records that were offered to the other side. */
  readonly checked: number;
  /** Of those, records that the other side lacked, or held in an earlier state. */
  readonly differing: number;
  /** Of those, records that were sent. */
  readonly repaired: number;
  /** Keys of some that differ. */
  readonly examples: readonly string[];
}

export const NO_TOTALS: Totals = { checked: 0, differing: 0, repaired: 0, examples: [] };

/** Records that were counted at each side. */
export type Counted = Readonly<Record<Side, number>>;

/** Where a side's search goes on; absent when it has ended. */
export interface Rest {
  readonly wanted: Wanted;
  readonly cursor?: string;
}

/** What a comparison says of a record: its key, the name of its state and, in one of contents, their hash. */
export type Offered = readonly [key: string, state: string, contents?: string];

/** One step. Each is handled at one site, and may be handled twice without harm. */
export type Step =
  /** Puts the records of a side into the sketch: those of `from` in, those of `to` out. */
  | {
      readonly kind: 'digest';
      readonly job: Job;
      readonly side: Side;
      readonly counted: Counted;
      readonly sketch?: string;
      readonly cursor?: string;
    }
  /** Finds the records of a side that the other may lack. */
  | {
      readonly kind: 'find';
      readonly job: Job;
      readonly side: Side;
      readonly counted: Counted;
      readonly totals: Totals;
      readonly rest: Rest;
    }
  /** Names records of a side, by key and state, to the other side. */
  | {
      readonly kind: 'offer';
      readonly job: Job;
      readonly side: Side;
      readonly counted: Counted;
      readonly totals: Totals;
      readonly rest?: Rest;
      readonly states: readonly Offered[];
    }
  /** Says which of them the other side lacks. */
  | {
      readonly kind: 'lacking';
      readonly job: Job;
      readonly side: Side;
      readonly counted: Counted;
      readonly totals: Totals;
      readonly rest?: Rest;
      readonly keys: readonly string[];
    }
  /** Ends a side, at `from`. */
  | {
      readonly kind: 'ended';
      readonly job: Job;
      readonly side: Side;
      readonly counted: Counted;
      readonly totals: Totals;
    }
  | TombstoneCollection
  | Purge
  | IndexFill
  | ErasureSearch
  | Pack;

/** Enters a site's own records in its indexes, page by page (`fill-indexes.ts`). */
export interface IndexFill {
  readonly kind: 'index';
  /** The site whose records they are, which is also the one that takes the step. */
  readonly site: SiteId;
  readonly ids: readonly string[];
  /** Names this filling, as the site's heartbeat does. */
  readonly sinceMs: number;
  readonly cursor?: string;
  /** Steps that led to this one. Absent: none. */
  readonly hops?: number;
}

/** What a search has found of one erasure, each a number of records (`erase.ts`). */
export interface ErasureFound {
  readonly erased: number;
  readonly emptied: number;
  readonly entries: number;
  readonly waiting: number;
  readonly pending: number;
}

/** Searches a site for what is to be erased: first all records, then the conflict log. */
export interface ErasureSearch {
  readonly kind: 'erase';
  /** The site that is searched, which is also the one that takes the step. */
  readonly site: SiteId;
  /** When the search began, by its clock. */
  readonly atMs: number;
  readonly phase: 'records' | 'entries';
  /** Id of an erasure → its moment. */
  readonly sought: Readonly<Record<string, number>>;
  readonly searched: number;
  readonly found: Readonly<Record<string, ErasureFound>>;
  /** Key of a record that the log tells of → the erasure of one of those who wrote it. */
  readonly told: Readonly<Record<string, string>>;
  readonly cursor?: string;
  /** Steps that led to this one. Absent: none. */
  readonly hops?: number;
}

/** Events of a backlog, which take the same queue (`packs.ts`): no comparison has to do with them. */
export interface Pack {
  readonly kind: 'pack';
  /** The site that sent it. */
  readonly from: SiteId;
  readonly events: readonly object[];
}

/** Asks site after site whether it has forgotten, or holds the same tombstone; ends where it began. */
export interface TombstoneCollection {
  readonly kind: 'bury';
  /** The site whose tombstones they are. */
  readonly from: SiteId;
  /** When it began, by that site's clock; absent from a release before it was sent: then nobody agrees. */
  readonly atMs?: number;
  /** Sites that have not been asked yet. */
  readonly left: readonly SiteId[];
  readonly states: readonly (readonly [key: string, state: string])[];
}

/** Asks a site that keeps them whether it holds what another holds and does not keep; ends where it began (`purge.ts`). */
export interface Purge {
  readonly kind: 'purge';
  /** The site whose records they are. */
  readonly from: SiteId;
  /** The site that is asked; that of the records itself: the search goes on. */
  readonly by: SiteId;
  readonly states: readonly (readonly [key: string, state: string])[];
  readonly cursor?: string;
  /** Steps of the search that led to this one. Absent: none. */
  readonly hops?: number;
}

/** Hands a step to a site's queue. @throws the queue's error when it did not take it: then this step is repeated. */
export function* pass(to: SiteId, step: Step, delaySeconds?: number): Protocol<void> {
  const message = {
    id: step.kind,
    body: messageText(step),
    ...(delaySeconds !== undefined && { delaySeconds }),
  };
  const [error] = yield* notify(to, [message]);
  if (error !== undefined) throw error;
}

/** The site that has a side. */
export function siteOf({ from, to }: Job, side: Side): SiteId {
  return side === 'from' ? from : to;
}

/** The site that a side is compared with. */
export function otherSite({ from, to }: Job, side: Side): SiteId {
  return side === 'from' ? to : from;
}
