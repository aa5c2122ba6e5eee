/**
 * A site's share of the stock of one product (escrow: Balegas et al., "Extending Eventually Consistent Cloud Databases
 * for Enforcing Numeric Invariants", 2015).
 *
 * Invariant: a row is written only by the site that it names, so the row that a peer holds is an earlier version of
 * the owner's and never a rival. The sequence is its rank: the higher one wins, whatever the clocks say.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { owned } from '@tandem-clouds/replication/policies/owned';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { SiteId } from '@tandem-clouds/replication/stamp';

/** All quantities are whole units, and all but `holds` only ever grow. */
export interface EscrowRow {
  readonly sku: string;
  /** The only writer. */
  readonly site: SiteId;
  /** One more with every change. */
  readonly sequence: number;
  /** Goods-in book → all that was ever entered from it. */
  readonly receipts: Readonly<Record<string, number>>;
  /** Lost site → what a count has found of its share. */
  readonly recovered: Readonly<Record<SiteId, number>>;
  readonly sold: number;
  /** Order id → units that wait for the order's end. */
  readonly holds: Readonly<Record<string, number>>;
  /** Peer → all that was ever given to it, and taken from it. */
  readonly given: Readonly<Record<SiteId, number>>;
  readonly taken: Readonly<Record<SiteId, number>>;
  /** Peer → what its `given` to this site should reach: a cumulative target, so asking twice is asking once. */
  readonly asked: Readonly<Record<SiteId, number>>;
  /** Lost site → the one site that may enter its count. Nothing is given to it or taken from it any more. */
  readonly fenced: Readonly<Record<SiteId, SiteId>>;
}

/** The one field of the record. */
const FIELD = 'row';
/** Base-36 digits: 10^14 changes. */
const SEQUENCE_DIGITS = 9;

/** A site's id never has a `~`. */
export function stockKey(sku: string, site: SiteId): string {
  return `stock:${sku}~${site}`;
}

export function emptyRow(sku: string, site: SiteId): EscrowRow {
  return {
    sku,
    site,
    sequence: 0,
    receipts: {},
    recovered: {},
    sold: 0,
    holds: {},
    given: {},
    taken: {},
    asked: {},
    fenced: {},
  };
}

/** What the site may still promise: received + taken − given − sold − held. */
export function available(row: EscrowRow): number {
  const incoming = total(row.receipts) + total(row.recovered) + total(row.taken);
  return incoming - total(row.given) - row.sold - total(row.holds);
}

function total(units: Readonly<Record<string, number>>): number {
  return Object.values(units).reduce((sum, each) => sum + each, 0);
}

/** The row in a record; undefined when there is none. */
export function rowOf(record: StoredRecord | undefined): EscrowRow | undefined {
  return record?.state.fields[FIELD]?.[1] as unknown as EscrowRow | undefined;
}

/** The change that stores a row. */
export function rowChange(row: EscrowRow): Changes {
  const value: Json = { ...row };
  return { [FIELD]: owned(row.sequence.toString(36).padStart(SEQUENCE_DIGITS, '0'), value) };
}
